"""Numbers in few bits: evenly spaced levels, two levels, or the centres of clusters.

Linear quantisation: Krishnamoorthi, arXiv 1806.08342 (2018). Codebooks: Han, Mao, Dally: Deep Compression, ICLR 2016.
Two levels: Rastegari et al.: XNOR-Net, ECCV 2016. Rounding is half to even.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

MOST_ROUNDS = 300
"""A codebook's clusters stop moving long before."""


@dataclass(frozen=True)
class Levels:
    """Codes q that mean (q - zero_point) * scale.

    codes: int64, the shape of what was quantised. scale: float64 and zero_point: int64, shapes that broadcast over it.
    """

    codes: Codes
    scale: NDArray[np.float64]
    zero_point: NDArray[np.int64]

    def values(self) -> NDArray[np.float64]:
        """What the codes mean."""
        return (self.codes - self.zero_point) * self.scale


def symmetric(values: Floats, bits: int, *, per_channel: bool = False) -> Levels:
    """Quantise to the 2^bits - 1 levels around 0 that reach the largest magnitude; 0 stays 0.

    values: (O, ...). per_channel: a scale for each O. Bits from 2 on.

    >>> symmetric(np.array([1.0, 0.7, -0.5]), 8).codes.tolist()
    [127, 89, -64]
    """
    most = 2 ** (bits - 1) - 1
    top = np.abs(values).max(axis=_axes(values, per_channel), keepdims=True, initial=0).astype(np.float64)
    scale = np.where(top > 0, top, 1) / most
    codes = np.clip(np.rint(values / scale), -most, most).astype(np.int64)
    return Levels(codes, scale, np.zeros(scale.shape, np.int64))


def affine(values: Floats, bits: int, *, per_channel: bool = False) -> Levels:
    """Quantise to the 2^bits levels from the smallest to the largest value; the range always holds 0.

    values: (O, ...). per_channel: a range for each O.
    """
    axes = _axes(values, per_channel)
    low = values.min(axis=axes, keepdims=True, initial=0).astype(np.float64)
    high = values.max(axis=axes, keepdims=True, initial=0).astype(np.float64)
    return affine_between(values, low, high, bits)


def affine_between(values: Floats, low: Floats | float, high: Floats | float, bits: int) -> Levels:
    """Quantise to 2^bits levels between given ends; what lies outside becomes the nearest end.

    >>> found = affine_between(np.array([-1.2, -1.0, -0.5, 0.0, 0.7, 2.5, 3.0]), -1.0, 2.5, 8)
    >>> found.codes.tolist(), int(found.zero_point)
    ([0, 0, 37, 73, 124, 255, 255], 73)
    """
    most = 2**bits - 1
    span = np.asarray(high, np.float64) - np.asarray(low, np.float64)
    scale = np.where(span > 0, span, 1) / most
    zero_point = np.rint(-np.asarray(low) / scale).astype(np.int64)
    codes = np.clip(np.rint(values / scale) + zero_point, 0, most).astype(np.int64)
    return Levels(codes, scale, zero_point)


def given(values: Floats, scale: float, zero_point: int, low: int, high: int) -> Levels:
    """Quantise by a given scale and zero point to codes from low to high.

    >>> given(np.array([0.725, -1.0, 2.0, 5.0]), 0.025, 10, -128, 127).codes.tolist()
    [39, -30, 90, 127]
    """
    codes = np.clip(np.rint(values / scale) + zero_point, low, high).astype(np.int64)
    return Levels(codes, np.array(scale), np.array(zero_point, np.int64))


def binary(values: Floats, *, per_channel: bool = False) -> Levels:
    """Keep the signs, that of 0 being +, and the mean magnitude. codes are -1 and 1.

    >>> binary(np.array([0.0, -2.0, 4.0])).values().tolist()
    [2.0, -2.0, 2.0]
    """
    axes = _axes(values, per_channel)
    scale = (
        np.abs(values).mean(axis=axes, keepdims=True, dtype=np.float64) if values.size else np.ones((1,) * values.ndim)
    )
    return Levels(np.where(values >= 0, 1, -1).astype(np.int64), scale, np.zeros(scale.shape, np.int64))


@dataclass(frozen=True)
class Codebook:
    """Codes that number centres. codes: int64, the shape of what was quantised. centres: (K,) float64, rising."""

    codes: Codes
    centres: NDArray[np.float64]

    def values(self) -> NDArray[np.float64]:
        """What the codes mean."""
        return self.centres[self.codes]


def codebook(values: Floats, clusters: int) -> Codebook:
    """Find centres by k-means that starts evenly spread from the smallest to the largest value.

    values: any shape. A centre that nothing is nearest to stays where it is; of two that are equally near, the lower
    one counts. Clusters of numbers on a line are stretches of them in order, so a round costs K searches.

    >>> found = codebook(np.array([2.09, -0.98, 1.48, 0.09, 0.15, -0.14, -1.08, 2.12]), 4)
    >>> found.codes.tolist(), found.centres.round(3).tolist()
    ([3, 0, 2, 1, 1, 1, 0, 3], [-1.03, 0.033, 1.48, 2.105])
    """
    flat = np.sort(values.astype(np.float64), axis=None)
    if not flat.size:
        return Codebook(np.zeros(values.shape, np.int64), np.zeros(clusters))
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    centres = np.linspace(flat[0], flat[-1], clusters)
    for _ in range(MOST_ROUNDS):
        ends = np.concatenate([[0], np.searchsorted(flat, _middles(centres), side="right"), [flat.size]])
        count = np.diff(ends)
        moved = np.where(count > 0, np.diff(sums[ends]) / np.maximum(count, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    codes = np.searchsorted(_middles(centres), values.astype(np.float64), side="left")
    return Codebook(codes.astype(np.int64), centres)


def codebook_ratio(count: int, clusters: int, bits: int = 32) -> float:
    """How many times smaller codes and codebook are than `count` numbers of so many bits.

    >>> codebook_ratio(16, 4), round(codebook_ratio(10**6, 256), 6)
    (3.2, 3.995908)
    """
    return count * bits / (count * float(np.log2(clusters)) + clusters * bits)


def pack(codes: Codes, bits: int) -> NDArray[np.uint8]:
    """Put codes from 0 to 2^bits - 1 one behind the other, the highest bit first; the last byte is filled with 0.

    >>> pack(np.array([1, 2, 3]), 4).tolist()
    [18, 48]
    """
    shifts = np.arange(bits - 1, -1, -1, dtype=np.int64)
    return np.packbits(((codes.reshape(-1, 1) >> shifts) & 1).astype(np.uint8))


def unpack(packed: NDArray[np.uint8], bits: int, count: int) -> Codes:
    """Take `count` codes out again. packed: at least as long as `pack` makes it.

    >>> unpack(np.array([18, 48], np.uint8), 4, 3).tolist()
    [1, 2, 3]
    """
    single = np.unpackbits(packed, count=count * bits).reshape(count, bits).astype(np.int64)
    return single @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))


def _middles(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    return (centres[1:] + centres[:-1]) / 2


def _axes(values: Floats, per_channel: bool) -> tuple[int, ...]:
    return tuple(range(1 if per_channel else 0, values.ndim))
