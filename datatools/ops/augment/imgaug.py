"""`datatools augment imgaug`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.values import Classified, Labelled, Rng, Source, TextLine, TextPage
from datatools.ops.augment import labels
from datatools.ops.augment.options import MinVisible

if TYPE_CHECKING:
    from datatools.ops.augment.labels import Outline


_STEP = 8.0
"""Pixels between the points of an outline where the augmenters bend lines."""


def _prepare(root: Path, sources: Iterator[Source], arguments: Mapping[str, Any]) -> Any:
    """The augmenters that the file lists. Raises UsageError where they cannot be built."""
    from datatools.compat import imgaug as package
    from datatools.io import config, files

    path = arguments["pipeline"]
    if not path.is_file():
        raise UsageError(f"--pipeline: {escape(path)} is not a file")
    steps = config.load_yaml(files.read_bytes(path), str(path))
    try:
        package.build(steps)
    except UsageError as error:
        raise UsageError(f"{escape(path)}: {error}") from None
    return steps


@op("augment.imgaug", version=2, generates=True, prepare=_prepare)
def imgaug(
    item: Labelled | TextPage | TextLine | Classified,
    *,
    pipeline: Annotated[Path, Param("YAML file: a list of augmenters, as - Fliplr: {p: 0.5}", metavar="FILE")],
    list_: Annotated[
        bool,
        Param(
            "list all augmenters of imgaug, and why some cannot be used",
            flags=("--list",),
            steers=True,
            instead="datatools.ops.augment.imgaug_list:catalogue",
        ),
    ] = False,
    min_visible: MinVisible = 0.3,
    rng: Rng,
    prepared: Any = None,
) -> Labelled | TextPage | TextLine | Classified:
    """Run any chain of imgaug's augmenters; boxes and text outlines move with the pixels. Needs the extra `augment`.

    The file lists augmenters by name with imgaug's own arguments. A list of two numbers is a range to draw from,
    another list a choice; an argument may be an augmenter, a list of them, or a distribution
    (`{Normal: {loc: 0, scale: 3}}`).
    """
    from datatools.compat import imgaug as package
    from datatools.kernels import contours

    augmenter = package.build(prepared)
    # objects first, then the parts that some of them have
    outlines = [*labels.outlines_of(item), *_parts(item)]
    bends = bool(package.names_in(prepared) & package.CURVING)
    dense = [contours.densify(xy, _STEP)[0] if bends else xy for xy in outlines]
    seed = int(rng.integers(2**31))
    try:
        pixels, placed = package.augment(augmenter, seed, item.pixels, dense)
    except AssertionError as error:  # imgaug's way of saying that it does not do that
        raise UsageError(f"imgaug: {escape(str(error).splitlines()[0])[:200]}") from None
    found = dict(placed)
    for i in found if bends else ():
        if len(found[i]) == len(dense[i]):  # points that are on a line again are not needed
            found[i] = contours.follow(outlines[i], _to(found[i]), step=_STEP)
    return _labelled(item, pixels, outlines, found, min_visible, {"seed": seed})


def _to(moved: "Outline") -> "Callable[[Outline], Outline]":
    """The move that brings points, whatever they are, to those places."""
    return lambda _: moved


def _parts(item: labels.Anything) -> "list[Outline]":
    """The outlines of the parts of all boxes, one after the other."""
    from datatools.kernels import contours

    boxes = item.boxes if isinstance(item, Labelled) else ()
    return [contours.from_box(part.xyxy) for box in boxes for part in box.parts]


def _labelled(
    item: labels.Item,
    pixels: Any,
    outlines: "list[Outline]",
    placed: "Mapping[int, Outline]",
    min_visible: float,
    draw: Any,
) -> labels.Item:
    """The item with its labels where the augmenters put them; those that they removed are gone."""
    import numpy as np

    size_wh = (pixels.shape[1], pixels.shape[0])
    nowhere = labels.Seen(np.empty((0, 2)), 0.0)
    seen = [labels.in_view(placed[i], size_wh) if i in placed else nowhere for i in range(len(outlines))]
    count = len(labels.outlines_of(item))
    parts = {outline.tobytes(): one for outline, one in zip(outlines[count:], seen[count:], strict=True)}
    return labels.with_seen(
        item, pixels, seen[:count], draw, min_visible=min_visible, cut=True, move=lambda xy: parts[xy.tobytes()]
    )
