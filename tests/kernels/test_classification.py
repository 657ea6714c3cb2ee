"""Scores of classifiers against plain loops and scikit-learn; labels that were turned are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datatools.kernels import classification

CONFUSION = arrays(np.int64, st.integers(0, 5).map(lambda n: (n, n)), elements=st.integers(0, 30))


@given(CONFUSION)
@settings(max_examples=50)
def test_scores_are_those_of_the_plain_loop(confusion: np.ndarray) -> None:
    before = confusion.copy()
    found = classification.per_class(confusion)
    for c in range(len(confusion)):
        hits, row, column = confusion[c, c], confusion[c].sum(), confusion[:, c].sum()
        precision, recall = (hits / whole if whole else 0.0 for whole in (column, row))
        assert (found.support[c], found.predicted[c]) == (row, column)
        assert (found.precision[c], found.recall[c]) == pytest.approx((precision, recall))
        both = precision + recall
        assert found.f1[c] == pytest.approx(2 * precision * recall / both if both else 0.0)
        for value, bounds in (
            (found.precision[c], found.precision_interval[c]),
            (found.recall[c], found.recall_interval[c]),
            (found.f1[c], found.f1_interval[c]),
        ):
            assert 0 <= bounds[0] <= value + 1e-12
            assert value <= bounds[1] + 1e-12 <= 1 + 2e-12
    assert (confusion == before).all()


def test_rank_is_the_place_in_a_stable_sort() -> None:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 4, (200, 6)) / 4  # many ties
    label = rng.integers(0, 6, 200)
    order = np.argsort(-p, axis=1, kind="stable")
    assert classification.rank_of_label(p, label).tolist() == np.argmax(order == label[:, None], axis=1).tolist()
    assert classification.rank_of_label(np.zeros((0, 3)), np.zeros(0, np.int64)).shape == (0,)


def test_labels_that_were_turned_are_the_suspicious_ones() -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(0, 4, 400)
    p = np.full((400, 4), 0.05)
    p[np.arange(400), true] = 0.85
    p += rng.uniform(0, 0.02, p.shape)
    p /= p.sum(axis=1, keepdims=True)
    turned = rng.permutation(400)[:20]
    given_label = true.copy()
    given_label[turned] = (true[turned] + 1) % 4
    found = classification.label_quality(p, given_label)
    suspects = set(np.flatnonzero(found.suspicious))
    assert suspects <= set(turned)
    assert len(suspects) >= 18  # a turned item of which the model is less sure than usual is not accused
    assert (found.other[turned] == true[turned]).all()
    assert set(np.argsort(found.own)[:20]) == set(turned)


def test_an_unsure_model_suspects_nobody() -> None:
    p = np.full((50, 5), 0.2)
    assert not classification.label_quality(p, np.arange(50) % 5).suspicious.any()


def test_no_item_is_no_suspicion() -> None:
    found = classification.label_quality(np.zeros((0, 3)), np.zeros(0, np.int64))
    assert found.own.shape == found.other.shape == found.suspicious.shape == (0,)
