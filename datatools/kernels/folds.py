"""Dealing classified examples to parts: every class in its share, and what belongs together in one part."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datatools.kernels import split

Ints = NDArray[np.int64]


def parts(
    label: NDArray[np.integer], ties: Sequence[NDArray[np.integer]], shares: Sequence[float], rng: np.random.Generator
) -> Ints:
    """Deal examples to parts of given shares; return the part of each, (N,).

    label: (N,) classes from 0. ties: arrays (N,), such as the picture that an example was cut from; examples that have
    the same number in any of them stay together, so that no part knows another one's answers. shares: they sum to 1.

    >>> parts(np.array([0, 0, 1, 1]), [np.arange(4)], (0.5, 0.5), np.random.default_rng(0)).tolist()
    [0, 1, 0, 1]
    """
    if not len(label):
        return np.zeros(0, np.int64)
    unit = tied(ties)
    counted = split.tally(unit, np.arange(len(label)), label, int(label.max()) + 1)
    targets = split.share_out(len(label), shares)
    # sizes may be off by half a unit where the classes gain from it
    dealt = split.assign(counted, targets, rng, tolerance=int(np.median(counted.sizes)) // 2)
    return dealt[unit]


def tied(ties: Sequence[NDArray[np.integer]]) -> Ints:
    """Number the groups of examples that any of the arrays (N,) ties together, in the order of their first members.

    >>> tied([np.array([5, 5, 6, 7]), np.array([0, 1, 1, 2])]).tolist()
    [0, 0, 0, 1]
    """
    count = len(ties[0])
    places = [np.unique(tie, return_inverse=True)[1] + count * i for i, tie in enumerate(ties)]
    return linked(np.tile(np.arange(count), len(ties)), np.concatenate(places), count)


def linked(item: NDArray[np.integer], name: NDArray[np.integer], count: int) -> Ints:
    """Number the groups of `count` items that share a name, directly or through others, in the order of their firsts.

    item, name: (m,) pairs: the item has the name. An item without any is a group of its own.

    >>> linked(np.array([0, 1, 1, 2]), np.array([7, 7, 9, 9]), 4).tolist()
    [0, 0, 0, 1]
    """
    names = int(name.max(initial=-1)) + 1
    size = count + names
    graph = coo_array((np.ones(len(item), np.int8), (item, name + count)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    _, first, unit = np.unique(component[:count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[unit].astype(np.int64)
