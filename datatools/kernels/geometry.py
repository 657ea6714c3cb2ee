"""Affine and perspective maps: of pictures, and of the points and boxes on them.

A map is a (3, 3) float64 matrix that takes points of the source to points of the result, in float pixels with the
origin at the outer corner of the first pixel, so that pixel (0, 0) has its centre at (0.5, 0.5) and an image of width w
mirrors x to w - x. Angles are degrees, clockwise as seen (y points down). Maps are put together with `@`, the first
one on the right. Pictures are (height, width, 3) uint8; the channels' order plays no part.
"""

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]
Picture = NDArray[np.uint8]
Fill = tuple[int, int, int]
Interpolation = Literal["nearest", "linear", "cubic", "area"]

_FLAGS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}

_SKIPS = 0.6
"""Maps that shrink further are done in two steps."""

MAX_SIDE = 32_766
"""OpenCV's warps address pixels with 16 bits."""


def translate(dx: float, dy: float) -> Matrix:
    """Return the map that moves by (dx, dy) pixels."""
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]])


def scale(sx: float, sy: float) -> Matrix:
    """Return the map that stretches by sx and sy about the origin."""
    return np.diag([sx, sy, 1.0])


def rotate(degrees: float) -> Matrix:
    """Return the rotation about the origin, clockwise as seen."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def shear(x: float, y: float) -> Matrix:
    """Return the shear that moves a point by x times its y to the right, and by y times its x down."""
    return np.array([[1.0, x, 0.0], [y, 1.0, 0.0], [0.0, 0.0, 1.0]])


def flip_x(width: float) -> Matrix:
    """Return the mirror that swaps left and right of an image of that width."""
    return np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def around(matrix: Matrix, centre_xy: tuple[float, float]) -> Matrix:
    """Return the same map with its origin at a point.

    >>> warp_points(np.array([[5., 5.]]), around(rotate(90), (5., 5.))).tolist()
    [[5.0, 5.0]]
    """
    x, y = centre_xy
    if not is_affine(matrix):
        return translate(x, y) @ matrix @ translate(-x, -y)
    (a, b, dx), (c, d, dy), _ = matrix.tolist()  # of numbers this few, plain ones are ten times as fast
    return np.array([[a, b, dx + x - a * x - b * y], [c, d, dy + y - c * x - d * y], [0.0, 0.0, 1.0]])


def quad_to_quad(src: Points, dst: Points) -> Matrix:
    """Return the perspective map that takes four points to four others, (4, 2) each.

    ValueError where three of them lie on a line.
    """
    left, right = np.zeros((8, 8)), np.asarray(dst, dtype=np.float64).reshape(8)
    left[::2, :2] = left[1::2, 3:5] = src
    left[::2, 2] = left[1::2, 5] = 1
    left[:, 6:] = -right[:, None] * np.repeat(src, 2, axis=0)
    try:
        solved = np.linalg.solve(left, right)
    except np.linalg.LinAlgError:
        raise ValueError("three of the four points lie on a line") from None
    return np.append(solved, 1.0).reshape(3, 3)


def quad_to_rectangle(quad: Sequence[Sequence[float]], width: float, height: float) -> Matrix | None:
    """Return the perspective map that takes four points to a rectangle's corners, clockwise from the top left.

    None where three of the points lie on a line. The map of a parallelogram is affine.

    In closed form by way of the unit square (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989), and
    in plain numbers, which for four points are many times as fast as solving for the map.

    >>> (quad_to_rectangle([(1, 1), (3, 1), (3, 2), (1, 2)], 4, 3) + 0.0).tolist()
    [[2.0, 0.0, -2.0], [0.0, 3.0, -3.0], [0.0, 0.0, 1.0]]
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    dx1, dx2, sum_x = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sum_y = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    turn = dx1 * dy2 - dx2 * dy1
    if not turn:
        return None
    g, h = (sum_x * dy2 - dx2 * sum_y) / turn, (dx1 * sum_y - sum_x * dy1) / turn
    a, b, d, e = x1 - x0 + g * x1, x3 - x0 + h * x3, y1 - y0 + g * y1, y3 - y0 + h * y3
    last = a * e - b * d
    if not last or not width or not height:
        return None
    x, y, z = width / last, height / last, 1 / last
    return np.array([
        [x * (e - y0 * h), x * (x0 * h - b), x * (b * y0 - x0 * e)],
        [y * (y0 * g - d), y * (a - x0 * g), y * (x0 * d - a * y0)],
        [z * (d * h - e * g), z * (b * g - a * h), 1.0],
    ])  # fmt: skip


def whole(matrix: Matrix, size_wh: tuple[int, int]) -> tuple[Matrix, tuple[int, int]]:
    """Return the map followed by the shift that brings all of the image into view, and the size of that view."""
    return _view(matrix, warp_points(corners(size_wh), matrix))


def grown(matrix: Matrix, size_wh: tuple[int, int]) -> tuple[Matrix, tuple[int, int]]:
    """Return the map followed by a shift, and the size of a view, so that all of the moved image is seen, and the place
    where it was as well."""
    frame = corners(size_wh)
    return _view(matrix, np.concatenate([frame, warp_points(frame, matrix)]))


