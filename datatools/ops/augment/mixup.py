"""`datatools augment mixup`."""

from dataclasses import replace
from typing import Annotated, Any

from datatools.core.op import Param, op
from datatools.core.records import Box
from datatools.core.values import Classified, Donors, Labelled, Rng
from datatools.ops.augment import partners, shares
from datatools.ops.augment.options import AllowLeak


@op("augment.mixup", version=1, generates=True)
def mixup(
    item: Labelled | Classified,
    *,
    alpha: Annotated[
        float | None,
        Param("of the weights' Beta distribution (0.2 for class folders, 1.5 for boxes)", gt=0, le=100),
    ] = None,
    allow_leak: AllowLeak = False,
    rng: Rng,
    donors: Donors,
) -> Labelled | Classified:
    """Lay a second picture of the set over each, both with a weight (MixUp; Zhang et al., ICLR 2018).

    In class folders the weights of the classes stand in labels.csv, and the picture stays in the folder of its first
    class. Boxes of both pictures are kept, with their weight as an attribute of the XML, and none is moved: the smaller
    picture lies at the upper left (Zhang et al., "Bag of Freebies", 2019).
    """
    from datatools.kernels import mix

    weight = mix.draw_weight(rng, alpha or (0.2 if isinstance(item, Classified) else 1.5))
    found = partners.draw(rng, donors)
    if found is None:
        return replace(item, draw={"weight": 1.0})
    _, other = found
    draw = {"weight": weight}
    if isinstance(item, Classified):
        second = mix.resized(other.pixels, (item.pixels.shape[1], item.pixels.shape[0]))
        pixels = mix.mixup(item.pixels, second, weight)
        return Classified(pixels, shares.mixed(item.classes, other.classes, weight), draw=draw)
    pixels = mix.mixup(item.pixels, other.pixels, weight)
    boxes = [*(_weighted(b, weight) for b in item.boxes), *(_weighted(b, 1 - weight) for b in other.boxes)]
    return Labelled(pixels, tuple(boxes), draw=draw)


def _weighted(box: Box, weight: float) -> Box:
    kept: list[Any] = [(name, value) for name, value in box.attributes if name != "weight"]
    return replace(box, attributes=(*kept, ("weight", f"{weight:.4f}")))
