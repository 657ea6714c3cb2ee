"""Haze of a video: what is known of the frames before keeps the result from flickering.

A frame alone tells the airlight and the transmission with some chance in them, and the recovery multiplies it, noise
included, by up to 1 / t0. So three things are carried from frame to frame, each a mean in which the past has a weight.
Of the veil and of the frame itself a part of `1 - smooth` is new in every frame, where nothing happens; a change that
is more than noise is taken over at once, so moving things leave no trail. Of the airlight, which changes with the light
of the day but is mistaken when a lamp goes on, `(1 - smooth)^2` is new.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels import haze
from datatools.kernels.airlight import Levels
from datatools.kernels.dark_channel import Veil, dark_channel, veil_of
from datatools.kernels.haze import Haze, Settings
from datatools.kernels.planes import colour_planes, grey_plane, merge_like, strips

Frame = NDArray[np.uint8]

MOVES = 4.0
"""Levels by which the grey of a place, 5 px wide, changes when something moves there, and twice its noise on top."""

VEIL_MOVES = 0.15
"""The same for the veil, of 0 .. 1."""

NEW_SCENE = 0.15
"""Where less of the picture than this stays as it was, the past is of no use: another scene begins."""

_FINER = 257  # 255 * 257 is 65535
_WINDOW = (5, 5)
_BLOCK = 16
_SECOND = np.array([1, -2, 1], np.float32)  # the second derivative


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What is kept of the frames before.

    airlight: (channels,) float64, in levels. veil: (height, width) uint16, 65535 standing for 1. frame: the mean of the
    frames where nothing moved, of their shape, uint16, 257 standing for a level.
    """

    airlight: Levels
    veil: Veil
    frame: NDArray[np.uint16]


def clear_next(frame: Frame, past: Past | None, settings: Settings, smooth: float = 0.9) -> tuple[Frame, Past]:
    """Return the frame without its haze, and what the next one needs to be told.

    frame: (height, width) or (height, width, 3) uint8 RGB, not empty, all of one video of the same shape. past: None
    for the first one. smooth: weight of the past, 0 .. 1; with 0 each frame is cleared by itself.

    >>> clear, past = clear_next(np.full((4, 4, 3), 200, np.uint8), None, Settings())
    >>> clear.max(), past.airlight.tolist()
    (np.uint8(200), [200.0, 200.0, 200.0])
    """
    kept = None if past is None else _kept(frame, past.frame, smooth)
    if past is None or kept is None or kept.mean() < NEW_SCENE * smooth:
        finer = frame.astype(np.uint16) * np.uint16(_FINER)
        light = haze.airlight(frame, settings)
        veil = veil_of(frame, light, settings.patch)
        return haze.clear(frame, veil, light, settings), Past(light, veil, finer)
    finer = _mean_frame(frame, past.frame, kept)
    steady = _steady(finer)
    light = haze.airlight(steady, settings)
    light += (1 - (1 - smooth) ** 2) * (past.airlight - light)
    veil = _mean_veil(veil_of(steady, light, settings.patch), past.veil, smooth)
    return haze.clear(steady, veil, light, settings, finer), Past(light, veil, finer)


def found(past: Past, settings: Settings) -> Haze:
    """Return the maps by which the frame that gave this past was cleared."""
    steady = _steady(past.frame)
    t = haze.transmission(steady, past.veil, past.airlight, settings)
    return Haze(dark_channel(steady, settings.patch), t(slice(None)), past.airlight)


def _steady(frame: NDArray[np.uint16]) -> Frame:
    steady: Any = cv2.convertScaleAbs(frame, alpha=1 / _FINER)
    return np.asarray(steady, np.uint8)


def _kept(frame: Frame, before: NDArray[np.uint16], smooth: float) -> NDArray[np.float32] | None:
    """The weight of the past at each pixel: less, the more the place has changed."""
    if not smooth:
        return None
    grey = grey_plane(frame)
    change: Any = cv2.blur(cv2.absdiff(grey, grey_plane(_steady(before))).astype(np.float32), _WINDOW)
    return _weight(change, MOVES + 2 * noise(grey), smooth)


def noise(grey: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the noise in a picture, (height, width) uint8, in levels.

    A second derivative along both sides, blind to slopes and straight edges (Immerkaer: Fast noise variance estimation,
    CVIU 1996), is averaged in blocks of 16 px; noise is everywhere and texture is not, so the tenth of the blocks with
    the least of it tell. Blocks without any were clipped, or emptied by a codec: they tell nothing.

    >>> noise(np.zeros((40, 40), np.uint8))
    0.0
    """
    height, width = grey.shape
    if min(height, width) < _BLOCK:
        return 0.0
    response: Any = cv2.sepFilter2D(grey, cv2.CV_16S, _SECOND, _SECOND)
    blocks: Any = cv2.resize(np.abs(response), (width // _BLOCK, height // _BLOCK), interpolation=cv2.INTER_AREA)
    told = np.sort(blocks[blocks > 0])
    return float(told[len(told) // 10]) * math.sqrt(math.pi / 2) / 6 if len(told) else 0.0


def _weight(change: NDArray[np.float32], limit: float, smooth: float) -> NDArray[np.float32]:
    """smooth * (1 - (change / limit)^2), 0 past the limit."""
    np.multiply(change, change, out=change)
    change *= np.float32(-smooth / limit**2)
    change += np.float32(smooth)
    return np.clip(change, 0, None, out=change)


def _mean_frame(frame: Frame, before: NDArray[np.uint16], kept: NDArray[np.float32]) -> NDArray[np.uint16]:
    mean = np.empty_like(before)
    for rows in strips(frame):
        weight = kept[rows]
        new = (np.float32(1) - weight) * np.float32(_FINER)
        planes = [
            cv2.add(
                cv2.multiply(now, new, dtype=cv2.CV_32F), cv2.multiply(then, weight, dtype=cv2.CV_32F), dtype=cv2.CV_16U
            )
            for now, then in zip(colour_planes(frame[rows]), colour_planes(before[rows]), strict=True)
        ]
        mean[rows] = merge_like(frame[rows], planes)
    return mean


def _mean_veil(veil: Veil, before: Veil, smooth: float) -> Veil:
    mean = np.empty_like(veil)
    for rows in strips(veil):
        change = before[rows].astype(np.float32)
        change -= veil[rows]
        weight = _weight(np.abs(change), VEIL_MOVES * 65535, smooth)
        change *= weight
        change += veil[rows]
        mean[rows] = np.rint(change)
    return mean
