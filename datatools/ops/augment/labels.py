"""Labels after an augmentation: boxes and text outlines that move with the pixels, are cut off, hidden, or covered.

What is hardly to be seen any more is not learned from: a box whose visible share is below `min_visible` is dropped. A
text of which more than a tenth is missing cannot be read as its label says: it is marked as ignored, since dropping it
would teach that it is background, unless nothing of it is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from datatools.core.records import Box, TextRegion
from datatools.core.values import Classified, Labelled, TextLine, TextPage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Outline = NDArray[np.float64]
    Picture = NDArray[np.uint8]

Item = TypeVar("Item", bound=Labelled | TextPage | TextLine | Classified)
Anything = Labelled | TextPage | TextLine | Classified
Move = Callable[["Outline"], "Outline"]

_WHOLE = 0.995
"""From this share on, nothing that matters is missing of an object."""
_READABLE = 0.9
"""Below this share, a text is no longer what its label says."""
_GONE = 0.02
"""Below this share, nothing of a text is left that could be ignored."""


class Seen(NamedTuple):
    """What is left of an object: its outline in the new picture, and the share of it that is visible."""

    outline: "Outline"
    share: float


def as_they_were(item: Anything) -> list[Seen | None]:
    """For `with_seen`: nothing happened to any object."""
    return [None] * (len(item.boxes) if isinstance(item, Labelled) else len(getattr(item, "regions", ())))


def size_of(item: Anything) -> tuple[int, int]:
    """Width and height of the picture."""
    height, width = item.pixels.shape[:2]
    return int(width), int(height)


def outlines_of(item: Anything) -> "list[Outline]":
    """The outlines of the objects, in their order; none where the picture as a whole has the label."""
    import numpy as np

    if isinstance(item, Labelled):
        if any(box.polygon for box in item.boxes):
            return [_outline(box) for box in item.boxes]
        xyxy = np.array([box.xyxy for box in item.boxes], dtype=np.float64).reshape(-1, 4)
        return list(xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2))
    return [np.array(region.points) for region in item.regions] if isinstance(item, TextPage) else []


def in_view(outline: "Outline", size_wh: tuple[int, int]) -> Seen:
    """What lies inside of a picture of that size."""
    from datatools.kernels import contours

    whole = contours.area(outline)
    seen = contours.inside(outline, size_wh)
    return Seen(seen, min(1.0, contours.area(seen) / whole) if whole > 0 else 0.0)


def behind(outline: "Outline", covers: "Sequence[Outline]") -> Seen:
    """What is left of an outline behind covers: an outline around all that is seen of it where that is in pieces."""
    import numpy as np

    from datatools.kernels import contours

    share = contours.visible_share(outline, covers)
    if share >= _WHOLE:
        return Seen(outline, share)
    parts = contours.uncovered(outline, covers)
    if not parts or share <= 0:
        return Seen(np.empty((0, 2)), 0.0)
    return Seen(parts[0] if len(parts) == 1 else contours.hull(np.concatenate(parts)), share)


def moved(
    item: Item, pixels: "Picture", move: Move, draw: Any, *, min_visible: float, view: tuple[int, int] | None = None
) -> Item:
    """The item with a picture in which everything was moved. view: the part of it that shows something, from the upper
    left; the whole where it is left out."""
    size_wh = view or (pixels.shape[1], pixels.shape[0])
    seen = [in_view(move(outline), size_wh) for outline in outlines_of(item)]

    def move_part(outline: "Outline") -> Seen:
        return in_view(move(outline), size_wh)

    return with_seen(item, pixels, seen, draw, min_visible=min_visible, cut=True, move=move_part)


def hidden(item: Item, pixels: "Picture", shares: Sequence[float], draw: Any, *, min_visible: float) -> Item:
    """The item with a picture in which parts are hidden. shares: what is visible of each object; outlines stay."""
    seen = [Seen(outline, share) for outline, share in zip(outlines_of(item), shares, strict=True)]
    return with_seen(item, pixels, seen, draw, min_visible=min_visible)


def with_seen(
    item: Item,
    pixels: "Picture",
    seen: Sequence[Seen | None],
    draw: Any,
    *,
    min_visible: float,
    cut: bool = False,
    move: Callable[["Outline"], Seen] | None = None,
) -> Item:
    """The item with another picture and what is seen of its objects in it; None where an object is as it was.

    cut: whether what is missing lies beyond the picture's edge, rather than behind something. move: what happened to
    the outlines of parts; None where they stayed.
    """
    if isinstance(item, Labelled):
        pairs = zip(item.boxes, seen, strict=True)
        kept = [b if s is None else _box(b, s, cut, move) for b, s in pairs if s is None or _stays(s, min_visible)]
        return replace(item, pixels=pixels, boxes=tuple(kept), draw=draw)
    if isinstance(item, TextPage):
        readable = max(min_visible, _READABLE)
        regions = [
            region if one is None else region_with(region, one.outline, ignore=one.share < readable)
            for region, one in zip(item.regions, seen, strict=True)
            if one is None or (one.share > _GONE and len(one.outline) > 2)
        ]
        return replace(item, pixels=pixels, regions=tuple(regions), draw=draw)
    return replace(item, pixels=pixels, draw=draw)


def _stays(seen: Seen, min_visible: float) -> bool:
    return seen.share > 0 and seen.share >= min_visible and len(seen.outline) > 2


def _box(box: Box, seen: Seen, cut: bool, move: Callable[["Outline"], Seen] | None) -> Box:
    import numpy as np

    partly = seen.share < _WHOLE
    changed = replace(box, truncated=box.truncated or (partly and cut), occluded=box.occluded or (partly and not cut))
    if move is None and np.array_equal(seen.outline, _outline(box)):
        return changed
    return box_at(changed, seen.outline, move)


def _outline(box: Box) -> "Outline":
    import numpy as np

    from datatools.kernels import contours

    return np.array(box.polygon) if len(box.polygon) > 2 else contours.from_box(box.xyxy)


def box_at(box: Box, outline: "Outline", move: Callable[["Outline"], Seen] | None = None) -> Box:
    """The box with another outline. move: what happened to the outlines of its parts; None where they stayed."""
    from datatools.kernels import contours

    parts = box.parts
    if move is not None:
        found = [(part, move(contours.from_box(part.xyxy))) for part in parts]
        parts = tuple(replace(part, xyxy=_whole(one.outline)) for part, one in found if len(one.outline) > 2)
    polygon = tuple((round(x, 2), round(y, 2)) for x, y in outline.tolist()) if box.polygon else ()
    return replace(box, xyxy=_whole(outline), polygon=polygon, parts=parts)


def _whole(outline: "Outline") -> tuple[float, float, float, float]:
    """The box around, on whole pixels, a pixel wide and high at least."""
    from datatools.kernels import contours

    left, top, right, bottom = (float(round(edge)) for edge in contours.bounds(outline))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def region_with(region: TextRegion, outline: "Outline", *, ignore: bool = False) -> TextRegion:
    """The region with another outline, which goes round clockwise from the text's upper left as the old one did."""
    import numpy as np

    from datatools.kernels import contours

    before = np.array(region.points)
    if np.array_equal(before, outline):
        return replace(region, ignore=region.ignore or ignore)
    if contours.signed_area(before) * contours.signed_area(outline) < 0:  # mirrored: its upper left was the upper right
        outline = np.roll(outline[::-1], 2, axis=0)
    if len(outline) == 3:  # trainers want four points
        longest = int(np.argmax(np.hypot(*(np.roll(outline, -1, axis=0) - outline).T)))
        middle = (outline[longest] + outline[(longest + 1) % 3]) / 2
        outline = np.insert(outline, longest + 1, middle, axis=0)
    points = tuple((round(x, 2), round(y, 2)) for x, y in outline.tolist())
    return replace(region, points=points, ignore=region.ignore or ignore)
