"""How well anchors serve boxes, and YOLOv5's way to better ones.

Sizes and anchors are (N, 2) float64 widths and heights in pixels, positive. A box fits an anchor by its worse side:
x = min(w/p, p/w, h/q, q/h). With the threshold 4, a detector of the YOLOv5 family learns a box from every anchor with
x > 1/4; the share of boxes that have one is the best possible recall (utils/autoanchor.py of YOLOv5, v6.0).
"""

from dataclasses import dataclass

import numpy as np

from datatools.kernels.anchors import by_area
from datatools.kernels.similarity import nearest, side_ratio
from datatools.kernels.sizes import Floats, Points, Sizes

THRESHOLD = 4.0

_BLOCK = 8192  # boxes a pass: all temporaries stay in the cache


@dataclass(frozen=True, slots=True)
class Fit:
    """How anchors serve boxes.

    avg_iou: mean over the boxes of the IoU with the most similar anchor. bpr: share of boxes whose best x is above
    1/threshold (best possible recall). aat: mean number of anchors above it (anchors past threshold). fitness: mean
    of the best x, those at or below the threshold counted as 0. mean_ratio, mean_best, mean_past: mean x over all
    pairs, over each box's best, over the pairs past the threshold. counts: boxes whose IoU is best with each anchor.
    All are 0 where there is no box.
    """

    avg_iou: float
    bpr: float
    aat: float
    fitness: float
    mean_ratio: float
    mean_best: float
    mean_past: float
    counts: tuple[int, ...]


def score(wh: Sizes, anchors: Sizes, *, threshold: float = THRESHOLD) -> Fit:
    """Score anchors (k, 2) on boxes (N, 2).

    >>> fit = score(np.array([[10., 13], [40, 40], [2, 2]]), np.array([[10., 13], [33, 23]]))
    >>> round(fit.bpr, 3), round(fit.aat, 3), fit.counts
    (0.667, 1.0, (2, 1))
    """
    k, limit = len(anchors), 1.0 / threshold
    counts = np.zeros(k, np.int64)
    sums = np.zeros(6)  # IoU, boxes past, pairs past, best x past, best x, x past; the sum of all x is apart
    all_x = 0.0
    for start in range(0, len(wh), _BLOCK):
        part = wh[start : start + _BLOCK]
        points = Points.of(part, np.ones(len(part)))
        label, iou = nearest(points, anchors)
        counts += np.bincount(label, minlength=k)
        best, x, spare = np.zeros(len(part)), np.empty(len(part)), np.empty(len(part))
        for p, q in anchors.tolist():
            side_ratio(points.w, points.h, p, q, x, spare)
            np.maximum(best, x, out=best)
            past = x > limit
            sums[2] += np.count_nonzero(past)
            sums[5] += x[past].sum()
            all_x += x.sum()
        past = best > limit
        sums[[0, 1, 3, 4]] += iou.sum(), np.count_nonzero(past), best[past].sum(), best.sum()
    n = max(len(wh), 1)
    return Fit(
        avg_iou=float(sums[0] / n),
        bpr=float(sums[1] / n),
        aat=float(sums[2] / n),
        fitness=float(sums[3] / n),
        mean_ratio=float(all_x / (n * max(k, 1))),
        mean_best=float(sums[4] / n),
        mean_past=float(sums[5] / max(sums[2], 1.0)),
        counts=tuple(counts.tolist()),
    )


def fitness(points: Points, anchors: Sizes, *, threshold: float = THRESHOLD) -> float:
    """Return the weighted mean of each point's best x; one that is not above 1/threshold counts as 0."""
    best = nearest(points, anchors, "ratio")[1]
    return float(points.mean(np.where(best > 1.0 / threshold, best, 0.0)))


def evolve(
    wh: Sizes,
    weight: Floats,
    anchors: Sizes,
    generations: int,
    *,
    rng: np.random.Generator,
    threshold: float = THRESHOLD,
) -> Sizes:
    """Improve anchors by random mutation, as YOLOv5 does; the fitness on the weighted sizes never falls.

    Each generation multiplies the sides by factors near 1 (each changed with probability 0.9, standard deviation 0.1
    times a common uniform draw, within 0.3 and 3), keeps sides of at least 2 px, and stays only where it is fitter.
    Returns (k, 2), sorted by area.
    """
    points = Points.of(wh, weight)
    best = fitness(points, anchors, threshold=threshold)
    for _ in range(generations):
        factors = np.ones(anchors.shape)
        while (factors == 1.0).all():
            mask = rng.random(anchors.shape) < 0.9
            factors = np.clip(mask * rng.random() * rng.standard_normal(anchors.shape) * 0.1 + 1.0, 0.3, 3.0)
        trial = np.maximum(anchors * factors, 2.0)
        found = fitness(points, trial, threshold=threshold)
        if found > best:
            anchors, best = trial, found
    return by_area(anchors)


def euclidean(wh: Sizes, weight: Floats, k: int, *, seed: int, restarts: int = 10) -> Sizes:
    """Return k means of plain k-means on widths and heights, by scikit-learn, (k, 2), sorted by area."""
    from sklearn.cluster import KMeans  # 1.3 s to import: for those who ask for it

    model = KMeans(k, n_init=restarts, random_state=seed).fit(wh, sample_weight=weight)
    return by_area(np.asarray(model.cluster_centers_, dtype=np.float64))
