"""Haze: what the dark channel tells of it, and the picture without it (He, Sun, Tang: CVPR 2009, TPAMI 2011).

A hazy picture is I = J t + A (1 - t): the scene J seen through a transmission t, and the airlight A, the colour of
haze without end. Outdoors some channel of some pixel near any place is almost black, so what the darkest of them shows
is haze: that gives A and t, and with them J.

Pictures are those of datatools.kernels.planes; alpha is handed on as it is. Levels are 0 .. 255 or 0 .. 65535. Every
step is exact integers or float32 rounded once, so the same picture gives the same bytes on every machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels import guided
from datatools.kernels.airlight import Levels, Method, find_airlight
from datatools.kernels.planes import (
    Picture,
    Plane,
    colour_planes,
    grey_plane,
    merge_like,
    peak,
    split_alpha,
    strips,
)

Veil = NDArray[np.uint16]
Refine = Literal["guided", "fast", "none"]

_SHRINK = 4  # of each side, for the fast refinement


@dataclass(frozen=True, slots=True)
class Settings:
    """How haze is estimated and taken away.

    patch: side of the dark channel's window, px, odd. omega: share of the haze that is removed. t0: transmissions are
    taken for at least this. refine: the guided filter, the same on a quarter of each side, or the blocks as they are.
    radius: of the guided filter's window, px. eps: its smoothing; the guide's levels count 0 .. 1. airlight: how it is
    found. exposure: factor of the levels of the result, which is darker than what people expect.
    """

    patch: int = 15
    omega: float = 0.95
    t0: float = 0.1
    refine: Refine = "guided"
    radius: int = 60
    eps: float = 1e-3
    airlight: Method = "brightest"
    exposure: float = 1.0


@dataclass(frozen=True, slots=True)
class Haze:
    """What was found: the dark channel, of the image's dtype; the transmission, float32; both (height, width); and the
    airlight, (channels,) float64 in levels of the image.
    """

    dark: Picture
    transmission: Plane
    airlight: Levels


def remove(image: Picture, settings: Settings = Settings()) -> Picture:
    """Return the picture without its haze, of the same shape and dtype.

    >>> remove(np.full((4, 4, 3), 200, np.uint8)).max()
    np.uint8(200)
    """
    if image.size == 0:
        return image.copy()
    light = _airlight(image, dark_channel(image, settings.patch), settings)
    return clear(image, veil(image, light, settings.patch), light, settings)


def estimate(image: Picture, settings: Settings = Settings()) -> Haze:
    """Return what `remove` finds on its way. The image may not be empty."""
    dark = dark_channel(image, settings.patch)
    light = _airlight(image, dark, settings)
    return Haze(dark, transmission(image, light, settings), light)


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


def veil(image: Picture, light: Levels, patch: int = 15) -> Veil:
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


def transmission(image: Picture, light: Levels, settings: Settings = Settings()) -> Plane:
    """Return how much of the scene reaches the camera at each pixel, (height, width) float32 in 0 .. 1.

    It is 1 - omega * veil, refined along the edges of the image.
    """
    t = _refined(veil(image, light, settings.patch), image, settings)
    return np.concatenate([t(rows) for rows in strips(image)])


def clear(image: Picture, veil: Veil, light: Levels, settings: Settings = Settings()) -> Picture:
    """Return the scene behind a veil: the transmission of the veil, then the recovery."""
    return _recovered(image, _refined(veil, image, settings), light, settings.t0, settings.exposure)


def recover(image: Picture, t: Plane, light: Levels, t0: float = 0.1, exposure: float = 1.0) -> Picture:
    """Return J = (I - A) / max(t, t0) + A, times the exposure, rounded and cut to the levels that the dtype has.

    >>> recover(np.full((1, 1), 70, np.uint8), np.full((1, 1), 0.5, np.float32), np.array([90.0])).item()
    50
    """
    return _recovered(image, lambda rows: t[rows], light, t0, exposure)


def _airlight(image: Picture, dark: Picture, settings: Settings) -> Levels:
    colour, _ = split_alpha(image)
    return find_airlight(colour, dark, settings.airlight)


Rows = Callable[[slice], Plane]
"""The transmission of some rows, worked out when it is asked for: no plane of all of it is needed."""


def _refined(veil: Veil, image: Picture, settings: Settings) -> Rows:
    scale = np.float32(-settings.omega / 65535)
    if settings.refine == "none":
        return lambda rows: np.add(veil[rows] * scale, np.float32(1))
    grey = grey_plane(image)
    shrink = _SHRINK if settings.refine == "fast" else 1
    guide, coarse = guided.shrunk(grey, shrink), guided.shrunk(veil, shrink)
    guide /= np.float32(peak(image))
    coarse *= scale
    a, b = guided.coefficients(guide, coarse, max(round(settings.radius / shrink), 1), settings.eps)
    del guide, coarse
    a /= np.float32(peak(image))
    b += 1
    size = (image.shape[1], image.shape[0])
    a, b = guided.grown(a, size), guided.grown(b, size)

    def t(rows: slice) -> Plane:
        line: Any = cv2.multiply(a[rows], grey[rows], dtype=cv2.CV_32F)
        line += b[rows]
        np.clip(line, 0, 1, out=line)
        return np.asarray(line, np.float32)

    return t


def _recovered(image: Picture, t: Rows, light: Levels, t0: float, exposure: float) -> Picture:
    clear = np.empty_like(image)
    depth = cv2.CV_8U if image.dtype == np.uint8 else cv2.CV_16U
    for rows in strips(image):
        gain = np.clip(t(rows), np.float32(t0), None)
        np.divide(np.float32(exposure), gain, out=gain)
        rest = np.float32(exposure) - gain
        done = [
            # J = I g + A (e - g) is rounded and cut once, in the last step
            cv2.add(cv2.multiply(plane, gain, dtype=cv2.CV_32F), rest * np.float32(level), dtype=depth)
            for plane, level in zip(colour_planes(image[rows]), light, strict=True)
        ]
        clear[rows] = merge_like(image[rows], done)
    return clear


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
