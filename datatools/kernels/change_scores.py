"""Scores of change detection as changedetection.net defines them.

N. Goyette, P.-M. Jodoin, F. Porikli, J. Konrad, P. Ishwar: changedetection.net: A New Change Detection Benchmark
Dataset. CVPR Workshops 2012. A ground truth has 0 for static, 50 for hard shadow, 85 outside the region of interest,
170 for unknown motion (edges, mostly) and 255 for motion. 85 and 170 are not scored; a shadow that is called foreground
is a false positive.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

STATIC, SHADOW, OUTSIDE, UNKNOWN, MOTION = 0, 50, 85, 170, 255
LABELS = (STATIC, SHADOW, OUTSIDE, UNKNOWN, MOTION)


@dataclass(frozen=True, slots=True)
class Counts:
    """Pixels by what they are and what they were called. shadow: false positives on shadows, among `fp`."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    shadow: int = 0

    def __add__(self, other: Self) -> "Counts":
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn, self.shadow + other.shadow
        )

    @property
    def precision(self) -> float:
        """TP / (TP + FP); NaN where nothing was called foreground."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """TP / (TP + FN); NaN where nothing moves."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP)."""
        return _ratio(self.tn, self.tn + self.fp)

    @property
    def f_measure(self) -> float:
        """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def pwc(self) -> float:
        """Percentage of wrong classifications, 100 (FN + FP) / (TP + FN + FP + TN)."""
        return 100 * _ratio(self.fn + self.fp, self.tp + self.fp + self.fn + self.tn)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def count(mask: NDArray[np.uint8], truth: NDArray[np.uint8], inside: NDArray[np.bool_] | None = None) -> Counts:
    """Compare a mask with its ground truth, pixel by pixel.

    mask: (height, width); values from 128 on are foreground (127 is OpenCV's shadow). truth: the same shape, values of
    LABELS. inside: the same shape, the region of interest; all of it, unless told otherwise.

    Raises ValueError for shapes that differ and for other values in the ground truth.

    >>> counted = count(np.array([[255, 255, 0, 0]], np.uint8), np.array([[255, 50, 255, 0]], np.uint8))
    >>> counted.tp, counted.fp, counted.fn, counted.tn, counted.shadow
    (1, 1, 1, 1, 1)
    """
    if mask.shape != truth.shape or (inside is not None and inside.shape != mask.shape):
        raise ValueError(f"a mask of shape {mask.shape} against a ground truth of {truth.shape}")
    found = (mask >> 7).astype(np.int64) * 256 + truth
    cells = np.bincount((found if inside is None else found[inside]).ravel(), minlength=512).reshape(2, 256)
    other = np.flatnonzero(np.delete(cells.sum(axis=0), LABELS))
    if len(other):
        value = np.setdiff1d(np.arange(256), LABELS)[other[0]]
        raise ValueError(f"the ground truth has the value {value}, which is none of 0, 50, 85, 170, 255")
    background, foreground = cells
    return Counts(
        tp=int(foreground[MOTION]),
        fp=int(foreground[STATIC] + foreground[SHADOW]),
        fn=int(background[MOTION]),
        tn=int(background[STATIC] + background[SHADOW]),
        shadow=int(foreground[SHADOW]),
    )
