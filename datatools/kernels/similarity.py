"""How similar sizes are to anchors, and which anchor is the most similar.

Sizes are (N, 2) float64 widths and heights in pixels, positive; boxes are compared as if they had one centre. Anchors
are (..., k, 2): many sets of k can be worked on at once, and what belongs to the points has the shape (..., M) then.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.sizes import Floats, Points, Reals, Sizes

Labels = NDArray[np.uint16]
Metric = Literal["iou", "ratio"]

_BLOCK = 1 << 19  # bytes of similarities a pass: all temporaries stay in the cache


def nearest(points: Points, anchors: Sizes, metric: Metric = "iou") -> tuple[Labels, Reals]:
    """Return the index of each point's most similar anchor, the first of equals, and that similarity, both (..., M)."""
    k, shape = anchors.shape[-2], (*anchors.shape[:-2], len(points.w))
    label, best = np.empty(shape, np.uint16), np.empty(shape, points.w.dtype)
    numbers = np.arange(k, 0, -1, dtype=np.uint8 if k < 256 else np.uint16)[:, None]
    for part, like in _similarities(points, anchors, metric):
        top = like.max(axis=-2, out=best[..., part])
        # the first of the greatest bears the greatest number; numpy's argmax costs more than all the rest
        marks = (like == top[..., None, :]).view(np.uint8) * numbers
        np.subtract(k, marks.max(axis=-2), out=label[..., part])
    return label, best


def second_best(points: Points, anchors: Sizes, label: Labels) -> Reals:
    """Return the IoU of each point with the best anchor but that of its label, (..., M); 0 where there is no other."""
    best = np.empty(label.shape, points.w.dtype)
    for part, like in _similarities(points, anchors, "iou"):
        np.put_along_axis(like, label[..., None, part].astype(np.intp), 0.0, axis=-2)
        like.max(axis=-2, out=best[..., part])
    return best


def _similarities(points: Points, anchors: Sizes, metric: Metric) -> Iterator[tuple[slice, Reals]]:
    """Yield the similarities of all anchors with some points, (..., k, m), and which points these are."""
    p, q = (anchors[..., side, None].astype(points.w.dtype) for side in (0, 1))
    area = p * q
    step = max(1, _BLOCK // max(1, p.nbytes))
    for start in range(0, len(points.w), step):
        part = slice(start, start + step)
        w, h = points.w[part], points.h[part]
        like, spare = np.empty((2, *p.shape[:-1], len(w)), p.dtype)
        if metric == "iou":
            np.minimum(w, p, out=like)
            np.minimum(h, q, out=spare)
            like *= spare
            np.add(points.area[part], area, out=spare)
            spare -= like
            like /= spare
        else:
            side_ratio(w, h, p, q, like, spare)
        yield part, like


def side_ratio(w: Reals, h: Reals, p: float | Reals, q: float | Reals, out: Reals, spare: Reals) -> None:
    """Write min(w/p, p/w, h/q, q/h) to `out`: how well the worse side of each size fits the anchor (p, q)."""
    np.divide(w, p, out=out)
    np.divide(p, w, out=spare)
    np.minimum(out, spare, out=out)
    np.divide(h, q, out=spare)
    np.minimum(out, spare, out=out)
    np.divide(q, h, out=spare)
    np.minimum(out, spare, out=out)


def number_clusters(label: Labels, k: int) -> NDArray[np.intp]:
    """Number the clusters of all sets of labels, (..., M), through: those of the second set begin with k."""
    sets = label.size // max(1, label.shape[-1])
    return label.astype(np.intp) + np.arange(0, sets * k, k).reshape(*label.shape[:-1], 1)


def sum_clusters(label: Labels, values: Reals, k: int) -> Floats:
    """Return the sums of values, (M,) or (..., M), of the points of each cluster, (..., k)."""
    sets = label.shape[:-1]
    spread = np.broadcast_to(values, label.shape).ravel()
    sums = np.bincount(number_clusters(label, k).ravel(), spread, minlength=math.prod(sets) * k)
    return sums.reshape(*sets, k).astype(np.float64)  # no points, no labels: counts, which are integers
