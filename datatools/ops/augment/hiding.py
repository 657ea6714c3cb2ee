"""Hidden parts of pictures, labels included: what CutOut, Random Erasing, Hide-and-Seek and GridMask have in common."""

from typing import TYPE_CHECKING

from datatools.ops.augment import labels

if TYPE_CHECKING:
    from datatools.kernels.erase import Holes
    from datatools.kernels.geometry import Fill, Picture

_COLOURS: "dict[str, Fill | None]" = {"black": (0, 0, 0), "grey": (128, 128, 128), "noise": None}


def colour(name: str, pixels: "Picture") -> "Fill | None":
    """The colour of that name; None for noise."""
    if name != "mean":
        return _COLOURS[name]
    red, green, blue = pixels.reshape(-1, 3).mean(axis=0).round().astype(int).tolist()
    return red, green, blue


def with_holes(item: labels.Item, holes: "Holes", min_visible: float) -> labels.Item:
    """The item with its holes filled; objects that are hidden too far are dropped."""
    from datatools.kernels import erase

    pixels = erase.apply(item.pixels, holes)
    shares = erase.visible_shares(labels.outlines_of(item), holes, labels.size_of(item))
    return labels.hidden(item, pixels, shares.tolist(), holes, min_visible=min_visible)
