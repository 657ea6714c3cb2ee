"""Clusters of box sizes: k-means with 1 - IoU as the distance (Redmon & Farhadi, YOLO9000, CVPR 2017, section 2).

Sizes and anchors are (N, 2) float64 widths and heights in pixels, positive; boxes are compared as if they had one
centre. The restarts run on a thinned set of points, medians come from orders that are sorted once, and only the
winner meets all the points.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datatools.kernels.boxes import iou_wh
from datatools.kernels.sizes import Floats, Points, Sizes, thin_sizes

Labels = NDArray[np.uint16]
Metric = Literal["iou", "ratio"]
Center = Literal["median", "mean"]

COARSE = 1000
"""The restarts search on at most this many points, on more for a large k and for very many sizes."""

MIDDLE = 4000
"""The best two of the searches are compared on at most this many points."""

FINE = 20_000
"""The last climb is made on at most this many points."""

ROUGH = 5e-4
"""A search among starts ends where an iteration raises the mean similarity by less."""

_BLOCK = 8192  # points a pass: all temporaries stay in the cache


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
        return by_area(lloyd(Points.of(wh, weight), init, metric=metric, center=center)[0])
    coarse = Points.of(*thin_sizes(wh, weight, max(COARSE, 40 * k, len(wh) // 50)))
    found = [
        lloyd(coarse, seed_anchors(coarse, k, rng, metric), metric=metric, center=center, tolerance=ROUGH)
        for _ in range(restarts)
    ]
    found.sort(key=lambda pair: -pair[1])
    if not polish or metric != "iou" or center != "median":
        return by_area(lloyd(Points.of(wh, weight), found[0][0], metric=metric, center=center)[0])
    middle = Points.of(*thin_sizes(wh, weight, max(MIDDLE, 40 * k)))
    climbed = [climb(middle, swap(coarse, anchors, rng), rounds=6) for anchors, _ in found[:2]]
    best = max(climbed, key=lambda anchors: middle.mean(nearest(middle, anchors)[1]))
    if exact is not None and len(exact) <= FINE:
        fine = Points.of(exact, np.ones(len(exact)))
    else:
        fine = Points.of(*thin_sizes(wh, weight, max(FINE, 40 * k)))
    return by_area(climb(fine, best))


def by_area(anchors: Sizes) -> Sizes:
    """Return the anchors from the smallest area to the largest; equal areas by width."""
    return anchors[np.lexsort((anchors[:, 0], anchors.prod(axis=1)))]


def nearest(points: Points, anchors: Sizes, metric: Metric = "iou") -> tuple[Labels, Floats]:
    """Return the index of each point's most similar anchor, the first of equals, and that similarity, both (M,)."""
    label, best = np.zeros(len(points.w), np.uint16), np.zeros(len(points.w))
    for start in range(0, len(best), _BLOCK):
        part = slice(start, start + _BLOCK)
        w, h, area = points.w[part], points.h[part], points.area[part]
        one, two, closer = np.empty_like(w), np.empty_like(w), np.empty(len(w), np.bool_)
        # anchor by anchor: numpy's argmax over a short axis costs more than all the rest
        for j, (p, q) in enumerate(anchors.tolist()):
            if metric == "iou":
                np.minimum(w, p, out=one)
                np.minimum(h, q, out=two)
                one *= two
                np.add(area, p * q, out=two)
                two -= one
                one /= two
            else:
                side_ratio(w, h, p, q, one, two)
            np.greater(one, best[part], out=closer)
            np.putmask(label[part], closer, j)
            np.maximum(best[part], one, out=best[part])
    return label, best


def side_ratio(w: Floats, h: Floats, p: float, q: float, out: Floats, spare: Floats) -> None:
    """Write min(w/p, p/w, h/q, q/h) to `out`: how well the worse side of each size fits the anchor (p, q)."""
    np.divide(w, p, out=out)
    np.divide(p, w, out=spare)
    np.minimum(out, spare, out=out)
    np.divide(h, q, out=spare)
    np.minimum(out, spare, out=out)
    np.divide(q, h, out=spare)
    np.minimum(out, spare, out=out)


def seed_anchors(points: Points, k: int, rng: np.random.Generator, metric: Metric = "iou") -> Sizes:
    """Draw k points, each with a probability that grows with the square of its distance to those drawn before.

    This is k-means++ (Arthur & Vassilvitskii, SODA 2007) with 1 - similarity as the distance. Returns (k, 2).
    """
    chosen = np.empty((k, 2))
    best = np.zeros(len(points.w))
    for j in range(k):
        chosen[j] = points.draw(points.weight * (1.0 - best) ** 2, rng)
        np.maximum(best, nearest(points, chosen[j : j + 1], metric)[1], out=best)
    return chosen


def lloyd(
    points: Points,
    anchors: Sizes,
    *,
    metric: Metric = "iou",
    center: Center = "median",
    iterations: int = 300,
    tolerance: float = 0.0,
) -> tuple[Sizes, float]:
    """Move anchors to the centres of their clusters until no point changes its cluster.

    An anchor without points is moved to the point that fits worst. tolerance: stop earlier, when the mean similarity
    grows by less. Returns the anchors and the mean similarity of the points to their nearest one.
    """
    move = medians if center == "median" else means
    previous, score = None, -1.0
    for _ in range(iterations):
        anchors, label, best = _repaired(points, anchors, metric)
        now = points.mean(best)
        settled = previous is not None and np.array_equal(label, previous)
        if settled or (tolerance and now - score < tolerance):
            return anchors, now
        anchors, previous, score = move(points, label, len(anchors)), label, now
    return anchors, points.mean(nearest(points, anchors, metric)[1])


