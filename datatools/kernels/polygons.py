"""Arithmetic on polygons: area, direction, crossings, and the quads that stand for them.

Polygons are (N, n, 2) float64, N of them with n corners (x, y) each, or (n, 2) for a single one; float pixels, origin
0, y down; N may be 0. Clockwise is meant as one sees it. Nothing is changed in place.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Polygons = NDArray[np.float64]
Quad = NDArray[np.float64]


def signed_area(polygons: Polygons) -> Floats:
    """Return the area of each polygon, shape (N,); below 0 where its corners go round counterclockwise.

    Of a polygon that crosses itself the parts that go round the other way count below 0.

    >>> signed_area(np.array([[[0., 0.], [4., 0.], [4., 3.]], [[0., 0.], [4., 3.], [4., 0.]]])).tolist()
    [6.0, -6.0]
    """
    # relative to the first corner, so that small polygons far from the origin lose no digits
    x, y = np.moveaxis(polygons - polygons[..., :1, :], -1, 0)
    twice: Floats = (x * np.roll(y, -1, axis=-1) - np.roll(x, -1, axis=-1) * y).sum(axis=-1)
    return twice / 2


def crosses_itself(polygons: Polygons) -> NDArray[np.bool_]:
    """Tell for each polygon, shape (N,), whether two of its sides cross. Sides that only touch do not.

    Exact for whole coordinates below 2^25.

    >>> crosses_itself(np.array([[[0., 0.], [4., 4.], [4., 0.], [0., 4.]]])).tolist()
    [True]
    """
    n = polygons.shape[-2]
    first, second = np.triu_indices(n, 2)
    apart = (second - first) % n < n - 1  # the last side and the first one share a corner
    i, j = first[apart], second[apart]
    start, end = polygons, np.roll(polygons, -1, axis=-2)
    a, b, c, d = start[..., i, :], end[..., i, :], start[..., j, :], end[..., j, :]
    parted = (_turn(a, b, c) * _turn(a, b, d) < 0) & (_turn(c, d, a) * _turn(c, d, b) < 0)
    return np.asarray(parted.any(axis=-1))


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """1 where a, b, c turn right, -1 left, 0 where they lie on a line."""
    ab, ac = b - a, c - a
    return np.sign(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])


def order_quads(quads: Polygons) -> Polygons:
    """Return the corners of each quad, (N, 4, 2), clockwise from the top left, whatever their order was.

    The top left is the corner with the least x + y; of equal ones the upper. What is found is the quad that does not
    cross itself; where the four points make several (one lies inside the triangle of the others), one of them.

    >>> order_quads(np.array([[[0., 3.], [4., 0.], [0., 0.], [4., 3.]]])).tolist()
    [[[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]]]
    """
    spokes = quads - quads.mean(axis=-2, keepdims=True)
    clockwise = np.argsort(np.arctan2(spokes[..., 1], spokes[..., 0]), axis=-1, kind="stable")
    around = np.take_along_axis(quads, clockwise[..., None], axis=-2)
    sums = around.sum(axis=-1)
    least = sums == sums.min(axis=-1, keepdims=True)
    first = np.where(least, around[..., 1], np.inf).argmin(axis=-1)
    return np.take_along_axis(around, ((first[..., None] + np.arange(4)) % 4)[..., None], axis=-2)


def is_convex(polygon: Polygons) -> bool:
    """Tell whether a polygon, (n, 2), is convex and goes round clockwise; no three of its corners lie on a line.

    >>> is_convex(np.array([[0., 0.], [9., 0.], [9., 5.], [0., 5.]]))
    True
    >>> is_convex(np.array([[0., 0.], [9., 0.], [1., 1.], [0., 9.]]))
    False
    """
    points = polygon.tolist()  # a dozen numbers: arrays would take ten times as long
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True):
        if not (bx - ax) * (cy - by) > (by - ay) * (cx - bx):
            return False
    # four right turns make one round; five and more may make two, as in a star
    return len(points) <= 4 or not crosses_itself(polygon)


def to_quad(polygon: Polygons) -> Quad:
    """Return the smallest rectangle around a polygon, (n, 2) to (4, 2), as a quad that is read the same way.

    A text's polygon goes along its top and back along its bottom, so that the way in which it is read leads from the
    first corner to the one in the middle of the list; the first side of the quad goes that way as well as it can.

    >>> to_quad(np.array([[2., 1.], [6., 1.], [10., 1.], [10., 5.], [6., 5.], [2., 5.]])).round(4).tolist()
    [[2.0, 1.0], [10.0, 1.0], [10.0, 5.0], [2.0, 5.0]]
    """
    n = len(polygon)
    origin = polygon.mean(axis=0)  # OpenCV computes in single precision
    box = cv2.boxPoints(cv2.minAreaRect((polygon - origin).astype(np.float32))).astype(np.float64) + origin
    if signed_area(box) < 0:
        box = box[::-1]
    half = n // 2
    reads = polygon[half - 1] - polygon[0] + polygon[n - half] - polygon[n - 1]
    sides = np.roll(box, -1, axis=0) - box
    return np.asarray(np.roll(box, -int((sides @ reads).argmax()), axis=0))


def mean_sides(quads: Polygons) -> Floats:
    """Return mean width and mean height of each quad, (N, 4, 2) to (N, 2); the first side is a width.

    >>> mean_sides(np.array([[[0., 0.], [40., 0.], [40., 10.], [0., 12.]]])).round(2).tolist()
    [[40.02, 11.0]]
    """
    lengths = np.hypot(*np.moveaxis(np.roll(quads, -1, axis=1) - quads, -1, 0))
    return np.asarray((lengths[:, :2] + lengths[:, 2:]) / 2)
