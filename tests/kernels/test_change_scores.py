"""Scores of change detection against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.kernels.change_scores import LABELS, Counts, count


@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(0, 9))
def test_counts_are_those_of_a_plain_loop(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 256, (height, width)).astype(np.uint8)
    truth = rng.choice(LABELS, (height, width)).astype(np.uint8)
    inside = rng.random((height, width)) < 0.7
    tally = dict.fromkeys(("tp", "fp", "fn", "tn", "shadow"), 0)
    for found, true, looked_at in zip(mask.flat, truth.flat, inside.flat, strict=True):
        if not looked_at or true in (85, 170):
            continue
        foreground, moves = found >= 128, true == 255
        tally[("t" if foreground == moves else "f") + ("p" if foreground else "n")] += 1
        tally["shadow"] += bool(foreground and true == 50)
    assert count(mask, truth, inside) == Counts(**tally)


def test_the_scores_are_as_defined() -> None:
    counts = Counts(tp=6, fp=2, fn=3, tn=89, shadow=1)
    assert counts.precision == pytest.approx(6 / 8)
    assert counts.recall == pytest.approx(6 / 9)
    assert counts.specificity == pytest.approx(89 / 91)
    assert counts.f_measure == pytest.approx(2 * (6 / 8) * (6 / 9) / (6 / 8 + 6 / 9))
    assert counts.pwc == pytest.approx(5.0)


def test_counts_add_up_and_nothing_gives_nan() -> None:
    assert Counts(1, 2, 3, 4, 1) + Counts(1, 1, 1, 1, 1) == Counts(2, 3, 4, 5, 2)
    assert all(np.isnan(v) for v in (Counts().precision, Counts().recall, Counts().f_measure, Counts().pwc))


def test_other_values_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="the value 128, which is none of 0, 50"):
        count(np.zeros((2, 2), np.uint8), np.full((2, 2), 128, np.uint8))
    with pytest.raises(ValueError, match="shape"):
        count(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))
