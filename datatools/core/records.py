"""What annotations say, in one convention: float pixels, origin 0, right and bottom exclusive, as displayed."""

from dataclasses import dataclass, field

XYXY = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled object of a detection set.

    xyxy: left, top, right, bottom. polygon: (x, y) points, empty when the set has none.
    parts: named boxes inside this one (heads, hands ... of VOC's person layout).
    attributes: further name-value pairs in file order.
    """

    label: str
    xyxy: XYXY
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    pose: str = ""
    parts: tuple["Box", ...] = ()
    polygon: tuple[tuple[float, float], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """The boxes of one image.

    item_id: the name of the item inside its set, without suffix. filename: the image file's name.
    size_wh: width and height of the image in pixels; (0, 0) where nobody knows.
    """

    item_id: str
    filename: str
    size_wh: tuple[int, int]
    depth: int = 3
    boxes: tuple[Box, ...] = field(default=())
