"""`datatools augment bda`."""

from typing import Annotated

from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import labels
from datatools.ops.augment.options import MinVisible, Strength


@op("augment.bda", version=1, generates=True)
def bda(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    probability: Annotated[float, Param("of each step", flags=("-p",), ge=0, le=1)] = 0.4,
    tia: Annotated[bool, Param("bend, stretch and tilt text, too; PP-OCR's direction classifier does without")] = True,
    angle: Annotated[float, Param("a rotation is drawn up to so many degrees", ge=0, le=180)] = 10.0,
    strength: Strength = 1.0,
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Degrade pictures as paper, light and cameras do: the basic augmentation of PP-OCR, its RecAug list included.

    In this order, each with the probability: TIA distort, stretch and perspective, rotation, perspective, crop of up to
    8 rows, blur, motion blur, brightness, jitter (a doubled print), Gaussian noise, reversed colours. Rotation and
    perspective make the picture larger, so that nothing is cut off.
    """
    from datatools.kernels import degrade

    size_wh = labels.size_of(item)
    steps = degrade.draw(rng, size_wh, probability=probability, bend=tia, strength=strength, angle=angle)
    pixels = degrade.apply(item.pixels, steps)
    return labels.moved(item, pixels, lambda xy: degrade.warp_outline(xy, steps), steps, min_visible=min_visible)
