"""Units that a split deals: their class counts, target sizes, and how far classes are from their shares.

A *unit* is what stays together: one item, or a group of items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Units:
    """What is dealt: u units with their sizes and class counts, as compressed rows.

    sizes: (u,) items in each unit. starts: (u + 1,) where each unit's entries start.
    classes, counts: (e,) the classes of a unit, ascending, and how many objects of each it has.
    """

    sizes: Ints
    starts: Ints
    classes: Ints
    counts: Ints
    n_classes: int

    @property
    def entry_unit(self) -> Ints:
        """(e,) the unit of each entry."""
        return np.repeat(np.arange(self.sizes.size), np.diff(self.starts))

    @property
    def totals(self) -> Ints:
        """(n_classes,) objects of each class."""
        return np.bincount(self.classes, self.counts, self.n_classes).astype(np.int64)

    def objects(self, split: npt.NDArray[np.integer], n_splits: int) -> Ints:
        """(n_splits, n_classes) objects of each class in each split; units with a negative split are left out."""
        rows = split[self.entry_unit].astype(np.int64)
        chosen = rows >= 0
        cells = rows[chosen] * self.n_classes + self.classes[chosen]
        # the weights are whole numbers, so their float sums are exact
        sums = np.bincount(cells, self.counts[chosen], n_splits * self.n_classes)
        return sums.astype(np.int64).reshape(n_splits, self.n_classes)

    def sizes_of(self, split: npt.NDArray[np.integer], n_splits: int) -> Ints:
        """(n_splits,) items in each split; units with a negative split are left out."""
        placed = split >= 0
        return np.bincount(split[placed], self.sizes[placed], n_splits).astype(np.int64)


def tally(
    item_unit: npt.NDArray[np.integer],
    box_item: npt.NDArray[np.integer],
    box_class: npt.NDArray[np.integer],
    n_classes: int,
) -> Units:
    """Count the classes of each unit.

    item_unit: (n,) the unit of each item; units are numbered 0 ... u - 1 without gaps.
    box_item, box_class: (m,) the item and the class of each object.

    >>> tally(np.array([0, 0, 1]), np.array([0, 1, 2, 2]), np.array([1, 1, 0, 1]), 2).counts.tolist()
    [2, 1, 1]
    """
    sizes = np.bincount(item_unit).astype(np.int64)
    keys = np.asarray(item_unit, dtype=np.int64)[box_item] * n_classes + box_class
    cells, counts = np.unique(keys, return_counts=True)
    units, classes = np.divmod(cells, max(n_classes, 1))
    starts = np.searchsorted(units, np.arange(sizes.size + 1))
    return Units(sizes, starts.astype(np.int64), classes, counts.astype(np.int64), n_classes)


def share_out(n: int, shares: Sequence[float]) -> Ints:
    """Divide n items by largest remainder: whole numbers that sum to n; among equal remainders the first wins.

    shares: finite, not negative, with a positive sum. ValueError otherwise.

    >>> share_out(10, (0.75, 0.25)).tolist()
    [8, 2]
    """
    parts = np.asarray(shares, dtype=np.float64)
    if not (np.isfinite(parts).all() and (parts >= 0).all() and parts.sum() > 0):
        raise ValueError(f"shares must be finite, not negative, with a positive sum (got {list(shares)})")
    # 0.9 * 10 and the like must not fall short of the whole number that is meant
    wanted = np.round(parts / parts.sum() * n, 9)
    sizes: Ints = np.floor(wanted).astype(np.int64)
    first = np.argsort(sizes - wanted, kind="stable")[: n - sizes.sum()]
    sizes[first] += 1
    return sizes


def error(objects: Ints, targets: Ints) -> float:
    """Return the sum of the squared relative errors of the classes' shares.

    objects: (s, c) of each class in each split. targets: (s,). Splits of no items and classes of no objects count not.

    >>> error(np.array([[9, 4], [1, 6]]), np.array([90, 10])).__round__(3)
    25.309
    """
    relative = relative_errors(objects, targets)
    return float(np.cumsum(np.square(relative[np.isfinite(relative)]))[-1]) if np.isfinite(relative).any() else 0.0


def relative_errors(objects: Ints, targets: Ints) -> Floats:
    """Return (s, c): how far the share of a class's objects that a split has is from the split's share of the items.

    0.1 is ten per cent too many. NaN where a split should have no items or a class has no objects.
    """
    shares = (np.asarray(targets) / max(int(np.sum(targets)), 1))[:, None]
    totals = objects.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.asarray(objects / totals / shares - 1)
    relative[~np.isfinite(relative)] = np.nan
    return relative
