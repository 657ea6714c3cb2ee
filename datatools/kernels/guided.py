"""The guided filter: smooths a map along the edges of a guide (He, Sun, Tang: ECCV 2010, TPAMI 2013).

In each window the map is taken for a linear function of the guide, a I + b; a and b are averaged over the windows that
hold a pixel. Windows are cut at the border, and means are over what is left of them.

Planes are (height, width) float32, neither side 0. Sums are kept in float64, so the result is the same on every
machine.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def guided_filter(guide: Plane, source: Plane, radius: int, eps: float) -> Plane:
    """Return the source smoothed along the edges of the guide.

    guide: 0 .. 1. radius: windows are 2 radius + 1 wide, px. eps: variances of the guide far below it are smoothed
    over, those far above are kept.
    """
    a, b = coefficients(guide, source, radius, eps)
    a *= guide
    a += b
    return a


def coefficients(guide: Plane, source: Plane, radius: int, eps: float) -> tuple[Plane, Plane]:
    """Return a and b, averaged over the windows that hold a pixel: the filtered map is a * guide + b.

    Found on smaller planes (`shrunk`, with as much smaller windows) and brought back to size (`grown`), they give
    nearly the same map in a fraction of the time (He, Sun: Fast Guided Filter, arXiv 1505.00996, 2015).
    """
    mean_guide, mean = box_mean(guide, radius), box_mean(source, radius)
    spare = np.multiply(guide, source)
    covariance = box_mean(spare, radius)
    covariance -= np.multiply(mean_guide, mean, out=spare)
    variance = box_mean(np.multiply(guide, guide, out=spare), radius)
    variance -= np.multiply(mean_guide, mean_guide, out=spare)
    variance += np.float32(eps)
    a = np.divide(covariance, variance, out=covariance)
    del variance
    b = np.subtract(mean, np.multiply(a, mean_guide, out=spare), out=mean)
    del mean_guide, spare
    return box_mean(a, radius), box_mean(b, radius)


def box_mean(plane: Plane, radius: int) -> Plane:
    """Return the mean over the part of each window, 2 radius + 1 wide, that lies inside.

    >>> box_mean(np.array([[1, 2, 6]], np.float32), 1).tolist()
    [[1.5, 3.0, 4.0]]
    """
    radius = min(radius, max(plane.shape))
    side = 2 * radius + 1
    mean: Any = cv2.blur(plane, (side, side), borderType=cv2.BORDER_CONSTANT)
    # outside counted as zeros: the means near the border, and only they, are too small
    for length, lines in ((plane.shape[0], mean), (plane.shape[1], mean.T)):
        at = np.arange(length)
        inside = np.minimum(at + radius, length - 1) - np.maximum(at - radius, 0) + 1
        factor = (side / inside).astype(np.float32)[:, None]
        for edge in (slice(0, min(radius, length)), slice(max(length - radius, min(radius, length)), length)):
            lines[edge] *= factor[edge]
    return np.asarray(mean, np.float32)


def shrunk(plane: NDArray[Any], shrink: int) -> Plane:
    """Return the plane, of any dtype, on a `shrink`th of each side, by the mean of the area that a pixel covers."""
    if shrink == 1:
        return plane.astype(np.float32)
    height, width = plane.shape
    size = (max(width // shrink, 1), max(height // shrink, 1))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def grown(plane: Plane, size_wh: tuple[int, ...]) -> Plane:
    """Return the plane on a larger size, by linear interpolation; itself where it has that size."""
    if plane.shape == size_wh[::-1]:
        return plane
    return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
