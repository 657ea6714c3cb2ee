"""Log mel filter banks and cepstra as Kaldi computes them (Povey et al.: The Kaldi speech recognition toolkit. ASRU
2011), and what is usually done to them after.

The formulas are those of Kaldi's `compute-fbank-feats` and `compute-mfcc-feats` without dither and with snip_edges: a
recording of n samples has 1 + (n - window) // shift frames, none that reaches over its end.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.spectra import Plan

Floats = NDArray[np.float32]

EPSILON = np.float32(np.finfo(np.float32).eps)
"""Energies are not taken below this before their logarithm."""
LOW_HZ = 20.0
"""The lowest filter begins here, the highest ends at half the sample rate."""
EMPHASIS = 0.97
LIFTER = 22.0


@dataclass(frozen=True, slots=True)
class Frames:
    """What is computed: sr of the samples, window_s and shift_s of a frame, bands of the filter bank."""

    sr: int
    window_s: float = 0.025
    shift_s: float = 0.010
    bands: int = 40

    @property
    def length(self) -> int:
        """Samples of a frame."""
        return int(self.sr * self.window_s)

    @property
    def shift(self) -> int:
        """Samples from one frame to the next."""
        return int(self.sr * self.shift_s)


def fbank(samples: Floats, frames: Frames) -> Floats:
    """Return the log energies of the mel bands, natural logarithm, (N, bands) float32.

    samples: (n,); Kaldi's own scale is that of 16-bit integers, which adds 2 ln 32768 = 20.79 to those of full scale 1.
    N = 1 + (n - window) // shift, 0 for less than a window.

    >>> fbank(np.zeros(560, np.float32), Frames(16000)).shape
    (2, 40)
    """
    energies = plan(frames).energies(samples)
    np.maximum(energies, EPSILON, out=energies)
    return np.log(energies, out=energies)


def mfcc(samples: Floats, frames: Frames, cepstra: int = 13) -> Floats:
    """Return mel-frequency cepstral coefficients, (N, cepstra) float32: the cosine transform of `fbank`, liftered.

    cepstra: at most the number of bands. The first is that of the mean, not the energy.
    """
    rolled: Floats = fbank(samples, frames) @ _cosines(frames.bands, cepstra)
    return rolled


@functools.lru_cache(maxsize=16)
def plan(frames: Frames) -> Plan:
    """The window (Kaldi's `povey`: a Hann window to the power of 0.85) and the filters of such frames."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames.length) / (frames.length - 1))
    size = max(1 << (frames.length - 1).bit_length(), 8)
    return Plan(
        frames.length, frames.shift, size, (hann**0.85).astype(np.float32), EMPHASIS,
        mel_filters(frames.bands, size, frames.sr),
    )  # fmt: skip


def mel_filters(bands: int, size: int, sr: int) -> Floats:
    """Return the triangular filters, (bands, size / 2): equally spaced and half overlapping in mel, 1127 ln(1 + f/700).

    size: of the Fourier transform. The bin at half the sample rate belongs to none.
    """
    low, high = _mel(np.array([LOW_HZ, sr / 2], np.float64))
    width = (high - low) / (bands + 1)
    left = low + np.arange(bands)[:, None] * width
    bins = _mel(np.arange(size // 2, dtype=np.float64) * (sr / size))[None]
    rising, falling = (bins - left) / width, (left + 2 * width - bins) / width
    filters: Floats = np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
    return filters


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log(1.0 + hz / 700.0)


@functools.lru_cache(maxsize=16)
def _cosines(bands: int, cepstra: int) -> Floats:
    """The orthonormal cosine transform with Kaldi's lifter, (bands, cepstra)."""
    n, k = np.arange(bands)[:, None] + 0.5, np.arange(cepstra)[None]
    table = np.cos(np.pi / bands * n * k) * np.sqrt(2.0 / bands)
    table[:, 0] = np.sqrt(1.0 / bands)
    lifter = 1.0 + 0.5 * LIFTER * np.sin(np.pi * np.arange(cepstra) / LIFTER)
    cosines: Floats = (table * lifter).astype(np.float32)
    return cosines


def deltas(features: Floats, order: int = 2) -> Floats:
    """Return the features beside their slopes, (N, (order + 1) D).

    A slope is the regression over two frames on either side, the ends repeated (Young et al.: The HTK Book, 5.6).
    """
    parts = [features]
    for _ in range(order):
        padded = np.concatenate([parts[-1][:1]] * 2 + [parts[-1]] + [parts[-1][-1:]] * 2)
        n = len(features)
        slope = (padded[3 : 3 + n] - padded[1 : 1 + n] + 2 * (padded[4 : 4 + n] - padded[:n])) / np.float32(10)
        parts.append(slope.astype(np.float32))
    return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Moments:
    """Sums over frames: count, (D,) sum of the values and of their squares, float64."""

    count: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


def moments(features: Floats) -> Moments:
    """The sums of (N, D) features."""
    wide = features.astype(np.float64)
    return Moments(len(wide), wide.sum(axis=0), np.square(wide).sum(axis=0))


def normalise(features: Floats, by: Moments) -> Floats:
    """Return the features with mean 0 and variance 1, by the mean and variance of `by`; a constant becomes 0."""
    mean = by.total / max(by.count, 1)
    variance = np.maximum(by.squares / max(by.count, 1) - mean**2, 0)
    scale = np.where(variance > 1e-10, 1 / np.sqrt(np.maximum(variance, 1e-10)), 0.0)
    return ((features - mean) * scale).astype(np.float32)
