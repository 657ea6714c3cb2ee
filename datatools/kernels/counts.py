"""Counting in columns: cross tables, distributions, co-occurrence and where boxes lie."""

from typing import Any

import numpy as np
import numpy.typing as npt

from datatools.core.census import Distribution

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

SMALL_AREA = 32.0**2
"""COCO: a box under this area (square pixels) is small."""
LARGE_AREA = 96.0**2
"""COCO: a box of this area or above is large."""


def cross_table(rows: Ints, columns: Ints, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Count how often each pair (row, column) occurs.

    rows, columns: (m,) in 0 .. shape - 1. Returns `shape`, int64.

    >>> cross_table(np.array([0, 1, 1]), np.array([2, 0, 0]), (2, 3)).tolist()
    [[0, 0, 1], [2, 0, 0]]
    """
    flat = rows.astype(np.int64) * shape[1] + columns
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)


def distinct_pairs(items: Ints, classes: Ints) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each pair (item, class) once, sorted by item, then class.

    >>> [a.tolist() for a in distinct_pairs(np.array([5, 2, 5]), np.array([1, 0, 1]))]
    [[2, 5], [0, 1]]
    """
    width = int(classes.max(initial=0)) + 1
    flat = np.sort(items.astype(np.int64) * width + classes)
    flat = flat[np.diff(flat, prepend=-1) > 0]  # twice as fast as np.unique
    return flat // width, flat % width


def co_occurrence(items: Ints, classes: Ints, n_classes: int) -> npt.NDArray[np.int64]:
    """Count the items that hold both of two classes; on the diagonal, those that hold the class.

    items, classes: (m,), each pair at most once, sorted by item. Returns (n_classes, n_classes), symmetric.

    >>> co_occurrence(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [1, 2]]
    """
    total = np.zeros((n_classes, n_classes), np.int64)
    rows = np.cumsum(np.diff(items, prepend=items[:1]) > 0)
    n_items = int(rows.max(initial=-1)) + 1
    # a product of 0/1 matrices, in blocks that bound the memory; float32 counts exactly up to 2^24
    block = 1 << 14
    for start in range(0, n_items, block):
        first, last = np.searchsorted(rows, [start, start + block])
        holds = np.zeros((min(block, n_items - start), n_classes), np.float32)
        holds[rows[first:last] - start, classes[first:last]] = 1
        total += np.rint(holds.T @ holds).astype(np.int64)
    return total


def position_map(centres_norm: Floats, grid: int = 8) -> npt.NDArray[np.int64]:
    """Count centres on a grid over the image, rows from the top.

    centres_norm: (m, 2) x and y in 0 .. 1; those outside are counted at the edge. Returns (grid, grid).

    >>> position_map(np.array([[0.1, 0.9], [0.6, 0.2], [2.0, 0.0]]), 2).tolist()
    [[0, 2], [1, 0]]
    """
    cells = np.clip(np.floor(centres_norm * grid), 0, grid - 1).astype(np.int64)
    return cross_table(cells[:, 1], cells[:, 0], (grid, grid))


def size_band(area: Floats) -> npt.NDArray[np.int64]:
    """Return 0, 1 or 2 for COCO's small, medium and large.

    >>> size_band(np.array([1023.9, 1024.0, 9216.0])).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.array([SMALL_AREA, LARGE_AREA]), area, side="right").astype(np.int64)


def grouped_median(values: Floats, groups: Ints, n_groups: int) -> Floats:
    """Return the median of the values of each group, NaN for a group without any.

    >>> grouped_median(np.array([1.0, 9.0, 2.0, 4.0]), np.array([0, 2, 0, 0]), 3).tolist()
    [2.0, nan, 9.0]
    """
    median = np.full(n_groups, np.nan)
    ordered = values[np.lexsort((values, groups))]
    counts = np.bincount(groups, minlength=n_groups)
    ends = np.cumsum(counts)
    some = counts > 0
    starts, counts = (ends - counts)[some], counts[some]
    median[some] = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
    return median


def distribution(values: npt.NDArray[Any], *, bins: int = 24, log: bool = False, whole: bool = False) -> Distribution:
    """Describe finite numbers by quantiles and a histogram.

    log: the bins are equally wide on a logarithmic scale (values above 0). whole: they are whole numbers, and every
    bin holds as many of them.

    >>> d = distribution(np.array([1, 2, 2, 4]), whole=True)
    >>> d.median, d.edges, d.counts
    (2.0, (1.0, 2.0, 3.0, 4.0, 5.0), (1, 2, 0, 1))
    """
    if not len(values):
        return Distribution()
    values = values.astype(np.float64)
    low, p5, p25, median, p75, p95, high = np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).tolist()
    edges = _edges(low, high, bins, log, whole)
    counts, _ = np.histogram(values, edges)
    return Distribution(
        count=len(values),
        mean=float(values.mean()),
        minimum=low,
        p5=p5,
        p25=p25,
        median=median,
        p75=p75,
        p95=p95,
        maximum=high,
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def _edges(low: float, high: float, bins: int, log: bool, whole: bool) -> Floats:
    if whole:
        step = max(int(np.ceil((high - low + 1) / bins)), 1)
        return np.arange(low, high + step + 0.5, step)
    # one value, or values so near that the edges between them would coincide
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = max(abs(high) * 0.05, 1e-9)
        return np.array([low - margin, high + margin])
    edges = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high  # geomspace may round them inwards and lose the ends
    return edges
