"""Loudness of programmes (ITU-R BS.1770-4, as EBU R 128 uses it), measured block by block."""

import functools

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.compiled import compiled_fastmath

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_STEP_S = 0.1  # four steps are a block of 400 ms, three quarters of which the next one shares
_OFFSET = -0.691
_ABSOLUTE = -70.0
_RELATIVE = -10.0


class Meter:
    """Takes the samples of one recording in order. Channels count alike, but for the fourth and fifth of a
    five-channel recording, which are the surround ones and count 1.41."""

    def __init__(self, sr: int, channels: int) -> None:
        self._sos = _weighting(sr)
        self._state = np.zeros((len(self._sos), 2, channels))
        self._size = round(sr * _STEP_S)
        self._gains = np.where(np.isin(np.arange(channels), (3, 4)) & (channels == 5), 1.41, 1.0)
        self._rest = np.zeros((0, channels))
        self._steps: list[Doubles] = []

    def feed(self, samples: Floats) -> None:
        """Take (n, channels)."""
        weighted = np.concatenate([self._rest, _filtered(self._sos, samples.astype(np.float64), self._state)])
        whole = len(weighted) // self._size
        rows = weighted[: whole * self._size].reshape(whole, self._size, len(self._gains))
        self._steps.append(np.square(rows).mean(axis=1) @ self._gains)
        self._rest = weighted[whole * self._size :]

    def loudness(self) -> float:
        """The integrated loudness, LUFS; -inf for silence and for less than 400 ms."""
        steps = np.concatenate(self._steps) if self._steps else np.zeros(0)
        if len(steps) < 4:
            return float("-inf")
        blocks = np.convolve(steps, np.full(4, 0.25), mode="valid")
        loud = blocks[blocks > 10 ** ((_ABSOLUTE - _OFFSET) / 10)]
        if not len(loud):
            return float("-inf")
        gate = loud.mean() * 10 ** (_RELATIVE / 10)
        return float(_OFFSET + 10 * np.log10(loud[loud > gate].mean()))


@compiled_fastmath
def _filtered(sos: NDArray[np.float64], samples: NDArray[np.float64], state: NDArray[np.float64]) -> Doubles:
    """Send (n, channels) through second-order sections, direct form II transposed. state: brought forward in place."""
    out = np.empty_like(samples)
    for channel in range(samples.shape[1]):
        for i in range(len(samples)):
            x = samples[i, channel]
            for k in range(len(sos)):
                y = sos[k, 0] * x + state[k, 0, channel]
                state[k, 0, channel] = sos[k, 1] * x - sos[k, 4] * y + state[k, 1, channel]
                state[k, 1, channel] = sos[k, 2] * x - sos[k, 5] * y
                x = y
            out[i, channel] = x
    return out


@functools.lru_cache(maxsize=8)
def _weighting(sr: int) -> Doubles:
    """The K-weighting for any rate: the standard's two filters, which it gives for 48 kHz, as analogue ones again."""
    shelf = _biquad(sr, 1681.974450955533, 0.7071752369554196, 10 ** (3.999843853973347 / 20), 0.4996667741545416)
    f, q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * f / sr)
    whole = 1 + k / q + k * k
    high = np.array([1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / whole, (1 - k / q + k * k) / whole])
    return np.stack([shelf, high])


def _biquad(sr: int, f: float, q: float, high: float, power: float) -> Doubles:
    """A shelf that lifts what is above f by `high`."""
    k = np.tan(np.pi * f / sr)
    middle = high**power
    whole = 1 + k / q + k * k
    b = [(high + middle * k / q + k * k) / whole, 2 * (k * k - high) / whole, (high - middle * k / q + k * k) / whole]
    a = [1.0, 2 * (k * k - 1) / whole, (1 - k / q + k * k) / whole]
    return np.array(b + a)
