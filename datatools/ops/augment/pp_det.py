"""`datatools augment pp-det`."""

from typing import Annotated

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Labelled, Rng, TextPage
from datatools.ops.augment import labels
from datatools.ops.augment.options import MinVisible


@op("augment.pp_det", version=1, generates=True)
def pp_det(
    item: Labelled | TextPage,
    *,
    size: Annotated[int, Param("side of the result, px", ge=32, le=8192)] = 960,
    flip: Annotated[float, Param("probability of a mirror", ge=0, le=1)] = 0.5,
    angle: Annotated[float, Param("rotation up to so many degrees", ge=0, le=180)] = 10.0,
    min_scale: Annotated[float, Param("least factor of the scale", gt=0, le=10)] = 0.5,
    max_scale: Annotated[float, Param("and the greatest", gt=0, le=10)] = 3.0,
    tries: Annotated[int, Param("crops that are tried before the whole is taken", ge=1, le=1000)] = 50,
    min_visible: MinVisible = 0.3,
    rng: Rng,
) -> Labelled | TextPage:
    """Mirror, turn, scale and crop pages as PP-OCR's text detector is trained: Fliplr, Affine, Resize, EastRandomCrop.

    The crop holds at least one text (box) and cuts none that is not ignored (difficult); it is scaled into the square,
    black beside and below it. All of it is one warp, so nothing is blurred twice.
    """
    from datatools.kernels import text_crop

    if min_scale > max_scale:
        raise UsageError(f"--min-scale {min_scale:g} is more than --max-scale {max_scale:g}")
    ignored = [r.ignore for r in item.regions] if isinstance(item, TextPage) else [b.difficult for b in item.boxes]
    crop = text_crop.draw(
        rng,
        labels.size_of(item),
        labels.outlines_of(item),
        ignored,
        flip=flip,
        angle=angle,
        scales=(min_scale, max_scale),
        size=size,
        tries=tries,
    )
    pixels = text_crop.apply(item.pixels, crop)
    return labels.moved(
        item,
        pixels,
        lambda xy: text_crop.warp_outline(xy, crop),
        crop,
        min_visible=min_visible,
        view=crop.shown_wh,
    )
