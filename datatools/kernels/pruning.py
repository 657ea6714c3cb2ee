"""Which filters of a layer can go.

Geometric median: He et al.: Filter Pruning via Geometric Median, CVPR 2019. Norms: Li et al.: Pruning Filters for
Efficient ConvNets, ICLR 2017.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def geometric_median_scores(filters: Floats) -> NDArray[np.float64]:
    """The sum of a filter's distances to all others of its layer; the smallest lies amid them and can be replaced.

    filters: (O, ...), compared as plain vectors. Returns (O,).

    >>> geometric_median_scores(np.array([[1, 0], [0, 1], [1, 1], [5, 5], [0.5, 0.5]])).round(6).tolist()
    [9.524445, 9.524445, 8.363961, 24.827064, 8.485281]
    """
    flat = _flat(filters)
    # |a - b|^2 = |a|^2 + |b|^2 - 2ab loses digits of distances that are small beside the vectors: centred, fewer
    flat = flat - flat.mean(axis=0) if len(flat) else flat
    square = np.einsum("ij,ij->i", flat, flat)
    distance = np.sqrt(np.maximum(square[:, None] + square[None, :] - 2 * (flat @ flat.T), 0))
    np.fill_diagonal(distance, 0)
    scores: NDArray[np.float64] = distance.sum(axis=1)
    return scores


def norm_scores(filters: Floats) -> NDArray[np.float64]:
    """The sum of a filter's magnitudes. filters: (O, ...). Returns (O,).

    >>> norm_scores(np.array([[1, -2], [0, 0.5]])).tolist()
    [3.0, 0.5]
    """
    scores: NDArray[np.float64] = np.abs(_flat(filters)).sum(axis=1)
    return scores


def pruned_count(filters: int, ratio: float) -> int:
    """How many of a layer's filters a ratio takes: rounded half to even, and one always stays.

    >>> [pruned_count(5, r) for r in (0.1, 0.2, 0.3, 0.5, 0.9, 1.0)]
    [0, 1, 2, 2, 4, 4]
    """
    return max(0, min(filters - 1, round(filters * ratio)))


def lowest(scores: Floats, count: int) -> NDArray[np.int64]:
    """The places of the lowest scores, rising; of equal ones the first. scores: (O,).

    >>> lowest(np.array([3.0, 1.0, 2.0, 1.0]), 2).tolist()
    [1, 3]
    """
    return np.sort(np.argsort(scores, kind="stable")[:count])


def _flat(filters: Floats) -> NDArray[np.float64]:
    return filters.reshape(len(filters), math.prod(filters.shape[1:])).astype(np.float64)
