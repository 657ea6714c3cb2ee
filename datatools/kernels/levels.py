"""How loud a recording is, moment by moment, and a voice activity detector made of that alone."""

import numpy as np
from numpy.typing import NDArray

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
    level = decibels(moving_mean(power, _SMOOTH // 2))
    around = int(_FLOOR_S / STEP_S) // 2
    floor = moving_mean(moving_minimum(level, around), around // 2)
    floor = np.clip(floor, *_FLOOR_DB)
    loud = float(np.percentile(level, 95))
    margin = np.clip(0.35 * (loud - floor), *_MARGIN_DB)
    sure: Floats = (1 / (1 + np.exp(-(level - floor - margin) / _SLOPE_DB))).astype(np.float32)
    return sure


def moving_mean(values: Floats, reach: int) -> Floats:
    """The mean of each value and of those up to `reach` before and after it; at the ends of as many as there are.

    >>> moving_mean(np.array([0., 3., 6.], np.float32), 1).tolist()
    [1.5, 3.0, 4.5]
    """
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    last, width = len(values), 2 * reach + 1
    mean = np.empty(last, np.float32)
    if last >= width:
        mean[reach : last - reach] = (total[width:] - total[: last + 1 - width]) / width
    for at in {*range(min(reach, last)), *range(max(last - reach, 0), last)}:
        left, right = max(at - reach, 0), min(at + reach + 1, last)
        mean[at] = (total[right] - total[left]) / (right - left)
    return mean


def moving_minimum(values: Floats, reach: int) -> Floats:
    """The least of each value and of those up to `reach` before and after it.

    From the least so far in blocks of the window's length, from the left and from the right: two passes whatever the
    reach (van Herk, Pattern Recognition Letters 13, 1992; Gil and Werman, PAMI 15, 1993).

    >>> moving_minimum(np.array([3., 1., 2., 5., 4.], np.float32), 1).tolist()
    [1.0, 1.0, 1.0, 2.0, 4.0]
    """
    width = 2 * reach + 1
    padded = np.full(-(-(len(values) + 2 * reach) // width) * width, np.inf, np.float32)
    padded[reach : reach + len(values)] = values
    rows = padded.reshape(-1, width)
    from_left = np.minimum.accumulate(rows, axis=1).ravel()
    from_right = np.minimum.accumulate(rows[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.minimum(from_right[: len(values)], from_left[2 * reach : 2 * reach + len(values)])
