"""Many box sizes as few weighted points, so that clustering 860,000 boxes costs what some thousands cost.

Sizes are (N, 2) float64 widths and heights in pixels, positive.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sizes = NDArray[np.float64]
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]


def count_sizes(wh: Sizes) -> tuple[Sizes, Floats]:
    """Round sizes to whole pixels, at least 1, and count equal ones.

    Returns the distinct sizes (M, 2), in order of width and then height, and how often each occurs (M,).

    >>> sizes, counts = count_sizes(np.array([[10.2, 4.], [9.8, 4.4], [3., 0.1]]))
    >>> sizes.tolist(), counts.tolist()
    ([[3.0, 1.0], [10.0, 4.0]], [1.0, 2.0])
    """
    if len(wh) == 0:
        return np.empty((0, 2)), np.empty(0)
    pixels = np.maximum(np.rint(wh), 1.0).astype(np.int64)
    columns = int(pixels[:, 1].max()) + 1
    codes = pixels[:, 0] * columns + pixels[:, 1]
    if int(codes.max()) < 1_000_000 + 4 * len(codes):  # counting in a grid beats sorting
        in_grid = np.bincount(codes)
        found = np.flatnonzero(in_grid)
        counts = in_grid[found].astype(np.float64)
    else:
        found, counted = np.unique(codes, return_counts=True)
        counts = counted.astype(np.float64)
    return np.stack(np.divmod(found, columns), axis=1).astype(np.float64), counts


def thin_sizes(wh: Sizes, weight: Floats, limit: int) -> tuple[Sizes, Floats]:
    """Merge neighbours until at most `limit`, and rarely less than half of that, points stand for all of them.

    wh: (M, 2) distinct sizes, weight: (M,). The cells are equal in the logarithm, because IoU sees ratios; a point is
    the weighted mean of its cell and carries its weight. Returns the arguments themselves where they are few enough.
    """
    if len(wh) <= limit:
        return wh, weight
    logs = np.log(wh)
    logs -= logs.min(axis=0)
    step = 0.5 * float(np.sqrt(np.maximum(logs.max(axis=0), 1e-3).prod() / limit))
    cells = _cells(logs, step)
    while cells.max() + 1 < limit / 2:
        step /= 2
        cells = _cells(logs, step)
    while cells.max() + 1 > limit:
        step *= 1.2
        cells = _cells(logs, step)
    total = np.bincount(cells, weight).astype(np.float64)
    sums = [np.bincount(cells, weight * side) for side in wh.T]
    merged: Sizes = np.stack(sums, axis=1) / total[:, None]
    return merged, total


def _cells(logs: Floats, step: float) -> NDArray[np.int64]:
    """Return the number of the cell of each point, (M,), counted over those cells that hold any."""
    grid = (logs / step).astype(np.int64)
    columns = int(grid[:, 1].max()) + 1
    codes = grid[:, 0] * columns + grid[:, 1]
    if int(codes.max()) > 8 * len(codes):
        numbers: NDArray[np.int64] = np.unique(codes, return_inverse=True)[1].reshape(-1)
        return numbers
    numbers = np.cumsum(np.bincount(codes) > 0)[codes] - 1
    return numbers


@dataclass(frozen=True)
class Points:
    """Weighted sizes, with what k-means asks of them again and again computed once.

    wh: (M, 2); weight: (M,); w, h, area: (M,), in the precision that similarities are computed with.
    """

    wh: Sizes
    weight: Floats
    w: Reals
    h: Reals
    area: Reals

    @classmethod
    def of(cls, wh: Sizes, weight: Floats, *, single: bool = False) -> "Points":
        """Make them from sizes (M, 2) and weights (M,), both positive.

        single: compare them in single precision, in half the time: good enough to search with.
        """
        sides: Reals = np.ascontiguousarray(wh.T, np.float32 if single else np.float64)
        return cls(wh, weight, sides[0], sides[1], sides[0] * sides[1])

    @cached_property
    def orders(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The indices that sort the widths and those that sort the heights."""
        return np.argsort(self.wh[:, 0], kind="stable"), np.argsort(self.wh[:, 1], kind="stable")

    def mean(self, values: Reals) -> Floats:
        """Return the weighted mean of one value a point: of values (..., M) an array of the shape (...)."""
        # no dot product: BLAS would wake its threads for one of more than 10,000 numbers
        return np.asarray((self.weight * values).sum(axis=-1) / self.weight.sum())

    def draw(self, chance: Floats, rng: np.random.Generator) -> Sizes:
        """Return the sizes of points drawn with chances that need not sum to 1: of chances (..., M) sizes (..., 2)."""
        sums = np.cumsum(chance, axis=-1)
        passed = sums <= rng.random((*sums.shape[:-1], 1)) * sums[..., -1:]
        size: Sizes = self.wh[np.minimum(np.count_nonzero(passed, axis=-1), len(self.wh) - 1)]
        return size
