"""What DB learns from: shrink maps and threshold maps of text outlines (Liao et al., "Real-time Scene Text Detection
with Differentiable Binarization", AAAI 2020).

Both are made of the outline moved inwards or outwards by D = area * (1 - ratio^2) / perimeter (Vatti 1992, round
joins). Outlines are (n, 2) float64 pixels; a pixel belongs to an outline when its index lies on or inside it, as in the
authors' and PaddleOCR's code. Maps are (height, width) float32.

PaddleOCR differs in one case: where an outline falls apart when it shrinks, it tries the ratio 0.8 at last and never,
as it means to, 1 (the outline itself).
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

from datatools.kernels.contours import Outline, area, perimeter

Map = NDArray[np.float32]


class Target(NamedTuple):
    """A map and where it counts: mask is 1 there, 0 where the loss must not look. ignored: (n,) bool, outlines that are
    left out of the map: marked so, or too small."""

    map: Map
    mask: Map
    ignored: NDArray[np.bool_]


def shrink_map(
    outlines: Sequence[Outline],
    ignored: Sequence[bool],
    size_wh: tuple[int, int],
    *,
    ratio: float = 0.4,
    min_size: float = 8.0,
) -> Target:
    """Return 1 inside each shrunk outline. The mask is 0 inside ignored outlines and those lower or narrower than
    min_size pixels.

    ratio: how much is left, 0 to 1, of an outline's size.
    """
    width, height = size_wh
    found, mask = np.zeros((height, width), np.float32), np.ones((height, width), np.float32)
    left_out = np.array(ignored, dtype=bool)
    for i, outline in enumerate(outlines):
        xy = _in_image(outline, size_wh)
        small = len(xy) < 3 or area(xy) == 0 or min(_height(xy), _width(xy)) < min_size
        ring = None if small or left_out[i] else _shrunk(xy, ratio)
        if ring is None:
            left_out[i] = True
            _fill(mask, xy, 0.0)
        else:
            _fill(found, ring, 1.0)
    return Target(found, mask, left_out)


def border_map(
    outlines: Sequence[Outline],
    ignored: Sequence[bool],
    size_wh: tuple[int, int],
    *,
    ratio: float = 0.4,
    low: float = 0.3,
    high: float = 0.7,
) -> Target:
    """Return thresholds that fall from `high` on each outline to `low` at the distance D inside and outside of it.

    The mask is 1 inside the outlines grown by D: only there the thresholds count.
    """
    width, height = size_wh
    near, mask = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    left_out = np.array(ignored, dtype=bool)
    for i, outline in enumerate(outlines):
        length = perimeter(outline) if len(outline) >= 3 else 0.0
        distance = area(outline) * (1 - ratio**2) / length if length > 0 else 0.0
        rings = _offset(outline, distance) if distance > 0 and not left_out[i] else []
        if not rings:
            left_out[i] = True
            continue
        _fill(mask, rings[0], 1.0)
        _raise_near(near, outline, rings[0], distance)
    return Target(near * np.float32(high - low) + np.float32(low), mask, left_out)


def _shrunk(xy: Outline, ratio: float) -> NDArray[np.int32] | None:
    """The outline shrunk by the first ratio from `ratio` to 1, in tenths, that leaves it in one piece."""
    for tried in (ratio, *np.arange(ratio + 0.1, 1.0, 0.1), 1.0):
        distance = area(xy) * (1 - tried**2) / perimeter(xy)
        rings = _offset(xy, -distance)
        if len(rings) == 1:
            return rings[0]
    return None


def _offset(xy: Outline, distance: float) -> list[NDArray[np.int32]]:
    """The outline moved outwards (or inwards, below 0), in whole pixels."""
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(xy.astype(np.int64).tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return [np.array(ring, dtype=np.int32) for ring in offset.Execute(distance)]


def _fill(canvas: Map, xy: NDArray[np.float64] | NDArray[np.int32], value: float) -> None:
    if len(xy):
        cv2.fillPoly(canvas, [xy.astype(np.int32)], value)


def _raise_near(near: Map, xy: Outline, ring: NDArray[np.int32], distance: float) -> None:
    """Raise the map to 1 - (distance to the outline) / D wherever that is more; `near` is ours to change."""
    height, width = near.shape
    left, top = np.clip(ring.min(axis=0), 0, (width - 1, height - 1))
    right, bottom = np.clip(ring.max(axis=0), 0, (width - 1, height - 1)) + 1
    x = np.arange(left, right, dtype=np.float64)[None, :]
    y = np.arange(top, bottom, dtype=np.float64)[:, None]
    closest = np.full((bottom - top, right - left), np.inf)
    for (ax, ay), (bx, by) in zip(xy, np.roll(xy, -1, axis=0), strict=True):
        to_a, to_b = (x - ax) ** 2 + (y - ay) ** 2, (x - bx) ** 2 + (y - by) ** 2
        edge = (bx - ax) ** 2 + (by - ay) ** 2
        across = ((x - ax) * (by - ay) - (y - ay) * (bx - ax)) ** 2 / max(edge, 1e-9)
        # the authors measure to the line only where the pixel sees the edge under 90 degrees or more
        closest = np.minimum(closest, np.where(edge >= to_a + to_b, across, np.minimum(to_a, to_b)))
    closest = np.sqrt(closest)
    part = near[top:bottom, left:right]
    np.maximum(part, np.clip(1 - closest / distance, 0, 1).astype(np.float32), out=part)


def _in_image(xy: Outline, size_wh: tuple[int, int]) -> Outline:
    return np.clip(xy, 0, (size_wh[0] - 1, size_wh[1] - 1))


def _height(xy: Outline) -> float:
    return float(np.ptp(xy[:, 1]))


def _width(xy: Outline) -> float:
    return float(np.ptp(xy[:, 0]))
