"""Arithmetic on outlines: area, clipping to the image, overlap, what is left in view, and the upright box around.

An outline is an (n, 2) float64 array of points in float pixels, closed from the last to the first, in either sense of
rotation. Overlaps are exact for polygons of any shape (Vatti 1992, by the Clipper library), to 1/256 of a pixel.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

Outline = NDArray[np.float64]

_UNITS = 256
"""Clipper counts in whole numbers: so many a pixel."""


def area(xy: Outline) -> float:
    """Return the area inside; 0 for fewer than three points.

    >>> area(np.array([[0., 0.], [4., 0.], [4., 3.], [0., 3.]]))
    12.0
    """
    return abs(signed_area(xy))


def signed_area(xy: Outline) -> float:
    """Return the area, negative for an outline that runs against the clock as seen.

    Outlines have a handful of points: plain floats are ten times as fast as arrays of that length.
    """
    if len(xy) < 3:
        return 0.0
    points = xy.tolist()
    x0, y0 = points[0]
    total, (x, y) = 0.0, points[-1]
    for next_x, next_y in points:
        total += (x - x0) * (next_y - y0) - (next_x - x0) * (y - y0)
        x, y = next_x, next_y
    return total / 2


def perimeter(xy: Outline) -> float:
    """Return the length of the closed outline."""
    return float(np.hypot(*(np.roll(xy, -1, axis=0) - xy).T).sum())


def box_around(xy: Outline) -> NDArray[np.float64]:
    """Return the upright box around the points, (4,) xyxy.

    >>> box_around(np.array([[3., 1.], [5., 2.], [4., 6.]])).tolist()
    [3.0, 1.0, 5.0, 6.0]
    """
    return np.concatenate([xy.min(axis=0), xy.max(axis=0)])


def hull(xy: Outline) -> Outline:
    """Return the convex outline around points, clockwise as seen.

    >>> hull(np.array([[0., 0.], [4., 0.], [1., 1.], [4., 4.], [0., 4.]])).tolist()
    [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]
    """
    return np.asarray(xy[cv2.convexHull(xy.astype(np.float32), clockwise=False, returnPoints=False)[:, 0]])


def from_box(xyxy: Sequence[float] | NDArray[np.float64]) -> Outline:
    """Return a box's corners, clockwise from the top left, (4, 2)."""
    left, top, right, bottom = xyxy
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def inside(xy: Outline, size_wh: Sequence[float]) -> Outline:
    """Return the part of an outline that lies in the image (Sutherland and Hodgman, 1974); (0, 2) where there is none.

    An outline that lies inside already comes back with the same points.

    >>> inside(np.array([[-4., 0.], [4., 0.], [4., 2.], [-4., 2.]]), (10, 10)).tolist()
    [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]
    """
    points: list[list[float]] = xy.tolist()
    for axis in (0, 1):
        values = [point[axis] for point in points]
        if values and min(values) < 0:
            points = _beyond(points, axis, 0.0, 1.0)
        if values and max(values) > size_wh[axis]:
            points = _beyond(points, axis, float(size_wh[axis]), -1.0)
    found = np.array(points, dtype=np.float64).reshape(-1, 2)
    return found if area(found) > 0 else np.empty((0, 2))


def _beyond(points: list[list[float]], axis: int, limit: float, sign: float) -> list[list[float]]:
    """The part of the outline where sign * (coordinate - limit) is not negative."""
    kept = []
    for here, following in zip(points, points[1:] + points[:1], strict=True):
        depth, next_depth = sign * (here[axis] - limit), sign * (following[axis] - limit)
        if depth >= 0:
            kept.append(here)
        if (depth < 0) != (next_depth < 0):
            share = depth / (depth - next_depth)
            other = here[1 - axis] + share * (following[1 - axis] - here[1 - axis])
            kept.append([limit, other] if axis == 0 else [other, limit])
    return kept


def bounds(xy: Outline) -> tuple[float, float, float, float]:
    """Return the upright box around as plain floats: for outlines of a few points, arrays take five times as long."""
    flat = xy.ravel().tolist()
    xs, ys = flat[::2], flat[1::2]
    return (min(xs), min(ys), max(xs), max(ys)) if flat else (0.0, 0.0, 0.0, 0.0)


def is_upright_box(xy: Outline) -> bool:
    """Whether four points are the corners of a box whose sides are parallel to the axes, to a millionth of a pixel.

    >>> is_upright_box(from_box([0, 0, 4, 2])), is_upright_box(np.array([[0., 0.], [4., 1.], [4., 3.], [0., 2.]]))
    (True, False)
    """
    if len(xy) != 4:
        return False
    x0, y0, x1, y1, x2, y2, x3, y3 = xy.ravel().tolist()
    first_is_level = max(abs(y1 - y0), abs(x2 - x1), abs(y3 - y2), abs(x0 - x3)) < 1e-6
    return first_is_level or max(abs(x1 - x0), abs(y2 - y1), abs(x3 - x2), abs(y0 - y3)) < 1e-6


