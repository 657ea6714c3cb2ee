"""Filter-bank energies of many frames: windows, power spectra and triangular sums in one compiled loop.

Sixteen frames are worked on side by side, one a lane, so that every step of the Fourier transform is plain arithmetic
on neighbours in memory, which compilers turn into vector instructions. The transform is Stockham's, radix 4 (Cochran
et al.: What is the fast Fourier transform? Proc. IEEE 55, 1967), on the even samples as real and the odd ones as
imaginary part.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.compiled import compiled_fastmath

Floats = NDArray[np.float32]
Indices = NDArray[np.uint64]

_LANES = 16
_F = np.float32
_U = np.uint64  # numba looks for negative indices, unless they cannot be


@dataclass(frozen=True)
class Plan:
    """Frames of `length` samples every `shift`, and what is made of each.

    window: (length,). size: of the transform, a power of two from 8 on, not less than length. emphasis: share of the
    sample before that is taken off each. filters: (bands, size / 2) weights of the power spectrum; each row is zero but
    for one run.
    """

    length: int
    shift: int
    size: int
    window: Floats
    emphasis: float
    filters: Floats

    def frames(self, samples: int) -> int:
        """How many whole frames there are."""
        return 0 if samples < self.length else 1 + (samples - self.length) // self.shift

    def energies(self, samples: Floats) -> Floats:
        """Return (frames, bands): the sums of power under each filter, float32.

        Of each frame the mean is taken off, then `emphasis` of each sample's predecessor (of the first: of itself),
        then it is multiplied by the window (the order of Kaldi's feature extraction).
        """
        out = np.empty((self.frames(len(samples)), len(self.filters)), np.float32)
        if out.size:
            half = self.size // 2
            angle = -2 * np.pi * np.arange(half + 1)
            turn = np.exp(1j * angle[: 3 * half // 4 + 1] / half).astype(np.complex64)
            split = np.exp(1j * angle / self.size).astype(np.complex64)
            _energies(
                np.ascontiguousarray(samples, dtype=np.float32),
                self.length, self.shift, half, self.window, _F(self.emphasis),
                turn.real.copy(), turn.imag.copy(), split.real.copy(), split.imag.copy(), *_sparse(self.filters), out,
            )  # fmt: skip
        return out


def _sparse(filters: Floats) -> tuple[Indices, Indices, Floats]:
    """Of each filter the first weight that is not zero, one past the last, and all in between."""
    starts, stops, weights = [], [], []
    for row in filters:
        used = np.flatnonzero(row)
        first, stop = (used[0], used[-1] + 1) if len(used) else (0, 0)
        starts.append(first)
        stops.append(stop)
        weights.append(row[first:stop])
    return np.array(starts, np.uint64), np.array(stops, np.uint64), np.concatenate(weights).astype(np.float32)


@compiled_fastmath
def _energies(
    samples: Floats, length: int, shift: int, half: int, window: Floats, emphasis: np.float32,
    turn_re: Floats, turn_im: Floats, split_re: Floats, split_im: Floats,
    starts: Indices, stops: Indices, weights: Floats, out: Floats,
) -> None:  # fmt: skip
    count = len(out)
    a_re, a_im = np.zeros(half * _LANES, _F), np.zeros(half * _LANES, _F)
    b_re, b_im = np.zeros(half * _LANES, _F), np.zeros(half * _LANES, _F)
    power = np.empty((half + 1) * _LANES, _F)
    one = np.zeros(length + 2, _F)
    for first in range(0, count, _LANES):
        _gather(samples, first, count, length, shift, window, emphasis, one, a_re, a_im)
        left, stride = half, 1
        in_a = True
        while left > 1:
            radix = 4 if left >= 4 else 2
            if in_a:
                _butterflies(radix, left, stride, half, turn_re, turn_im, a_re, a_im, b_re, b_im)
            else:
                _butterflies(radix, left, stride, half, turn_re, turn_im, b_re, b_im, a_re, a_im)
            in_a = not in_a
            left //= radix
            stride *= radix
        if in_a:
            _powers(half, split_re, split_im, a_re, a_im, power)
        else:
            _powers(half, split_re, split_im, b_re, b_im, power)
        _sums(power, starts, stops, weights, first, out)


@compiled_fastmath
def _gather(
    samples: Floats, first: int, count: int, length: int, shift: int, window: Floats, emphasis: np.float32,
    one: Floats, re: Floats, im: Floats,
) -> None:  # fmt: skip
    """Prepare sixteen frames and deal them to the lanes, even samples to re and odd ones to im; the rest is zero."""
    pairs = (length + 1) // 2
    for lane in range(_LANES):
        start = min(first + lane, count - 1) * shift
        frame = samples[start : start + length]
        total = _F(0)
        for i in range(length):
            total += frame[i]
        mean = total / _F(length)
        offset = mean - emphasis * mean
        one[0] = ((frame[0] - mean) - emphasis * (frame[0] - mean)) * window[0]
        for i in range(1, length):
            one[i] = (frame[i] - emphasis * frame[i - 1] - offset) * window[i]
        for i in range(pairs):
            re[i * _LANES + lane] = one[2 * i]
            im[i * _LANES + lane] = one[2 * i + 1]
    re[pairs * _LANES :] = 0
    im[pairs * _LANES :] = 0


@compiled_fastmath
def _butterflies(
    radix: int, n: int, stride: int, half: int, turn_re: Floats, turn_im: Floats,
    xr: Floats, xi: Floats, yr: Floats, yi: Floats,
) -> None:  # fmt: skip
    """One step of the transform, from x to y: n / radix butterflies for each of `stride` interleaved transforms."""
    w = stride * _LANES
    if radix == 2:
        ar, ai, br, bi = xr[:w], xi[:w], xr[w : 2 * w], xi[w : 2 * w]
        yr[:w], yi[:w], yr[w : 2 * w], yi[w : 2 * w] = ar + br, ai + bi, ar - br, ai - bi
        return
    quarter = n // 4
    step = half // n
    for p in range(quarter):
        r1, i1 = turn_re[p * step], turn_im[p * step]
        r2, i2 = turn_re[2 * p * step], turn_im[2 * p * step]
        r3, i3 = turn_re[3 * p * step], turn_im[3 * p * step]
        at, far = p * w, quarter * w
        ar, ai = xr[at : at + w], xi[at : at + w]
        br, bi = xr[at + far : at + far + w], xi[at + far : at + far + w]
        cr, ci = xr[at + 2 * far : at + 2 * far + w], xi[at + 2 * far : at + 2 * far + w]
        dr, di = xr[at + 3 * far : at + 3 * far + w], xi[at + 3 * far : at + 3 * far + w]
        at *= 4
        y0r, y0i = yr[at : at + w], yi[at : at + w]
        y1r, y1i = yr[at + w : at + 2 * w], yi[at + w : at + 2 * w]
        y2r, y2i = yr[at + 2 * w : at + 3 * w], yi[at + 2 * w : at + 3 * w]
        y3r, y3i = yr[at + 3 * w : at + 4 * w], yi[at + 3 * w : at + 4 * w]
        for q in range(w):
            sum_r, sum_i = ar[q] + cr[q], ai[q] + ci[q]
            dif_r, dif_i = ar[q] - cr[q], ai[q] - ci[q]
            odd_r, odd_i = br[q] + dr[q], bi[q] + di[q]
            turned_r, turned_i = di[q] - bi[q], br[q] - dr[q]  # i (b - d)
            y0r[q], y0i[q] = sum_r + odd_r, sum_i + odd_i
            u, v = dif_r - turned_r, dif_i - turned_i
            y1r[q], y1i[q] = u * r1 - v * i1, u * i1 + v * r1
            u, v = sum_r - odd_r, sum_i - odd_i
            y2r[q], y2i[q] = u * r2 - v * i2, u * i2 + v * r2
            u, v = dif_r + turned_r, dif_i + turned_i
            y3r[q], y3i[q] = u * r3 - v * i3, u * i3 + v * r3


@compiled_fastmath
def _powers(half: int, split_re: Floats, split_im: Floats, zr: Floats, zi: Floats, power: Floats) -> None:
    """The power spectrum of the real frames, from the transform of their halves."""
    lanes = _U(_LANES)
    for lane in range(lanes):
        power[lane] = (zr[lane] + zi[lane]) ** 2
        power[_U(half) * lanes + lane] = (zr[lane] - zi[lane]) ** 2
    for k in range(_U(1), _U(half // 2 + 1)):
        c, s = split_re[k], split_im[k]
        at, mirror = k * lanes, (_U(half) - k) * lanes
        for lane in range(lanes):
            even_r = _F(0.5) * (zr[at + lane] + zr[mirror + lane])
            even_i = _F(0.5) * (zi[at + lane] - zi[mirror + lane])
            odd_r = _F(0.5) * (zi[at + lane] + zi[mirror + lane])
            odd_i = _F(0.5) * (zr[mirror + lane] - zr[at + lane])
            turned_r, turned_i = c * odd_r - s * odd_i, c * odd_i + s * odd_r
            power[at + lane] = (even_r + turned_r) ** 2 + (even_i + turned_i) ** 2
            power[mirror + lane] = (even_r - turned_r) ** 2 + (even_i - turned_i) ** 2


@compiled_fastmath
def _sums(power: Floats, starts: Indices, stops: Indices, weights: Floats, first: int, out: Floats) -> None:
    """Add up the power under each filter, eight lanes at once in registers."""
    lanes = _U(_LANES)
    rows = _U(min(_LANES, len(out) - first))
    sums = np.empty(_LANES, _F)
    base = _U(0)
    for band in range(len(starts)):
        for half in range(_U(0), lanes, _U(8)):
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = _F(0)
            i = base
            for k in range(starts[band], stops[band]):
                weight = weights[i]
                i += _U(1)
                at = k * lanes + half
                s0 += weight * power[at]
                s1 += weight * power[at + _U(1)]
                s2 += weight * power[at + _U(2)]
                s3 += weight * power[at + _U(3)]
                s4 += weight * power[at + _U(4)]
                s5 += weight * power[at + _U(5)]
                s6 += weight * power[at + _U(6)]
                s7 += weight * power[at + _U(7)]
            sums[half], sums[half + _U(1)], sums[half + _U(2)], sums[half + _U(3)] = s0, s1, s2, s3
            sums[half + _U(4)], sums[half + _U(5)], sums[half + _U(6)], sums[half + _U(7)] = s4, s5, s6, s7
        base += stops[band] - starts[band]
        for row in range(rows):
            out[_U(first) + row, band] = sums[row]