def _view(matrix: Matrix, xy: Points) -> tuple[Matrix, tuple[int, int]]:
    low, high = np.floor(xy.min(axis=0) + 1e-6), np.ceil(xy.max(axis=0) - 1e-6)
    width, height = (int(side) for side in np.maximum(high - low, 1))
    return translate(-low[0], -low[1]) @ matrix, (width, height)


def corners(size_wh: Sequence[float]) -> Points:
    """Return the corners of an image, (4, 2), clockwise from the top left."""
    w, h = size_wh
    return np.array([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]])


def warp_points(xy: Points, matrix: Matrix) -> Points:
    """Move points, (..., 2).

    >>> warp_points(np.array([[2., 1.]]), flip_x(10)).tolist()
    [[8.0, 1.0]]
    """
    moved = xy @ matrix[:2, :2].T + matrix[:2, 2]
    if is_affine(matrix):
        return np.asarray(moved)
    return np.asarray(moved / (xy @ matrix[2, :2] + matrix[2, 2])[..., None])


def warp_boxes(xyxy: Points, matrix: Matrix) -> Points:
    """Return the upright boxes around the moved corners of boxes, (N, 4).

    >>> warp_boxes(np.array([[0., 0., 4., 2.]]), rotate(90)).round(6).tolist()
    [[-2.0, 0.0, 0.0, 4.0]]
    """
    xy = warp_points(xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2), matrix)
    return np.concatenate([xy.min(axis=1), xy.max(axis=1)], axis=1)


def warp_image(
    rgb: Picture,
    matrix: Matrix,
    size_wh: tuple[int, int],
    *,
    fill: Fill | None = (0, 0, 0),
    interpolation: Interpolation = "linear",
) -> Picture:
    """Draw the moved image on a canvas of size_wh.

    fill: the colour where there was no image; None repeats its edge. ValueError where a side is beyond MAX_SIDE.
    """
    if max(*size_wh, *rgb.shape[:2]) > MAX_SIDE:
        raise ValueError(f"a side of more than {MAX_SIDE} pixels cannot be warped")
    if fill is not None and (shift := _whole_shift(matrix)) is not None:
        return _shifted(rgb, shift, size_wh, fill)
    centred = around(matrix, (-0.5, -0.5))  # OpenCV counts from the centre of the first pixel
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    flags, colour = _FLAGS[interpolation], fill or (0, 0, 0)
    if is_affine(matrix):
        made = cv2.warpAffine(rgb, centred[:2], size_wh, flags=flags, borderMode=border, borderValue=colour)
    else:
        made = cv2.warpPerspective(rgb, centred, size_wh, flags=flags, borderMode=border, borderValue=colour)
    return np.asarray(made, dtype=np.uint8)


def shrunk(rgb: Picture, matrix: Matrix) -> tuple[Picture, Matrix]:
    """Return the picture shrunk, each new pixel the mean of those that it replaces, and the map that is left to do.

    For maps that shrink so much that a warp, which looks at four pixels, would skip some; others come back as they are.
    """
    height, width = rgb.shape[:2]
    if is_affine(matrix):
        (a, c, _), (b, d, _), _ = matrix.tolist()
    else:
        middle = np.array([[width / 2, height / 2], [width / 2 + 1, height / 2], [width / 2, height / 2 + 1]])
        at, right, below = warp_points(middle, matrix)
        (a, b), (c, d) = (right - at).tolist(), (below - at).tolist()
    if not skips(a * d - b * c):
        return rgb, matrix
    factor = math.sqrt(abs(a * d - b * c))
    smaller = (max(1, round(width * factor)), max(1, round(height * factor)))
    made = np.asarray(cv2.resize(rgb, smaller, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return made, matrix @ scale(width / smaller[0], height / smaller[1])


def skips(area_factor: float) -> bool:
    """Whether a warp, which looks at four pixels, would skip some where areas become so many times as large."""
    return 0 < math.sqrt(abs(area_factor)) < _SKIPS


def is_affine(matrix: Matrix) -> bool:
    """Whether the map keeps parallels."""
    last: list[float] = matrix[2].tolist()
    return last == [0.0, 0.0, 1.0]


def _whole_shift(matrix: Matrix) -> tuple[int, int] | None:
    """The pixels that a map moves by, where that is all it does and they are whole."""
    (a, b, dx), (c, d, dy), last = matrix.tolist()
    if (a, b, c, d) != (1.0, 0.0, 0.0, 1.0) or last != [0.0, 0.0, 1.0] or dx != round(dx) or dy != round(dy):
        return None
    return round(dx), round(dy)


def _shifted(rgb: Picture, shift_xy: tuple[int, int], size_wh: tuple[int, int], fill: Fill) -> Picture:
    """The image moved by whole pixels: sixty times as fast as a warp."""
    (dx, dy), (width, height) = shift_xy, size_wh
    left, right = min(max(dx, 0), width), min(max(dx + rgb.shape[1], 0), width)
    top, bottom = min(max(dy, 0), height), min(max(dy + rgb.shape[0], 0), height)
    if left >= right or top >= bottom:
        return np.full((height, width, 3), fill, dtype=np.uint8)
    seen = rgb[top - dy : bottom - dy, left - dx : right - dx]
    rims = (top, height - bottom, left, width - right)
    if not any(rims):
        return seen.copy()
    return np.asarray(cv2.copyMakeBorder(seen, *rims, cv2.BORDER_CONSTANT, value=fill), dtype=np.uint8)
