"""Texts cut out of a picture and set upright: the quad around a text becomes a rectangle."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.polygons import Quad

Picture = NDArray[np.uint8]

TALL = 1.5
"""From this height / width on a text is taken to run downwards and is laid on its side."""

MAX_SIDE = 32_000
"""OpenCV cannot map pictures with a longer side."""

_MARGIN = 4  # pixels around the quad: bicubic interpolation looks at two, one more may come of rounding

Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]


def rectified_wh(quad: Quad) -> tuple[int, int]:
    """Return width and height in pixels of the upright rectangle of a quad: the longer of each two opposite sides.

    >>> rectified_wh(np.array([[0., 0.], [40., 0.], [40., 10.], [0., 12.]]))
    (40, 12)
    """
    return _size(_corners(quad))


def rectify(picture: Picture, quad: Quad, *, tall: float = TALL) -> Picture:
    """Cut a text out of a picture: the quad, (4, 2), is mapped onto an upright rectangle by perspective.

    picture: (height, width, 3) or (height, width) uint8. quad: float pixels, origin 0, right and bottom exclusive,
    from the text's top left clockwise; it may leave the picture, whose edge is repeated there. tall: from this
    height / width on the rectangle is turned by 90 degrees counterclockwise; 0 never turns.

    Bicubic. A quad of whole pixels with upright sides is the slice of the picture, bit for bit. Coordinates are those
    of the corners of pixels, not of their centres as in PaddleOCR's `get_rotate_crop_image`, so that slanted texts come
    out up to half a pixel elsewhere; lengths are rounded, not cut.

    Raises ValueError where the quad is not convex, a corner is not finite, or a side of the rectangle is longer than
    MAX_SIDE.

    >>> picture = np.arange(48, dtype=np.uint8).reshape(6, 8)
    >>> rectify(picture, np.array([[1., 2.], [4., 2.], [4., 4.], [1., 4.]])).tolist()
    [[17, 18, 19], [25, 26, 27]]
    """
    corners = _corners(quad)
    if not all(math.isfinite(v) for corner in corners for v in corner):
        raise ValueError("a corner of the quad is not finite")
    width, height = _size(corners)
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"a side of {max(width, height)} pixels is longer than {MAX_SIDE}")
    if tall and height >= tall * width:
        # the same pixels as turning the upright rectangle afterwards: its top right corner becomes the top left one
        corners, width, height = (*corners[1:], corners[0]), height, width
    if (box := _slice(corners, picture.shape[1], picture.shape[0])) is not None:
        left, top, right, bottom = box
        return picture[top:bottom, left:right].copy()
    left, top, right, bottom = _around(corners, picture.shape[1], picture.shape[0])
    matrix = np.array(_map(corners, width, height, left, top))
    cut = cv2.warpPerspective(
        picture[top:bottom, left:right],
        matrix,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint8)


def _corners(quad: Quad) -> Corners:
    a, b, c, d = map(tuple, quad.tolist())
    return a, b, c, d


def _size(corners: Corners) -> tuple[int, int]:
    a, b, c, d = corners
    width, height = max(math.dist(a, b), math.dist(c, d)), max(math.dist(b, c), math.dist(d, a))
    return max(int(width + 0.5), 1), max(int(height + 0.5), 1)


def _slice(corners: Corners, columns: int, rows: int) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom where the quad is an upright rectangle of whole pixels inside the picture."""
    (left, top), (right, y), (x, bottom), last = corners
    if y != top or x != right or last != (left, bottom):
        return None
    whole = int(left), int(top), int(right), int(bottom)
    inside = 0 <= left < right <= columns and 0 <= top < bottom <= rows
    return whole if inside and whole == (left, top, right, bottom) else None


def _around(corners: Corners, columns: int, rows: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of the picture that the quad shows; at least one pixel.

    Of a quad that leaves the picture it is the edge, repeated.
    """
    xs, ys = zip(*corners, strict=True)
    left = min(max(math.floor(min(xs)) - _MARGIN, 0), columns - 1)
    top = min(max(math.floor(min(ys)) - _MARGIN, 0), rows - 1)
    right = max(min(math.ceil(max(xs)) + _MARGIN, columns), left + 1)
    bottom = max(min(math.ceil(max(ys)) + _MARGIN, rows), top + 1)
    return left, top, right, bottom


def _map(corners: Corners, width: int, height: int, left: int, top: int) -> list[list[float]]:
    """Return the matrix that takes centres of pixels of the rectangle to those of the part that begins at left, top.

    The map of the unit square to a quad in closed form: Heckbert, "Fundamentals of Texture Mapping and Image Warping"
    (1989), section 2.2.3. Raises ValueError where the quad is not convex.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    dx1, dy1, dx2, dy2 = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    det = dx1 * dy2 - dx2 * dy1
    g, h = ((sx * dy2 - dx2 * sy) / det, (dx1 * sy - sx * dy1) / det) if det else (-1.0, -1.0)
    # the third coordinate at the corners: below 0 behind the eye
    if not min(1 + g, 1 + h, 1 + g + h) > 0:
        raise ValueError("the quad is not convex")
    rows = (
        (x1 - x0 + g * x1, x3 - x0 + h * x3, x0),
        (y1 - y0 + g * y1, y3 - y0 + h * y3, y0),
        (g, h, 1.0),
    )
    scaled = [(p / width, q / height, r + p / width / 2 + q / height / 2) for p, q, r in rows]
    last = scaled[2]
    return [
        [v - (left + 0.5) * w for v, w in zip(scaled[0], last, strict=True)],
        [v - (top + 0.5) * w for v, w in zip(scaled[1], last, strict=True)],
        list(last),
    ]
