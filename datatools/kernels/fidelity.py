"""How near a picture comes to the one that it should be: PSNR and SSIM.

Both take two pictures of one shape, (height, width) or (height, width, channels), uint8 or uint16, with all their
channels; neither side may be 0. An 8 bit picture and a 16 bit one are compared by their shares of the greatest level.
"""

import math
from typing import Any

import cv2
import numpy as np

from datatools.kernels.planes import Picture, peak

_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = 0.01**2, 0.03**2


def psnr(image: Picture, reference: Picture) -> float:
    """Return the peak signal-to-noise ratio, dB, over all channels; infinite where the two are equal.

    >>> round(psnr(np.full((2, 2), 100, np.uint8), np.full((2, 2), 110, np.uint8)), 4)
    28.1308
    """
    difference = _shares(image) - _shares(reference)
    error = float(np.mean(difference * difference, dtype=np.float64))
    return -10 * math.log10(error) if error else math.inf


def ssim(image: Picture, reference: Picture) -> float:
    """Return the mean structural similarity, at most 1 (Wang, Bovik, Sheikh, Simoncelli: TIP 2004).

    Gaussian windows with sigma 1.5 and a side of 11, K1 0.01, K2 0.03, only windows that lie inside; the mean over the
    channels of colour pictures. A side shorter than a window has one window, mirrored at the border.

    >>> ssim(np.full((20, 20), 100, np.uint8), np.full((20, 20), 100, np.uint8))
    1.0
    """
    one, other = _shares(image), _shares(reference)
    mean_one, mean_other = _blurred(one), _blurred(other)
    product, squares = mean_one * mean_other, mean_one * mean_one + mean_other * mean_other
    covariance = _blurred(one * other) - product
    variances = _blurred(one * one + other * other) - squares  # their sum is all that is needed
    top = (2 * product + _C1) * (2 * covariance + _C2)
    bottom = (squares + _C1) * (variances + _C2)
    return float(np.mean(top / bottom))


def _shares(image: Picture) -> Any:
    return image.astype(np.float64) / peak(image)


def _blurred(plane: Any) -> Any:
    side = 2 * _RADIUS + 1
    smooth = cv2.GaussianBlur(plane, (side, side), _SIGMA, borderType=cv2.BORDER_REFLECT)
    down, across = (min(_RADIUS, (n - 1) // 2) for n in plane.shape[:2])
    return smooth[down : plane.shape[0] - down, across : plane.shape[1] - across]
