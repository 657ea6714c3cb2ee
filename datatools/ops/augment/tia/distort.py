"""`datatools augment tia distort`."""

from datatools.core.op import op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment.options import Pad, Segments, Strength
from datatools.ops.augment.tia.warping import warped


@op("augment.tia.distort", version=1, generates=True)
def distort(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    segments: Segments = 3,
    strength: Strength = 1.0,
    pad: Pad = "auto",
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Bend text as handwriting and uneven paper do (TIA distort; Luo et al., CVPR 2020).

    Points on the upper and lower edge move to all sides, corners inwards, and the picture follows smoothly. Boxes and
    text outlines move with it; outlines that become curved get further points.
    """
    return warped(item, rng, "distort", segments=segments, strength=strength, pad=pad)
