"""Anchors: time and average IoU beside scikit-learn, scipy and the textbook's k-means on 1 - IoU.

The boxes are drawn here, with fixed seeds: ten kinds of things of log-normal size in a network of 416 px, and boxes as
in Pascal VOC, whole pixels of photographs of 500 x 375 that are scaled to 416.
"""

import sys

import contest
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from datatools.kernels import autoanchor
from datatools.kernels.boxes import iou_wh
from datatools.ops.anchors.solve import Choices, solve

K = 9
PLAIN_SEEDS = range(3, 13)
Sizes = NDArray[np.float64]


def boxes(n: int) -> Sizes:
    """Draw n box sizes, (n, 2)."""
    rng = np.random.default_rng(20)
    side, shape = rng.uniform(np.log(12), np.log(280), 10), rng.normal(0, 0.5, 10)
    kind = rng.choice(10, n, p=rng.dirichlet(np.full(10, 2.0)))
    log_side, log_ratio = side[kind] + rng.normal(0, 0.35, n), shape[kind] + rng.normal(0, 0.3, n)
    wh = np.exp(np.stack([log_side + log_ratio / 2, log_side - log_ratio / 2], axis=1))
    return np.clip(wh, 2, 416)


def voc_boxes(n: int) -> Sizes:
    """Draw n box sizes of whole pixels in images of 500 x 375 or 375 x 500, scaled to 416, (n, 2)."""
    rng = np.random.default_rng(1)
    image = np.where(rng.random((n, 1)) < 0.7, [500, 375], [375, 500])
    side, root = np.exp(rng.normal(np.log(140), 0.8, n)), np.exp(rng.normal(0, 0.225, n))
    wh = np.clip(np.rint(np.stack([side * root, side / root], axis=1)), 4, image)
    return wh * (416 / 500)


def plain(wh: Sizes, seed: int) -> Sizes:
    """The usual script: random boxes to start with, medians, until nothing moves."""
    rng = np.random.default_rng(seed)
    centers, before = wh[rng.choice(len(wh), K, replace=False)], None
    while True:
        label = iou_wh(wh, centers).argmax(axis=1)
        if before is not None and (label == before).all():
            return centers
        before = label
        centers = np.array([np.median(wh[label == j], axis=0) if (label == j).any() else centers[j] for j in range(K)])


def sklearn_kmeans(wh: Sizes, seed: int = 0) -> Sizes:
    """scikit-learn's k-means on widths and heights, ten starts."""
    return np.asarray(KMeans(K, n_init=10, random_state=seed).fit(wh).cluster_centers_)


def scipy_kmeans(wh: Sizes) -> Sizes:
    """scipy's k-means on whitened sizes, as YOLOv5's autoanchor calls it, ten starts."""
    from scipy.cluster.vq import kmeans

    spread = wh.std(axis=0)
    return np.asarray(kmeans(wh / spread, K, iter=10, rng=np.random.default_rng(0))[0] * spread)


def evolved(wh: Sizes) -> Sizes:
    """YOLOv5's way: scipy's k-means, then 1000 generations of mutation."""
    found, weight = scipy_kmeans(wh), np.ones(len(wh))
    return autoanchor.evolve(wh, weight, found, 1000, rng=np.random.default_rng(0))


def score(label: str, wh: Sizes, anchors: Sizes) -> dict[str, object]:
    """Print and return the average IoU and the best possible recall."""
    fit = autoanchor.score(wh, anchors)
    print(f"  {label:<34} average IoU {fit.avg_iou:.4f}   BPR {fit.bpr:.4f}")
    return {"contestant": label, "avg_iou": round(fit.avg_iou, 5), "bpr": round(fit.bpr, 5)}


def contest_time(name: str, note: str, wh: Sizes) -> bool:
    """Let all find anchors of the same boxes, and hold the bar on our time."""
    ratios = contest.run(
        name,
        f"{note}, k = {K}, ten starts",
        {
            "datatools": lambda: solve(wh, K, Choices()),
            "scikit-learn n_init=10": lambda: sklearn_kmeans(wh),
            "scipy, whitened, iter=10": lambda: scipy_kmeans(wh),
            "plain IoU k-means, ten runs": lambda: [plain(wh, s) for s in PLAIN_SEEDS],
        },
        rounds=5,
    )
    return contest.bar(f"{name}: at least 10 times faster than scikit-learn", ratios["scikit-learn n_init=10"] >= 10)


def contest_quality(name: str, wh: Sizes) -> bool:
    """Compare the average IoU of all on the same boxes, save it, and hold the bars on ours."""
    print(f"\n{name}: quality on the same boxes")
    ours = [autoanchor.score(wh, solve(wh, K, Choices(seed=s))).avg_iou for s in range(10)]
    best = max((plain(wh, s) for s in PLAIN_SEEDS), key=lambda a: autoanchor.score(wh, a).avg_iou)
    rows = [
        score("datatools", wh, solve(wh, K, Choices())),
        score("plain IoU k-means, best of ten", wh, best),
        score("scikit-learn n_init=10", wh, sklearn_kmeans(wh)),
        score("scipy, whitened", wh, scipy_kmeans(wh)),
        score("scipy, then YOLOv5's evolution", wh, evolved(wh)),
    ]
    print(f"  {'datatools, ten seeds':<34} average IoU {min(ours):.4f} .. {max(ours):.4f}")
    contest.save(name, f"k = {K}, average IoU of 10,670 boxes", {"rows": rows, "ten_seeds": ours})
    reference = autoanchor.score(wh, best).avg_iou
    default = contest.bar("average IoU no worse than the best of ten plain runs", ours[0] >= reference)
    median = contest.bar("the same for the median of ten seeds", float(np.median(ours)) >= reference)
    return default and median


def main() -> None:
    """Run both sets of boxes and a large one, and hold the bars."""
    drawn, voc, many = boxes(10_670), voc_boxes(10_670), boxes(860_000)
    met = [
        contest_time("anchors_time", "10,670 boxes", drawn),
        contest_time("anchors_time_voc", "10,670 boxes of whole pixels, as in VOC", voc),
        contest_quality("anchors_quality", drawn),
        contest_quality("anchors_quality_voc", voc),
    ]
    timing = contest.measure(lambda: autoanchor.score(many, solve(many, K, Choices())))
    print(f"\n860,000 boxes, found and scored: {timing.cpu_s:.3f} s CPU")
    row = score("datatools, 860,000 boxes", many, solve(many, K, Choices()))
    contest.save("anchors_many", f"k = {K}, 860,000 boxes", {"rows": [row], "cpu_s": round(timing.cpu_s, 4)})
    contest.finish(*met, contest.bar("860,000 boxes found and scored in under 1 s of CPU", timing.cpu_s < 1.0))


if __name__ == "__main__":
    sys.exit(main())
