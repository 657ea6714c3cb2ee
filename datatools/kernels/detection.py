"""How well spans of speech agree with reference spans."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]

STEP_S = 0.01
"""Spans are compared at the middle of every 10 ms."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Steps of 10 ms: hits (speech in both), false_alarms (in ours alone), misses (in the reference alone), silence (in
    neither). Those within the collar are in none."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    silence: int = 0

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.misses + other.misses,
            self.silence + other.silence,
        )

    @property
    def precision(self) -> float:
        """Share of our speech that is speech; 1 where we found none."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of the speech that we found; 1 where there is none."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there is no speech in either."""
        return _share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)

    @property
    def error_rate(self) -> float:
        """False alarms and misses together, per speech of the reference; NaN where that has none."""
        speech = self.hits + self.misses
        return (self.false_alarms + self.misses) / speech if speech else float("nan")


def compare(ours_s: Seconds, reference_s: Seconds, duration_s: float, collar_s: float = 0.0) -> Agreement:
    """Compare two sets of spans of one recording.

    ours_s, reference_s: (K, 2) start and end, seconds; they may overlap. collar_s: what lies within it of a border of
    the reference is not counted.

    >>> compare(np.array([[0., 1.]]), np.array([[0.5, 1.5]]), 2.0)
    Agreement(hits=50, false_alarms=50, misses=50, silence=50)
    """
    count = int(np.ceil(duration_s / STEP_S - 1e-9))
    ours, reference = _mask(ours_s, count), _mask(reference_s, count)
    borders = reference_s.ravel()
    counted = ~_mask(np.stack([borders - collar_s, borders + collar_s], axis=1), count) if collar_s else True
    return Agreement(
        int((ours & reference & counted).sum()),
        int((ours & ~reference & counted).sum()),
        int((~ours & reference & counted).sum()),
        int((~ours & ~reference & counted).sum()),
    )


def _mask(spans_s: Seconds, count: int) -> NDArray[np.bool_]:
    """The steps whose middle lies in a span."""
    change = np.zeros(count + 1, np.int64)
    steps = np.clip(np.ceil(spans_s / STEP_S - 0.5 - 1e-9), 0, count).astype(np.int64)
    np.add.at(change, steps[:, 0], 1)
    np.add.at(change, np.maximum(steps[:, 1], steps[:, 0]), -1)
    return np.cumsum(change[:-1]) > 0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
