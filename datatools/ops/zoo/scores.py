"""Scores of classes and doubtful pictures, as results and tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datatools.core.errors import escape
from datatools.core.result import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.zoo.pictures import Pictures

Bounds = tuple[float, float]
"""A 95 % interval."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Scores of one class. pictures: those whose label it is; nobody knows a recall without any."""

    name: str
    pictures: int
    precision: float
    precision_interval: Bounds
    recall: float
    recall_interval: Bounds
    f1: float
    f1_interval: Bounds


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network said about a picture. own: probability of its label. score: of the class it was taken for."""

    key: str
    label: str
    predicted: str
    own: float
    score: float


def class_scores(confusion: "NDArray[np.int64]", classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """The scores of each class. confusion: (C, C) counts, a row a label."""
    from datatools.kernels import classification

    s = classification.per_class(confusion)

    return tuple(
        ClassScore(
            name=name,
            pictures=int(s.support[i]),
            precision=float(s.precision[i]),
            precision_interval=bounds(s.precision_interval[i]),
            recall=float(s.recall[i]),
            recall_interval=bounds(s.recall_interval[i]),
            f1=float(s.f1[i]),
            f1_interval=bounds(s.f1_interval[i]),
        )
        for i, name in enumerate(classes)
    )


def macro_f1(scores: Sequence[ClassScore]) -> float:
    """The mean F1 of the classes that have pictures."""
    with_pictures = [s.f1 for s in scores if s.pictures]
    return sum(with_pictures) / len(with_pictures) if with_pictures else 0.0


def class_table(scores: Sequence[ClassScore]) -> Table:
    """A row a class, the intervals beside the scores."""
    rows = tuple(
        (
            escape(s.name),
            s.pictures,
            s.precision,
            _between(s.precision_interval),
            s.recall,
            _between(s.recall_interval),
            s.f1,
            _between(s.f1_interval),
        )
        for s in scores
    )
    return Table(("class", "pictures", "precision", "95 %", "recall", "95 %", "F1", "95 %"), rows)


def class_csv(scores: Sequence[ClassScore]) -> bytes:
    """The scores of the classes as CSV."""
    from datatools.io import tables

    names = ("precision", "recall", "f1")
    header = ["class", "pictures", *(f"{n}{end}" for n in names for end in ("", "_low", "_high"))]
    rows = (
        [s.name, s.pictures, *(v for n in names for v in (getattr(s, n), *getattr(s, f"{n}_interval")))] for s in scores
    )
    return tables.csv_bytes(header, rows)


def answers(pictures: "Pictures", probability: "NDArray[np.float32]", classes: Sequence[str]) -> tuple[Answer, ...]:
    """What was said about each picture, in their order. probability: (N, C)."""
    predicted = probability.argmax(axis=1).tolist()
    return tuple(
        Answer(example.key, classes[example.label], classes[other], float(row[example.label]), float(row[other]))
        for example, other, row in zip(pictures.examples, predicted, probability, strict=True)
    )


def answers_csv(rows: Sequence[Answer], suspicious: Collection[str] | None = None) -> bytes:
    """Answers as CSV, a row a picture; with a column 0 or 1 for suspicious ones where their keys are given."""
    from datatools.io import tables

    header = ["picture", "label", "predicted", "probability_of_label", "probability_of_predicted"]
    if suspicious is None:
        return tables.csv_bytes(header, ((r.key, r.label, r.predicted, r.own, r.score) for r in rows))
    marked = ((r.key, r.label, r.predicted, r.own, r.score, int(r.key in suspicious)) for r in rows)
    return tables.csv_bytes([*header, "suspicious"], marked)


def confused(confusion: Sequence[Sequence[int]], classes: Sequence[str], most: int) -> list[str]:
    """The pairs of classes that are confused most often, a line each."""
    pairs = [(-n, i, j) for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j and n]
    return [f"{escape(classes[i])} taken for {escape(classes[j])}: {-n}" for n, i, j in sorted(pairs)[:most]]


def between(share: float, interval: Bounds) -> str:
    """A share with its interval.

    >>> between(0.75, (0.531, 0.888))
    '0.750 (0.531 to 0.888)'
    """
    return f"{share:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def signed(difference: float, interval: Bounds) -> str:
    """A difference with its interval.

    >>> signed(0.25, (-0.031, 0.5))
    '+0.250 (-0.031 to +0.500)'
    """
    return f"{difference:+.3f} ({interval[0]:+.3f} to {interval[1]:+.3f})"


def bounds(interval: "NDArray[np.float64]") -> Bounds:
    """An interval (2,) as a pair."""
    return float(interval[0]), float(interval[1])


def _between(interval: Bounds) -> str:
    return f"{interval[0]:.2f}-{interval[1]:.2f}"
