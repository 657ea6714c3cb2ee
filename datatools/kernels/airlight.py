"""The airlight: the colour of haze without end, which a hazy picture shows where nothing else is seen.

Colours are (height, width, channels) uint8 or uint16, 1 or 3 channels, neither side 0; the dark channel is (height,
width) of the same dtype. What is returned is (channels,) float64, in levels of the picture.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
Levels = NDArray[np.float64]
Method = Literal["brightest", "mean", "quad-tree"]


def find_airlight(colour: Picture, dark: Picture, method: Method = "brightest") -> Levels:
    """Return the airlight as one of the three functions below finds it."""
    if method == "quad-tree":
        return quad_tree(colour)
    return brightest(colour, dark) if method == "brightest" else mean(colour, dark)


def brightest(colour: Picture, dark: Picture) -> Levels:
    """Return the pixel with the greatest sum of channels among the haziest (He, Sun, Tang 2009).

    Of equals it is the first in the order of rows.

    >>> colour = np.array([[[1, 2, 3], [200, 210, 220]]], np.uint8)
    >>> brightest(colour, colour.min(axis=2)).tolist()
    [200.0, 210.0, 220.0]
    """
    found = _haziest(colour, dark)
    best: Levels = found[found.sum(axis=1).argmax()]
    return best


def mean(colour: Picture, dark: Picture) -> Levels:
    """Return the mean of the haziest pixels: less is made of a single lamp than by the brightest of them.

    >>> mean(np.full((2, 2, 1), 7, np.uint8), np.full((2, 2), 7, np.uint8)).tolist()
    [7.0]
    """
    average: Levels = _haziest(colour, dark).mean(axis=0)
    return average


def quad_tree(colour: Picture, smallest: int = 16) -> Levels:
    """Return the colour of the flattest bright place (Kim, Jang, Sim, Kim: JVCIR 2013).

    The picture is quartered, the quarter with the greatest mean minus deviation of its levels is quartered again, until
    a side is shorter than 2 `smallest` px. Of that place it is the pixel nearest to white.

    >>> colour = np.zeros((64, 64, 3), np.uint8)
    >>> colour[:32, 32:] = 180
    >>> quad_tree(colour).tolist()
    [180.0, 180.0, 180.0]
    """
    while min(colour.shape[:2]) >= 2 * smallest:
        y, x = colour.shape[0] // 2, colour.shape[1] // 2
        quarters = [colour[:y, :x], colour[:y, x:], colour[y:, :x], colour[y:, x:]]
        colour = max(quarters, key=lambda part: float(part.mean() - part.std()))
    place = colour.reshape(-1, colour.shape[2]).astype(np.float64)
    short = place - np.iinfo(colour.dtype).max
    nearest: Levels = place[(short * short).sum(axis=1).argmin()]
    return nearest


def _haziest(colour: Picture, dark: Picture) -> Levels:
    """The pixels with the brightest dark channel, max(N // 1000, 1) of them; of equals the first, row by row."""
    count = max(dark.size // 1000, 1)
    low, high = 0, int(np.iinfo(dark.dtype).max)
    while low < high:  # the level that at least `count` pixels reach; cheaper than sorting them
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.count_nonzero(dark >= middle) >= count else (low, middle - 1)
    above = np.flatnonzero(dark > low)
    chosen = np.concatenate([above, np.flatnonzero(dark == low)[: count - len(above)]])
    chosen.sort()
    pixels: Levels = colour.reshape(-1, colour.shape[2])[chosen].astype(np.float64)
    return pixels
