"""Changes of tone: each is a table of 256 grey values, or one of three such tables, one a channel.

Tables are (256,) or (256, 3) uint8. Applying one table after another is the table `second[first]`, so a chain of them
costs one look-up a pixel. The operations are those of AutoAugment (Cubuk et al. 2019), within one grey value of
Pillow's, which cuts where this rounds.
Pictures are (height, width, 3) uint8 RGB; counts are (256, 3), how often each value occurs in each channel.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.compiled import compiled

Picture = NDArray[np.uint8]
Table = NDArray[np.uint8]
Counts = NDArray[np.int64]

_RAMP = np.arange(256)
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the grey of an RGB picture (ITU-R BT.601)."""


@compiled
def counts_of(rgb: Picture) -> Counts:
    """Count the values of each channel.

    >>> counts_of(np.zeros((2, 3, 3), np.uint8))[0].tolist()
    [6, 6, 6]
    """
    # runs of one value would wait for their own count: neighbours count in different places
    parts = np.zeros((2, 3, 256), dtype=np.int64)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            part = parts[x & 1]
            part[0, rgb[y, x, 0]] += 1
            part[1, rgb[y, x, 1]] += 1
            part[2, rgb[y, x, 2]] += 1
    counts = np.empty((256, 3), dtype=np.int64)
    for value in range(256):
        for channel in range(3):
            counts[value, channel] = parts[0, channel, value] + parts[1, channel, value]
    return counts


@compiled
def _moved_counts(counts: Counts, table: Table) -> Counts:
    moved = np.zeros((256, 3), dtype=np.int64)
    for value in range(256):
        for channel in range(3):
            moved[table[value, channel], channel] += counts[value, channel]
    return moved


def moved_counts(counts: Counts, table: Table) -> Counts:
    """The counts that a picture has after a table is applied to it."""
    return _moved_counts(counts, _three(table))


def apply(rgb: Picture, table: Table) -> Picture:
    """Look every value up in the table."""
    if not rgb.size:
        return rgb.copy()
    return np.asarray(cv2.LUT(rgb, np.ascontiguousarray(table)[None] if table.ndim == 2 else table), dtype=np.uint8)


def chain(first: Table | None, second: Table) -> Table:
    """The table that does what both do, one after the other; None does nothing.

    >>> chain(invert(), invert())[:3].tolist()
    [0, 1, 2]
    """
    if first is None:
        return second
    if first.ndim == 1:
        return second[first]
    tables = _three(second)
    return np.stack([tables[first[:, c], c] for c in range(3)], axis=1)


def _three(table: Table) -> Table:
    return table if table.ndim == 2 else np.repeat(table[:, None], 3, axis=1)


def invert() -> Table:
    """Every value from its other end: 255 - v."""
    return (255 - _RAMP).astype(np.uint8)


def posterize(bits: int) -> Table:
    """Keep the upper bits, 0 to 8, of each value.

    >>> posterize(1)[[0, 127, 128, 255]].tolist()
    [0, 0, 128, 128]
    """
    return (_RAMP & (0xFF << (8 - bits)) & 0xFF).astype(np.uint8)


def solarize(threshold: float) -> Table:
    """Invert the values that are not below the threshold."""
    return np.where(threshold > _RAMP, _RAMP, 255 - _RAMP).astype(np.uint8)


def brightness(factor: float) -> Table:
    """Multiply by a factor that is not negative: 0 is black, 1 the picture itself."""
    return _clipped(_RAMP * factor)


def contrast(factor: float, counts: Counts) -> Table:
    """Move values from (above 1) or towards (below 1) the mean grey of the picture."""
    pixels = max(int(counts[:, 0].sum()), 1)
    grey = int((_RAMP @ counts / pixels) @ LUMA + 0.5)
    return _clipped(grey + (_RAMP - grey) * factor)


def gain(factors: tuple[float, float, float], offsets: tuple[float, float, float]) -> Table:
    """factor * v + offset of each channel."""
    return _clipped(_RAMP[:, None] * np.array(factors) + np.array(offsets))


def gamma(exponent: float) -> Table:
    """Raise values, as shares of 255, to a power: below 1 brightens."""
    return _clipped(255 * (_RAMP / 255) ** exponent)


@compiled
def autocontrast(counts: Counts) -> Table:
    """Stretch each channel from its darkest and brightest value to 0 and 255."""
    tables = np.empty((256, 3), dtype=np.uint8)
    for channel in range(3):
        low, high = 0, 255
        while low < 255 and counts[low, channel] == 0:
            low += 1
        while high > 0 and counts[high, channel] == 0:
            high -= 1
        stretch, offset = (255 / (high - low), -low * (255 / (high - low))) if high > low else (1.0, 0.0)
        for value in range(256):
            tables[value, channel] = np.uint8(min(max(value * stretch + offset, 0.0), 255.0) + 0.5)
    return tables


@compiled
def equalize(counts: Counts) -> Table:
    """Make all values of each channel about equally frequent."""
    tables = np.empty((256, 3), dtype=np.uint8)
    for channel in range(3):
        total, last, used = 0, 0, 0
        for value in range(256):
            if counts[value, channel] > 0:
                total += counts[value, channel]
                last = counts[value, channel]
                used += 1
        step = (total - last) // 255
        before = step // 2
        for value in range(256):
            if used <= 1 or step == 0:
                tables[value, channel] = value
            else:
                tables[value, channel] = min(before // step, 255)
                before += counts[value, channel]
    return tables


def color(rgb: Picture, factor: float) -> Picture:
    """Move each pixel from (above 1) or towards (below 1) its own grey: 0 is a grey picture."""
    if not rgb.size:
        return rgb.copy()
    grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(rgb, factor, grey, 1 - factor, 0, dst=grey), dtype=np.uint8)


def sharpness(rgb: Picture, factor: float) -> Picture:
    """Move each pixel from (above 1) or towards (below 1) the smoothed picture; the outermost pixels stay.

    The smoothed value is that of Pillow's SMOOTH filter, (sum of the nine + 4 times the pixel) / 13: nine parts of a
    box filter and four of the picture, which is twice as fast as the filter itself.
    """
    if min(rgb.shape[:2]) < 3:
        return rgb.copy()
    box = cv2.blur(rgb, (3, 3))
    mixed = cv2.addWeighted(rgb, (4 + 9 * factor) / 13, box, 9 * (1 - factor) / 13, 0, dst=box)
    made: Picture = np.asarray(mixed, dtype=np.uint8)
    made[[0, -1]] = rgb[[0, -1]]
    made[:, [0, -1]] = rgb[:, [0, -1]]
    return made


def _clipped(values: NDArray[np.floating]) -> Table:
    clipped: Table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clipped
