"""`datatools augment randaugment`."""

from typing import Annotated, Literal

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, TextLine, TextPage
from datatools.ops.augment import policies
from datatools.ops.augment.options import MinVisible


@op("augment.randaugment", version=1, generates=True)
def randaugment(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    ops: Annotated[int, Param("operations that are drawn for each picture", ge=1, le=14)] = 2,
    magnitude: Annotated[
        float | None, Param("strength of all, 0 to 30 (9), of the preset paddleocr 0 to 10 (5)", ge=0, le=30)
    ] = None,
    preset: Annotated[
        Literal["paper", "paddleocr"], Param("the paper's 14 operations, or those of PP-OCR, half of the time none")
    ] = "paper",
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage | TextLine | Classified:
    """Draw a few operations of one strength for each picture (RandAugment; Cubuk et al., NeurIPS 2020).

    Shear, shift, rotation, colour, contrast, brightness, sharpness, posterize, solarize, autocontrast, equalize and
    identity (paddleocr: invert). Boxes and text outlines move with shear, shift and rotation; text lines become larger,
    so that nothing is cut off.
    """
    from datatools.kernels import randaugment as kernel

    try:
        steps = kernel.draw(
            rng, (item.pixels.shape[1], item.pixels.shape[0]), ops=ops, magnitude=magnitude, preset=preset
        )
    except ValueError as error:
        raise UsageError(f"--magnitude: {error}") from None
    return policies.applied(item, steps, min_visible)
