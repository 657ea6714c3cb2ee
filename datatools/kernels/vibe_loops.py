"""The loops of ViBe over all pixels of a frame, compiled.

Samples lie in planes, (samples, channels, pixels): a plane of all pixels for each, so that many pixels are compared at
once. The first three planes settle most blocks of pixels, and only where one pixel of a block is still in doubt the
others are looked at. Pixels that update are not found by a number drawn for each pixel, but by jumps from one to the
next, which are distributed geometrically.

All arrays are uint8 unless their type says otherwise; samples and mask are written to. `planes` is a frame, (channels,
pixels); `width` that of its rows. `state` begins a stream of random numbers.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.byte_loops import add_u8, at_most_u8, below_u8, distance_u8, inlined, or_u8
from datatools.kernels.compiled import compiled

Bytes = NDArray[np.uint8]

MANY = 65536

_BLOCK = 256
_STEP = np.uint64(0x9E3779B97F4A7C15)


@functools.cache
def jumps(subsampling: int) -> NDArray[np.uint16]:
    """Inverse distribution of the distance between events of probability 1 / subsampling, at 65,536 places."""
    if subsampling == 1:
        return np.ones(MANY, np.uint16)
    above = (np.arange(MANY) + 0.5) / MANY
    distances: NDArray[np.uint16] = np.ceil(np.log1p(-above) / np.log1p(-1 / subsampling)).astype(np.uint16)
    return distances


@inlined
def _mixed(state: np.uint64) -> np.uint64:
    """64 random bits of a state that is advanced by _STEP (SplitMix64; Steele, Lea, Flood 2014)."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inlined
def _below(bits: np.uint64, shift: np.uint64, limit: np.uint64) -> np.int64:
    """A number below the limit from 16 of the bits."""
    return np.int64((((bits >> shift) & np.uint64(0xFFFF)) * limit) >> np.uint64(16))


@inlined
def _neighbour(bits: np.uint64, x: Any, y: Any, width: int, height: int) -> Any:
    """One of the eight neighbours by three bits; one outside is mirrored at the pixel."""
    k = np.int64(bits & np.uint64(7))
    if k >= 4:
        k += 1  # not the pixel itself
    nx, ny = x + k % 3 - 1, y + k // 3 - 1
    if nx < 0 or nx >= width:
        nx = 2 * x - nx
    if ny < 0 or ny >= height:
        ny = 2 * y - ny
    # an image one pixel wide has nobody there
    return min(max(ny, 0), height - 1) * width + min(max(nx, 0), width - 1)


@inlined
def _offsets(width: int) -> NDArray[np.int64]:
    """How far the eight neighbours of a pixel that is not at an edge are, in the order of `_neighbour`."""
    return np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1])


@compiled
def fill(samples: Bytes, planes: Bytes, width: int, state: np.uint64) -> None:
    """Give every sample the value of a random neighbour; 64 random bits are enough for 21 of them."""
    count, channels, pixels = samples.shape
    height = pixels // width
    offsets = _offsets(width)
    bits = np.uint64(0)
    for y in range(height):
        for x in range(width):
            at = y * width + x
            inside = 0 < x < width - 1 and 0 < y < height - 1
            for k in range(count):
                if k % 21 == 0:
                    state += _STEP
                    bits = _mixed(state)
                source = at + offsets[bits & np.uint64(7)] if inside else _neighbour(bits, x, y, width, height)
                bits >>= np.uint64(3)
                for c in range(channels):
                    samples[k, c, at] = planes[c, source]


@compiled
def compare_grey(samples: Bytes, planes: Bytes, near: np.uint8, enough: np.uint8, mask: Bytes) -> None:
    """Write 255 into the mask where fewer than `enough` samples are at most `near` away, else 0."""
    count, _, pixels = samples.shape
    matches = np.empty(_BLOCK, np.uint8)
    for start in range(0, pixels, _BLOCK):
        stop = min(start + _BLOCK, pixels)
        values = planes[0, start:stop]
        s0, s1, s2 = samples[0, 0, start:stop], samples[1, 0, start:stop], samples[2, 0, start:stop]
        told = mask[start:stop]
        doubt = np.uint8(0)
        for i in range(stop - start):
            v = values[i]
            found = add_u8(
                add_u8(at_most_u8(distance_u8(v, s0[i]), near), at_most_u8(distance_u8(v, s1[i]), near)),
                at_most_u8(distance_u8(v, s2[i]), near),
            )
            matches[i] = found
            short = below_u8(found, enough)
            told[i] = short
            doubt = or_u8(doubt, short)
        k = 3
        while doubt and k < count:
            s = samples[k, 0, start:stop]
            doubt = np.uint8(0)
            for i in range(stop - start):
                found = add_u8(matches[i], at_most_u8(distance_u8(values[i], s[i]), near))
                matches[i] = found
                short = below_u8(found, enough)
                told[i] = short
                doubt = or_u8(doubt, short)
            k += 1


