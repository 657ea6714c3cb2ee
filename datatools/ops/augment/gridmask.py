"""`datatools augment gridmask`."""

from typing import Annotated

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import hiding
from datatools.ops.augment.options import Fill, MinVisible


@op("augment.gridmask", version=1, generates=True)
def gridmask(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    probability: Annotated[float, Param("of a picture to get a grid", ge=0, le=1)] = 0.8,
    ratio: Annotated[float, Param("of the period that stays, in each direction", gt=0, lt=1)] = 0.6,
    min_period: Annotated[int, Param("px from one square to the next, at least", ge=2, le=32766)] = 96,
    max_period: Annotated[int, Param("and at most", ge=2, le=32766)] = 224,
    fill: Fill = "black",
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Hide the squares of a regular grid (GridMask; Chen et al., 2020).

    1 - (1 - ratio)^2 of the picture stays.
    """
    from datatools.kernels import erase

    if min_period > max_period:
        raise UsageError(f"--min-period {min_period} is more than --max-period {max_period}")
    drawn = erase.draw_gridmask(
        rng,
        (item.pixels.shape[1], item.pixels.shape[0]),
        probability=probability,
        ratio=ratio,
        period=(min_period, max_period),
        fill=hiding.colour(fill, item.pixels),
    )
    return hiding.with_holes(item, drawn, min_visible)
