"""A text set as its readers give it, whatever its format: pages, lines and directions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from datatools.core.errors import DataError
from datatools.core.records import LineLabel, PageLabel

R = TypeVar("R", PageLabel, LineLabel)

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
    pages: tuple[Sample[PageLabel], ...] = ()
    lines: tuple[Sample[LineLabel], ...] = ()
    directions: tuple[Sample[LineLabel], ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    failures: tuple[DataError, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that there are, in the usual order; "" last."""
        told = {sample.split for kind in (self.pages, self.lines, self.directions) for sample in kind}
        return tuple(split for split in ("train", "val", "test", "") if split in told)

    def path(self, sample: Sample[PageLabel] | Sample[LineLabel]) -> Path:
        """The image of a sample."""
        return self.root / sample.image

    def texts(self) -> Iterator[str]:
        """All texts that can be read: of regions that are not ignored, and of lines."""
        for page in self.pages:
            yield from (region.text for region in page.record.regions if not region.ignore)
        yield from (line.record.text for line in self.lines)
