"""The guided filter: smooths a map along the edges of a guide (He, Sun, Tang: ECCV 2010, TPAMI 2013).

In each window the map is taken for a linear function of the guide, a I + b; a and b are averaged over the windows that
hold a pixel. Windows are cut at the border, and means are over what is left of them. The fast form (He, Sun: Fast
Guided Filter, arXiv 1505.00996, 2015) finds a and b on a smaller size.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def guided_filter(guide: Plane, source: Plane, radius: int, eps: float) -> Plane:
    """Return the source smoothed along the edges of the guide, (height, width) float32.

    guide: (height, width), 0 .. 1. source: the same shape. radius: windows are 2 radius + 1 wide, px. eps: variances of
    the guide far below it are smoothed over, those far above are kept.
    """
    a, b = _coefficients(guide, source, radius, eps)
    return a * guide + b


def quick_guided_filter(guide: Plane, source: Plane, radius: int, eps: float, shrink: int = 4) -> Plane:
    """Return nearly what `guided_filter` does, with a and b found on a `shrink`th of each side."""
    height, width = guide.shape
    size = (max(width // shrink, 1), max(height // shrink, 1))
    small, coarse = (_resize(plane, size, cv2.INTER_AREA) for plane in (guide, source))
    a, b = _coefficients(small, coarse, max(round(radius / shrink), 1), eps)
    return _resize(a, (width, height)) * guide + _resize(b, (width, height))


def _resize(plane: Plane, size_wh: tuple[int, int], interpolation: int = cv2.INTER_LINEAR) -> Plane:
    resized: Any = cv2.resize(plane, size_wh, interpolation=interpolation)
    return np.asarray(resized, np.float32)


def _coefficients(guide: Plane, source: Plane, radius: int, eps: float) -> tuple[Plane, Plane]:
    mean_guide, mean_source = box_mean(guide, radius), box_mean(source, radius)
    covariance = box_mean(guide * source, radius) - mean_guide * mean_source
    variance = box_mean(guide * guide, radius) - mean_guide * mean_guide
    a: Plane = np.divide(covariance, variance + eps, dtype=np.float32)
    b: Plane = mean_source - a * mean_guide
    return box_mean(a, radius), box_mean(b, radius)


def box_mean(plane: Plane, radius: int) -> Plane:
    """Return the mean over the part of each window, 2 radius + 1 wide, that lies inside, (height, width) float32."""
    side = 2 * radius + 1
    total: Any = cv2.boxFilter(plane, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    down, across = (_inside(n, radius) for n in plane.shape)
    return np.asarray(total * (1 / down[:, None]) * (1 / across), np.float32)


def _inside(length: int, radius: int) -> Plane:
    at = np.arange(length)
    count: Plane = (np.minimum(at + radius, length - 1) - np.maximum(at - radius, 0) + 1).astype(np.float32)
    return count
