"""Augmentation by hiding: CutOut, Random Erasing, Hide-and-Seek, GridMask.

Each draws rectangles (left, top, right, bottom in whole pixels, right and bottom exclusive, inside the picture);
`apply` fills them, `visible_share` says how much of an object they leave. Where PaddleClas differs is said at each.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.contours import Outline
from datatools.kernels.geometry import Fill, Picture

Rect = tuple[int, int, int, int]

HIDE_AND_SEEK_SIDES = (0, 16, 32, 44, 56)
"""Sides of the cells among which one is drawn for each picture; 0 hides nothing."""

_TRIES = 100


@dataclass(frozen=True, slots=True)
class Holes:
    """What is hidden. fill: its colour; None is noise, drawn from `noise_seed`."""

    rects: tuple[Rect, ...]
    fill: Fill | None = (0, 0, 0)
    noise_seed: int = 0


def draw_cutout(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    *,
    length: int = 112,
    holes: int = 1,
    fill: Fill | None = (0, 0, 0),
) -> Holes:
    """Squares whose centres lie anywhere in the picture, so that they may stick out (DeVries, Taylor, 2017).

    length: of a side, pixels; odd lengths are met, too (PaddleClas covers one pixel less).
    """
    width, height = size_wh
    seed = int(rng.integers(2**32))
    rects = []
    for _ in range(holes):
        left, top = int(rng.integers(width)) - length // 2, int(rng.integers(height)) - length // 2
        rects.append(_inside((left, top, left + length, top + length), size_wh))
    return Holes(tuple(rects), fill, seed)


def draw_random_erasing(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    *,
    probability: float = 0.5,
    share: tuple[float, float] = (0.02, 0.4),
    aspect: float = 0.3,
    fill: Fill | None = None,
) -> Holes:
    """One rectangle of random area and shape, wholly inside (Zhong et al., AAAI 2020).

    share: least and greatest share of the picture. aspect: height / width lies between this and its inverse, evenly in
    the logarithm, so that flat and tall ones are as frequent (PaddleClas: evenly in the ratio, most are tall).
    fill: None fills with noise, which the paper found best.
    """
    width, height = size_wh
    seed = int(rng.integers(2**32))
    if rng.random() >= probability:
        return Holes((), fill, seed)
    for _ in range(_TRIES):
        area = rng.uniform(*share) * width * height
        ratio = math.exp(rng.uniform(math.log(aspect), -math.log(aspect)))
        w, h = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < w < width and 0 < h < height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return Holes(((left, top, left + w, top + h),), fill, seed)
    return Holes((), fill, seed)


def draw_hide_and_seek(
    rng: np.random.Generator, size_wh: tuple[int, int], *, probability: float = 0.5, fill: Fill | None = (0, 0, 0)
) -> Holes:
    """Cells of a grid, each hidden with a probability (Singh et al., ICCV 2017, 2018). The cells' side is drawn from
    HIDE_AND_SEEK_SIDES."""
    width, height = size_wh
    seed = int(rng.integers(2**32))
    side = HIDE_AND_SEEK_SIDES[int(rng.integers(len(HIDE_AND_SEEK_SIDES)))]
    if not side:
        return Holes((), fill, seed)
    columns, rows = -(-width // side), -(-height // side)
    hidden = np.argwhere(rng.random((rows, columns)) < probability).tolist()
    cells = [(c * side, r * side, c * side + side, r * side + side) for r, c in hidden]
    return Holes(tuple(_inside(cell, size_wh) for cell in cells), fill, seed)


def draw_gridmask(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    *,
    probability: float = 0.8,
    ratio: float = 0.6,
    period: tuple[int, int] = (96, 224),
    fill: Fill | None = (0, 0, 0),
) -> Holes:
    """A regular grid of hidden squares (Chen et al., "GridMask Data Augmentation", 2020).

    ratio: of the period that is kept in each direction, so that 1 - (1 - ratio)^2 of the picture stays. period: pixels
    from one square to the next, drawn between the two; on a picture whose shorter side is less than the period, that
    side. (PaddleClas hides the strips between the squares instead, and as it never counts epochs, nothing at all.)
    """
    width, height = size_wh
    seed = int(rng.integers(2**32))
    if rng.random() >= probability:
        return Holes((), fill, seed)
    low, high = period
    step = max(2, min(int(rng.integers(low, high + 1)), width, height))
    side = max(1, step - round(step * ratio))
    start_x, start_y = int(rng.integers(step)) - step, int(rng.integers(step)) - step
    rects = [
        _inside((x, y, x + side, y + side), size_wh)
        for y in range(start_y, height, step)
        for x in range(start_x, width, step)
    ]
    return Holes(tuple(rect for rect in rects if rect[0] < rect[2] and rect[1] < rect[3]), fill, seed)


def apply(rgb: Picture, holes: Holes) -> Picture:
    """Fill the rectangles. rgb: (height, width, 3) uint8."""
    made = rgb.copy()
    rng = np.random.default_rng(holes.noise_seed)
    for left, top, right, bottom in holes.rects:
        if left >= right or top >= bottom:
            continue
        if holes.fill is None:
            made[top:bottom, left:right] = rng.integers(0, 256, (bottom - top, right - left, 3), dtype=np.uint8)
        else:
            cv2.rectangle(made, (left, top), (right - 1, bottom - 1), holes.fill, cv2.FILLED)
    return made


def visible_shares(outlines: Sequence[Outline], holes: Holes, size_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Return the share of each outline's pixels that stay visible, (n,); 0 for one without a pixel in the picture."""
    shares = np.ones(len(outlines))
    if not holes.rects:
        return shares
    width, height = size_wh
    hidden = np.zeros((height, width), dtype=np.uint8)
    for left, top, right, bottom in holes.rects:
        hidden[top:bottom, left:right] = 1
    for i, outline in enumerate(outlines):
        low = np.clip(np.floor(outline.min(axis=0)), 0, size_wh).astype(int)
        high = np.clip(np.ceil(outline.max(axis=0)), 0, size_wh).astype(int)
        if (low >= high).any():
            shares[i] = 0.0
            continue
        covered = hidden[low[1] : high[1], low[0] : high[0]]
        inside = np.zeros_like(covered)
        cv2.fillPoly(inside, [np.rint((outline - low - 0.5) * 16).astype(np.int32)], 1, shift=4)
        pixels = int(inside.sum())
        shares[i] = 1 - int((inside & covered).sum()) / pixels if pixels else 0.0
    return shares


def _inside(rect: Rect, size_wh: tuple[int, int]) -> Rect:
    left, top, right, bottom = rect
    width, height = size_wh
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)
