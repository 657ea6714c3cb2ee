"""Arithmetic on boxes: area, clipping, overlap, and the ways in which corners and sizes are written.

Boxes are (N, 4) float64, in float pixels, origin 0, right and bottom exclusive; N may be 0. Nothing is changed in
place. The names say the convention:

    xyxy         left, top, right, bottom
    xywh         left, top, width, height
    cxcywh       centre x, centre y, width, height
    cxcywh_norm  the same, divided by the image's width and height
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]
SizeWH = NDArray[np.float64] | Sequence[float]


def area(xyxy: Boxes) -> Floats:
    """Return the area of each box, shape (N,); 0 for empty and inverted ones.

    >>> area(np.array([[0., 0., 4., 3.], [5., 5., 2., 9.]])).tolist()
    [12.0, 0.0]
    """
    wh = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    return wh[:, 0] * wh[:, 1]


def clip(xyxy: Boxes, size_wh: SizeWH) -> Boxes:
    """Clip boxes to the image.

    size_wh: (2,) for one image, or (N, 2) with the size of each box's image. Boxes wholly outside become zero-area.

    >>> clip(np.array([[-5., 2., 30., 8.]]), (20, 10)).tolist()
    [[0.0, 2.0, 20.0, 8.0]]
    """
    size = np.asarray(size_wh, dtype=np.float64)
    return np.clip(xyxy, 0.0, np.concatenate([size, size], axis=-1))


def iou(xyxy_a: Boxes, xyxy_b: Boxes) -> Floats:
    """Return the intersection over union of every box of a with every box of b, shape (len(a), len(b)).

    Two empty boxes have IoU 0.

    >>> iou(np.array([[0., 0., 10., 10.]]), np.array([[5., 0., 15., 10.], [20., 0., 30., 10.]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    top_left = np.maximum(xyxy_a[:, None, :2], xyxy_b[None, :, :2])
    wh = np.maximum(np.minimum(xyxy_a[:, None, 2:], xyxy_b[None, :, 2:]) - top_left, 0.0)
    shared = wh[..., 0] * wh[..., 1]
    return _ratio(shared, area(xyxy_a)[:, None] + area(xyxy_b)[None, :] - shared)


def iou_wh(wh_a: Floats, wh_b: Floats) -> Floats:
    """Return the IoU of every size of a with every size of b as if their boxes had one centre.

    wh_a: (N, 2), wh_b: (M, 2), widths and heights that are not negative. Returns (N, M).

    >>> iou_wh(np.array([[10., 20.]]), np.array([[20., 10.], [10., 20.]])).round(3).tolist()
    [[0.333, 1.0]]
    """
    wh = np.minimum(wh_a[:, None], wh_b[None])
    shared = wh[..., 0] * wh[..., 1]
    return _ratio(shared, wh_a.prod(axis=1)[:, None] + wh_b.prod(axis=1)[None] - shared)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def xyxy_to_xywh(xyxy: Boxes) -> Boxes:
    """Turn corners into left, top, width, height.

    >>> xyxy_to_xywh(np.array([[1., 2., 4., 6.]])).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def xywh_to_xyxy(xywh: Boxes) -> Boxes:
    """Turn left, top, width, height into corners.

    >>> xywh_to_xyxy(np.array([[1., 2., 3., 4.]])).tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def xyxy_to_cxcywh(xyxy: Boxes) -> Boxes:
    """Turn corners into centre, width, height.

    >>> xyxy_to_cxcywh(np.array([[1., 2., 4., 6.]])).tolist()
    [[2.5, 4.0, 3.0, 4.0]]
    """
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def cxcywh_to_xyxy(cxcywh: Boxes) -> Boxes:
    """Turn centre, width, height into corners.

    >>> cxcywh_to_xyxy(np.array([[2.5, 4., 3., 4.]])).tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    half = cxcywh[:, 2:] / 2
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1)


def xyxy_to_cxcywh_norm(xyxy: Boxes, size_wh: SizeWH) -> Boxes:
    """Turn corners into centre, width, height as shares of the image (YOLO's labels).

    size_wh: (2,) for one image, or (N, 2) with the size of each box's image; positive.

    >>> xyxy_to_cxcywh_norm(np.array([[0., 0., 10., 10.]]), (20, 40)).tolist()
    [[0.25, 0.125, 0.5, 0.25]]
    """
    size = np.asarray(size_wh, dtype=np.float64)
    shares: Boxes = xyxy_to_cxcywh(xyxy) / np.concatenate([size, size], axis=-1)
    return shares


def cxcywh_norm_to_xyxy(cxcywh_norm: Boxes, size_wh: SizeWH) -> Boxes:
    """Turn shares of the image into corners in pixels.

    >>> cxcywh_norm_to_xyxy(np.array([[0.25, 0.125, 0.5, 0.25]]), (20, 40)).tolist()
    [[0.0, 0.0, 10.0, 10.0]]
    """
    size = np.asarray(size_wh, dtype=np.float64)
    return cxcywh_to_xyxy(cxcywh_norm * np.concatenate([size, size], axis=-1))
