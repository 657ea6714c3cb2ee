"""The guided filter: smooths a map along the edges of a guide (He, Sun, Tang: ECCV 2010, TPAMI 2013).

In each window the map is taken for a linear function of the guide, a I + b; a and b are averaged over the windows that
hold a pixel. Windows are cut at the border, and means are over what is left of them.

Planes are (height, width), neither side 0; guides and maps may have any dtype, results are float32. Sums are kept in
float64, so the result is the same on every machine.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_BAND_PX = 1 << 22
"""Larger planes are worked on in bands of so many pixels, to bound the memory."""


def guided_filter(guide: NDArray[Any], source: NDArray[Any], radius: int, eps: float) -> Plane:
    """Return the source smoothed along the edges of the guide.

    radius: windows are 2 radius + 1 wide, px. eps: variances of the guide far below it are smoothed over, those far
    above are kept.
    """
    a, b = coefficients(guide, source, radius, eps)
    a *= guide
    a += b
    return a


def coefficients(guide: NDArray[Any], source: NDArray[Any], radius: int, eps: float) -> tuple[Plane, Plane]:
    """Return a and b, averaged over the windows that hold a pixel: the filtered map is a * guide + b.

    Found on smaller planes (`shrunk`, with as much smaller windows) and brought back to size (`grown`), they give
    nearly the same map in a fraction of the time (He, Sun: Fast Guided Filter, arXiv 1505.00996, 2015).
    """
    height, width = guide.shape
    rows = max(_BAND_PX // width, 4 * radius)
    if rows >= height:
        return _of_band(guide, source, radius, eps)
    a, b = np.empty(guide.shape, np.float32), np.empty(guide.shape, np.float32)
    for top in range(0, height, rows):  # the windows of windows reach 2 radius beyond a band
        first, band = max(top - 2 * radius, 0), slice(top, min(top + rows, height))
        seen = slice(first, band.stop + 2 * radius)
        inside = slice(top - first, band.stop - first)
        wider = _of_band(guide[seen], source[seen], radius, eps)
        a[band], b[band] = wider[0][inside], wider[1][inside]
    return a, b


def _of_band(guide: NDArray[Any], source: NDArray[Any], radius: int, eps: float) -> tuple[Plane, Plane]:
    guide, spare = guide.astype(np.float32), source.astype(np.float32)
    mean_guide, mean = box_mean(guide, radius), box_mean(spare, radius)
    covariance = box_mean(np.multiply(guide, spare, out=spare), radius)
    covariance -= np.multiply(mean_guide, mean, out=spare)
    variance = box_mean(np.multiply(guide, guide, out=spare), radius)
    variance -= np.multiply(mean_guide, mean_guide, out=spare)
    np.clip(variance, 0, None, out=variance)  # of a flat guide, rounding may make it less
    variance += np.float32(eps)
    a = np.divide(covariance, variance, out=covariance)
    del guide, variance
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
    height, width = plane.shape
    size = (max(width // shrink, 1), max(height // shrink, 1))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def grown(plane: Plane, size_wh: tuple[int, ...]) -> Plane:
    """Return the plane on a larger size, by linear interpolation; itself where it has that size."""
    if plane.shape == size_wh[::-1]:
        return plane
    return np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
