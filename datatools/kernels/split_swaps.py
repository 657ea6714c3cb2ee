"""Swaps that bring a split closer to the classes' shares: one unit out, one in, so that the sizes stay.

All of it looks at a pool: some thousand units of each split as dense rows, those with rare classes and some others.
For two splits a and b, the gain of every unit that leaves is one matrix-vector product; the best few of both sides are
paired and the best pairs are swapped while the error falls.

A column of the pool is a class; the last column is the size, treated as one more class, and a few rows are no unit at
all: a swap with one of them is a move. Both matter only where units differ in size.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datatools.kernels.split_units import Floats, Ints, Units

POOL_CELLS = 1 << 21
"""The pools of all splits together have at most this many cells (16 MiB)."""
POOL_ROWS = 2048
SHORT = 24
"""How many units of each side are paired."""
BURST = 8
"""Swaps out of one pairing."""
STEPS = 60
"""Pairings for each pair of splits and pool, while all of them are at most MOST_PAIRINGS."""
MOST_PAIRINGS = 2000
ROUNDS = 2
"""Pools that are drawn."""
GHOSTS = 4
"""Rows of a pool that are no unit."""
LEAST = 1e-8
"""The least gain that a swap is made for: more than what rounding can feign."""


@dataclass(slots=True)
class _Pool:
    """The candidates of one split: unit numbers (-1: none), their rows, and the squared length of each row."""

    units: Ints
    rows: Floats
    squares: Floats

    def swap(self, mine: np.integer, other: "_Pool", theirs: np.integer) -> None:
        """Exchange two candidates."""
        for here, there in ((self.units, other.units), (self.rows, other.rows), (self.squares, other.squares)):
            here[mine], there[theirs] = there[theirs].copy(), here[mine].copy()


@dataclass(slots=True)
class _State:
    """Where the search stands: what each split has, in whole numbers, and what an object of each column weighs."""

    have: Ints  # (s, columns)
    totals: Ints  # (columns,)
    inverse: Floats  # (columns,) one object's share of its class, see _inverse
    targets: Ints  # (s,)
    tolerance: int  # items that any split may be off

    @property
    def off(self) -> Ints:
        """(s,) items too many."""
        return self.have[:, -1] - self.targets

    def weight(self, split: int) -> float:
        """How much a squared error of the split's share counts."""
        return float(self.targets.sum() / self.targets[split]) ** 2 if self.targets[split] else 0.0

    def slope(self, a: int, b: int) -> Floats:
        """(columns,) growth of half the error when an object of the column comes to a from b."""
        shares = self.targets / self.targets.sum()
        over = (self.have - shares[:, None] * self.totals) * self.inverse
        return np.asarray((self.weight(a) * over[a] - self.weight(b) * over[b]) * self.inverse)


def improve(
    units: Units,
    targets: Ints,
    split: Ints,
    free: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    tolerance: int = 0,
) -> Ints:
    """Return a split with a smaller error; sizes do not get further from the targets than `tolerance` or than they are.

    split: (u,) the split of each unit. free: (u,) which units may be swapped. targets: (s,) items wanted.
    """
    split = split.copy()
    have = np.column_stack((units.objects(split, targets.size), units.sizes_of(split, targets.size)))
    totals = np.append(units.totals, units.sizes.sum())
    state = _State(have, totals, _inverse(totals), targets, tolerance)
    open_splits = [s for s in range(targets.size) if targets[s] > 0]
    pairs = [(a, b) for i, a in enumerate(open_splits) for b in open_splits[i + 1 :]]
    if not pairs or not units.classes.size:
        return split
    for _ in range(ROUNDS):
        pools = _draw(units, split, free, state, rng)
        rng.shuffle(pairs)  # where there are more than can be tried, none is favoured
        if not _descend(state, pools, pairs):
            break
        for s, pool in enumerate(pools):
            split[pool.units[pool.units >= 0]] = s
    return split


