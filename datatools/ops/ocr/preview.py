"""`datatools ocr preview`: a contact sheet of a text set, to look at before anything else."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.records import TextRegion
from datatools.core.result import Result, Table
from datatools.core.textset import TextSet
from datatools.core.types import SERIAL, Dataset, Run, Seed
from datatools.ops.ocr.options import FormatOption

if TYPE_CHECKING:
    from datatools.report.text_sheet import TextTile

SHOWN_FAILURES = 20
"""So many failures are shown on a terminal; JSON has all."""


@dataclass(frozen=True)
class Preview(Result):
    """What stands on the sheet.

    out: the file. kind: det or rec. shown: images, in the order of the sheet. candidates: how many there were to choose
    from. failures: what could not be read.
    """

    out: Path
    kind: str
    shown: tuple[str, ...]
    candidates: int
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """How many lines and images could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """What could not be read, and where the sheet lies."""
        yield from map(str, self.failures[:SHOWN_FAILURES])
        if len(self.failures) > SHOWN_FAILURES:
            yield f"... and {len(self.failures) - SHOWN_FAILURES:,} more that could not be read"
        what = "pages" if self.kind == "det" else "lines"
        yield f"{len(self.shown):,} of {self.candidates:,} {what} are shown; open {escape(self.out)}"


@op("ocr.preview", version=1)
def preview(
    src: Dataset,
    *,
    out: Annotated[
        Path, Param("picture that is made, .jpg or .png", flags=("-o", "--out"), metavar="FILE", writes="file")
    ],
    kind: Annotated[
        Literal["auto", "det", "rec"], Param("pages with their outlines (det), or lines (rec); auto: what there is")
    ] = "auto",
    n: Annotated[int, Param("number of images", flags=("-n",), ge=1, le=400)] = 12,
    split: Annotated[Literal["train", "val", "test"] | None, Param("choose from the images of this split")] = None,
    side: Annotated[int, Param("longer side of an image on the sheet, px", ge=64, le=2048)] = 480,
    seed: Seed = 0,
    format: FormatOption = "auto",
    run: Run = SERIAL,
) -> Preview:
    """Draw a sheet of pages with their outlines and texts, or of lines with the text below each.

    The images are chosen at random, by the seed, and stand in the order of the set. A dot marks where an outline
    begins; ignored regions are grey. An image that cannot be read leaves its place grey.
    """
    from datatools.io import atomic, images
    from datatools.io.textsets import sets
    from datatools.report import sheet, text_sheet

    suffix = out.suffix.lower()
    if suffix not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"{escape(out)}: the name of the sheet must end in .jpg or .png")
    found = sets.read(src, format, run)
    if kind == "auto":
        kind = "det" if found.pages else "rec"
    candidates = _candidates(found, kind, split)
    if not candidates:
        where = f" in {split}" if split else ""
        raise UsageError(f"{escape(src)}: there is no {'page' if kind == 'det' else 'line'} to show{where}")
    chosen = [candidates[i] for i in _choose(len(candidates), n, seed)]
    if any((src / job.image).resolve() == out.resolve() for job in candidates):
        raise UsageError(f"{escape(out)}: is an image of the set; choose another place")
    failures = list(found.failures)
    read: list[tuple[_Job, tuple[int, int] | None]] = [(job, _size(found.root, job)) for job in chosen]
    cell_wh = _cell(sheet.cell_size([size for _, size in read if size], side), [s for _, s in read if s], kind, side)
    tiles: list[TextTile] = []
    drawing = functools.partial(_tile, root=str(found.root), cell_wh=cell_wh)
    for tile, failure in run.map(drawing, chosen, "drawing"):
        tiles.append(tile)
        failures += [failure] if failure else []
    what = "pages" if kind == "det" else "lines"
    title = f"{src.resolve().name}: {len(tiles):,} of {len(candidates):,} {what}" + (f" of {split}" if split else "")
    drawn = text_sheet.compose(tiles, cell_wh, title)
    atomic.write_bytes(out, images.encode_png(drawn) if suffix == ".png" else images.encode_jpeg(drawn, 92))
    return Preview(out, kind, tuple(job.image for job in chosen), len(candidates), tuple(failures))


@dataclass(frozen=True, slots=True)
class _Job:
    """An image to draw. text: of a line, None for a page."""

    image: str
    regions: tuple[TextRegion, ...] = ()
    text: str | None = None


def _candidates(found: TextSet, kind: str, split: str | None) -> list[_Job]:
    if kind == "det":
        return [_Job(p.image, p.record.regions) for p in found.pages if split in (None, p.split)]
    return [_Job(s.image, text=s.record.text) for s in found.lines if split in (None, s.split)]


def _choose(count: int, n: int, seed: int) -> list[int]:
    """At most n different numbers below count, ascending."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return sorted(rng.permutation(count)[:n].tolist())


def _size(root: Path, job: _Job) -> tuple[int, int] | None:
    """The size of an image as displayed; None where it cannot be read, which drawing it will say."""
    from datatools.io import images

    try:
        return images.read_header(root / job.image).displayed_wh
    except DataError:
        return None


def _cell(page_wh: tuple[int, int], sizes: Sequence[tuple[int, int]], kind: str, side: int) -> tuple[int, int]:
    """Width and height of the cells: lines are flat."""
    if kind == "det" or not sizes:
        return page_wh
    ratios = sorted(height / width for width, height in sizes)
    return side, max(round(side * min(ratios[len(ratios) // 2], 0.5)), 24)


def _tile(job: _Job, root: str, cell_wh: tuple[int, int]) -> "tuple[TextTile, DataError | None]":
    """Decode an image and shrink it; an empty tile and the reason where it cannot be decoded."""
    import numpy as np

    from datatools.io import files, images
    from datatools.report import sheet
    from datatools.report.text_sheet import Drawn, TextTile

    try:
        data = files.read_bytes(f"{root}/{job.image}", images.MAX_FILE_BYTES)
        picture = images.decode(data, name=job.image)
    except DataError as error:
        failure = DataError(job.image, error.line, error.code, error.message, error.remedy)
        return TextTile(job.image, None, text=job.text, note=f"cannot be read: {error.message}"), failure
    small = sheet.fit(picture, cell_wh)
    scale = np.array([small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]])
    regions = tuple(Drawn(np.array(r.points) * scale, r.text, r.ignore) for r in job.regions)
    return TextTile(job.image, small, regions, job.text), None