def _near(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Whether two upright boxes overlap."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _near_ones(xy: Outline, covers: Sequence[Outline]) -> list[Outline]:
    own = bounds(xy) if len(covers) else None
    return [cover for cover in covers if own and _near(own, bounds(cover))]


def overlapping_pairs(outlines: Sequence[Outline]) -> list[tuple[int, int]]:
    """Return the pairs of outlines, i < j, whose upright boxes overlap: the others share nothing.

    >>> overlapping_pairs([from_box([0, 0, 4, 4]), from_box([9, 9, 12, 12]), from_box([3, 3, 10, 10])])
    [(0, 2), (1, 2)]
    """
    if not len(outlines):
        return []
    boxes = np.array([bounds(xy) for xy in outlines])
    low, high = boxes[:, None, :2], boxes[None, :, 2:]
    near = (low < high).all(axis=2)
    return [(i, j) for i, j in np.argwhere(near & near.T).tolist() if i < j]


def overlap(a: Outline, b: Outline) -> float:
    """Return the area that two outlines share.

    >>> overlap(from_box([0, 0, 4, 4]), from_box([2, 2, 9, 9]))
    4.0
    """
    one, other = bounds(a), bounds(b)
    if not _near(one, other):
        return 0.0
    if is_upright_box(a) and is_upright_box(b):
        return (min(one[2], other[2]) - max(one[0], other[0])) * (min(one[3], other[3]) - max(one[1], other[1]))
    return sum(map(signed_area, _clip(pyclipper.CT_INTERSECTION, a, [b])))


def iou(a: Outline, b: Outline) -> float:
    """Return the intersection over union of two outlines; 0 where both are empty."""
    shared = overlap(a, b)
    union = area(a) + area(b) - shared
    return shared / union if union > 0 else 0.0


def uncovered(xy: Outline, covers: Sequence[Outline]) -> list[Outline]:
    """Return the parts of an outline that none of the covers hides, the largest first; the holes are not among them.

    >>> [part.tolist() for part in uncovered(from_box([0, 0, 4, 2]), [from_box([3, -1, 9, 9])])]
    [[[3.0, 2.0], [0.0, 2.0], [0.0, 0.0], [3.0, 0.0]]]
    """
    near = _near_ones(xy, covers)
    if not near:
        return [xy]
    return sorted((ring for ring in _clip(pyclipper.CT_DIFFERENCE, xy, near) if signed_area(ring) > 0), key=area)[::-1]


def visible_share(xy: Outline, covers: Sequence[Outline]) -> float:
    """Return the share of an outline's area that none of the covers hides; 0 where it has no area."""
    whole = area(xy)
    if whole <= 0:
        return 0.0
    near = _near_ones(xy, covers)
    hidden = sum(map(signed_area, _clip(pyclipper.CT_INTERSECTION, xy, near))) if near else 0.0
    return min(1.0, max(0.0, 1.0 - hidden / whole))


def _clip(kind: int, subject: Outline, clips: Sequence[Outline]) -> list[Outline]:
    """Run Clipper on one outline and the union of others; the rings of the answer, holes against the clock."""
    clipper = pyclipper.Pyclipper()
    try:
        clipper.AddPath(_whole(subject), pyclipper.PT_SUBJECT, True)
    except pyclipper.ClipperException:  # no area at all
        return []
    for clip in clips:
        try:
            clipper.AddPath(_whole(clip), pyclipper.PT_CLIP, True)
        except pyclipper.ClipperException:
            continue
    rings = clipper.Execute(kind, pyclipper.PFT_NONZERO, pyclipper.PFT_NONZERO)
    return [np.array(ring, dtype=np.float64) / _UNITS for ring in rings]


def _whole(xy: Outline) -> list[list[int]]:
    found: list[list[int]] = np.rint(xy * _UNITS).astype(np.int64).tolist()
    return found


def follow(xy: Outline, move: Callable[[Outline], Outline], *, step: float = 4.0, within: float = 0.35) -> Outline:
    """Return an outline after a move that may bend its edges: those that became curved get further points.

    move: takes points (n, 2) to points (n, 2). step: pixels between the places of an edge that are looked at. within:
    how far, in pixels, the new edges may be from the moved ones. The old corners stay corners, in their order.
    """
    if not len(xy):
        return xy.copy()
    dense, starts = densify(xy, step)
    moved = move(dense)
    closed = np.concatenate([moved, moved[:1]])
    pieces = []
    for first, last in zip(starts, [*starts[1:], len(dense)], strict=True):
        edge = closed[first : last + 1]
        kept = cv2.approxPolyDP(edge.astype(np.float32), within, False)[:, 0]
        at = np.flatnonzero((edge.astype(np.float32)[:, None] == kept[None]).all(axis=2).any(axis=1))
        pieces.append(edge[at[:-1]] if len(at) > 1 else edge[:1])
    return np.concatenate(pieces)


def densify(xy: Outline, step: float) -> tuple[Outline, list[int]]:
    """Return the outline with points added on its edges so that none is longer than `step` pixels, and where in it the
    old points are.

    >>> densify(np.array([[0., 0.], [4., 0.], [4., 1.]]), 2.0)[0].round(2).tolist()
    [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [4.0, 1.0], [2.67, 0.67], [1.33, 0.33]]
    """
    edge = np.roll(xy, -1, axis=0) - xy
    pieces = np.maximum(np.ceil(np.hypot(edge[:, 0], edge[:, 1]) / step), 1).astype(np.int64)
    start = np.repeat(np.arange(len(xy)), pieces)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    dense = xy[start] + edge[start] * (within / pieces[start])[:, None]
    return dense, (np.cumsum(pieces) - pieces).tolist()
