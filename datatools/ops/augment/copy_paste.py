"""`datatools augment copy-paste`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Donors, Labelled, Rng, Source, TextPage
from datatools.ops.augment import levelling, other_set, partners, pasting
from datatools.ops.augment.options import AllowLeak, MinVisible


def _prepare(root: Path, sources: Iterator[Source], arguments: Mapping[str, Any]) -> Any:
    """The items of another set, and how often each class occurs and where, as far as the options ask for them."""
    source, allow_leak = arguments.get("source"), bool(arguments.get("allow_leak"))
    listed = None if source is None else other_set.listing(source, root, allow_leak)
    if arguments.get("target_per_class") is None:
        return None if listed is None else {"source": listed}
    return {"source": listed, "classes": levelling.census(root, sources, source, allow_leak)}


@op("augment.copy_paste", version=2, generates=True, prepare=_prepare)
def copy_paste(
    item: Labelled | TextPage,
    *,
    ratio: Annotated[float, Param("share of the donor's objects that is pasted; one at least", ge=0, le=1)] = 0.2,
    max_objects: Annotated[int, Param("and at most so many", ge=1, le=1000)] = 30,
    max_iou: Annotated[float, Param("how much a pasted object may overlap another; 0 is not at all", ge=0, le=1)] = 0.0,
    tries: Annotated[int, Param("places that are tried for each object", ge=1, le=10_000)] = 50,
    blend: Annotated[Literal["none", "feather", "poisson"], Param("rim: sharp, soft, or seamless")] = "none",
    mask: Annotated[Literal["box", "grabcut"], Param("cut out by the box, or by what GrabCut finds in it")] = "box",
    flip: Annotated[
        float | None, Param("share of the objects that is mirrored (0.5; of texts 0, nobody reads them)", ge=0, le=1)
    ] = None,
    rotate: Annotated[bool, Param("turn objects that have an outline by any angle, straightened first")] = False,
    min_visible: MinVisible = 0.5,
    target_per_class: Annotated[
        int | None, Param("paste rare classes until each occurs about so often in every copy of the set", ge=1)
    ] = None,
    source: Annotated[Path | None, Param("another set to take the objects from", metavar="SET")] = None,
    allow_leak: AllowLeak = False,
    rng: Rng,
    donors: Donors,
    prepared: Any = None,
) -> Labelled | TextPage:
    """Paste objects of another picture of the set into each (CopyPaste, as in PP-OCRv2 and Ghiasi et al., CVPR 2021).

    A second picture is drawn; its objects are scaled by 0.5 to 2, mirrored, some of them chosen at random, and each
    pasted at a random place where its outline overlaps no other (not just their upright boxes). Objects that are
    ignored or difficult, or that lie over others, are not taken. With --max-iou above 0 a pasted object may cover
    others: their boxes shrink to what is seen of them, or are dropped.

    With --target-per-class the objects are chosen by class, the rarest ones most, from as many pictures as it takes.
    """
    from datatools.kernels.copy_paste import Rules

    if mask == "grabcut" and isinstance(item, TextPage):
        raise UsageError("--mask grabcut is for boxes; texts are cut out by their outlines")
    if flip is None:
        flip = 0.5 if isinstance(item, Labelled) else 0.0
    pool = donors if source is None else other_set.donors(source, type(item), prepared["source"])
    wanted: list[tuple[Source, Any, list[str] | None]]
    if target_per_class is not None:
        wanted = list(levelling.draw(rng, prepared["classes"], pool, max_objects, target_per_class))
    else:
        found = partners.draw(rng, pool)
        wanted = [] if found is None else [(*found, None)]
    canvas = pasting.Canvas(item, Rules(flip=flip, rotate=rotate, max_iou=max_iou, tries=tries), blend, mask)
    for donor, other, classes in wanted:
        canvas.paste(rng, donor, other, classes, ratio=ratio, at_most=max_objects)
    return canvas.finished(min_visible)
