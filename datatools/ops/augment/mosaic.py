"""`datatools augment mosaic`."""

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from datatools.core.op import op
from datatools.core.values import Donors, Labelled, Rng, TextPage
from datatools.ops.augment import labels, partners
from datatools.ops.augment.cutmix import joined
from datatools.ops.augment.options import AllowLeak, MinVisible

if TYPE_CHECKING:
    from datatools.kernels.mix import Tile
    from datatools.ops.augment.labels import Outline


@op("augment.mosaic", version=1, generates=True)
def mosaic(
    item: Labelled | TextPage,
    *,
    min_visible: MinVisible = 0.3,
    allow_leak: AllowLeak = False,
    rng: Rng,
    donors: Donors,
) -> Labelled | TextPage:
    """Put four pictures of the set around a random point (Mosaic; Bochkovskiy et al., YOLOv4, 2020).

    The result has the size of the item, which is one of the four, at a random place. Each picture covers its quarter
    at a random scale; boxes and texts are cut off there.
    """
    from datatools.kernels import mix

    found = [item, *(pair[1] for pair in (partners.draw(rng, donors) for _ in range(3)) if pair is not None)]
    four = [found[i] if i < len(found) else item for i in rng.permutation(4).tolist()]
    size_wh = labels.size_of(item)
    tiles = mix.draw_mosaic(rng, size_wh, [labels.size_of(one) for one in four])
    pixels = mix.mosaic([one.pixels for one in four], tiles, size_wh)
    made: Labelled | TextPage | None = None
    for one, tile in zip(four, tiles, strict=True):
        through = functools.partial(_through, tile=tile)
        seen = [through(xy) for xy in labels.outlines_of(one)]
        placed = labels.with_seen(one, pixels, seen, tiles, min_visible=min_visible, cut=True, move=through)
        made = placed if made is None else joined(made, placed)
    assert made is not None
    return replace(made, draw=tiles)


def _through(outline: "Outline", tile: "Tile") -> labels.Seen:
    """What is seen of an outline in the tile's rectangle."""
    import numpy as np

    from datatools.kernels import geometry

    left, top, right, bottom = tile.rect
    corner = np.array([left, top])
    seen = labels.in_view(geometry.warp_points(outline, tile.map) - corner, (right - left, bottom - top))
    return labels.Seen(seen.outline + corner, seen.share)
