"""Bright places that are no haze: the sky, white walls, water. There the dark channel prior does not hold.

It takes them for haze without end, and recovery multiplies what differs there from the airlight by up to 1 / t0: a blue
of a few levels becomes a burst of colour, noise becomes blotches, and where buildings meet the sky the change of the
transmission shows as a halo. So the veil is taken off such places before it is refined: they stay as they are, and the
guided filter lets the border follow the edges of the picture.

A place is left alone where its brightest channel comes near the airlight's and nothing is drawn on it. Texture is
looked for in windows, which reach beyond the skyline, so what is found flat is widened by half a window again; the
brightness, pixel by pixel, then draws the border.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.airlight import Levels
from datatools.kernels.guided import grown, shrunk
from datatools.kernels.planes import Picture, colour_planes, grey_plane, peak, strips

BRIGHT = (0.7, 0.9)
"""Shares of the airlight's brightest channel at which a place begins to be left alone, and is left alone."""

FLAT = (0.06, 0.02)
"""Deviations of the grey of 0 .. 1 within a window at which a place begins to be left alone, and is left alone."""

_SHRINK = 4
_WINDOW = 9  # of the shrunk picture's pixels


def lift(veil: NDArray[np.uint16], image: Picture, light: Levels) -> NDArray[np.uint16]:
    """Return the veil, (height, width), taken off where the image shows sky or the like."""
    flat = _flatness(image)
    steps = np.arange(peak(image) + 1) / max(light.max(), peak(image) / 255)
    table = (_smooth_step(steps, *BRIGHT) * 65535).astype(np.uint16)
    lifted = np.empty_like(veil)
    for rows in strips(image):
        brightest = colour_planes(image[rows])
        top = brightest[0]
        for plane in brightest[1:]:
            top = np.maximum(top, plane)
        bright: Any = cv2.LUT(top, table) if top.dtype == np.uint8 else table[top]
        keep = np.float32(1) - bright * (flat[rows] * np.float32(1 / 65535))
        lifted[rows] = np.rint(veil[rows] * keep)
    return lifted


def _flatness(image: Picture) -> NDArray[np.float32]:
    """How little is drawn around each pixel, (height, width), 0 .. 1."""
    grey = shrunk(grey_plane(image), _SHRINK) / np.float32(peak(image))
    side = (_WINDOW, _WINDOW)
    mean, square = cv2.blur(grey, side), cv2.blur(grey * grey, side)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    flat = _smooth_step(deviation, *FLAT).astype(np.float32)
    return grown(np.asarray(cv2.blur(cv2.dilate(flat, np.ones(side, np.uint8)), side), np.float32), image.shape[1::-1])


def _smooth_step(values: NDArray[Any], start: float, end: float) -> NDArray[Any]:
    """0 before the start, 1 past the end, without a corner between them."""
    part: NDArray[Any] = np.clip((values - start) / (end - start), 0, 1)
    step: NDArray[Any] = part * part * (3 - 2 * part)
    return step
