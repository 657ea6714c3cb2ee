"""Scores of filters: worked examples, a slow reference, and what always holds."""

import numpy as np
import pytest

from datatools.kernels import pruning

RNG = np.random.default_rng(7)
FIRST = np.array([[1, 0], [0, 1], [1, 1], [5, 5], [0.5, 0.5]])
SECOND = np.array([[3, 0, 0, 0], [0, 3, 0, 0], [0.1, 0, 0, 0], [1, 1, 0, 0], [2.9, 0.1, 0, 0]])


@pytest.mark.parametrize(
    ("filters", "sums", "first", "by_length"),
    [
        (FIRST, [9.524445, 9.524445, 8.363961, 24.827064, 8.485281], 2, 4),
        (SECOND, [9.520130, 13.581594, 10.048814, 7.919878, 9.146805], 3, 2),
    ],
)
def test_worked_examples(filters: np.ndarray, sums: list[float], first: int, by_length: int) -> None:
    scores = pruning.geometric_median_scores(filters)
    assert scores == pytest.approx(sums, abs=5e-7)
    assert pruning.lowest(scores, 1).tolist() == [first]
    assert int(np.argmin(np.linalg.norm(filters, axis=1))) == by_length, "norms would take another one"


def test_counts_round_half_to_even_and_leave_one() -> None:
    assert [pruning.pruned_count(5, r) for r in (0.1, 0.2, 0.3, 0.5, 0.9, 1.0)] == [0, 1, 2, 2, 4, 4]
    assert pruning.pruned_count(1, 1.0) == 0
    assert pruning.pruned_count(0, 0.5) == 0


def test_scores_are_those_of_plain_loops() -> None:
    filters = RNG.normal(size=(12, 3, 3, 3)) + 100  # far from 0, where differences lose digits
    slow = [sum(float(np.linalg.norm(a - b)) for b in filters) for a in filters]
    assert pruning.geometric_median_scores(filters) == pytest.approx(slow, rel=1e-9)
    assert pruning.norm_scores(filters) == pytest.approx([float(np.abs(f).sum()) for f in filters])


def test_twins_have_equal_scores_and_the_first_goes() -> None:
    filters = np.array([[1.0, 2.0], [1.0, 2.0], [9.0, 0.0]])
    scores = pruning.geometric_median_scores(filters)
    assert scores[0] == scores[1]
    assert pruning.lowest(scores, 1).tolist() == [0]


def test_nothing_is_changed_and_empty_input_works() -> None:
    filters = RNG.normal(size=(4, 2)).astype(np.float32)
    kept = filters.copy()
    pruning.geometric_median_scores(filters)
    pruning.norm_scores(filters)
    assert (filters == kept).all()
    for empty in (np.zeros((0, 3)), np.zeros((3, 0))):
        assert pruning.geometric_median_scores(empty).shape == (len(empty),)
        assert pruning.norm_scores(empty).shape == (len(empty),)
    assert pruning.lowest(np.zeros(0), 0).shape == (0,)
