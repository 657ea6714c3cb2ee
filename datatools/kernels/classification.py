"""How good a classifier is, from the probabilities that it gives and the labels that are right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.kernels import intervals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of each class, all (C,) or, the intervals, (C, 2) with the bounds of 95 %.

    support: items whose label is the class. predicted: items that were taken for it. A score whose denominator is 0 is
    0, and its interval says that nothing is known: 0 to 1.
    """

    support: Ints
    predicted: Ints
    precision: Floats
    recall: Floats
    f1: Floats
    precision_interval: Floats
    recall_interval: Floats
    f1_interval: Floats


def per_class(confusion: Ints) -> ClassScores:
    """Return precision, recall and F1 of each class with their intervals.

    confusion: (C, C) counts, a row a label, a column a prediction. Precision and recall are proportions and get
    Wilson's interval; that of F1 is `intervals.f1_interval`.

    >>> per_class(np.array([[8, 2], [0, 10]])).f1.round(4).tolist()
    [0.8889, 0.9091]
    """
    hits = np.diagonal(confusion)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    wrong = support + predicted - 2 * hits
    return ClassScores(
        support=support,
        predicted=predicted,
        precision=_share(hits, predicted),
        recall=_share(hits, support),
        f1=_share(2 * hits, support + predicted),
        precision_interval=intervals.wilson(hits, predicted),
        recall_interval=intervals.wilson(hits, support),
        f1_interval=intervals.f1_interval(hits, wrong),
    )


def _share(part: Ints, whole: Ints) -> Floats:
    return np.asarray(np.divide(part, np.maximum(whole, 1)), np.float64)


def rank_of_label(probability: NDArray[np.floating], label: NDArray[np.integer]) -> Ints:
    """Return the place of the right class among all, (N,): 0 where it is the first. Top-k accuracy is mean(rank < k).

    probability: (N, C); logits serve as well. label: (N,) in 0 .. C - 1. Of equal ones the lower class comes first.

    >>> rank_of_label(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]), np.array([2, 1])).tolist()
    [1, 1]
    """
    own = np.take_along_axis(probability, label[:, None].astype(np.int64), axis=1)
    before = np.arange(probability.shape[1])[None] < label[:, None]
    rank: Ints = ((probability > own) | ((probability == own) & before)).sum(axis=1).astype(np.int64)
    return rank


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """What out-of-fold probabilities say about given labels, (N,) each.

    own: the probability of the given label. other: the most probable other class. suspicious: the model holds the
    other class with at least its usual confidence, and the given label with less than its usual.
    """

    own: Floats
    other: Ints
    suspicious: NDArray[np.bool_]


def label_quality(probability: NDArray[np.floating], label: NDArray[np.integer]) -> LabelQuality:
    """Find labels that a model trained on *other* items does not believe.

    probability: (N, C), each row from a model that has not seen the item; C at least 2. label: (N,).
    After Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (JAIR, 2021): a
    class's usual confidence is the mean probability that it has where it is the label; an item counts off the diagonal
    of the confident joint where another class reaches its own threshold. Nothing is suspicious without items.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
    >>> label_quality(p, np.array([0, 0, 1, 1])).suspicious.tolist()
    [False, False, False, True]
    """
    p = np.asarray(probability, np.float64)
    items, classes = p.shape
    given = label.astype(np.int64)
    own = np.take_along_axis(p, given[:, None], axis=1)[:, 0]
    # a class that no item has cannot be what an item should have had
    counts = np.bincount(given, minlength=classes)
    usual = np.where(counts > 0, np.bincount(given, own, classes) / np.maximum(counts, 1), np.inf)
    others = p.copy()
    others[np.arange(items), given] = -np.inf
    other = others.argmax(axis=1)
    confident = np.where(others >= usual, others, -np.inf)
    best = confident.max(axis=1, initial=-np.inf)
    return LabelQuality(own, other, (best > own) & (own < usual[given]))
