"""A text set in any format, as pages, lines and directions: what every command but lint reads."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param
from datatools.core.records import TextLine, TextPage
from datatools.core.types import Run

R = TypeVar("R", TextPage, TextLine)

Format = Literal["auto", "paddleocr", "ppocrlabel", "icdar", "cocotext"]
FormatOption = Annotated[Format, Param("format of SRC; auto finds it by the files that are there")]


SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Sample(Generic[R]):
    """An image with its label. key: the path of the image below the root, without suffix. split: "" where none is told.

    image: relative to the root. label: as its line has it; empty where it came from no line of PaddleOCR's.
    """

    key: str
    split: str
    image: str
    record: R
    label: str = ""


@dataclass(frozen=True)
class TextSet:
    """All samples of a set, in the order of their label files.

    pages: of detection; lines: of recognition; directions: of direction, whose text is 0, 90, 180 or 270.
    skipped: why -> how many images were left out. lost: what only the source can say -> how often.
    failures: what could not be read.
    """

    root: Path
    format: str
    pages: tuple[Sample[TextPage], ...] = ()
    lines: tuple[Sample[TextLine], ...] = ()
    directions: tuple[Sample[TextLine], ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    failures: tuple[DataError, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that there are, in the usual order; "" last."""
        told = {sample.split for kind in (self.pages, self.lines, self.directions) for sample in kind}
        return tuple(split for split in ("train", "val", "test", "") if split in told)

    def path(self, sample: Sample[TextPage] | Sample[TextLine]) -> Path:
        """The image of a sample."""
        return self.root / sample.image


def read(src: Path, source_format: Format, run: Run) -> TextSet:
    """Read a set. Raises UsageError where the folder is none, or holds several formats and none was chosen."""
    chosen = detect(src) if source_format == "auto" else source_format
    from datatools.ops.ocr import readers

    return readers.READERS[chosen](src, run)


def detect(src: Path) -> str:
    """Tell the format of a set by its files. Raises UsageError where there is none, or more than one."""
    from datatools.io import cocotext, ppocrlabel
    from datatools.io.files import walk
    from datatools.io.icdar.layout import find_set
    from datatools.io.paddleocr.layout import open_set

    found: list[str] = []
    beside: set[str] = set()
    for folder, _, names in walk(src):
        if ppocrlabel.LABELS in names and {ppocrlabel.STATE, ppocrlabel.DRAFTS} & {*names}:
            beside.add(folder.as_posix())
    try:
        files = open_set(src).label_files
    except UsageError:
        files = ()
    # where PPOCRLabel's own files lie, its reader is the better one, unless other label files are there, too
    own = [f for f in files if os.path.basename(f.name) == ppocrlabel.LABELS and (f.folder or ".") in beside]
    if own and len(own) == len([f for f in files if f.kind == "det"]):
        found.append("ppocrlabel")
    elif files:
        found.append("paddleocr")
    icdar = find_set(src)
    if icdar.pages or icdar.words:
        found.append("icdar")
    if cocotext.find_files(src):
        found.append("cocotext")
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"{escape(src)} is no text set: no label file of PaddleOCR, PPOCRLabel, ICDAR or COCO-Text")
    raise UsageError(f"{escape(src)} holds sets of several formats, {' and '.join(found)}: choose one with --format")


def texts(found: TextSet) -> Iterator[str]:
    """All texts that can be read: of regions that are not ignored, and of lines."""
    for page in found.pages:
        yield from (region.text for region in page.record.regions if not region.ignore)
    yield from (line.record.text for line in found.lines)
