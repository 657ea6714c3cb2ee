"""Clusters of box sizes: k-means with 1 - IoU as the distance (Redmon & Farhadi, YOLO9000, CVPR 2017, section 2).

Sizes and anchors are (N, 2) float64 widths and heights in pixels, positive; boxes are compared as if they had one
centre. The search runs on a thinned set of points and in single precision, all restarts side by side, then all swaps;
only the winner meets all the points.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from datatools.kernels.climb import ascend
from datatools.kernels.climb import climb as climb
from datatools.kernels.similarity import Labels as Labels
from datatools.kernels.similarity import Metric as Metric
from datatools.kernels.similarity import nearest as nearest
from datatools.kernels.similarity import second_best, sum_clusters
from datatools.kernels.similarity import side_ratio as side_ratio
from datatools.kernels.sizes import Floats, Points, Reals, Sizes, thin_sizes

Center = Literal["median", "mean"]

COARSE = 1000
"""The restarts search on at most this many points, on more for a large k and for very many sizes."""

MIDDLE = 4000
"""The best of the searches are compared on at most this many points."""

FINE = 20_000
"""The last climb is made on at most this many points."""

FINALISTS = 4
"""So many restarts go on to the swaps, and so many of what the swaps give to the comparison."""

SWAPS = 8
"""So many swaps are tried on each of them, all at once."""

PROMISING = 12
"""So many of the sets that the swaps give are worth a climb."""

ROUGH = 5e-4
"""A search among starts that are not polished ends where an iteration raises the mean similarity by less."""

_SIDE_BY_SIDE = 1 << 16  # points times restarts that are worked on at once: memory does not grow with the restarts


def cluster(
    wh: Sizes,
    weight: Floats,
    k: int,
    *,
    rng: np.random.Generator,
    metric: Metric = "iou",
    center: Center = "median",
    restarts: int = 10,
    polish: bool = True,
    exact: Sizes | None = None,
    init: Sizes | None = None,
) -> Sizes:
    """Return k anchors, (k, 2), sorted by area, for weighted sizes that are all distinct.

    exact: (N, 2) the boxes before they were rounded and counted; the last climb is made on them where they are few.
    init: (k, 2); start there, once, and do nothing but k-means. polish: climb from the medians to the greatest mean
    IoU, which lies near them, not on them; it says nothing for means and for the metric "ratio".
    ValueError where k is less than 1 or more than the number of sizes.

    >>> wh = np.array([[10., 10], [12, 10], [10, 14], [40, 40], [44, 36], [38, 42], [100, 20], [90, 24], [110, 18]])
    >>> cluster(wh, np.ones(9), 3, rng=np.random.default_rng(0), init=wh[[0, 3, 6]]).tolist()
    [[10.0, 10.0], [40.0, 40.0], [100.0, 20.0]]
    """
    if not 1 <= k <= len(wh):
        raise ValueError(f"k must be from 1 to {len(wh)}, the number of sizes (got {k})")
    if init is not None:
        return by_area(lloyd(Points.of(wh, weight), init[None], metric=metric, center=center)[0][0])
    middle = thin_sizes(wh, weight, max(MIDDLE, 40 * k, len(wh) // 50))
    coarse = Points.of(*thin_sizes(*middle, max(COARSE, 40 * k, len(wh) // 50)), single=True)
    if not polish or metric != "iou" or center != "median":
        move = partial(lloyd, coarse, metric=metric, center=center, tolerance=ROUGH)
        start = _restart(coarse, k, rng, restarts, move, metric)[:1]
        return by_area(lloyd(Points.of(wh, weight), start, metric=metric, center=center)[0][0])
    starts = _restart(coarse, k, rng, restarts, partial(_settle, coarse, keep=restarts, rounds=7, step=0.1))
    finalists = swap(coarse, starts[:FINALISTS], rng)
    points = Points.of(*middle, single=True)
    winner = _ranked(*ascend(points, finalists, rounds=5))[0]
    if exact is not None and len(exact) <= FINE:
        fine = Points.of(exact, np.ones(len(exact)), single=True)
    else:
        fine = Points.of(*thin_sizes(wh, weight, max(FINE, 40 * k)), single=True)
    return by_area(climb(fine, winner, rounds=20, step=0.03))


def by_area(anchors: Sizes) -> Sizes:
    """Return the anchors from the smallest area to the largest; equal areas by width."""
    return anchors[np.lexsort((anchors[:, 0], anchors.prod(axis=1)))]


def seed_anchors(
    points: Points, k: int, rng: np.random.Generator, metric: Metric = "iou", size: tuple[int, ...] = ()
) -> Sizes:
    """Draw k points, each with a probability that grows with the square of its distance to those drawn before.

    This is k-means++ (Arthur & Vassilvitskii, SODA 2007) with 1 - similarity as the distance. Returns (*size, k, 2).
    """
    chosen = np.empty((*size, k, 2))
    best = np.zeros((*size, len(points.w)), points.w.dtype)
    for j in range(k):
        chosen[..., j, :] = points.draw(points.weight * (1.0 - best) ** 2, rng)
        np.maximum(best, nearest(points, chosen[..., j : j + 1, :], metric)[1], out=best)
    return chosen


def _restart(
    points: Points,
    k: int,
    rng: np.random.Generator,
    restarts: int,
    move: Callable[[Sizes], tuple[Sizes, Floats]],
    metric: Metric = "iou",
) -> Sizes:
    """Return what `move` makes of the seeds of all restarts, (restarts, k, 2), the best first."""
    size = max(1, _SIDE_BY_SIDE // len(points.w))
    moved = [
        move(seed_anchors(points, k, rng, metric, (min(size, restarts - start),))) for start in range(0, restarts, size)
    ]
    anchors, scores = zip(*moved, strict=True)
    return _ranked(np.concatenate(anchors), np.concatenate(scores))


def _ranked(anchors: Sizes, scores: Floats) -> Sizes:
    """Return sets of anchors, (R, k, 2), by their scores, (R,), the best first."""
    return anchors[np.argsort(-scores, kind="stable")]


def _settle(points: Points, anchors: Sizes, keep: int, rounds: int, step: float) -> tuple[Sizes, Floats]:
    """Move sets of anchors, (R, k, 2), to medians, and climb with the best: that is sooner at its end than k-means."""
    promising = _ranked(*lloyd(points, anchors, iterations=2))[:keep]
    return ascend(points, promising, rounds, step=step)


def lloyd(
    points: Points,
    anchors: Sizes,
    *,
    metric: Metric = "iou",
    center: Center = "median",
    iterations: int = 300,
    tolerance: float = -np.inf,
) -> tuple[Sizes, Floats]:
    """Move anchors to the centres of their clusters until no point changes its cluster.

    anchors: (R, k, 2), R sets that do not know of each other. An anchor without points is moved to the point that fits
    worst. tolerance: stop earlier, when the mean similarity grows by less. Returns the anchors and, (R,), the mean
    similarities of the points to their nearest one.
    """
    move = medians if center == "median" else means
    anchors, score = anchors.copy(), np.full(len(anchors), -1.0)
    going, previous = np.arange(len(anchors)), None
    for turn in range(iterations):
        anchors[going], label, best = _repaired(points, anchors[going], metric)
        now = points.mean(best)
        settled = (now - score[going] < tolerance) | (turn == iterations - 1)
        if previous is not None:
            settled |= (label == previous).all(axis=1)
        score[going] = now
        going, previous = going[~settled], label[~settled]
        if len(going) == 0:
            break
        anchors[going] = move(points, previous, anchors.shape[1])
    return anchors, score


def _repaired(points: Points, anchors: Sizes, metric: Metric) -> tuple[Sizes, Labels, Reals]:
    """Assign points; an anchor that nobody chose is moved to the point that is served worst."""
    label, best = nearest(points, anchors, metric)
    for _ in range(anchors.shape[1]):
        empty = sum_clusters(label, points.weight, anchors.shape[1]) == 0
        poor = np.flatnonzero(empty.any(axis=1))
        if len(poor) == 0:
            break
        anchors = anchors.copy()
        anchors[poor, empty[poor].argmax(axis=1)] = points.wh[np.argmax(points.weight * (1.0 - best[poor]), axis=1)]
        label[poor], best[poor] = nearest(points, anchors[poor], metric)
    return anchors, label, best


def medians(points: Points, label: Labels, k: int) -> Sizes:
    """Return the weighted median width and height of each cluster, (..., k, 2), no cluster may be empty.

    label: (..., M). Halfway between two values the median is their mean, as numpy.median of the repeated values has it.
    """
    counts = sum_clusters(label, points.weight, k).ravel()
    half = np.cumsum(counts) - counts / 2
    centers = np.empty((len(half), 2))
    for axis, order in enumerate(points.orders):
        # a stable sort of short integers is a radix sort: one sweep groups the clusters, each still in order
        grouped = order.take(np.argsort(label.take(order, axis=-1), axis=-1, kind="stable")).ravel()
        below = np.cumsum(points.weight.take(grouped))
        low = grouped[np.searchsorted(below, half, side="left")]
        high = grouped[np.searchsorted(below, half, side="right")]
        centers[:, axis] = (points.wh[low, axis] + points.wh[high, axis]) / 2
    return centers.reshape(*label.shape[:-1], k, 2)


def means(points: Points, label: Labels, k: int) -> Sizes:
    """Return the weighted mean width and height of each cluster, (..., k, 2), of labels (..., M); none may be empty."""
    sums = [sum_clusters(label, points.weight * side, k) for side in points.wh.T]
    return np.stack(sums, axis=-1) / sum_clusters(label, points.weight, k)[..., None]


def swap(points: Points, anchors: Sizes, rng: np.random.Generator) -> Sizes:
    """Move anchors that are missed least to where points are served badly, and return the R best sets of all.

    anchors: (R, k, 2); so is the result, the best first. Such random swaps leave the local optima in which restarts
    end (Franti, Journal of Big Data 5:13, 2018).
    """
    count, k = anchors.shape[:2]
    if k == 1:
        return anchors
    label, best = nearest(points, anchors)
    # what would the points of an anchor lose if it went, and they took their second best?
    losses = sum_clusters(label, points.weight * (best - second_best(points, anchors, label)), k)
    cheapest = np.argsort(losses, axis=1, kind="stable")[:, :4]
    gone = cheapest[:, np.arange(SWAPS) % cheapest.shape[1]]
    chance = (points.weight * (1.0 - best))[:, None].repeat(SWAPS, axis=1)
    trials = anchors[:, None].repeat(SWAPS + 1, axis=1)  # the last of each stays as it is
    trials[np.arange(count)[:, None], np.arange(SWAPS), gone] = points.draw(chance, rng)
    return _ranked(*_settle(points, trials.reshape(-1, k, 2), keep=PROMISING, rounds=5, step=0.05))[:count]