def _repaired(points: Points, anchors: Sizes, metric: Metric) -> tuple[Sizes, Labels, Floats]:
    """Assign points; an anchor that nobody chose is moved to the point that is served worst."""
    label, best = nearest(points, anchors, metric)
    for _ in range(len(anchors)):
        empty = np.flatnonzero(np.bincount(label, minlength=len(anchors)) == 0)
        if len(empty) == 0:
            break
        anchors = anchors.copy()
        anchors[empty[0]] = points.wh[np.argmax(points.weight * (1.0 - best))]
        label, best = nearest(points, anchors, metric)
    return anchors, label, best


def medians(points: Points, label: Labels, k: int) -> Sizes:
    """Return the weighted median width and height of each cluster, (k, 2); no cluster may be empty.

    Halfway between two values it is their mean, as numpy.median of the repeated values has it.
    """
    counts = np.bincount(label, points.weight, minlength=k)
    half = np.cumsum(counts) - counts / 2
    centers = np.empty((k, 2))
    for axis, (side, order) in enumerate(zip((points.w, points.h), points.orders, strict=True)):
        # a stable sort of short integers is a radix sort: one sweep groups the clusters, each still in order
        grouped = order[np.argsort(label[order], kind="stable")]
        below = np.cumsum(points.weight[grouped])
        low = grouped[np.searchsorted(below, half, side="left")]
        high = grouped[np.searchsorted(below, half, side="right")]
        centers[:, axis] = (side[low] + side[high]) / 2
    return centers


def means(points: Points, label: Labels, k: int) -> Sizes:
    """Return the weighted mean width and height of each cluster, (k, 2); no cluster may be empty."""
    counts = np.bincount(label, points.weight, minlength=k)
    sums = [np.bincount(label, points.weight * side, minlength=k) for side in (points.w, points.h)]
    return np.stack(sums, axis=1) / counts[:, None]


def swap(points: Points, anchors: Sizes, rng: np.random.Generator, tries: int = 6) -> Sizes:
    """Move the anchors that are missed least to where points are served badly; keep what raises the mean IoU.

    Such random swaps leave the local optima in which restarts end (Franti, Journal of Big Data 5:13, 2018).
    """
    k = len(anchors)
    if k == 1:
        return anchors
    anchors, score = lloyd(points, anchors, tolerance=ROUGH)
    rank, best, cheapest = 0, np.empty(0), np.empty(0, np.intp)
    for _ in range(tries):
        if rank == 0:  # what would its points lose if an anchor went, and they took their second best?
            label, best = nearest(points, anchors)
            second = np.partition(iou_wh(points.wh, anchors), k - 2, axis=1)[:, k - 2]
            cheapest = np.argsort(np.bincount(label, points.weight * (best - second), minlength=k), kind="stable")
        trial = anchors.copy()
        trial[cheapest[rank]] = points.draw(points.weight * (1.0 - best), rng)
        trial, trial_score = lloyd(points, trial, tolerance=ROUGH)
        rank = (rank + 1) % min(k, 4)
        if trial_score > score:
            anchors, score, rank = trial, trial_score, 0
    return anchors


def climb(points: Points, anchors: Sizes, rounds: int = 20) -> Sizes:
    """Move anchors uphill on the mean IoU itself and return the best that were met, (k, 2); it never falls.

    Each side steps along the sign of its gradient, in the logarithm; its step grows while the sign stays and halves
    when it turns (Rprop, Riedmiller & Braun, ICNN 1993): the kinks of IoU, where gradients jump, do not disturb it.
    """
    low, high = points.wh.min(axis=0), points.wh.max(axis=0)
    steps, before = np.full(anchors.shape, 0.05), np.zeros(anchors.shape)
    best, best_score = anchors, -1.0
    for _ in range(rounds + 1):
        label, similarity = nearest(points, anchors)
        score = points.mean(similarity)
        if score > best_score:
            best, best_score = anchors, score
        signs = np.sign(_slopes(points, label, anchors))
        steps = steps * np.where(signs * before > 0, 1.3, np.where(signs * before < 0, 0.5, 1.0))
        anchors, before = np.clip(anchors * np.exp(signs * steps), low, high), signs
    return best


def _slopes(points: Points, label: Labels, anchors: Sizes) -> Sizes:
    """Return the derivative of the summed IoU by the logarithm of each side of each anchor, (k, 2)."""
    k, index = len(anchors), label.astype(np.intp)
    p, q = anchors[:, 0][index], anchors[:, 1][index]
    shared = np.minimum(points.w, p) * np.minimum(points.h, q)
    area = p * q
    both = points.area + area
    scale = points.weight * shared / (both - shared) ** 2
    shrinks, grows = scale * area, scale * both
    sides = [np.where(p < points.w, grows, 0.0) - shrinks, np.where(q < points.h, grows, 0.0) - shrinks]
    return np.stack([np.bincount(index, side, minlength=k) for side in sides], axis=1)
