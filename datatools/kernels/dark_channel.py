"""The dark channel: the least of all channels in a square window around each pixel (He, Sun, Tang: CVPR 2009).

Outdoors, without haze, it is almost black nearly everywhere: somewhere near there is a shadow, a colour, a dark thing.
Pictures are those of datatools.kernels.planes. Windows are cut at the border of the picture.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.airlight import Levels
from datatools.kernels.planes import Picture, colour_planes, peak, strips

Veil = NDArray[np.uint16]


def dark_channel(image: Picture, patch: int = 15) -> Picture:
    """Return the minimum of all channels in a square window around each pixel, (height, width), of the image's dtype.

    The window is cut at the border of the image.

    >>> dark_channel(np.array([[[9, 5, 7], [8, 8, 6], [9, 9, 9]]], np.uint8), 3).tolist()
    [[5, 5, 6]]
    """
    least = np.empty(image.shape[:2], image.dtype)
    for rows in strips(image):
        _least(colour_planes(image[rows]), least[rows])
    return _erode(least, patch)


def veil_of(image: Picture, light: Levels, patch: int = 15) -> Veil:
    """Return the dark channel of the image divided by the airlight, (height, width), 65535 standing for 1.

    What is brighter than the airlight counts as 1.
    """
    floor = peak(image) / 255  # a black airlight divides nothing by zero
    tables = [_share_table(image.dtype, max(level, floor)) for level in light]
    least = np.empty(image.shape[:2], np.uint16)
    for rows in strips(image):
        planes = zip(colour_planes(image[rows]), tables, strict=True)
        _least([_look_up(plane, table) for plane, table in planes], least[rows])
    return _erode(least, patch)


def _least(planes: Sequence[NDArray[Any]], out: NDArray[Any]) -> None:
    np.minimum(planes[0], planes[-1], out=out)
    for plane in planes[1:-1]:
        np.minimum(out, plane, out=out)


def _erode(plane: NDArray[Any], patch: int) -> NDArray[Any]:
    eroded: NDArray[Any] = cv2.erode(plane, np.ones((patch, patch), np.uint8))
    return eroded


def _share_table(dtype: np.dtype[Any], level: float) -> NDArray[np.uint16]:
    """What each level is of the given one: 65535 for all of it or more."""
    shares = np.arange(np.iinfo(dtype).max + 1) * (65535 / level)
    table: NDArray[np.uint16] = np.minimum(np.rint(shares), 65535).astype(np.uint16)
    return table


def _look_up(plane: Picture, table: NDArray[np.uint16]) -> NDArray[np.uint16]:
    found: Any = cv2.LUT(plane, table) if plane.dtype == np.uint8 else table[plane]
    return np.asarray(found, np.uint16)
