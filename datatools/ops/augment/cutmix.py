"""`datatools augment cutmix`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.op import Param, op
from datatools.core.values import Classified, Donors, Labelled, Rng, TextPage
from datatools.ops.augment import labels, partners, shares
from datatools.ops.augment.options import AllowLeak, MinVisible

if TYPE_CHECKING:
    from datatools.kernels.mix import Region
    from datatools.ops.augment.labels import Outline


@op("augment.cutmix", version=1, generates=True)
def cutmix(
    item: Labelled | TextPage | Classified,
    *,
    alpha: Annotated[float, Param("of the Beta distribution of the share that is kept", gt=0, le=100)] = 1.0,
    min_visible: MinVisible = 0.3,
    allow_leak: AllowLeak = False,
    rng: Rng,
    donors: Donors,
) -> Labelled | TextPage | Classified:
    """Put a region of a second picture of the set into each (CutMix; Yun et al., ICCV 2019).

    The second picture is stretched to the size of the first. In class folders the shares of the classes stand in
    labels.csv. Boxes and texts of the first are hidden by the region, those of the second are cut off at its rim.
    """
    from datatools.kernels import mix

    size_wh = labels.size_of(item)
    region = mix.draw_region(rng, size_wh, alpha=alpha)
    found = partners.draw(rng, donors)
    if found is None:
        return replace(item, draw=mix.Region((0, 0, 0, 0), 1.0))
    _, other = found
    pixels = mix.cutmix(item.pixels, other.pixels, region)
    if isinstance(item, Classified):
        return Classified(pixels, shares.mixed(item.classes, other.classes, region.weight), draw=region)
    below = _below(item, region)
    first = labels.with_seen(item, pixels, below, region, min_visible=min_visible)
    second = labels.with_seen(
        other, pixels, [_inside(xy, region) for xy in _stretched(other, size_wh)], region,
        min_visible=min_visible, cut=True, move=lambda xy: _inside(_stretch(xy, other, size_wh), region),
    )  # fmt: skip
    made: Labelled | TextPage = joined(first, second)
    return made


def joined(first: Any, second: Any) -> Any:
    """The first item with the labels of both."""
    if isinstance(first, Labelled):
        return replace(first, boxes=first.boxes + second.boxes)
    return replace(first, regions=first.regions + second.regions)


def _below(item: labels.Anything, region: "Region") -> list[labels.Seen]:
    """What the region leaves of the item's objects."""
    from datatools.kernels import contours

    left, top, right, bottom = region.rect
    if left >= right or top >= bottom:
        return [labels.Seen(xy, 1.0) for xy in labels.outlines_of(item)]
    return [labels.behind(xy, [contours.from_box(region.rect)]) for xy in labels.outlines_of(item)]


def _inside(outline: "Outline", region: "Region") -> labels.Seen:
    import numpy as np

    left, top, right, bottom = region.rect
    corner = np.array([left, top])
    seen = labels.in_view(outline - corner, (right - left, bottom - top))
    return labels.Seen(seen.outline + corner, seen.share)


def _stretched(item: labels.Anything, size_wh: tuple[int, int]) -> "list[Outline]":
    return [_stretch(xy, item, size_wh) for xy in labels.outlines_of(item)]


def _stretch(outline: "Outline", item: labels.Anything, size_wh: tuple[int, int]) -> "Outline":
    import numpy as np

    return np.asarray(outline * (np.array(size_wh) / labels.size_of(item)))
