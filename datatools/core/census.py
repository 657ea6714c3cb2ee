"""What is counted in a detection set: plain numbers, for JSON, tables, pages and plots alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from datatools.core.errors import escape

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Distribution:
    """Many numbers in a few: quantiles (linear, as numpy's) and a histogram. NaN where count is 0.

    edges: one more than counts; the last bin includes its right edge.
    """

    count: int = 0
    mean: float = NAN
    minimum: float = NAN
    p5: float = NAN
    p25: float = NAN
    median: float = NAN
    p75: float = NAN
    p95: float = NAN
    maximum: float = NAN
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one class in one split. images: those with at least one box of the class."""

    images: int
    boxes: int
    difficult: int
    truncated: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class over the whole set. Sizes and medians (pixels) leave out boxes without area."""

    name: str
    images: int
    boxes: int
    difficult: int
    truncated: int
    occluded: int
    small: int
    medium: int
    large: int
    median_width: float
    median_height: float
    splits: Mapping[str, Tally]


@dataclass(frozen=True, slots=True)
class SplitCount:
    """One split over all classes. empty: images without a box."""

    name: str
    images: int
    empty: int
    boxes: int
    difficult: int
    truncated: int


@dataclass(frozen=True, slots=True)
class SizeCount:
    """How many images have one size, pixels."""

    width: int
    height: int
    images: int


@dataclass(frozen=True, slots=True)
class CoOccurrence:
    """In how many images two classes occur together; on the diagonal, in how many the class occurs at all."""

    classes: tuple[str, ...] = ()
    images: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Census:
    """Everything that is counted in the annotations of a set.

    images: annotated ones. empty: without a box. degenerate: boxes whose width or height is not above 0 (or beyond
    10^9); they are counted with their class, but stand in no distribution. small, medium, large: boxes by area,
    COCO's limits of 32 x 32 and 96 x 96 pixels. aspect_ratio: width / height. image_share: box area / image area,
    where the size of the image is known. position_map: box centres on a grid over the image, rows from the top;
    centres outside of the image are counted at its edge.
    """

    images: int = 0
    empty: int = 0
    boxes: int = 0
    degenerate: int = 0
    difficult: int = 0
    truncated: int = 0
    occluded: int = 0
    small: int = 0
    medium: int = 0
    large: int = 0
    unknown_sizes: int = 0
    classes: tuple[ClassCount, ...] = ()
    splits: tuple[SplitCount, ...] = ()
    width: Distribution = field(default=Distribution())
    height: Distribution = field(default=Distribution())
    area: Distribution = field(default=Distribution())
    aspect_ratio: Distribution = field(default=Distribution())
    image_share: Distribution = field(default=Distribution())
    boxes_per_image: Distribution = field(default=Distribution())
    position_map: tuple[tuple[int, ...], ...] = ()
    image_sizes: tuple[SizeCount, ...] = ()
    co_occurrence: CoOccurrence = field(default=CoOccurrence())

    def hints(self) -> Iterator[str]:
        """Say in a line each what usually costs accuracy, with what to do about it."""
        yield from self._class_hints()
        if self.empty:
            yield f"{count_of(self.empty, 'image')} without a box: background for training, usually a tenth at most"
        sized = self.small + self.medium + self.large
        if sized and self.small > 0.3 * sized:
            yield f"{self.small / sized:.0%} of the boxes are small (below 32 x 32 px): train on larger inputs or tiles"
        central = self._central_share()
        if sized >= 50 and central > 0.6:
            yield f"{central:.0%} of the centres lie in the middle quarter of the image: crop and shift when training"
        if self.degenerate:
            boxes = count_of(self.degenerate, "box", "boxes")
            yield f"{boxes} without area: `datatools voc fix --rule corners --rule zero-area`"
        if self.unknown_sizes:
            images = count_of(self.unknown_sizes, "image")
            yield f"{images} of unknown size: `datatools voc fix --rule size` needs their files"

    def _class_hints(self) -> Iterator[str]:
        present = sorted((c for c in self.classes if c.boxes), key=lambda c: c.boxes)
        if len(present) > 1 and present[-1].boxes >= 10 * present[0].boxes:
            most, least = present[-1], present[0]
            yield (
                f"imbalance {most.boxes / least.boxes:.0f} : 1 ({quoted(most.name)} {most.boxes}, "
                f"{quoted(least.name)} {least.boxes}): repeat images of rare classes or weight the loss"
            )
        if blank := [c.name for c in present if c.name != c.name.strip()]:
            yield f"names that begin or end with blanks: {_names(blank)}: `datatools voc fix --rule labels`"
        if unused := [c.name for c in self.classes if not c.boxes]:
            yield f"in the class list but without a box: {_names(unused)}"
        for split in self.splits:
            absent = [c.name for c in self.classes if c.boxes and not c.splits[split.name].boxes]
            if absent and split.images and split.name != "unlisted":
                yield f"no box in {split.name}: {_names(absent)}: `datatools voc split` spreads classes evenly"

    def _central_share(self) -> float:
        grid = len(self.position_map)
        middle = slice(grid // 4, grid - grid // 4)
        total = sum(map(sum, self.position_map))
        return sum(sum(row[middle]) for row in self.position_map[middle]) / total if total else 0.0


def numbers(distribution: Distribution) -> tuple[float, ...]:
    """Minimum, 5 %, median, mean, 95 %, maximum: the row of a table."""
    d = distribution
    return d.minimum, d.p5, d.median, d.mean, d.p95, d.maximum


def quoted(name: str) -> str:
    """A class name as people see it; in quotes where blanks at its ends would hide.

    >>> quoted("car"), quoted("car ")
    ('car', "'car '")
    """
    return escape(name) if name == name.strip() and name else f"'{escape(name)}'"


def count_of(count: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> count_of(1, "box", "boxes"), count_of(1200, "image")
    ('1 box', '1,200 images')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _names(names: list[str], most: int = 8) -> str:
    shown = ", ".join(map(quoted, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
