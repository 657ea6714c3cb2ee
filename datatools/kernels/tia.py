"""Text image augmentation: letters are bent, stretched and tilted as handwriting and cameras do.

After Luo, Zhu, Jin, Wang, "Learn to Augment: Joint Data Augmentation and Network Optimization for Text Recognition"
(CVPR 2020): control points stand on the upper and lower edge of a text line, are moved at random, and the picture
follows by moving least squares. `draw` moves the points, `warp_image` and `warp_outline` follow them.

PaddleOCR's widely used version differs: it evaluates the map every 100 pixels only, so that a short line has four nodes
and its inner control points do little; it truncates to whole grey values, so that an image darkens; it gives wrong
values where a node meets the last control point; it moves corners up and down by a third of a *segment's width*, which
on long lines folds the picture; what is moved beyond the edge is cut off. None of that happens here.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels import mls
from datatools.kernels.compiled import compiled
from datatools.kernels.contours import Outline, follow
from datatools.kernels.geometry import MAX_SIDE, Picture

Kind = Literal["distort", "stretch", "perspective"]
Pairs = tuple[tuple[float, float], ...]

_LEAST_AREA = 0.1
"""No spot of the result shows its surroundings enlarged or shrunk further: below 0, the picture would be folded."""


@dataclass(frozen=True, slots=True)
class Warp:
    """Control points before (src) and after (dst), and the size of the result. All in pixels."""

    src: Pairs
    dst: Pairs
    size_wh: tuple[int, int]


def draw(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    kind: Kind,
    *,
    segments: int = 3,
    strength: float = 1.0,
    pad: bool = True,
) -> Warp:
    """Move the control points of an image.

    kind: distort moves all points: corners inwards, points on the edges to all sides, by up to a third of a segment
    (up and down: or of the height, where that is less). stretch moves pairs of upper and lower points to the side
    together, by up to 0.4 of a segment. perspective moves the four corners up and down, by up to half of the height.
    segments: into how many the points divide the line. strength: factor of these moves, 1 as in the paper.
    pad: make the result larger where something would be moved out of it.
    A draw that would fold the picture is weakened by halves until it does not.
    """
    width, height = size_wh
    src, moves = _moves(rng, float(width), float(height), kind, segments, strength)
    start, shift = np.array(src), np.array(moves)
    left, top, right, bottom, part = _fit(start.astype(np.float32), shift.astype(np.float32), width, height, pad)
    moved = start + part * shift - (left, top)
    return Warp(tuple(src), tuple((x, y) for x, y in moved.tolist()), (right - left, bottom - top))


def _moves(
    rng: np.random.Generator, width: float, height: float, kind: Kind, segments: int, strength: float
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Control points and how far each moves. Plain numbers: there are few, and small arrays cost more than they do."""
    inwards = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    src = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    if kind == "perspective":
        far = min(0.5 * strength, 0.95) * height
        return src, [(0.0, far * u * y) for u, (_, y) in zip(rng.random(4).tolist(), inwards, strict=True)]
    piece = width / segments
    edge = [piece * i for i in range(1, segments)]
    src += [(x, y) for x in edge for y in (0.0, height)]
    if kind == "stretch":
        far = strength * piece * 0.8
        sides = [far * (u - 0.5) for u in rng.random(segments - 1).tolist()]
        return src, [(0.0, 0.0)] * 4 + [(side, 0.0) for side in sides for _ in (0, 1)]
    far_x, far_y = strength * piece / 3, strength * min(piece, height) / 3
    u = rng.random(2 * len(src)).tolist()
    pairs = list(zip(u[::2], u[1::2], strict=True))
    corners = [(far_x * a * x, far_y * b * y) for (a, b), (x, y) in zip(pairs[:4], inwards, strict=True)]
    return src, corners + [(far_x * (a - 0.5), far_y * (b - 0.5)) for a, b in pairs[4:]]


