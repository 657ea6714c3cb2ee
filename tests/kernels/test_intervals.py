"""Intervals: textbook values, bounds, coverage counted on many made samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import intervals

# Newcombe, "Two-sided confidence intervals for the single proportion" (Statistics in Medicine, 1998), table I, method 3
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("hits", "trials", "low", "high"), NEWCOMBE)
def test_wilson_has_the_published_values(hits: int, trials: int, low: float, high: float) -> None:
    assert intervals.wilson(hits, trials).round(4).tolist() == [low, high]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
@settings(max_examples=100)
def test_wilson_stays_inside_and_holds_the_share(hits: int, misses: int) -> None:
    low, high = intervals.wilson(hits, hits + misses).tolist()
    assert 0 <= low <= high <= 1
    if hits + misses:
        assert low <= hits / (hits + misses) <= high
        assert (low == 0) == (hits == 0)
        assert (high == 1) == (misses == 0)
    else:
        assert (low, high) == (0, 1)


def test_wilson_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    for share, trials in ((0.9, 20), (0.5, 30), (0.7, 200)):
        bounds = intervals.wilson(rng.binomial(trials, share, 4000), trials)
        covered = ((bounds[:, 0] <= share) & (share <= bounds[:, 1])).mean()
        assert 0.92 < covered < 0.98, (share, trials)


def test_f1_interval_is_that_of_the_proportion_behind_it() -> None:
    low, high = intervals.f1_interval(30, 12).tolist()
    plain = [2 * b / (1 + b) for b in intervals.wilson(30, 42).tolist()]
    assert [low, high] == pytest.approx(plain)
    assert low < 2 * 30 / (2 * 30 + 12) < high
    assert intervals.f1_interval([0, 0], [0, 5]).tolist()[0] == [0.0, 1.0]
    assert intervals.f1_interval([], []).shape == (0, 2)


def bootstrap(table: np.ndarray, seed: int = 0, group: np.ndarray | None = None) -> intervals.Difference:
    own = np.arange(table.shape[1]) if group is None else group
    return intervals.paired_bootstrap(table, own, np.random.default_rng(seed), replicates=2000)


def test_bootstrap_interval_has_the_width_of_the_normal_one() -> None:
    rng = np.random.default_rng(1)
    table = rng.choice([-1.0, 0.0, 1.0], size=(1, 900), p=[0.2, 0.4, 0.4])
    made = bootstrap(table)
    half = 1.96 * table.std() / math.sqrt(900)
    assert made.mean == pytest.approx(table.mean())
    assert (made.low, made.high) == pytest.approx((table.mean() - half, table.mean() + half), abs=0.01)


def test_bootstrap_counts_groups_and_runs_as_draws() -> None:
    rng = np.random.default_rng(2)
    column = rng.choice([-1.0, 1.0], size=40)
    alone = bootstrap(np.repeat(column, 5)[None])
    tied = bootstrap(np.repeat(column, 5)[None], group=np.repeat(np.arange(40), 5))
    assert tied.high - tied.low > 1.8 * (alone.high - alone.low)
    lucky = np.stack([np.full(200, 1.0), np.full(200, -0.5)])  # one run decides all: no item draw shows that
    assert bootstrap(lucky).low == pytest.approx(-0.5)


def test_bootstrap_is_the_same_for_the_same_generator_and_leaves_its_input() -> None:
    table = np.random.default_rng(3).normal(size=(3, 50))
    before = table.copy()
    assert bootstrap(table, 5) == bootstrap(table, 5)
    assert (table == before).all()


def test_bootstrap_of_nothing_is_zero() -> None:
    assert bootstrap(np.zeros((0, 4))) == bootstrap(np.zeros((3, 0))) == intervals.Difference(0, 0, 0, 0, 0)


def test_bootstrap_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    hit = 0
    for i in range(100):
        runs, items = rng.normal(0, 0.1, (5, 1)), rng.normal(0, 0.5, (1, 60))
        table = 0.2 + runs + items + rng.normal(0, 0.3, (5, 60))
        made = intervals.paired_bootstrap(table, np.arange(60), np.random.default_rng(i), replicates=500)
        hit += made.low <= 0.2 <= made.high
    assert hit >= 86  # five runs are few, so a little below the 95 % that it says is what theory allows
