"""Counting in columns, against the same in plain Python."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.census import Distribution
from datatools.kernels import census, counts

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=40)


def columns(pairs_: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(pairs_, np.int32).reshape(-1, 2)
    return array[:, 0], array[:, 1]


@settings(max_examples=50)
@given(pairs)
def test_cross_table_counts_pairs(drawn):
    rows, cols = columns(drawn)
    table = counts.cross_table(rows, cols, (10, 5))
    assert table.shape == (10, 5)
    assert {(r, c): n for (r, c), n in np.ndenumerate(table) if n} == Counter(drawn)


@settings(max_examples=50)
@given(pairs)
def test_co_occurrence_is_what_two_loops_say(drawn):
    items, classes = counts.distinct_pairs(*columns(drawn))
    assert list(zip(items.tolist(), classes.tolist(), strict=True)) == sorted(set(drawn))
    matrix = counts.co_occurrence(items, classes, 5)
    held = {item: {c for i, c in drawn if i == item} for item, _ in drawn}
    slow = [[sum({a, b} <= classes_ for classes_ in held.values()) for b in range(5)] for a in range(5)]
    assert matrix.tolist() == slow


def test_co_occurrence_over_several_blocks():
    items = np.repeat(np.arange(40_000), 2)
    classes = np.tile([0, 2], 40_000)
    assert counts.co_occurrence(items, classes, 3).tolist() == [[40_000, 0, 40_000], [0, 0, 0], [40_000, 0, 40_000]]


def test_position_map_counts_edges_and_what_lies_outside():
    centres = np.array([[0.0, 0.0], [1.0, 1.0], [-3.0, 0.5], [0.5, 7.0], [0.24, 0.26]])
    assert counts.position_map(centres, 4).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]]


def test_size_bands_are_cocos():
    area = np.array([1.0, 32 * 32 - 0.5, 32 * 32, 96 * 96 - 0.5, 96 * 96, 1e9])
    assert counts.size_band(area).tolist() == [0, 0, 1, 1, 2, 2]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), max_size=30))
def test_grouped_median_is_numpys(drawn):
    groups = np.array([g for g, _ in drawn], np.int64)
    values = np.array([v for _, v in drawn], np.float64)
    got = counts.grouped_median(values, groups, 4)
    for group in range(4):
        chosen = values[groups == group]
        assert got[group] == pytest.approx(np.median(chosen)) if len(chosen) else np.isnan(got[group])


@settings(max_examples=50)
@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50), st.booleans())
def test_distribution_keeps_every_value_and_has_numpys_quantiles(drawn, log):
    values = np.array(drawn)
    before = values.copy()
    d = counts.distribution(values, log=log)
    assert sum(d.counts) == d.count == len(values)
    assert len(d.edges) == len(d.counts) + 1
    assert list(d.edges) == sorted(set(d.edges))
    quantiles = np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    assert (d.minimum, d.p5, d.p25, d.median, d.p75, d.p95, d.maximum) == tuple(quantiles)
    assert np.array_equal(values, before)


def test_distribution_of_whole_numbers_has_whole_bins():
    assert counts.distribution(np.array([0, 0, 3]), whole=True).counts == (2, 0, 0, 1)
    wide = counts.distribution(np.arange(100), whole=True)
    assert wide.edges[1] - wide.edges[0] == 5
    assert set(wide.counts) == {5}


def test_distribution_of_nothing_is_nan():
    empty = counts.distribution(np.empty(0))
    assert empty.count == 0
    assert np.isnan(empty.median)
    assert empty.edges == empty.counts == ()


def flat(n: int) -> np.ndarray:
    return np.zeros(n, np.bool_)


def test_census_of_a_small_set():
    size_wh = np.array([[100.0, 50.0], [100.0, 50.0], [np.nan, np.nan], [200.0, 100.0]])
    box_item = np.array([0, 0, 0, 1, 2], np.int32)
    box_class = np.array([0, 1, 1, 1, 0], np.int32)
    xyxy = np.array([[0, 0, 10, 20], [50, 0, 100, 50], [5, 5, 5, 9], [90, 40, 100, 50], [0, 0, 300, 100]], np.float64)
    train, val = np.array([1, 0, 1, 0], np.bool_), np.array([0, 1, 0, 0], np.bool_)
    difficult = np.array([1, 0, 0, 1, 0], np.bool_)
    taken = census.take(
        ("car", "dog", "owl"), size_wh, box_item, box_class, xyxy,
        difficult=difficult, truncated=flat(5), occluded=flat(5), splits={"train": train, "val": val},
    )  # fmt: skip

    assert (taken.images, taken.empty, taken.boxes, taken.degenerate, taken.unknown_sizes) == (4, 1, 5, 1, 1)
    assert (taken.difficult, taken.truncated, taken.occluded) == (2, 0, 0)
    assert (taken.small, taken.medium, taken.large) == (2, 1, 1)
    car, dog, owl = taken.classes
    assert (car.images, car.boxes, car.difficult, car.small, car.large) == (2, 2, 1, 1, 1)
    assert (dog.images, dog.boxes, dog.difficult, dog.small, dog.medium) == (2, 3, 1, 1, 1)
    assert (dog.median_width, dog.median_height) == (30, 30)
    assert (owl.boxes, owl.images) == (0, 0)
    assert np.isnan(owl.median_width)
    assert dog.splits["train"].boxes == 2
    assert (dog.splits["val"].boxes, dog.splits["val"].difficult, dog.splits["val"].images) == (1, 1, 1)
    assert [(s.name, s.images, s.empty, s.boxes, s.difficult) for s in taken.splits] == [
        ("train", 2, 0, 4, 1),
        ("val", 1, 0, 1, 1),
    ]
    assert (taken.width.count, taken.width.minimum, taken.width.maximum) == (4, 10, 300)
    assert taken.image_share.count == 3
    assert taken.image_share.maximum == 0.5
    assert taken.boxes_per_image.counts == (1, 2, 0, 1)
    assert sum(map(sum, taken.position_map)) == 3
    assert taken.position_map[7][7] == 1
    assert [(s.width, s.height, s.images) for s in taken.image_sizes] == [(100, 50, 2), (200, 100, 1)]
    assert taken.co_occurrence.classes == ("car", "dog", "owl")
    assert taken.co_occurrence.images == ((2, 1, 0), (1, 2, 0), (0, 0, 0))


def test_census_of_nothing():
    nothing = np.empty(0, np.int32)
    for n_images in (0, 3):
        taken = census.take(
            (), np.full((n_images, 2), np.nan), nothing, nothing, np.empty((0, 4)),
            difficult=flat(0), truncated=flat(0), occluded=flat(0), splits={"val": flat(n_images)},
        )  # fmt: skip
        assert (taken.images, taken.boxes, taken.empty) == (n_images, 0, n_images)
        assert taken.width == Distribution() or np.isnan(taken.width.mean)
        list(taken.hints())


def test_census_takes_extreme_boxes():
    xyxy = np.array([[-1e300, 0, 1e300, 5], [0, 0, np.inf, 5], [np.nan, 0, 5, 5], [0, 0, 1e-300, 5], [0, 0, 4, 4]])
    taken = census.take(
        ("a",), np.array([[1e300, 1e300]]), np.zeros(5, np.int32), np.zeros(5, np.int32), xyxy,
        difficult=flat(5), truncated=flat(5), occluded=flat(5), splits={},
    )  # fmt: skip
    assert (taken.boxes, taken.degenerate, taken.unknown_sizes, taken.area.mean) == (5, 4, 1, 16)


def test_co_occurrence_is_bounded():
    n = census.CO_OCCURRENCE_CLASSES + 50
    taken = census.take(
        [str(i) for i in range(n)], np.array([[9.0, 9.0]]), np.zeros(n, np.int32), np.arange(n, dtype=np.int32),
        np.tile([0.0, 0.0, 5.0, 5.0], (n, 1)),
        difficult=flat(n), truncated=flat(n), occluded=flat(n), splits={},
    )  # fmt: skip
    assert len(taken.co_occurrence.classes) == len(taken.co_occurrence.images) == census.CO_OCCURRENCE_CLASSES
    assert len(taken.classes) == n
