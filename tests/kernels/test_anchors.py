"""Anchors: published values, a plain k-means as reference, what must hold for any boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import anchors, autoanchor, sizes
from datatools.kernels.boxes import iou_wh
from datatools.kernels.sizes import Points

TOY = np.array([[10, 10], [12, 10], [10, 14], [40, 40], [44, 36], [38, 42], [100, 20], [90, 24], [110, 18]], float)
DEFAULTS = np.array(
    [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]], float
)

SIZES = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=3, max_size=40, unique=True).map(
    lambda rows: np.array(rows, float)
)


def plain(wh: np.ndarray, k: int, rng: np.random.Generator) -> float:
    """The textbook's IoU k-means from random boxes; the mean IoU it reaches."""
    centers, before = wh[rng.choice(len(wh), k, replace=False)], None
    for _ in range(300):
        label = iou_wh(wh, centers).argmax(axis=1)
        if before is not None and (label == before).all():
            break
        before = label
        centers = np.array([np.median(wh[label == j], axis=0) if (label == j).any() else centers[j] for j in range(k)])
    return float(iou_wh(wh, centers).max(axis=1).mean())


def street(n: int, seed: int = 0) -> np.ndarray:
    """Boxes of seven kinds of things, in a network of 416 px."""
    rng = np.random.default_rng(seed)
    kinds = np.array([[18, 26], [35, 30], [60, 90], [120, 70], [180, 200], [90, 260], [300, 240]], float)
    wh = kinds[rng.choice(7, n)] * np.exp(rng.normal(0, 0.35, (n, 2)))
    return np.clip(wh, 3, 416)


def mean_iou(wh: np.ndarray, found: np.ndarray) -> float:
    return float(iou_wh(wh, found).max(axis=1).mean())


@pytest.mark.parametrize(
    ("center", "expected", "avg_iou"),
    [
        ("median", [[10, 10], [40, 40], [100, 20]], 0.874292),
        ("mean", [[32 / 3, 34 / 3], [122 / 3, 118 / 3], [100, 62 / 3]], 0.849160),
    ],
)
def test_nine_boxes_from_three_of_them(center: anchors.Center, expected: list[list[float]], avg_iou: float) -> None:
    found = anchors.cluster(TOY, np.ones(9), 3, rng=np.random.default_rng(0), center=center, init=TOY[[0, 3, 6]])
    assert found == pytest.approx(np.array(expected))
    assert autoanchor.score(TOY, found).avg_iou == pytest.approx(avg_iou, abs=5e-7)


def test_scores_of_the_default_anchors_of_yolov5() -> None:
    wh = np.array([[10, 13], [100, 100], [3, 50], [600, 20], [40, 40], [2, 2]], float)
    label, best = anchors.nearest(Points.of(wh, np.ones(6)), DEFAULTS, "ratio")
    assert best == pytest.approx([1.0, 0.862069, 0.26, 0.193333, 0.655738, 0.153846], abs=5e-7)
    assert label.tolist() == [0, 6, 0, 6, 3, 0]
    fit = autoanchor.score(wh, DEFAULTS)
    assert fit.aat == pytest.approx(2.666667, abs=5e-7)
    assert fit.bpr == pytest.approx(0.666667, abs=5e-7)
    assert fit.fitness == pytest.approx(0.462968, abs=5e-7)
    assert fit.mean_ratio == pytest.approx(0.208715, abs=5e-7)
    assert fit.mean_best == pytest.approx(0.520831, abs=5e-7)
    assert fit.mean_past == pytest.approx(0.495528, abs=5e-7)
    assert sum(fit.counts) == 6


def test_medians_are_those_of_numpy_over_repeated_values() -> None:
    rng = np.random.default_rng(3)
    wh, weight = rng.integers(1, 50, (200, 2)).astype(float), rng.integers(1, 6, 200).astype(float)
    label = rng.integers(0, 5, 200).astype(np.uint16)
    found = anchors.medians(Points.of(wh, weight), label, 5)
    means = anchors.means(Points.of(wh, weight), label, 5)
    for j in range(5):
        repeated = np.repeat(wh[label == j], weight[label == j].astype(int), axis=0)
        assert found[j].tolist() == np.median(repeated, axis=0).tolist()
        assert means[j] == pytest.approx(repeated.mean(axis=0))


def test_counting_and_thinning_keep_every_box() -> None:
    wh = street(20_000)
    points, weight = sizes.count_sizes(wh)
    assert weight.sum() == 20_000
    assert len(np.unique(points, axis=0)) == len(points)
    thin, thin_weight = sizes.thin_sizes(points, weight, 1000)
    assert 500 <= len(thin) <= 1000
    assert thin_weight.sum() == 20_000
    assert thin_weight @ thin == pytest.approx(weight @ points)
    assert sizes.thin_sizes(points, weight, 10**6)[0] is points


def test_thinning_reaches_its_number_for_lumps_with_an_outlier() -> None:
    side = np.arange(1000.0, 1050.0)
    points = np.vstack([np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), [[1.0, 1.0]]])
    thin, _ = sizes.thin_sizes(points, np.ones(len(points)), 1000)
    assert 500 <= len(thin) <= 1000


def test_huge_sizes_are_counted_too() -> None:
    points, weight = sizes.count_sizes(np.array([[9e6, 9e6], [1.0, 2.0], [9e6, 9e6]]))
    assert points.tolist() == [[1, 2], [9e6, 9e6]]
    assert weight.tolist() == [1, 2]


