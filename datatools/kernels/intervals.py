"""How sure a measured share is: intervals of proportions, and of the difference between two ways of doing a thing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z95 = 1.959963984540054
"""The normal quantile of a two-sided interval of 95 %."""

_BLOCK = 2**22  # weights at a time: memory stays flat


def wilson(hits: npt.ArrayLike, trials: npt.ArrayLike, z: float = Z95) -> Floats:
    """Return the score interval of proportions, (..., 2): lower and upper bound; 0 and 1 where there was no trial.

    hits, trials: whole numbers of one shape, 0 <= hits <= trials. After E. B. Wilson, "Probable Inference, the Law of
    Succession, and Statistical Inference" (JASA, 1927): it stays inside [0, 1] and holds for few trials.

    >>> wilson([8, 10, 0], [10, 10, 0]).round(4).tolist()
    [[0.4902, 0.9433], [0.7225, 1.0], [0.0, 1.0]]
    """
    k, n = np.broadcast_arrays(np.asarray(hits, np.float64), np.asarray(trials, np.float64))
    safe = np.maximum(n, 1.0)
    share = k / safe
    centre = (share + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(share * (1 - share) / safe + z * z / (4 * safe * safe))
    # at the ends the bound is exactly 0 or 1, which rounding would miss by one digit
    low = np.where(k == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(k == n, 1.0, np.minimum(centre + half, 1.0))
    return np.stack([low, high], axis=-1)


def f1_interval(true_positives: npt.ArrayLike, false_ones: npt.ArrayLike, z: float = Z95) -> Floats:
    """Return the interval of F1 scores, (..., 2).

    true_positives: whole numbers. false_ones: false positives plus false negatives. F1 / (2 - F1) is the proportion of
    the true positives among all three, so Wilson's interval of that, turned back, is one of F1: the "indirect" way of
    Lam, Gopal and Qian, "Confidence Intervals for the F1 Score: A Comparison of Four Methods" (2023).

    >>> f1_interval([8], [4]).round(4).tolist()
    [[0.5618, 0.9258]]
    """
    hits = np.asarray(true_positives)
    share = wilson(hits, hits + np.asarray(false_ones), z)
    return 2 * share / (1 + share)


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference. mean: of all pairs. low, high: its interval. below, above: share of replicates < 0, > 0."""

    mean: float
    low: float
    high: float
    below: float
    above: float


def paired_bootstrap(
    differences: npt.ArrayLike,
    group: npt.NDArray[np.integer],
    rng: np.random.Generator,
    *,
    replicates: int = 4000,
    level: float = 0.95,
) -> Difference:
    """Return the mean of paired differences with its bootstrap interval.

    differences: (R, N) float, one row a run, one column an item: what one way scored less what the other scored on the
    same item in the same run. group: (N,) items of the same group (cut from one picture, say) count as one draw.
    Runs and groups are both drawn anew, independently, in every replicate, so that luck with seeds and luck with items
    both widen the interval: the pigeonhole bootstrap of A. B. Owen (Annals of Applied Statistics, 2007). The interval
    is that of percentiles. Without a run or an item everything is 0.

    >>> one = np.array([[1, 1, 0, 1, 0, 1, 1, 0]] * 3)
    >>> made = paired_bootstrap(one, np.arange(8), np.random.default_rng(0), replicates=1000)
    >>> made.mean, made.low > 0, made.above > 0.99
    (0.625, True, True)
    """
    table = np.asarray(differences, np.float64)
    runs, items = table.shape
    if not runs or not items:
        return Difference(0.0, 0.0, 0.0, 0.0, 0.0)
    _, place = np.unique(group, return_inverse=True)
    sizes: Floats = np.bincount(place).astype(np.float64)
    groups = sizes.size
    sums: Floats = np.stack([np.bincount(place, row, groups) for row in table]).astype(np.float64)
    block = max(1, _BLOCK // groups)
    found = np.concatenate(
        [_replicates(sums, sizes, rng, min(block, replicates - i)) for i in range(0, replicates, block)]
    )
    tail = (1 - level) / 2
    low, high = np.quantile(found, [tail, 1 - tail]).tolist()
    return Difference(float(table.mean()), low, high, float((found < 0).mean()), float((found > 0).mean()))


def _replicates(sums: Floats, sizes: Floats, rng: np.random.Generator, count: int) -> Floats:
    """(count,) means with the rows and the columns of `sums` (R, G) drawn anew. sizes: (G,) items of each group."""
    runs, groups = sums.shape
    row_weight = rng.multinomial(runs, np.full(runs, 1 / runs), count).astype(np.float64)
    column_weight = rng.multinomial(groups, np.full(groups, 1 / groups), count).astype(np.float64)
    total = np.einsum("br,rg,bg->b", row_weight, sums, column_weight, optimize=True)
    means: Floats = total / (runs * (column_weight @ sizes))
    return means
