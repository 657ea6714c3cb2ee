"""Pictures as planes, one a channel, and as strips of rows whose planes stay in the cache.

Pictures are (height, width) grey, (height, width, 1) grey, (height, width, 2) grey and alpha, (height, width, 3) RGB or
(height, width, 4) RGB and alpha, of uint8 or uint16. Either side may be 0.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
Plane = NDArray[np.float32]

_STRIP_PX = 1 << 16


def strips(image: Picture) -> Iterator[slice]:
    """Yield the rows to work on at once, from the top down."""
    height, width = image.shape[:2]
    rows = max(_STRIP_PX // max(width, 1), 1)
    yield from (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def split_alpha(image: Picture) -> tuple[Picture, Picture | None]:
    """Return the colour channels, (height, width, 1 or 3), and alpha, (height, width) or None. Both are views."""
    if image.ndim == 2:
        return image[..., None], None
    if image.shape[2] in (2, 4):
        return image[..., :-1], image[..., -1]
    return image, None


def colour_planes(image: Picture) -> list[Picture]:
    """Return the colour channels, each (height, width) and contiguous; alpha is not one of them."""
    if image.ndim == 2:
        return [np.ascontiguousarray(image)]
    count = image.shape[2]
    return list(cv2.split(np.ascontiguousarray(image)))[: count - (count in (2, 4))]


def merge_like(image: Picture, planes: Sequence[Any]) -> Picture:
    """Return the planes as a picture of the image's shape, with the image's alpha."""
    _, alpha = split_alpha(image)
    joined: Picture = cv2.merge([*planes] if alpha is None else [*planes, np.ascontiguousarray(alpha)])
    return joined.reshape(image.shape)


def grey_plane(image: Picture) -> Picture:
    """Return the brightness by the weights of BT.601, (height, width), of the image's dtype."""
    planes = colour_planes(image) if image.ndim == 2 or image.shape[2] < 3 else []
    grey: Picture = planes[0] if planes else cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2GRAY)
    return grey


def peak(image: Picture) -> int:
    """Return the greatest level of the image's dtype: 255 or 65535."""
    return int(np.iinfo(image.dtype).max)
