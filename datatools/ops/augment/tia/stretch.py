"""`datatools augment tia stretch`."""

from datatools.core.op import op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment.options import Pad, Segments, Strength
from datatools.ops.augment.tia.warping import warped


@op("augment.tia.stretch", version=1, generates=True)
def stretch(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    segments: Segments = 3,
    strength: Strength = 1.0,
    pad: Pad = "auto",
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Squeeze and stretch letters against each other (TIA stretch; Luo et al., CVPR 2020).

    Pairs of points on the upper and lower edge move to the side together, and the picture follows smoothly. Boxes and
    text outlines move with it; outlines that become curved get further points.
    """
    return warped(item, rng, "stretch", segments=segments, strength=strength, pad=pad)
