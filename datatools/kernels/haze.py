"""Haze: what the dark channel tells of it, and the picture without it (He, Sun, Tang: CVPR 2009, TPAMI 2011).

A hazy picture is I = J t + A (1 - t): the scene J seen through a transmission t, and the airlight A, the colour of
haze without end. Outdoors some channel of some pixel near any place is almost black, so what the darkest of them shows
is haze: that gives A and t, and with them J.

Pictures are (height, width) grey, (height, width, 2) grey and alpha, (height, width, 3) RGB or (height, width, 4) RGB
and alpha, of uint8 or uint16; alpha is handed on as it is. Either side may be 0. Levels are 0 .. 255 or 0 .. 65535.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.guided import guided_filter, quick_guided_filter

Picture = NDArray[Any]
Levels = NDArray[np.float64]
Plane = NDArray[np.float32]
Refine = Literal["guided", "fast", "none"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How haze is estimated and taken away.

    patch: side of the dark channel's window, px, odd. omega: share of the haze that is removed. t0: transmissions are
    taken for at least this. refine: the guided filter, the same on a quarter of the size, or the blocks as they are.
    radius: of the guided filter's window, px. eps: its smoothing; the guide's levels count 0 .. 1.
    """

    patch: int = 15
    omega: float = 0.95
    t0: float = 0.1
    refine: Refine = "guided"
    radius: int = 60
    eps: float = 1e-3


def remove(image: Picture, settings: Settings = Settings()) -> Picture:
    """Return the picture without its haze, of the same shape and dtype.

    >>> remove(np.full((4, 4, 3), 200, np.uint8)).max()
    np.uint8(200)
    """
    if image.size == 0:
        return image.copy()
    light = airlight(image, dark_channel(image, settings.patch))
    return recover(image, transmission(image, light, settings), light, settings.t0)


def dark_channel(image: Picture, patch: int = 15) -> Picture:
    """Return the minimum of all channels in a square window around each pixel, (height, width), of the image's dtype.

    The window is cut at the border of the image.

    >>> dark_channel(np.array([[[9, 5, 7], [8, 8, 6], [9, 9, 9]]], np.uint8), 3).tolist()
    [[5, 5, 6]]
    """
    colour, _ = split_alpha(image)
    return _erode(_darkest(colour), patch)


def airlight(image: Picture, dark: Picture) -> Levels:
    """Return the colour of the haze, (channels,), in levels of the image.

    Of the max(N // 1000, 1) pixels with the brightest dark channel (of equals, the first in the order of rows), it is
    the one with the greatest sum of channels in the image.

    >>> image = np.array([[[1, 2, 3], [200, 210, 220]]], np.uint8)
    >>> airlight(image, dark_channel(image, 1)).tolist()
    [200.0, 210.0, 220.0]
    """
    colour, _ = split_alpha(image)
    found = colour.reshape(-1, colour.shape[2])[_brightest(dark)].astype(np.float64)
    best: Levels = found[found.sum(axis=1).argmax()]
    return best


def transmission(image: Picture, light: Levels, settings: Settings = Settings()) -> Plane:
    """Return how much of the scene reaches the camera at each pixel, (height, width) float32, refined, in 0 .. 1."""
    colour, _ = split_alpha(image)
    coarse = 1 - np.float32(settings.omega) * _erode(_ratio(colour, light), settings.patch)
    if settings.refine == "none":
        return coarse
    smooth = guided_filter if settings.refine == "guided" else quick_guided_filter
    refined: Plane = np.clip(smooth(_guide(colour), coarse, settings.radius, settings.eps), 0, 1)
    return refined


def recover(image: Picture, t: Plane, light: Levels, t0: float = 0.1) -> Picture:
    """Return J = (I - A) / max(t, t0) + A, rounded and cut to the levels that the dtype has.

    >>> recover(np.full((1, 1), 70, np.uint8), np.full((1, 1), 0.5, np.float32), np.array([90.0])).item()
    50
    """
    colour, alpha = split_alpha(image)
    gain = 1 / np.maximum(t, np.float32(t0))
    shade = light.astype(np.float32)
    scene = (colour.astype(np.float32) - shade) * gain[..., None] + shade
    levels = np.clip(np.rint(scene), 0, np.iinfo(image.dtype).max).astype(image.dtype)
    return levels.reshape(image.shape) if alpha is None else np.concatenate([levels, alpha], axis=2)


def split_alpha(image: Picture) -> tuple[Picture, Picture | None]:
    """Return the colour channels, (height, width, 1 or 3), and alpha, (height, width, 1) or None. Both are views."""
    if image.ndim == 2:
        return image[..., None], None
    if image.shape[2] in (2, 4):
        return image[..., :-1], image[..., -1:]
    return image, None


def _darkest(colour: Picture) -> Picture:
    least: Picture = colour.min(axis=2)
    return least


def _erode(plane: NDArray[Any], patch: int) -> NDArray[Any]:
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (patch, patch))
    eroded: NDArray[Any] = cv2.erode(np.ascontiguousarray(plane), window)
    return eroded


def _brightest(dark: Picture) -> NDArray[np.intp]:
    """Flat indices of the brightest thousandth."""
    flat = dark.ravel()
    count = max(flat.size // 1000, 1)
    lowest = np.partition(flat, flat.size - count)[flat.size - count]
    above = np.flatnonzero(flat > lowest)
    return np.concatenate([above, np.flatnonzero(flat == lowest)[: count - len(above)]])


def _ratio(colour: Picture, light: Levels) -> Plane:
    """The least of I / A over the channels, at most 1: what is brighter than the haze is taken for haze."""
    floor = np.iinfo(colour.dtype).max / 255  # a black airlight divides nothing by zero
    scale = (1 / np.maximum(light, floor)).astype(np.float32)
    least: Plane = np.minimum((colour * scale).min(axis=2), np.float32(1))
    return least


def _guide(colour: Picture) -> Plane:
    """Grey of 0 .. 1, by the weights of BT.601."""
    peak = np.float32(np.iinfo(colour.dtype).max)
    if colour.shape[2] == 1:
        return colour[..., 0].astype(np.float32) / peak
    grey: Plane = cv2.cvtColor(np.ascontiguousarray(colour), cv2.COLOR_RGB2GRAY).astype(np.float32) / peak
    return grey
