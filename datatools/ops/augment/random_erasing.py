"""`datatools augment random-erasing`."""

from typing import Annotated

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import hiding
from datatools.ops.augment.options import Fill, MinVisible


@op("augment.random_erasing", version=1, generates=True)
def random_erasing(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    probability: Annotated[float, Param("of a picture to lose a rectangle", ge=0, le=1)] = 0.5,
    min_area: Annotated[float, Param("share of the picture that is hidden at least", gt=0, lt=1)] = 0.02,
    max_area: Annotated[float, Param("and at most", gt=0, lt=1)] = 0.4,
    aspect: Annotated[float, Param("height / width lies between this and its inverse", gt=0, le=1)] = 0.3,
    fill: Fill = "noise",
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Hide one rectangle of random area and shape (Random Erasing; Zhong et al., AAAI 2020)."""
    from datatools.kernels import erase

    if min_area > max_area:
        raise UsageError(f"--min-area {min_area:g} is more than --max-area {max_area:g}")
    drawn = erase.draw_random_erasing(
        rng,
        (item.pixels.shape[1], item.pixels.shape[0]),
        probability=probability,
        share=(min_area, max_area),
        aspect=aspect,
        fill=hiding.colour(fill, item.pixels),
    )
    return hiding.with_holes(item, drawn, min_visible)
