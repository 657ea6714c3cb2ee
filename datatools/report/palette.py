"""Colours that are told apart, any number of them.

Distances are taken in OKLab (Ottosson, 2020), where equal distances look equally different.
"""

import functools

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]

_FIRST = (228, 70, 40)
_SEEN_WITH = ((0, 0, 0), (255, 255, 255), (128, 128, 128))  # shadows, lights, roads: no class is to look like those


@functools.lru_cache(maxsize=8)
def palette(count: int) -> tuple[RGB, ...]:
    """Return `count` colours, each as far as possible from all before it and from black, grey and white.

    The first n of a longer palette are the palette of n: a class keeps its colour when others come after it.

    >>> palette(3)[:2] == palette(2)
    True
    """
    candidates = _candidates()
    lab = _oklab(candidates)
    taken = _oklab(np.array([*_SEEN_WITH, _FIRST], np.uint8))
    nearest = np.linalg.norm(lab[:, None] - taken[None], axis=-1).min(axis=1)
    colours: list[RGB] = [_FIRST]
    while len(colours) < count:
        best = int(nearest.argmax())
        red, green, blue = candidates[best].tolist()
        colours.append((red, green, blue))
        nearest = np.minimum(nearest, np.linalg.norm(lab - lab[best], axis=-1))
    return tuple(colours[:count])


def ink_on(colour: RGB) -> RGB:
    """Return black or white, whichever is read better on the colour.

    >>> ink_on((255, 230, 0)), ink_on((60, 0, 90))
    ((0, 0, 0), (255, 255, 255))
    """
    return (0, 0, 0) if _oklab(np.array([colour], np.uint8))[0, 0] > 0.66 else (255, 255, 255)


def _candidates() -> NDArray[np.uint8]:
    """Clear colours of middle lightness, without the glaring ones, (n, 3)."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = _oklab(rgb)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return rgb[(lab[:, 0] > 0.52) & (lab[:, 0] < 0.87) & (chroma > 0.11) & (chroma < 0.24)]


def _oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Convert (n, 3) sRGB to (n, 3) lightness 0 to 1, green-red, blue-yellow."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab: NDArray[np.float64] = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return lab
