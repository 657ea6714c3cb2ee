"""A picture into which objects of others are pasted, and what becomes of its labels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from datatools.core.records import Box, TextRegion
from datatools.core.values import Labelled, Source, TextPage, printable
from datatools.ops.augment import labels

if TYPE_CHECKING:
    import numpy as np

    from datatools.kernels.copy_paste import Paste, Rules
    from datatools.ops.augment.labels import Outline

_ALONE = 0.1
"""An object that lies over more than this share of another would bring a part of that one along."""


class Canvas:
    """Takes objects one donor after the other; `finished` has all labels."""

    def __init__(
        self,
        item: Labelled | TextPage,
        rules: "Rules",
        blend: Literal["none", "feather", "poisson"],
        mask: Literal["box", "grabcut"],
    ) -> None:
        self._item = item
        self._rules = rules
        self._blend = blend
        self._mask = mask
        self._pixels = item.pixels.copy()
        self._there = labels.outlines_of(item)
        self._pasted: list[tuple[Box | TextRegion, Outline]] = []
        self._draws: list[dict[str, Any]] = []

    def paste(
        self,
        rng: "np.random.Generator",
        source: Source,
        donor: Labelled | TextPage,
        classes: Sequence[str] | None,
        *,
        ratio: float,
        at_most: int,
    ) -> None:
        """Paste some objects of a donor: one of each class that is named, else a share of all."""
        from datatools.kernels import copy_paste

        outlines = labels.outlines_of(donor)
        objects: Sequence[Box | TextRegion] = donor.boxes if isinstance(donor, Labelled) else donor.regions
        able = [i for i in range(len(objects)) if _is_whole(objects[i]) and _is_alone(i, outlines)]
        if classes is None:
            chosen = [able[i] for i in copy_paste.choose(rng, len(able), ratio=ratio, at_most=at_most)]
        else:
            chosen = _of_classes(rng, objects, able, classes)
        upright = [isinstance(one, Box) and len(one.polygon) < 3 for one in objects]
        size_wh = labels.size_of(self._item)
        there = [*self._there, *(outline for _, outline in self._pasted)]
        drawn = copy_paste.draw(rng, size_wh, there, outlines, upright, chosen, self._rules)
        for one in drawn:
            self._take(donor, objects[one.donor], outlines[one.donor], one)
        self._draws.append({"donor": printable(source.id), "pastes": drawn})

    def _take(self, donor: Labelled | TextPage, taken: Box | TextRegion, outline: "Outline", drawn: "Paste") -> None:
        from datatools.kernels import blend, geometry

        mask = blend.silhouette(donor.pixels, outline) if self._mask == "grabcut" else None
        matrix = drawn.map
        placed = blend.paste(self._pixels, donor.pixels, outline, matrix, mask, self._blend)
        if not len(placed):
            return

        def move(part: "Outline") -> labels.Seen:
            return labels.Seen(geometry.warp_points(part, matrix), 1.0)

        if isinstance(taken, Box):
            self._pasted.append((labels.box_at(taken, placed, None if mask is not None else move), placed))
        else:
            self._pasted.append((labels.region_with(taken, placed), placed))

    def finished(self, min_visible: float) -> Labelled | TextPage:
        """The picture with its labels: those that were there, as far as they are still seen, and the pasted ones."""
        new = [one for one, _ in self._pasted]
        both: Labelled | TextPage
        if isinstance(self._item, Labelled):
            both = replace(self._item, boxes=(*self._item.boxes, *(b for b in new if isinstance(b, Box))))
        else:
            both = replace(self._item, regions=(*self._item.regions, *(r for r in new if isinstance(r, TextRegion))))
        covers = [outline for _, outline in self._pasted]
        first = len(self._there)
        # what is pasted later lies above
        seen = [
            labels.behind(outline, covers[max(0, i - first + 1) if i >= first else 0 :])
            for i, outline in enumerate(labels.outlines_of(both))
        ]
        return labels.with_seen(both, self._pixels, seen, self._draws, min_visible=min_visible)


def _is_whole(one: Box | TextRegion) -> bool:
    return not (one.difficult if isinstance(one, Box) else one.ignore)


def _is_alone(number: int, outlines: "Sequence[Outline]") -> bool:
    """Whether an object brings no considerable part of another along."""
    from datatools.kernels import contours

    own = outlines[number]
    if contours.area(own) <= 0:
        return False
    others = (outline for i, outline in enumerate(outlines) if i != number)
    return all(contours.overlap(own, other) <= _ALONE * contours.area(other) for other in others)


def _of_classes(
    rng: "np.random.Generator", objects: Sequence[Box | TextRegion], able: Sequence[int], classes: Sequence[str]
) -> list[int]:
    """An object of each of the classes, drawn at random among those of the class; none where there is none."""
    chosen = []
    for name in classes:
        of_class = [i for i in able if getattr(objects[i], "label", None) == name]
        if of_class:
            chosen.append(of_class[int(rng.integers(len(of_class)))])
    return chosen