def _draw(
    units: Units, split: Ints, free: npt.NDArray[np.bool_], state: _State, rng: np.random.Generator
) -> list[_Pool]:
    """Take candidates of each split: one half those with the rarest classes, the rest by chance."""
    columns = units.n_classes + 1
    most = int(np.clip(POOL_CELLS // (columns * state.targets.size), 64, POOL_ROWS))
    filled = np.flatnonzero(np.diff(units.starts))
    rarest = np.full(units.sizes.size, np.iinfo(np.int64).max)
    rarest[filled] = np.minimum.reduceat(units.totals[units.classes], units.starts[filled])
    pools = []
    for s in range(state.targets.size):
        members = rng.permutation(np.flatnonzero((split == s) & free))
        if members.size > most:
            members = members[np.argsort(rarest[members], kind="stable")]
            rest = rng.choice(members[most // 2 :], most - most // 2, replace=False)
            members = np.concatenate((members[: most // 2], rest))
        ghosts = GHOSTS if state.tolerance or state.off.any() else 0
        rows = np.zeros((members.size + ghosts, columns))
        lengths = np.diff(units.starts)[members]
        ends = np.cumsum(lengths)
        entries = np.repeat(units.starts[members] - (ends - lengths), lengths) + np.arange(lengths.sum())
        rows[np.repeat(np.arange(members.size), lengths), units.classes[entries]] = units.counts[entries]
        rows[: members.size, -1] = units.sizes[members]
        squares = np.square(rows * state.inverse).sum(axis=1)
        pools.append(_Pool(np.concatenate((members, np.full(ghosts, -1))), rows, squares))
    return pools


def _descend(state: _State, pools: list[_Pool], pairs: list[tuple[int, int]]) -> bool:
    """Swap until no pair of splits gains any more, or the steps are spent; say whether anything was swapped."""
    gained = False
    stuck: set[tuple[int, int]] = set()
    left = MOST_PAIRINGS
    for _ in range(STEPS):
        for pair in pairs:
            if pair in stuck:
                continue
            if (left := left - 1) < 0:
                return gained
            if _burst(state, pools, *pair):
                gained = True
                stuck = {p for p in stuck if not set(p) & set(pair)}
            else:
                stuck.add(pair)
        if len(stuck) == len(pairs):
            break
    return gained


def _burst(state: _State, pools: list[_Pool], a: int, b: int) -> int:
    """Pair the most promising units of two splits and make the best swaps among them; return how many."""
    near, far = pools[a], pools[b]
    if not near.units.size or not far.units.size:
        return 0
    curve = state.weight(a) + state.weight(b)
    slope = state.slope(a, b)
    # leaving a for b is -slope, coming from b is +slope; both add their own square
    mine = _best(-2 * _exact(near.rows, slope) + curve * near.squares)
    theirs = _best(2 * _exact(far.rows, slope) + curve * far.squares)
    out, into = near.rows[mine], far.rows[theirs]
    products = (out * state.inverse) @ (into * state.inverse).T
    squares = curve * (near.squares[mine][:, None] + far.squares[theirs][None, :] - 2 * products)
    growth = into[None, :, -1] - out[:, None, -1]
    usable = np.ones(squares.shape, dtype=bool)
    done = 0
    while done < BURST:
        cost = squares + 2 * (_exact(into, slope)[None, :] - _exact(out, slope)[:, None])
        cost[~(usable & _fits(state, a, b, growth))] = np.inf
        best = int(np.argmin(cost))
        i, j = divmod(best, cost.shape[1])
        if not cost[i, j] < -LEAST:
            break
        change = (into[j] - out[i]).astype(np.int64)
        state.have[a] += change
        state.have[b] -= change
        near.swap(mine[i], far, theirs[j])
        usable[i, :] = usable[:, j] = False
        slope = state.slope(a, b)
        done += 1
    return done


def _fits(state: _State, a: int, b: int, growth: Floats) -> npt.NDArray[np.bool_]:
    """Which swaps leave the size of both splits within the tolerance, or no further off than it is."""
    mine, theirs = int(state.off[a]), int(state.off[b])
    fits = np.abs(mine + growth) <= max(abs(mine), state.tolerance)
    return np.asarray(fits & (np.abs(theirs - growth) <= max(abs(theirs), state.tolerance)))


def _best(costs: Floats) -> npt.NDArray[np.intp]:
    """The indices of the smallest costs; among equals the first, whatever the sorting of this machine."""
    if costs.size <= SHORT:
        return np.arange(costs.size)
    bound = np.partition(costs, SHORT - 1)[SHORT - 1]
    below = np.flatnonzero(costs < bound)
    return np.sort(np.concatenate((below, np.flatnonzero(costs == bound)[: SHORT - below.size])))


def _inverse(totals: Ints) -> Floats:
    """One object's share of each column, rounded to so few bits that sums of products of two of them are exact.

    Rounding is the same for all objects of a class, so it only makes the class count a little more or less.
    """
    bits = int((50 - np.log2(totals.size)) // 2)
    steps = np.maximum(np.rint(2.0**bits / np.maximum(totals, 1)), 1)
    return np.asarray(np.where(totals > 0, steps / 2.0**bits, 0.0))


def _whole(weights: Floats, largest: float) -> tuple[Floats, float]:
    """Scale weights to whole numbers by a power of two, so that sums of `largest` of them stay below 2**53."""
    top = float(np.abs(weights).max(initial=0.0)) * max(largest, 1.0)
    scale = 2.0 ** np.floor(51 - np.log2(top)) if top > 0 else 1.0
    return np.rint(weights * scale), float(scale)


def _exact(rows: Floats, weights: Floats) -> Floats:
    """rows @ weights for rows of whole numbers, the same bits whatever the order in which the product sums."""
    whole, scale = _whole(weights, float(rows.sum(axis=1).max(initial=0.0)))
    return np.asarray(rows @ whole / scale)
