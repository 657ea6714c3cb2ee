"""Cutting a box out of a picture, and bringing pictures to one size."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def crop(rgb: Picture, xyxy: Sequence[float]) -> Picture:
    """Return the pixels that a box touches, as a view.

    rgb: (H, W, 3). xyxy: four float pixels, right and bottom exclusive; what lies outside is cut off, so a box wholly
    outside gives an array with a side of 0.

    >>> crop(np.zeros((10, 20, 3), np.uint8), (-3.0, 2.5, 4.2, 30.0)).shape
    (8, 5, 3)
    """
    height, width = rgb.shape[:2]
    left, top = (max(0, math.floor(v)) for v in xyxy[:2])
    right, bottom = (min(limit, math.ceil(v)) for v, limit in zip(xyxy[2:], (width, height), strict=True))
    return rgb[top : max(bottom, top), left : max(right, left)]


def scale(rgb: Picture, size_wh: tuple[int, int]) -> Picture:
    """Bring a picture to width and height, each side by itself.

    rgb: (H, W, 3), no side 0. A side that shrinks is averaged, one that grows is interpolated linearly; OpenCV gives
    the same bytes for both on every machine, which it does not for cubic.

    >>> scale(np.full((9, 4, 3), 7, np.uint8), (8, 3)).shape
    (3, 8, 3)
    """
    height, width = rgb.shape[:2]
    small_wh = min(width, size_wh[0]), min(height, size_wh[1])
    small = cv2.resize(rgb, small_wh, interpolation=cv2.INTER_AREA) if small_wh != (width, height) else rgb
    grown = cv2.resize(small, size_wh, interpolation=cv2.INTER_LINEAR) if size_wh != small_wh else small
    return np.array(grown, np.uint8)