def test_at_least_as_good_as_the_best_of_ten_plain_runs() -> None:
    wh = street(3000)
    found = anchors.cluster(*sizes.count_sizes(wh), 9, rng=np.random.default_rng(0))
    assert mean_iou(wh, found) >= max(plain(wh, 9, np.random.default_rng(s)) for s in range(10))


def test_same_seed_same_anchors_another_seed_hardly_other_quality() -> None:
    wh = street(3000)
    points = sizes.count_sizes(wh)
    one, again, other = (anchors.cluster(*points, 5, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert (one == again).all()
    assert mean_iou(wh, one) == pytest.approx(mean_iou(wh, other), abs=0.005)


@given(SIZES, st.integers(1, 3), st.integers(0, 9), st.sampled_from(["median", "mean"]), st.booleans())
@settings(max_examples=50, deadline=None)
def test_anchors_of_any_boxes(wh: np.ndarray, k: int, seed: int, center: anchors.Center, polish: bool) -> None:
    before = wh.copy()

    def run(scale: float) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return anchors.cluster(wh * scale, np.ones(len(wh)), k, rng=rng, center=center, polish=polish, restarts=3)

    found = run(1.0)
    assert (wh == before).all()
    assert found.shape == (k, 2)
    # no anchor is outside of what the boxes span, each has boxes, and they are sorted by area
    assert (found >= wh.min(axis=0) - 1e-9).all()
    assert (found <= wh.max(axis=0) + 1e-9).all()
    assert (np.diff(found.prod(axis=1)) >= 0).all()
    assert min(autoanchor.score(wh, found).counts) > 0
    # boxes of twice the size have anchors of twice the size, bit for bit
    assert (run(2.0) == 2 * found).all()


@given(SIZES, st.integers(1, 3), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_the_climb_never_loses(wh: np.ndarray, k: int, seed: int) -> None:
    start = anchors.seed_anchors(Points.of(wh, np.ones(len(wh))), k, np.random.default_rng(seed))
    assert mean_iou(wh, anchors.climb(Points.of(wh, np.ones(len(wh))), start)) >= mean_iou(wh, start) - 1e-12


@pytest.mark.parametrize("metric", ["iou", "ratio"])
def test_empty_clusters_are_filled(metric: anchors.Metric) -> None:
    far = np.array([[1.0, 1.0], [2.0, 1.0], [400.0, 400.0], [300.0, 400.0]])
    lost = np.array([[1.0, 1.0], [5000.0, 5000.0], [5000.0, 5000.0]])
    found = anchors.cluster(far, np.ones(4), 3, rng=np.random.default_rng(0), metric=metric, init=lost)
    assert min(autoanchor.score(far, found).counts) > 0


def test_as_many_anchors_as_sizes_are_those_sizes() -> None:
    found = anchors.cluster(TOY, np.ones(9), 9, rng=np.random.default_rng(0))
    assert found.tolist() == anchors.by_area(TOY).tolist()


@pytest.mark.parametrize("k", [0, 10])
def test_an_impossible_k_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="k must be from 1 to 9"):
        anchors.cluster(TOY, np.ones(9), k, rng=np.random.default_rng(0))


def test_evolution_never_loses_fitness_and_gains_from_a_bad_start() -> None:
    wh = street(1000)
    points = sizes.count_sizes(wh)
    start = np.array([[20.0, 300.0], [300.0, 20.0], [400.0, 400.0]])
    before = autoanchor.fitness(Points.of(*points), start)
    evolved = autoanchor.evolve(*points, start, 100, rng=np.random.default_rng(0))
    assert autoanchor.fitness(Points.of(*points), evolved) > before
    assert (evolved >= 2).all()
    assert (autoanchor.evolve(*points, start, 0, rng=np.random.default_rng(0)) == anchors.by_area(start)).all()


def test_score_of_many_boxes_equals_the_whole_at_once() -> None:
    wh = street(20_001)
    ratio = np.minimum(wh[:, None] / DEFAULTS, DEFAULTS / wh[:, None]).min(axis=2)
    fit = autoanchor.score(wh, DEFAULTS)
    assert fit.avg_iou == pytest.approx(mean_iou(wh, DEFAULTS))
    assert fit.bpr == pytest.approx((ratio.max(axis=1) > 0.25).mean())
    assert fit.aat == pytest.approx((ratio > 0.25).sum(axis=1).mean())
    assert list(fit.counts) == np.bincount(iou_wh(wh, DEFAULTS).argmax(axis=1), minlength=9).tolist()


def test_no_boxes() -> None:
    none = np.empty((0, 2))
    fit = autoanchor.score(none, DEFAULTS)
    assert (fit.avg_iou, fit.bpr, fit.aat, fit.counts) == (0, 0, 0, (0,) * 9)
    assert sizes.count_sizes(none)[0].shape == (0, 2)
    assert sizes.thin_sizes(none, np.empty(0), 10)[0].shape == (0, 2)


def test_euclidean_is_plain_k_means() -> None:
    found = autoanchor.euclidean(TOY, np.ones(9), 3, seed=0)
    assert found == pytest.approx(np.array([[32 / 3, 34 / 3], [122 / 3, 118 / 3], [100, 62 / 3]]))
