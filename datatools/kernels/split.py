"""Splits of a labelled set: exact sizes, every class in its share, groups kept whole.

After Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data" (ECML PKDD 2011): the rarest class
is dealt first, because later ones can still mend what it spoils, never the other way round. Theirs looks at one item at
a time and counts whether a class occurs; here a class is dealt as a whole, objects are counted, and swaps of one unit
against another follow (`split_swaps`), which keep the sizes and bring the shares closer.

A *unit* is what stays together: one item, or a group of items. The error that everything here makes small is

    sum over splits s and classes c of ((objects[s, c] / objects[c] - share[s]) / share[s]) ** 2

The same generator state gives the same split on every machine: sums are exact or taken in a fixed order, ties go to the
first.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from datatools.kernels.split_swaps import improve
from datatools.kernels.split_units import Floats, Ints, Units, error, relative_errors, share_out, tally

__all__ = ["Units", "assign", "error", "relative_errors", "share_out", "tally"]

TRIES = 8
"""Deals that are tried where units are few, because a bad start can then not always be swapped away."""
FEW = 5000
"""So many units times splits are few."""
TINY = 64
"""So many are tiny: there are hardly any swaps, and four times as many deals find what they cannot."""


def assign(
    units: Units,
    targets: npt.NDArray[np.integer],
    rng: np.random.Generator,
    *,
    fixed: npt.NDArray[np.integer] | None = None,
    tolerance: int = 0,
) -> Ints:
    """Deal units to splits; return the split of each, (u,).

    targets: (s,) items wanted in each split; they sum to the items of all units. Where units of one item allow it they
    are met exactly; otherwise no split is off by more than the largest unit, and within that none that should have
    items is left empty while another has several units.
    fixed: (u,) the split that a unit has already, -1 where it is free. Fixed units stay and count.
    tolerance: items that a split may be off when that brings the classes closer to their shares.
    ValueError when the targets do not sum to the items.

    >>> units = tally(np.arange(4), np.arange(4), np.array([0, 0, 1, 1]), 2)
    >>> halves = assign(units, np.array([2, 2]), np.random.default_rng(0))
    >>> units.objects(halves, 2).tolist()
    [[1, 1], [1, 1]]
    """
    wanted: Ints = np.array(targets, dtype=np.int64)
    if wanted.sum() != units.sizes.sum():
        raise ValueError(f"targets sum to {wanted.sum()}, there are {units.sizes.sum()} items")
    held = np.full(units.sizes.size, -1, dtype=np.int64) if fixed is None else np.array(fixed, dtype=np.int64)
    free = held < 0
    if not free.any():
        return held
    best, best_score = held, (np.inf, np.inf)
    places = int(free.sum()) * wanted.size
    for _ in range(4 * TRIES if places <= TINY else TRIES if places <= FEW else 1):
        split = _deal(units, wanted, held, rng)
        split = _settle(units, wanted, split, free)
        split = improve(units, wanted, split, free, rng, tolerance=tolerance)
        split = _fill_empty(units, wanted, split, free)
        off = np.abs(units.sizes_of(split, wanted.size) - wanted).max()
        score = (float(max(off - tolerance, 0)), error(units.objects(split, wanted.size), wanted))
        if score < best_score:
            best, best_score = split, score
    return best


def _deal(units: Units, targets: Ints, held: Ints, rng: np.random.Generator) -> Ints:
    """Deal the free units, those with the rarest class first: each class so that its objects follow the demand."""
    split = held.copy()
    free = held < 0
    order, blocks = _blocks(units, free, rng)
    entries = _rows(units.starts, order)
    entry_starts = np.concatenate(([0], np.cumsum(np.diff(units.starts)[order])))
    classes, counts = units.classes[entries], units.counts[entries]

    objects = units.objects(held, targets.size)
    totals = units.totals
    room = targets - units.sizes_of(held, targets.size)
    for cls, start, stop in blocks:
        block = order[start:stop]
        rows = slice(entry_starts[start], entry_starts[stop])
        if cls >= 0:
            weights = counts[rows][classes[rows] == cls]
            demand = targets / targets.sum() * totals[cls] - objects[:, cls]
        else:  # the most frequent class and the units without objects fill what is left
            weights = units.sizes[block]
            demand = room.astype(np.float64)
        split[block] = _cut(weights, _open(demand, room, targets), targets)
        room = room - np.bincount(split[block], units.sizes[block], targets.size).astype(np.int64)
        owner = np.repeat(split[block], np.diff(units.starts)[block])
        cells = owner * units.n_classes + classes[rows]
        objects = objects + np.bincount(cells, counts[rows], objects.size).reshape(objects.shape).astype(np.int64)
    return split


def _blocks(
    units: Units, free: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Ints, list[tuple[int, int, int]]]:
    """Put the free units in dealing order, shuffled inside blocks; blocks are (class, start, stop), the last has -1."""
    totals = units.totals
    by_rarity = np.argsort(totals, kind="stable")
    rank = np.empty(units.n_classes + 1, dtype=np.int64)
    rank[by_rarity] = np.arange(units.n_classes)
    last = units.n_classes - 1  # the most frequent class and no class at all are one block
    rarest = np.full(units.sizes.size, last, dtype=np.int64)
    filled = np.flatnonzero(np.diff(units.starts))
    if filled.size:
        rarest[filled] = np.minimum.reduceat(rank[units.classes], units.starts[filled])
    shuffled = rng.permutation(np.flatnonzero(free))
    order = shuffled[np.argsort(rarest[shuffled], kind="stable")]
    edges = np.searchsorted(rarest[order], np.arange(units.n_classes + 1))
    blocks = [(int(by_rarity[r]), int(edges[r]), int(edges[r + 1])) for r in range(last) if edges[r] < edges[r + 1]]
    start = int(edges[max(last, 0)]) if units.n_classes else 0
    if start < order.size:
        blocks.append((-1, start, order.size))
    return order, blocks


def _open(demand: Floats, room: Ints, targets: Ints) -> Floats:
    """Keep the demand of the splits that have room; where nobody wants anything, the room or the targets decide."""
    for wish, allowed in ((demand, room > 0), (room.astype(np.float64), room > 0)):
        wanted = np.where(allowed, np.maximum(wish, 0), 0)
        if wanted.any():
            return wanted
    return targets.astype(np.float64)


def _cut(weights: Ints, demand: Floats, targets: Ints) -> Ints:
    """Cut a row of units into splits, so that their weights follow the demand; a unit goes where its middle lies."""
    order = np.argsort(-targets, kind="stable")  # the largest first: it gets the only unit of a rare class
    bounds = np.cumsum(demand[order])
    upto = np.cumsum(weights)
    middles = (upto - weights / 2) * (bounds[-1] / max(int(upto[-1]), 1))
    place = np.searchsorted(bounds[:-1], middles, side="right")
    return np.asarray(order[place], dtype=np.int64)


def _settle(units: Units, targets: Ints, split: Ints, free: npt.NDArray[np.bool_]) -> Ints:
    """Move free units from splits with too many items to those with too few, while that brings sizes closer."""
    split = split.copy()
    while (move := next(_moves(units, targets, split, free), None)) is not None:
        chosen, to = move
        split[chosen] = to
    return split


def _moves(units: Units, targets: Ints, split: Ints, free: npt.NDArray[np.bool_]) -> Iterator[tuple[Ints, int]]:
    """Yield (units, new split) that make the sum of the squared size errors smaller; those that suit the classes."""
    off = units.sizes_of(split, targets.size) - targets
    for a in np.argsort(-off, kind="stable"):
        for b in np.argsort(off, kind="stable"):
            gap = off[a] - off[b]
            if gap <= 1 or targets[b] == 0:
                continue
            inside = np.flatnonzero((split == a) & free & (units.sizes < gap))
            if not inside.size:
                continue
            inside = inside[np.argsort(_cost(units, targets, split, a, b)[inside], kind="stable")]
            # several at once while far off, then one by one as the classes' needs change with each
            part = min(off[a], -off[b]) // 4
            n = int(np.searchsorted(np.cumsum(units.sizes[inside]), part, side="right"))
            yield inside[: max(n, 1)], int(b)


def _cost(units: Units, targets: Ints, split: Ints, a: np.integer, b: np.integer) -> Floats:
    """(u,) how much the error grows, to first order, when a unit goes from split a to split b."""
    relative = np.nan_to_num(relative_errors(units.objects(split, targets.size), targets))
    totals = np.maximum(units.totals, 1)
    shares = targets / targets.sum()
    slope = (relative[b] / shares[b] - (relative[a] / shares[a] if shares[a] else 0)) / totals
    return np.bincount(units.entry_unit, units.counts * slope[units.classes], units.sizes.size).astype(np.float64)


def _fill_empty(units: Units, targets: Ints, split: Ints, free: npt.NDArray[np.bool_]) -> Ints:
    """Give a split that got nothing, because the units are large, the smallest unit that is to be had.

    Only where the sizes stay within one unit of the targets.
    """
    most = max(int(units.sizes.max()), int(np.abs(units.sizes_of(split, targets.size) - targets).max()))
    for s in np.argsort(-targets, kind="stable"):
        if targets[s] == 0 or (split == s).any():
            continue
        many = np.bincount(split, minlength=targets.size) > 1
        off = units.sizes_of(split, targets.size) - targets
        givers = [g for g in np.argsort(-off, kind="stable") if many[g] and (free & (split == g)).any()]
        if not givers:
            break
        spare = np.flatnonzero(free & (split == givers[0]))
        filled = split.copy()
        filled[spare[np.argmin(units.sizes[spare])]] = s
        if np.abs(units.sizes_of(filled, targets.size) - targets).max() <= most:
            split = filled
    return split


def _rows(starts: Ints, order: Ints) -> Ints:
    """The entries of the units in `order`, one unit after the other."""
    lengths = np.diff(starts)[order]
    ends = np.cumsum(lengths)
    return np.repeat(starts[order] - (ends - lengths), lengths) + np.arange(ends[-1] if ends.size else 0)