@compiled
def compare_colour(samples: Bytes, planes: Bytes, near: np.uint8, enough: np.uint8, mask: Bytes) -> None:
    """The same, for the sum of the distances of three channels."""
    count, _, pixels = samples.shape
    matches = np.empty(_BLOCK, np.uint8)
    for start in range(0, pixels, _BLOCK):
        stop = min(start + _BLOCK, pixels)
        v0, v1, v2 = planes[0, start:stop], planes[1, start:stop], planes[2, start:stop]
        told = mask[start:stop]
        matches[:] = 0
        doubt = np.uint8(255)
        k = 0
        while doubt and k < count:
            s0, s1, s2 = samples[k, 0, start:stop], samples[k, 1, start:stop], samples[k, 2, start:stop]
            doubt = np.uint8(0)
            for i in range(stop - start):
                far = add_u8(add_u8(distance_u8(v0[i], s0[i]), distance_u8(v1[i], s1[i])), distance_u8(v2[i], s2[i]))
                found = add_u8(matches[i], at_most_u8(far, near))
                matches[i] = found
                short = below_u8(found, enough)
                told[i] = short
                doubt = or_u8(doubt, short)
            k += 1


@compiled
def update(samples: Bytes, planes: Bytes, mask: Bytes, jumps: NDArray[np.uint16], width: int, state: np.uint64) -> None:
    """Let background pixels, where the mask is 0, update samples of their own and of neighbours."""
    count, channels, pixels = samples.shape
    height = pixels // width
    many = np.uint64(count)
    offsets = _offsets(width)
    state += _STEP
    bits = _mixed(state)
    at = np.int64(jumps[bits & np.uint64(0xFFFF)]) - 1
    while at < pixels:  # pixels that take their value into a sample of their own
        state += _STEP
        bits = _mixed(state)
        if mask[at] == 0:
            k = _below(bits, np.uint64(16), many)
            samples[k, 0, at] = planes[0, at]
            if channels == 3:
                samples[k, 1, at] = planes[1, at]
                samples[k, 2, at] = planes[2, at]
        at += np.int64(jumps[bits & np.uint64(0xFFFF)])
    x = np.int64(jumps[(bits >> np.uint64(32)) & np.uint64(0xFFFF)]) - 1
    y = np.int64(0)
    while True:  # pixels that give it to a neighbour
        while x >= width:
            x -= width
            y += 1
        if y >= height:
            break
        state += _STEP
        bits = _mixed(state)
        at = y * width + x
        if mask[at] == 0:
            k = _below(bits, np.uint64(16), many)
            way = bits >> np.uint64(32)
            inside = 0 < x < width - 1 and 0 < y < height - 1
            to = at + offsets[way & np.uint64(7)] if inside else _neighbour(way, x, y, width, height)
            samples[k, 0, to] = planes[0, at]
            if channels == 3:
                samples[k, 1, to] = planes[1, at]
                samples[k, 2, to] = planes[2, at]
        x += np.int64(jumps[bits & np.uint64(0xFFFF)])


@compiled
def release(
    samples: Bytes, planes: Bytes, mask: Bytes, stuck: NDArray[np.uint16], frames: int, state: np.uint64
) -> None:
    """Count how long each pixel has been foreground; one that is stuck takes its value into its samples."""
    count, channels, pixels = samples.shape
    for i in range(pixels):
        stuck[i] = min(stuck[i] + 1, MANY - 1) if mask[i] else 0
        if stuck[i] > frames:
            state += _STEP
            k = _below(_mixed(state), np.uint64(0), np.uint64(count))
            for c in range(channels):
                samples[k, c, i] = planes[c, i]
