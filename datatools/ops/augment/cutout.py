"""`datatools augment cutout`."""

from typing import Annotated

from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import hiding
from datatools.ops.augment.options import Fill, MinVisible


@op("augment.cutout", version=1, generates=True)
def cutout(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    length: Annotated[int, Param("side of a square, px", ge=1, le=32766)] = 112,
    holes: Annotated[int, Param("squares", ge=1, le=1000)] = 1,
    fill: Fill = "black",
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Hide squares at random places; they may stick out of the picture (CutOut; DeVries, Taylor, 2017)."""
    from datatools.kernels import erase

    size_wh = item.pixels.shape[1], item.pixels.shape[0]
    drawn = erase.draw_cutout(rng, size_wh, length=length, holes=holes, fill=hiding.colour(fill, item.pixels))
    return hiding.with_holes(item, drawn, min_visible)
