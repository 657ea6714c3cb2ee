"""How loud a recording is, moment by moment, and a voice activity detector made of that alone."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]

STEP_S = 0.01
"""Seconds of one level."""

_SMOOTH = 5  # levels, 50 ms: shorter than a syllable, longer than a period of the voice
_FLOOR_S = 10.0  # somebody takes breath within this time
_FLOOR_DB = (-65.0, -20.0)
_MARGIN_DB = (6.0, 15.0)
_SLOPE_DB = 2.0


def powers(samples: Floats, size: int) -> Floats:
    """Return the variance of each run of `size` samples, (ceil(n / size),): the power without a constant offset.

    >>> powers(np.array([1., -1., 3., 3., 5.], np.float32), 2).tolist()
    [1.0, 0.0, 0.0]
    """
    whole = len(samples) // size
    rows = samples[: whole * size].reshape(whole, size)
    out = np.empty(-(-len(samples) // size), np.float32)
    out[:whole] = _variance(rows)
    if whole < len(out):
        out[whole:] = _variance(samples[whole * size :][None])
    return out


def _variance(rows: Floats) -> Floats:
    size = rows.shape[1]
    means = rows @ np.full(size, 1 / size, np.float32)
    squares = np.einsum("ij,ij->i", rows, rows)
    variance: Floats = np.maximum(squares / np.float32(size) - means * means, 0)
    return variance


def decibels(power: Floats) -> Floats:
    """Return levels relative to full scale (a constant of 1), dB, not below -100.

    >>> decibels(np.array([1., 0.01, 0.], np.float32)).round(3).tolist()
    [0.0, -20.0, -100.0]
    """
    return (10 * np.log10(np.maximum(power, 1e-10))).astype(np.float32)


def activity(power: Floats) -> Floats:
    """Return how sure it is that each 10 ms hold more than the background, 0 to 1.

    power: (N,) from `powers` in steps of 10 ms. The background is the lowest level of the five seconds on either side;
    a step counts as half sure where it stands above that by a third of the distance to the loud parts, but by 6 dB at
    least and 15 at most. All steps of a recording without any change are background.
    """
    if not len(power):
        return np.zeros(0, np.float32)
    level = decibels(ndimage.uniform_filter1d(power, _SMOOTH, mode="nearest"))
    around = int(_FLOOR_S / STEP_S) + 1
    floor = ndimage.minimum_filter1d(level, around, mode="nearest")
    floor = np.clip(ndimage.uniform_filter1d(floor, around // 2, mode="nearest"), *_FLOOR_DB)
    loud = float(np.percentile(level, 95))
    margin = np.clip(0.35 * (loud - floor), *_MARGIN_DB)
    sure: Floats = (1 / (1 + np.exp(-(level - floor - margin) / _SLOPE_DB))).astype(np.float32)
    return sure
