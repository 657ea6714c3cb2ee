"""`datatools augment autoaugment`."""

from datatools.core.op import op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import policies
from datatools.ops.augment.options import MinVisible


@op("augment.autoaugment", version=1, generates=True)
def autoaugment(
    item: Labelled | TextPage | TextLine | Classified, *, min_visible: MinVisible = 0.3, rng: Rng
) -> Labelled | TextPage | TextLine | Classified:
    """Apply one of the 25 pairs of operations that a search found for ImageNet (AutoAugment; Cubuk et al., CVPR 2019).

    Boxes and text outlines move with shear and rotation; text lines become larger, so that nothing is cut off.
    """
    from datatools.kernels import autoaugment as kernel

    return policies.applied(item, kernel.draw(rng), min_visible)
