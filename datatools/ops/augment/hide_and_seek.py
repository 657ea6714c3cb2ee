"""`datatools augment hide-and-seek`."""

from typing import Annotated

from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import hiding
from datatools.ops.augment.options import Fill, MinVisible


@op("augment.hide_and_seek", version=1, generates=True)
def hide_and_seek(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    probability: Annotated[float, Param("of each cell to be hidden", ge=0, le=1)] = 0.5,
    fill: Fill = "mean",
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Hide cells of a grid at random (Hide-and-Seek; Singh et al., ICCV 2017).

    The side of the cells is drawn for each picture: 16, 32, 44 or 56 px, or nothing is hidden.
    """
    from datatools.kernels import erase

    size_wh = item.pixels.shape[1], item.pixels.shape[0]
    drawn = erase.draw_hide_and_seek(rng, size_wh, probability=probability, fill=hiding.colour(fill, item.pixels))
    return hiding.with_holes(item, drawn, min_visible)
