"""`datatools ocr stats`: everything that can be counted in a text set."""

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from datatools.core.census import count_of
from datatools.core.errors import DataError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.text_census import TextCensus
from datatools.core.types import SERIAL, Dataset, Run
from datatools.ops.ocr import counting
from datatools.ops.ocr.options import FormatOption

SHOWN = 20
"""So many rows or lines of one kind are shown on a terminal; JSON and the page hold all."""


@dataclass(frozen=True)
class Stats(Result):
    """The counts of a set. census: all counts; in JSON they stand beside the other fields.

    format: of the set. failures: lines and images that could not be read. written: the files that were made.
    """

    src: Path
    format: str
    census: TextCensus
    failures: tuple[DataError, ...]
    written: tuple[Path, ...] = ()

    @property
    def problems(self) -> int:
        """How many lines and images could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Splits, sizes, characters and texts, hints, failures, and what to do next."""
        from datatools.report import text_stats

        c = self.census
        parts = [
            count_of(c.pages, "page") if c.pages else "",
            count_of(c.regions, "region") + f" ({c.ignored:,} more ignored)" if c.pages else "",
            count_of(c.lines, "line") if c.lines else "",
            count_of(c.directions, "direction") if c.directions else "",
            f"{len(c.characters):,} different characters" if c.characters else "",
        ]
        yield f"{escape(self.src)} ({self.format}): {', '.join(part for part in parts if part) or 'nothing to count'}"
        for table in text_stats.tables(c):
            if len(table.rows) > SHOWN:
                more = f"{table.title}: the first {SHOWN} of {len(table.rows):,} (--json, --html list all)"
                table = dataclasses.replace(table, rows=table.rows[:SHOWN], title=more)
            yield table
        if c.page_sizes:
            shown = ", ".join(f"{s.width} x {s.height} ({s.images:,})" for s in c.page_sizes[:5])
            more_sizes = len(c.page_sizes) - 5
            yield f"page sizes: {shown}" + (f" and {more_sizes:,} more" if more_sizes > 0 else "")
        yield from (f"hint: {hint.replace('`', '')}" for hint in c.hints())
        yield from map(str, self.failures[:SHOWN])
        if len(self.failures) > SHOWN:
            yield f"... and {len(self.failures) - SHOWN:,} more that could not be read (--json lists all)"
        yield from (f"wrote {escape(path)}" for path in self.written)
        if self.failures:
            yield f"next: datatools ocr lint {escape(self.src)}"
        elif not self.written:
            yield f"next: datatools ocr stats {escape(self.src)} --html stats.html (draws all of this)"

    def to_json(self) -> dict[str, Any]:
        """All counts, and the hints."""
        answer = super().to_json()
        first = {name: answer.pop(name) for name in ("src", "format")}
        return {**first, **answer.pop("census"), **answer, "hints": list(self.census.hints())}


@op("ocr.stats", version=1)
def stats(
    src: Dataset,
    *,
    html: Annotated[Path | None, Param("write it as one self-contained page", metavar="FILE", writes="file")] = None,
    format: FormatOption = "auto",
    run: Run = SERIAL,
) -> Stats:
    """Count pages, regions, lines, texts, characters, their sizes and splits in a text set.

    Sizes of regions are those of their outlines, width along the text; sizes of lines are those of their images.
    """
    from datatools.io import atomic
    from datatools.io.textsets import sets

    found = sets.read(src, format, run)
    images = list(dict.fromkeys([*(page.image for page in found.pages), *(line.image for line in found.lines)]))
    answers = run.map(functools.partial(_size, root=str(found.root)), images, "image sizes")
    sizes: dict[str, tuple[int, int]] = {}
    failures = list(found.failures)
    for image, answer in zip(images, answers, strict=True):
        if isinstance(answer, DataError):
            failures.append(answer)
        else:
            sizes[image] = answer
    result = Stats(src, found.format, counting.count(found, sizes), tuple(failures))
    if html is None:
        return result
    from datatools.report import text_stats

    name = src.resolve().name or "the set"
    page = text_stats.html(result.census, name, f"{src}, {found.format}", list(map(str, failures)))
    atomic.write_bytes(html, page)
    return dataclasses.replace(result, written=(html,))


def _size(image: str, root: str) -> tuple[int, int] | DataError:
    """The size of an image as displayed."""
    from datatools.io.images import read_header

    try:
        return read_header(f"{root}/{image}").displayed_wh
    except DataError as error:
        return DataError(image, error.line, error.code, error.message, error.remedy)
