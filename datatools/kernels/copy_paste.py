"""CopyPaste: objects of one picture set into another, where they cover nothing (or little).

After Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation" (CVPR 2021), in
the five steps of PP-OCRv2 (Du et al. 2021): two pictures, the second one's scale jittered and mirrored at random, some
of its objects chosen at random, and pasted at a random place. `draw` does all that with numbers alone; `paste` follows.

PaddleOCR differs: it never jitters the scale nor mirrors; it counts ignored objects when it takes its share and never
pastes them; it tests upright boxes where this tests the outlines themselves; it turns each text by any whole angle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datatools.kernels import contours, geometry
from datatools.kernels.contours import Outline
from datatools.kernels.geometry import Matrix

SCALES = (0.5, 2.0)
"""Factors between which the size of pasted objects is jittered, evenly in their logarithm."""

LEAST_SIDE = 4.0
"""Objects that would be lower or narrower than so many pixels are not pasted."""


@dataclass(frozen=True, slots=True)
class Paste:
    """One object to paste.

    donor: its number among the donor's objects. matrix: the nine numbers, row by row, of the map from the donor's
    pixels to the target's.
    """

    donor: int
    matrix: tuple[float, ...]

    @property
    def map(self) -> Matrix:
        """The matrix as (3, 3)."""
        return np.array(self.matrix).reshape(3, 3)


@dataclass(frozen=True, slots=True)
class Rules:
    """How objects are placed.

    flip: probability that an object is mirrored. rotate: whether objects with an outline of their own are turned by any
    angle, straightened first. max_iou: how much a pasted object may overlap another, 0 is not at all. tries: places
    that are tried for each.
    """

    flip: float = 0.5
    rotate: bool = False
    max_iou: float = 0.0
    tries: int = 50
    scales: tuple[float, float] = SCALES


def choose(rng: np.random.Generator, count: int, *, ratio: float = 0.2, at_most: int = 30) -> list[int]:
    """Choose some of `count` objects at random: their share `ratio`, at least one, at most `at_most`."""
    if not count:
        return []
    wanted = max(1, min(int(ratio * count), at_most))
    return [int(i) for i in rng.permutation(count)[:wanted]]


def draw(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    there: Sequence[Outline],
    donors: Sequence[Outline],
    upright: Sequence[bool],
    chosen: Sequence[int],
    rules: Rules,
) -> tuple[Paste, ...]:
    """Find a place for each chosen object; those that find none are left out.

    there: outlines of the target's own objects. donors: outlines of the donor's objects, in its pixels. upright: which
    of them are plain boxes, which stay upright and whole pixels. chosen: numbers of those to paste, in this order.
    """
    taken = _Taken(there)
    pastes = []
    for number in chosen:
        outline = donors[number]
        made = _shape(rng, outline, upright[number], rules)
        if made is None:
            continue
        place = _place(rng, made[1], size_wh, taken, rules, whole=upright[number])
        if place is None:
            continue
        matrix = geometry.translate(*place.tolist()) @ made[0]
        taken.add(made[1] + place)
        pastes.append(Paste(number, tuple(matrix.reshape(-1).tolist())))
    return tuple(pastes)


def _shape(rng: np.random.Generator, outline: Outline, upright: bool, rules: Rules) -> tuple[Matrix, Outline] | None:
    """The object scaled, mirrored and turned, with its upper left at the origin: the map and the new outline."""
    low, high = rules.scales
    scale = low * (high / low) ** rng.random()
    mirrored, angle = rng.random() < rules.flip, 360 * rng.random()
    left, top, right, bottom = contours.bounds(outline)
    wide, tall = right - left, bottom - top
    if not min(wide, tall) * scale >= LEAST_SIDE:
        return None
    if upright:  # its box has whole pixels afterwards
        width, height = float(round(wide * scale)), float(round(tall * scale))
        matrix = _mirrored_and_scaled(mirrored, width / wide, height / tall, (left, top, right))
        return matrix, contours.from_box((0.0, 0.0, width, height))
    matrix = _mirrored_and_scaled(mirrored, scale, scale, (left, top, right))
    if rules.rotate:
        if len(outline) == 4 and (straight := _straightened(geometry.warp_points(outline, matrix))) is not None:
            matrix = straight @ matrix
        matrix = geometry.rotate(angle) @ matrix
    shaped = geometry.warp_points(outline, matrix)
    x0, y0, x1, y1 = contours.bounds(shaped)
    if not min(x1 - x0, y1 - y0) >= LEAST_SIDE or not math.isfinite(x1 - x0 + y1 - y0):
        return None
    return geometry.translate(-x0, -y0) @ matrix, shaped - (x0, y0)


def _mirrored_and_scaled(mirrored: bool, x: float, y: float, left_top_right: tuple[float, float, float]) -> Matrix:
    """The map that scales by x and y and brings what was the upper left, or the upper right, to the origin."""
    left, top, right = left_top_right
    mirror, start = (-1.0, -right) if mirrored else (1.0, left)
    return np.array([[mirror * x, 0.0, -start * x], [0.0, y, -top * y], [0.0, 0.0, 1.0]])


def _straightened(quad: Outline) -> Matrix | None:
    """The map from a quadrilateral to the rectangle of its longer sides; None where it has no such shape."""
    points = quad.tolist()
    sides = [math.dist(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True)]
    matrix = geometry.quad_to_rectangle(points, max(sides[0], sides[2]), max(sides[1], sides[3]))
    if matrix is None:
        return None
    # a quad that is no convex one has a horizon inside
    g, h, i = matrix[2].tolist()
    return matrix if all(g * x + h * y + i > 1e-6 for x, y in points) else None


class _Taken:
    """The outlines that are there already, and the upright boxes around them."""

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self._known = [(*contours.bounds(outline), outline) for outline in outlines]

    def add(self, outline: Outline) -> None:
        self._known.append((*contours.bounds(outline), outline))

    def near(self, left: float, top: float, right: float, bottom: float) -> list[Outline]:
        """Those whose upright boxes overlap this one. A handful of plain numbers are faster than arrays of them."""
        return [o for x0, y0, x1, y1, o in self._known if x0 < right and left < x1 and y0 < bottom and top < y1]


def _place(
    rng: np.random.Generator,
    shaped: Outline,
    size_wh: tuple[int, int],
    taken: _Taken,
    rules: Rules,
    *,
    whole: bool,
) -> Outline | None:
    """A shift that puts the outline inside the picture, over nothing that is there; None where no try finds one."""
    _, _, width, height = contours.bounds(shaped)  # its upper left is the origin
    if width > size_wh[0] or height > size_wh[1]:
        return None
    for u, v in rng.random((rules.tries, 2)).tolist():
        x, y = u * (size_wh[0] - width), v * (size_wh[1] - height)
        if whole:
            x, y = float(int(x)), float(int(y))
        near = taken.near(x, y, x + width, y + height)
        shift = np.array([x, y])
        if not near or all(_may_meet(shaped + shift, other, rules.max_iou) for other in near):
            return shift
    return None


def _may_meet(a: Outline, b: Outline, max_iou: float) -> bool:
    shared = contours.overlap(a, b)
    return shared <= max_iou * (contours.area(a) + contours.area(b) - shared)
