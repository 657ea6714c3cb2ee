"""Haze: what the dark channel tells of it, and the picture without it (He, Sun, Tang: CVPR 2009, TPAMI 2011).

A hazy picture is I = J t + A (1 - t): the scene J seen through a transmission t, and the airlight A, the colour of
haze without end. Outdoors some channel of some pixel near any place is almost black, so what the darkest of them shows
is haze: that gives A and t, and with them J.

Pictures are those of datatools.kernels.planes; alpha is handed on as it is. Levels are 0 .. 255 or 0 .. 65535. Every
step is exact integers or float32 rounded once, so the same picture gives the same bytes on every machine.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from datatools.kernels import guided, sky
from datatools.kernels.airlight import Levels, Method, find_airlight
from datatools.kernels.dark_channel import Veil, dark_channel, veil_of
from datatools.kernels.planes import Picture, Plane, grey_plane, peak, split_alpha, strips
from datatools.kernels.scattering import Rows, recover

Refine = Literal["guided", "fast", "none"]

_SMALL_PX = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """How haze is estimated and taken away.

    patch: side of the dark channel's window, px, odd. omega: share of the haze that is removed. t0: transmissions are
    taken for at least this. refine: the guided filter, the same on a quarter of each side (on half of it, where the
    picture has less than a megapixel: there is less to save, and more to lose), or the blocks as they are.
    radius: of the guided filter's window, px. eps: its smoothing; the guide's levels count 0 .. 1. airlight: how it is
    found. sky: bright flat places are left alone. exposure: factor of the levels of the result, which is darker than
    what people expect.
    """

    patch: int = 15
    omega: float = 0.95
    t0: float = 0.1
    refine: Refine = "guided"
    radius: int = 60
    eps: float = 1e-3
    airlight: Method = "brightest"
    sky: bool = False
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
    light = airlight(image, settings)
    return clear(image, veil_of(image, light, settings.patch), light, settings)


def estimate(image: Picture, settings: Settings = Settings()) -> Haze:
    """Return what `remove` finds on its way; `recover` with it gives the same picture. The image may not be empty."""
    light = airlight(image, settings)
    t = transmission(image, veil_of(image, light, settings.patch), light, settings)
    return Haze(dark_channel(image, settings.patch), np.concatenate([t(rows) for rows in strips(image)]), light)


def airlight(image: Picture, settings: Settings = Settings()) -> Levels:
    """Return the colour of the haze, (channels,) float64 in levels of the image, which may not be empty."""
    colour, _ = split_alpha(image)
    return find_airlight(colour, dark_channel(image, settings.patch), settings.airlight)


def clear(
    image: Picture, veil: Veil, light: Levels, settings: Settings = Settings(), finer: Picture | None = None
) -> Picture:
    """Return the scene behind a veil.

    finer: the same image in 16 bit, from which it is recovered if given; the result has 8 bit all the same.
    """
    t = transmission(image, veil, light, settings)
    if finer is None:
        return recover(image, t, light, settings.t0, settings.exposure)
    return recover(finer, t, light * (peak(finer) / peak(image)), settings.t0, settings.exposure, image.dtype)


def transmission(image: Picture, veil: Veil, light: Levels, settings: Settings = Settings()) -> Rows:
    """Return how much of the scene reaches the camera, 0 .. 1, as a function of rows of the image.

    It is 1 - omega * veil, refined along the edges of the image.
    """
    t = _refined(veil, image, settings)
    if not settings.sky:
        return t
    alone = sky.left_alone(image, light)

    def t_beside_sky(rows: slice) -> Plane:
        # what is left alone is as if it were seen through no haze
        line = t(rows)
        return line + (1 - line) * alone[rows]

    return t_beside_sky


def _refined(veil: Veil, image: Picture, settings: Settings) -> Rows:
    scale = np.float32(-settings.omega / 65535)
    if settings.refine == "none":
        return lambda rows: np.add(veil[rows] * scale, np.float32(1))
    grey = grey_plane(image)
    eps = settings.eps * peak(image) ** 2  # of the levels as they are
    if settings.refine == "fast":
        shrink = _shrink(image)
        small, coarse = guided.shrunk(grey, shrink), guided.shrunk(veil, shrink)
        a, b = guided.coefficients(small, coarse, max(round(settings.radius / shrink), 1), eps)
    else:
        a, b = guided.coefficients(grey, veil, settings.radius, eps)
    a *= scale
    b *= scale
    b += 1
    size = (image.shape[1], image.shape[0])
    a, b = guided.grown(a, size), guided.grown(b, size)

    def t(rows: slice) -> Plane:
        line: Any = cv2.multiply(a[rows], grey[rows], dtype=cv2.CV_32F)
        line += b[rows]
        np.clip(line, 0, 1, out=line)
        return np.asarray(line, np.float32)

    return t


def _shrink(image: Picture) -> int:
    return 4 if image.shape[0] * image.shape[1] >= _SMALL_PX else 2
