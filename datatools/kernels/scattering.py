"""The scattering of light in haze, I = J t + A (1 - t), with t = exp(-beta z): from the scene to the haze and back.

J is the scene, I what the camera sees, A the airlight, t the share of the light that comes through a depth z
(Koschmieder 1924; Narasimhan, Nayar: IJCV 2002). Pictures are those of datatools.kernels.planes; alpha stays. A is
(channels,) float64, in levels. Results are rounded once and cut to the levels that the dtype has.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.airlight import Levels
from datatools.kernels.planes import Picture, Plane, colour_planes, merge_like, peak, strips

Rows = Callable[[slice], Plane]
"""The transmission of some rows, worked out when it is asked for: no plane of all of it is needed."""


def add_haze(image: Picture, depth: NDArray[np.uint16], beta: float, light: Levels) -> Picture:
    """Return what is seen of a scene through haze.

    depth: (height, width), 65535 standing for 1. beta: how much of the light is scattered a unit of depth.

    >>> add_haze(np.full((1, 2), 100, np.uint8), np.array([[0, 65535]], np.uint16), 0.6931, np.array([200.0])).tolist()
    [[100, 150]]
    """
    # a table rounded to 16 bits: the last digit of exp is another one on another machine
    through = np.rint(np.exp(np.arange(65536) * (-beta / 65535)) * 65535).astype(np.float32) / np.float32(65535)
    return _mixed(image, lambda rows: through[depth[rows]], 1.0, light, image.dtype)


def depth_gradient(height: int, width: int) -> NDArray[np.uint16]:
    """Return the depth of a plain seen from above: 0 at the bottom of the picture, 1 at its top, (height, width).

    >>> depth_gradient(3, 2).tolist()
    [[65535, 65535], [32768, 32768], [0, 0]]
    """
    rows = np.rint(np.linspace(65535, 0, height)) if height > 1 else np.zeros(height)
    return np.repeat(rows.astype(np.uint16)[:, None], width, axis=1)


def recover(
    image: Picture,
    t: Plane | Rows,
    light: Levels,
    t0: float = 0.1,
    exposure: float = 1.0,
    dtype: "np.dtype[Any] | None" = None,
) -> Picture:
    """Return J = (I - A) / max(t, t0) + A, times the exposure.

    t: (height, width) float32. dtype: of the result, where it is not the image's; its levels are scaled to it then.

    >>> recover(np.full((1, 1), 70, np.uint8), np.full((1, 1), 0.5, np.float32), np.array([90.0])).item()
    50
    """
    rows_of = t if callable(t) else t.__getitem__

    def gain(rows: slice) -> Plane:
        least = np.clip(rows_of(rows), np.float32(t0), None)
        return np.divide(np.float32(factor), least, out=least)

    target = image.dtype if dtype is None else dtype
    factor = float(np.float32(exposure * (np.iinfo(target).max / peak(image))))
    return _mixed(image, gain, factor, light, target)


def _mixed(image: Picture, gain: Rows, factor: float, light: Levels, dtype: "np.dtype[Any]") -> Picture:
    """image * gain + light * (factor - gain), rounded and cut once, in the last step."""
    result = np.empty(image.shape, dtype)
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    for rows in strips(image):
        share = gain(rows)
        rest = np.float32(factor) - share
        done = [
            cv2.add(cv2.multiply(plane, share, dtype=cv2.CV_32F), rest * np.float32(level), dtype=depth)
            for plane, level in zip(colour_planes(image[rows]), light, strict=True)
        ]
        result[rows] = merge_like(image[rows], done)
    return result
