"""Bright places that are no haze: the sky, white walls, water. There the dark channel prior does not hold.

It takes them for haze without end, and recovery multiplies what differs there from the airlight by up to 1 / t0: a blue
of a few levels becomes a burst of colour, noise becomes blotches, and where buildings meet the sky the change of the
transmission shows as a halo. So the haze of such places is left where it is, in part or in whole.

A place counts as bright where its lightness (the mean of the greatest and the least channel) comes near the airlight's,
and as flat where nothing is drawn on it. Texture is looked for in windows, which reach beyond the skyline, so what is
found flat is widened by as much again; the lightness, pixel by pixel, then draws the border, and no halo appears.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.airlight import Levels
from datatools.kernels.guided import grown, shrunk
from datatools.kernels.planes import Picture, Plane, colour_planes, grey_plane, peak, strips

BRIGHT = (0.75, 0.92)
"""Shares of the airlight's lightness at which a place begins to be left alone, and is left alone."""

FLAT = (0.03, 0.01)
"""Deviations of the grey, of 0 .. 1, from its surroundings at which a place begins to be left alone, and is."""

_SHRINK = 4
_WINDOW = 5  # of the shrunk picture's pixels


def left_alone(image: Picture, light: Levels) -> Plane:
    """Return how much of the haze stays at each pixel, (height, width) float32: 1 in a bright sky, 0 on the ground.

    image: as in datatools.kernels.planes, not empty. light: the airlight, (channels,), in levels.
    """
    lightness = _step_table(image, (light.max() + light.min()) / 2)
    bright = np.empty(image.shape[:2], np.float32)
    for rows in strips(image):
        planes = np.stack(colour_planes(image[rows]))
        between = planes.max(axis=0) // 2 + planes.min(axis=0) // 2
        bright[rows] = cv2.LUT(between, lightness) if between.dtype == np.uint8 else lightness[between]
    bright *= _flatness(image)
    return np.asarray(cv2.blur(bright, (3, 3), dst=bright), np.float32)  # or the noise of single pixels shows


def _step_table(image: Picture, level: float) -> Plane:
    """The brightness, 0 .. 1, of every lightness that a pixel can have, the airlight's being `level`."""
    floor = peak(image) / 255  # a black airlight divides nothing by zero
    return _smooth_step(np.arange(peak(image) + 1) / max(level, floor), *BRIGHT).astype(np.float32)


def _flatness(image: Picture) -> Plane:
    """How little is drawn around each pixel, (height, width), 0 .. 1."""
    grey = shrunk(grey_plane(image), _SHRINK) / np.float32(peak(image))
    side = (_WINDOW, _WINDOW)
    fine: Any = grey - cv2.blur(grey, side)
    deviation = np.sqrt(cv2.blur(fine * fine, side))
    # an edge is felt two half windows away, and the last blur takes away another half
    reach = np.ones((3 * _WINDOW, 3 * _WINDOW), np.uint8)
    flat: Any = cv2.dilate(_smooth_step(deviation, *FLAT).astype(np.float32), reach)
    return grown(np.asarray(cv2.blur(flat, side), np.float32), image.shape[1::-1])


def _smooth_step(values: NDArray[Any], start: float, end: float) -> NDArray[Any]:
    """0 before the start, 1 past the end, without a corner between them."""
    part: NDArray[Any] = np.clip((values - start) / (end - start), 0, 1)
    step: NDArray[Any] = part * part * (3 - 2 * part)
    return step
