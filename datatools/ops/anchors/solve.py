"""Anchors for given boxes: the choices that a user has, and the way from boxes to anchors that all commands share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import UsageError
from datatools.core.op import Param

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Metric = Literal["iou", "ratio", "euclidean"]
Center = Literal["median", "mean"]

MAX_K = 1000

MetricParam = Annotated[
    Metric, Param("what boxes are compared by: 1 - IoU, the worse side's ratio, or (w, h) by scikit-learn")
]
CenterParam = Annotated[Center, Param("the centre of a cluster; euclidean knows means only")]
Restarts = Annotated[int, Param("starts of which the best counts", ge=1, le=10_000, metavar="N")]
Evolve = Annotated[
    int, Param("then so many generations of YOLOv5's mutation, for its fitness", ge=0, le=1_000_000, metavar="N")
]
Polish = Annotated[bool, Param("climb from the medians to the greatest mean IoU (metric iou, center median)")]


@dataclass(frozen=True, slots=True)
class Choices:
    """How anchors are found."""

    metric: Metric = "iou"
    center: Center = "median"
    restarts: int = 10
    evolve: int = 0
    polish: bool = True
    seed: int = 0

    @property
    def polished(self) -> bool:
        """Whether the centres are only where the climb to the greatest mean IoU starts."""
        return self.polish and self.metric == "iou" and self.center == "median"


EXACT = 5000
"""Up to so many boxes are told apart as they are, more by whole pixels."""


def distinct(wh: "NDArray[np.float64]") -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Return distinct sizes, (M, 2), and how often each occurs, (M,)."""
    import numpy as np

    from datatools.kernels import sizes

    if len(wh) > EXACT:
        return sizes.count_sizes(wh)
    points, counts = np.unique(wh, axis=0, return_counts=True)
    return points, counts.astype(np.float64)


def check_k(count: int, k: int) -> None:
    """Raise UsageError where there are fewer distinct sizes than k."""
    if count == 0:
        raise UsageError("there is no box to make anchors of (`datatools voc lint` says why)")
    if count < k:
        raise UsageError(f"-k {k} is more than the set can give: it has {count} distinct box sizes")


def solve(wh: "NDArray[np.float64]", k: int, choices: Choices) -> "NDArray[np.float64]":
    """Return k anchors, (k, 2), sorted by area, to a thousandth of a pixel. UsageError as check_k."""
    import numpy as np

    from datatools.kernels import anchors, autoanchor

    points, weight = distinct(wh)
    check_k(len(points), k)
    rng = np.random.default_rng([choices.seed, k])
    if choices.metric == "euclidean":
        found = autoanchor.euclidean(points, weight, k, seed=choices.seed, restarts=choices.restarts)
    else:
        found = anchors.cluster(
            points,
            weight,
            k,
            rng=rng,
            metric=choices.metric,
            center=choices.center,
            restarts=choices.restarts,
            polish=choices.polished,
            exact=wh if len(wh) > EXACT else None,
        )
    if choices.evolve:
        evolved = autoanchor.evolve(points, weight, found, choices.evolve, rng=rng)
        # they were judged by whole pixels; the boxes themselves have the last word
        found = max((found, evolved), key=lambda a: autoanchor.score(wh, a).fitness)
    return anchors.by_area(np.maximum(found.round(3), 0.001))
