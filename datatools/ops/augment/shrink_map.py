"""`datatools augment shrink-map`."""

from typing import Annotated

from datatools.core.op import Param, op
from datatools.core.values import Arrays, TextPage
from datatools.ops.augment import labels


@op("augment.shrink_map", version=1)
def shrink_map(
    page: TextPage,
    *,
    ratio: Annotated[float, Param("of a text's size that is left", gt=0, lt=1)] = 0.4,
    min_size: Annotated[float, Param("texts lower or narrower than so many px are ignored", ge=0, le=10_000)] = 8.0,
) -> Arrays:
    """Make the shrink maps that DB learns from (Liao et al., AAAI 2020): an .npz for each page.

    `shrink_map` is 1 inside the shrunk texts, `shrink_mask` 0 where the loss must not look: inside ignored and small
    texts. Both are float32, height x width.
    """
    from datatools.kernels import db_targets

    ignored = [region.ignore for region in page.regions]
    made = db_targets.shrink_map(
        labels.outlines_of(page), ignored, labels.size_of(page), ratio=ratio, min_size=min_size
    )
    return Arrays((("shrink_map", made.map), ("shrink_mask", made.mask)))