@compiled
def _fit(src: mls.Map, shift: mls.Map, width: int, height: int, pad: bool) -> tuple[int, int, int, int, float]:
    """The view (left, top, right, bottom) that shows all of the source, and the part of the shift that folds nothing.

    At most half of the side is added on each side of the view.
    """
    f4 = np.float32
    part = f4(1)
    while True:
        dst = src + part * shift
        back = -part * shift
        left, top, right, bottom = 0, 0, width, height
        for _ in range(4 if pad else 0):
            xs, ys = _ticks(left, right), _ticks(top, bottom)
            rim_x, rim_y = np.empty((2, xs.size), dtype=f4), np.empty((2, xs.size), dtype=f4)
            mls.evaluate(xs, np.array([f4(top), f4(bottom)]), dst, back, rim_x, rim_y)
            above, below = rim_y[0].max(), f4(height) - rim_y[1].min()
            rim_x, rim_y = np.empty((ys.size, 2), dtype=f4), np.empty((ys.size, 2), dtype=f4)
            mls.evaluate(np.array([f4(left), f4(right)]), ys, dst, back, rim_x, rim_y)
            before, behind = rim_x[:, 0].max(), f4(width) - rim_x[:, 1].min()
            if max(above, below, before, behind) <= f4(0.5):
                break
            left = max(left - max(int(np.ceil(before - 0.5)), 0), -(width // 2))
            top = max(top - max(int(np.ceil(above - 0.5)), 0), -(height // 2))
            right = min(right + max(int(np.ceil(behind - 0.5)), 0), width + width // 2)
            bottom = min(bottom + max(int(np.ceil(below - 0.5)), 0), height + height // 2)
        xs, ys = _ticks(left, right), _ticks(top, bottom)
        x, y = np.empty((ys.size, xs.size), dtype=f4), np.empty((ys.size, xs.size), dtype=f4)
        mls.evaluate(xs, ys, dst, back, x, y)
        least = f4(_LEAST_AREA) * (xs[1] - xs[0]) * (ys[1] - ys[0])
        if _smallest_cell(x, y) > least or part < f4(1e-3):
            return left, top, right, bottom, float(part)
        part /= f4(2)


@compiled
def _ticks(first: int, last: int) -> NDArray[np.float32]:
    """Places along a side, some 4 pixels apart on text lines, at most 96."""
    count = min(max((last - first) // 4, 8), 96)
    step = (last - first) / (count - 1)
    ticks = np.empty(count, dtype=np.float32)
    for i in range(count):
        ticks[i] = np.float32(first + i * step)
    return ticks


@compiled
def _smallest_cell(x: mls.Map, y: mls.Map) -> float:
    """The smallest area that a cell of the grid is mapped to; negative where it is turned over."""
    smallest = np.float32(np.inf)
    for i in range(x.shape[0] - 1):
        for j in range(x.shape[1] - 1):
            across_x, across_y = x[i, j + 1] - x[i, j], y[i, j + 1] - y[i, j]
            down_x, down_y = x[i + 1, j] - x[i, j], y[i + 1, j] - y[i, j]
            smallest = min(smallest, across_x * down_y - across_y * down_x)
    return float(smallest)


def warp_image(rgb: Picture, warp: Warp) -> Picture:
    """Draw the picture as its control points moved; beyond its edge, the edge is repeated.

    rgb: (height, width, 3) uint8. ValueError where a side is beyond 32,766 pixels.
    """
    width, height = warp.size_wh
    if max(width, height, *rgb.shape[:2]) > MAX_SIDE:
        raise ValueError(f"a side of more than {MAX_SIDE} pixels cannot be warped")
    whole, rest = mls.pixel_map(np.array(warp.dst), np.array(warp.src), width, height)
    return np.asarray(cv2.remap(rgb, whole, rest, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def warp_points(xy: Outline, warp: Warp) -> Outline:
    """Move points of the picture to where they are seen in the result, (n, 2), to 1/1000 of a pixel."""
    return mls.unmove(xy, np.array(warp.dst), np.array(warp.src))


def warp_outline(xy: Outline, warp: Warp) -> Outline:
    """Move an outline; edges that become curved get further points, so that it follows them within half a pixel."""
    return follow(xy, lambda points: warp_points(points, warp))
