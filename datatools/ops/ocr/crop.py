"""`datatools ocr crop`: from text detection to text recognition: every text cut out, upright, with its label."""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.census import count_of
from datatools.core.errors import DataError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, OutFolder, Run
from datatools.ops.ocr import sets
from datatools.ops.ocr.cutting import Cuts, Encoding, Page, cut_file
from datatools.ops.ocr.sets import SPLITS, FormatOption
from datatools.ops.voc.derived import Entry, closing, stems, write

UNSPLIT = ("rec_gt.txt", "crop_img")
"""Label file and image folder of what is in no split, as PPOCRLabel calls them."""
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class Crop(Result):
    """What was cut out.

    pages: that were read. lines: cut-outs by split. regions: of these pages; each is a line or counted in `left_out`,
    why -> how many. changed: what was made to fit -> how often. characters: in all texts.
    """

    out: Path
    pages: int
    regions: int
    written_lines: dict[str, int]
    left_out: dict[str, int]
    changed: dict[str, int]
    characters: int
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many lines, images and regions could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """What was cut, what was left out, and what to do next."""
        yield from map(str, self.failures[:SHOWN_FAILURES])
        if len(self.failures) > SHOWN_FAILURES:
            yield f"... and {len(self.failures) - SHOWN_FAILURES:,} more that could not be used (--json lists all)"
        rows = (*self.left_out.items(), *self.changed.items())
        if rows:
            yield Table(("regions", "count"), rows)
        total = sum(self.written_lines.values())
        by_split = ", ".join(f"{split} {count:,}" for split, count in self.written_lines.items() if split)
        yield (
            f"{count_of(self.pages, 'page')}, {count_of(self.regions, 'region')}: "
            f"{count_of(total, 'line')} cut{f' ({by_split})' if by_split else ''}, {self.characters:,} characters"
        )
        yield closing(self.out, False, "datatools ocr dict {out} -o dict.txt; datatools ocr cls-set {out} -o DIR")


@op("ocr.crop", version=1)
def crop(
    src: Dataset,
    *,
    out: OutFolder,
    tall: Annotated[
        float, Param("lay cut-outs of this height / width and more on their side, as trainers do; 0 never", ge=0)
    ] = 1.5,
    encode: Encoding = "jpg",
    format: FormatOption = "auto",
    force: Force = False,
    run: Run = SERIAL,
) -> Crop:
    """Cut every text of a detection set out, rectified by perspective, and write them as a recognition set.

    Regions that are ignored or have no text are left out. Of an outline of more than four corners the smallest
    rectangle is cut. Cut-outs are called `<page>_crop_<number>`, by which split and others know their page.
    """
    found = sets.read(src, format, run)
    names = stems(page.key for page in found.pages)
    work = [Page(str(found.path(p)), p.image, names[p.key], p.split, p.record.regions) for p in found.pages]
    result = _Made()
    made = run.map(functools.partial(cut_file, tall=tall, encode=encode), work, "cutting")
    write(result.files(work, made), out, link="copy", force=force, inputs=(src,))
    return Crop(
        out=out,
        pages=len(work),
        regions=sum(len(page.regions) for page in work),
        written_lines={split: result.written[split] for split in (*SPLITS, "") if result.written[split]},
        left_out=dict(sorted(result.left_out.items())),
        changed=dict(sorted(result.changed.items())),
        characters=result.characters,
        failures=(*found.failures, *result.failures),
    )


class _Made:
    """Adds up what became of the pages while their files pass by."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self.characters = 0
        self.failures: list[DataError] = []

    def files(self, work: Sequence[Page], made: Iterable[Cuts]) -> Iterator[Entry]:
        """Yield the images and, at the end, the label files."""
        from datatools.io.paddleocr.texts import line_of

        lists: dict[str, list[str]] = {}
        for page, cuts in zip(work, made, strict=True):
            self.left_out.update(cuts.left_out)
            self.changed.update(cuts.changed)
            self.failures += cuts.failures
            list_name, folder = (f"{page.split}.txt", page.split) if page.split else UNSPLIT
            for name, text, data in cuts.lines:
                image = f"{folder}/{name}"
                try:
                    line = line_of(image, text)
                except ValueError as error:
                    self.failures.append(DataError(page.name, 0, "E-ITEM-NAME", str(error), "rename the image"))
                    self.left_out["that no label file can name"] += 1
                    continue
                lists.setdefault(list_name, []).append(line)
                self.written[page.split] += 1
                self.characters += len(text)
                yield image, data
        for list_name, lines in lists.items():
            yield list_name, "".join(lines).encode()
