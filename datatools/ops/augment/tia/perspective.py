"""`datatools augment tia perspective`."""

from datatools.core.op import op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment.options import Pad, Strength
from datatools.ops.augment.tia.warping import warped


@op("augment.tia.perspective", version=1, generates=True)
def perspective(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    strength: Strength = 1.0,
    pad: Pad = "auto",
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Tilt text as a slanting camera does (TIA perspective; Luo et al., CVPR 2020).

    The four corners move up and down, and the picture follows smoothly. Boxes and text outlines move with it; outlines
    that become curved get further points.
    """
    return warped(item, rng, "perspective", segments=2, strength=strength, pad=pad)
