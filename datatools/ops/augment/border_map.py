"""`datatools augment border-map`."""

from typing import Annotated

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Arrays, TextPage
from datatools.ops.augment import labels


@op("augment.border_map", version=1)
def border_map(
    page: TextPage,
    *,
    ratio: Annotated[float, Param("that the shrink maps leave of a text's size", gt=0, lt=1)] = 0.4,
    low: Annotated[float, Param("threshold away from the texts' outlines", ge=0, le=1)] = 0.3,
    high: Annotated[float, Param("threshold on the outlines", ge=0, le=1)] = 0.7,
) -> Arrays:
    """Make the threshold maps that DB learns from (Liao et al., AAAI 2020): an .npz for each page.

    `threshold_map` falls from the outline of each text to both sides, `threshold_mask` is 1 where it counts. Both are
    float32, height x width.
    """
    from datatools.kernels import db_targets

    if low > high:
        raise UsageError(f"--low {low:g} is more than --high {high:g}")
    ignored = [region.ignore for region in page.regions]
    made = db_targets.border_map(
        labels.outlines_of(page), ignored, labels.size_of(page), ratio=ratio, low=low, high=high
    )
    return Arrays((("threshold_map", made.map), ("threshold_mask", made.mask)))
