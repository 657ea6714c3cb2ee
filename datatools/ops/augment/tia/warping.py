"""What the three warps have in common: draw, move the pixels, move the labels."""

from typing import TYPE_CHECKING, Literal

from datatools.ops.augment import labels

if TYPE_CHECKING:
    import numpy as np


def warped(
    item: labels.Item,
    rng: "np.random.Generator",
    kind: Literal["distort", "stretch", "perspective"],
    *,
    segments: int,
    strength: float,
    pad: Literal["auto", "none"],
) -> labels.Item:
    """The item after a warp that is drawn anew; of what leaves the picture, boxes and texts keep what is seen."""
    from datatools.kernels import tia

    size_wh = labels.size_of(item)
    warp = tia.draw(rng, size_wh, kind, segments=segments, strength=strength, pad=pad == "auto")
    pixels = tia.warp_image(item.pixels, warp)
    return labels.moved(item, pixels, lambda xy: tia.warp_outline(xy, warp), warp, min_visible=0.0)
