"""The climb from anchors that are good to those with the greatest mean IoU near them."""

import numpy as np

from datatools.kernels.similarity import Labels, nearest, number_clusters
from datatools.kernels.sizes import Floats, Points, Reals, Sizes


def climb(points: Points, anchors: Sizes, rounds: int = 20, step: float = 0.05) -> Sizes:
    """Move anchors uphill on the mean IoU itself and return the best that were met, (..., k, 2); it never falls."""
    return ascend(points, anchors, rounds, step)[0]


def ascend(points: Points, anchors: Sizes, rounds: int, step: float = 0.05) -> tuple[Sizes, Floats]:
    """Climb, and return the mean IoU that was reached, (...), too.

    Each side steps along the sign of its gradient, by a factor; its step grows while the sign stays and halves when it
    turns (Rprop, Riedmiller & Braun, ICNN 1993): the kinks of IoU, where gradients jump, do not disturb it.
    """
    low, high = points.wh.min(axis=0), points.wh.max(axis=0)
    steps, before = np.full(anchors.shape, step), np.zeros(anchors.shape)
    best, best_score = anchors, np.full(anchors.shape[:-2], -1.0)
    for turn in range(rounds + 1):
        label, similarity = nearest(points, anchors)
        score = points.mean(similarity)
        best = np.where((score > best_score)[..., None, None], anchors, best)
        best_score = np.maximum(score, best_score)
        if turn < rounds:
            signs = np.sign(_slopes(points, label, similarity, anchors))
            steps = steps * np.where(signs * before > 0, 1.3, np.where(signs * before < 0, 0.5, 1.0))
            anchors, before = (
                np.clip(np.where(signs < 0, anchors / (1.0 + steps), anchors * (1.0 + steps * signs)), low, high),
                signs,
            )
    return best, best_score


def _slopes(points: Points, label: Labels, similarity: Reals, anchors: Sizes) -> Sizes:
    """Return the derivative of the summed IoU by the logarithm of each side of each anchor, (..., k, 2).

    A greater anchor has a greater union with its points, and with those that are greater a greater intersection, too.
    """
    sides = anchors.astype(points.w.dtype).reshape(-1, 2)
    index = number_clusters(label, anchors.shape[-2])
    p, q = sides[:, 0].take(index), sides[:, 1].take(index)
    gain = similarity * (1.0 + similarity) * points.weight.astype(similarity.dtype)
    area = p * q
    loss = area * gain / (points.area + area)
    slopes = np.empty((len(sides), 2))
    for axis, (side, own) in enumerate(((points.w, p), (points.h, q))):
        share = (gain * (side > own) - loss).ravel()
        slopes[:, axis] = np.bincount(index.ravel(), share, minlength=len(sides))
    return slopes.reshape(anchors.shape)
