"""Every augmentation that moves, pastes or hides: the colour of each object lies inside its label, and nowhere outside
beyond a pixel."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datatools.core import op
from datatools.core.records import Box, TextRegion
from datatools.core.values import Classified, Donors, Labelled, Source, TextLine, TextPage
from datatools.kernels import contours

SIZE = (220, 150)
BOXES = ([12, 14, 70, 52], [95, 20, 190, 60], [40, 80, 130, 132])
QUADS = (
    np.array([[14.0, 12], [72, 20], [69, 50], [11, 42]]),
    np.array([[98.0, 30], [190, 18], [194, 48], [102, 60]]),
    np.array([[40.0, 85], [130, 95], [126, 130], [36, 120]]),
)
TONES = {"autocontrast", "brightness", "color", "contrast", "equalize", "invert", "posterize", "sharpness", "solarize"}
DEGRADED = {"blur", "motion_blur", "color", "jitter", "noise", "reverse"}


def boxes(painted: Any, first: int = 0) -> Labelled:
    outlines = [contours.from_box(b) for b in BOXES]
    found = tuple(Box(str(first + i), tuple(map(float, b))) for i, b in enumerate(BOXES))
    return Labelled(painted.paint(SIZE, outlines, first), found)


def page(painted: Any, first: int = 0) -> TextPage:
    regions = tuple(TextRegion(tuple(map(tuple, q.tolist())), str(first + i)) for i, q in enumerate(QUADS))
    return TextPage(painted.paint(SIZE, QUADS, first), regions)


ITEMS = {"boxes": boxes, "page": page}


def donors(other: Any) -> Donors:
    return Donors((Source("other", ("other.png",)),), lambda source: other)


def outlines(item: Any) -> dict[int, np.ndarray]:
    """The outline of each object by its number, which is its class or its text."""
    if isinstance(item, Labelled):
        return {int(b.label): contours.from_box(b.xyxy) for b in item.boxes}
    return {int(r.text): np.array(r.points) for r in item.regions if not r.ignore}


def names(draw: Any) -> set[str]:
    """The names of all steps of a draw."""
    return set(re.findall(r"name='(\w+)'", repr(draw)))


def draws(name: str, item: Any, count: int, *, unwanted: set[str] = frozenset(), **given: Any) -> Iterator[Any]:
    """So many results of an augmentation in which no unwanted step was drawn."""
    operation = op.find(name)
    seed = found = 0
    while found < count:
        rng = np.random.default_rng([seed, 1])
        handed = {operation.rng_parameter: rng}
        made = operation.function(item, **given, **handed)
        seed += 1
        if not names(made.draw) & unwanted:
            found += 1
            yield made


GEOMETRIC: list[tuple[str, dict[str, Any], set[str]]] = [
    ("augment.tia.distort", {}, set()),
    ("augment.tia.stretch", {"segments": 5}, set()),
    ("augment.tia.perspective", {"strength": 0.8}, set()),
    ("augment.tia.distort", {"pad": "none", "strength": 1.5}, set()),
    ("augment.randaugment", {"magnitude": 20}, TONES),
    ("augment.randaugment", {"preset": "paddleocr", "magnitude": 8}, TONES),
    ("augment.bda", {"probability": 0.25}, DEGRADED),
    ("augment.pp_det", {"size": 240}, set()),
]


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize(("name", "given", "unwanted"), GEOMETRIC, ids=lambda v: v if isinstance(v, str) else "")
def test_labels_follow_the_pixels(
    painted: Any, kind: str, name: str, given: dict[str, Any], unwanted: set[str]
) -> None:
    item = ITEMS[kind](painted)
    before = item.pixels.copy()
    for made in draws(name, item, 6, unwanted=unwanted, **given):
        assert (item.pixels == before).all()
        found = outlines(made)
        large = {i: xy for i, xy in found.items() if np.ptp(xy, axis=0).min() > 6}
        painted.check(made.pixels, large, exact=kind == "page")
        for i in set(range(3)) - set(found):  # what has no label any more is hardly to be seen
            ignored = [np.array(r.points) for r in made.regions if r.ignore] if kind == "page" else []
            left = painted.seen(made.pixels, i)
            for xy in ignored:
                left = painted.outside(left, xy)
            assert len(left) < 0.35 * contours.area(np.array(QUADS[i]))


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("given", [{}, {"rotate": True}, {"max_iou": 0.3}], ids=["plain", "rotate", "overlap"])
def test_pasted_objects_lie_in_their_labels(painted: Any, kind: str, given: dict[str, Any]) -> None:
    item, other = ITEMS[kind](painted), ITEMS[kind](painted, 3)
    pasted = 0
    for made in draws("augment.copy_paste", item, 8, donors=donors(other), ratio=1.0, prepared=None, **given):
        found = outlines(made)
        pasted += len([i for i in found if i > 2])
        # colours that overlap mix at the rims, so an object may fill less of its label
        painted.check(made.pixels, found, exact=not given.get("max_iou"))
        if not given.get("max_iou"):
            assert {0, 1, 2} <= set(found)
    assert pasted > 5


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("name", ["augment.cutmix", "augment.mosaic"])
def test_mixed_pictures_keep_their_labels(painted: Any, kind: str, name: str) -> None:
    item, other = ITEMS[kind](painted), ITEMS[kind](painted, 3)
    for made in draws(name, item, 8, donors=donors(other), min_visible=0.0):
        found = [(i, np.array(points)) for i, points in labelled(made)]
        for number in range(6):
            points = painted.seen(made.pixels, number)
            for xy in (xy for i, xy in found if i == number):
                points = painted.outside(points, xy)
            # a text of which less than a fiftieth is left has no label
            assert len(points) == 0 or (kind == "page" and len(points) < 0.05 * contours.area(QUADS[number % 3]))
        for i, xy in found:
            if np.ptp(xy, axis=0).min() > 6 and contours.area(xy) > 80:
                assert len(painted.seen(made.pixels, i))


def labelled(item: Any) -> list[tuple[int, Any]]:
    """Number and outline of every label; several may have one number."""
    if isinstance(item, Labelled):
        return [(int(b.label), contours.from_box(b.xyxy)) for b in item.boxes]
    return [(int(r.text), r.points) for r in item.regions]


HIDING = ["augment.cutout", "augment.random_erasing", "augment.hide_and_seek", "augment.gridmask"]


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("name", HIDING)
def test_hidden_objects_lose_their_labels(painted: Any, kind: str, name: str) -> None:
    item = ITEMS[kind](painted)
    before = {i: len(painted.seen(item.pixels, i)) for i in range(3)}
    kept = dropped = 0
    given = {"augment.cutout": {"length": 70, "holes": 2}, "augment.gridmask": {"min_period": 30, "max_period": 60}}
    extra = {"fill": "grey"} | given.get(name, {})
    for made in draws(name, item, 12, min_visible=0.5, **extra):
        found = outlines(made)
        for i in range(3):
            share = len(painted.seen(made.pixels, i)) / before[i]
            if i in found:
                kept += 1
                assert share > 0.45
                assert found[i].tolist() == outlines(item)[i].tolist()
            elif kind == "boxes":
                dropped += 1
                assert share < 0.55
            else:  # a text is ignored rather, as long as anything is left
                marked = [r for r in made.regions if r.ignore]
                assert share < 0.97
                assert marked or share < 0.05
    assert kept


def test_mixup_keeps_all_boxes_with_their_weights(painted: Any) -> None:
    item, other = boxes(painted), boxes(painted, 3)
    for made in draws("augment.mixup", item, 5, donors=donors(other), alpha=1.5):
        weights = {b.label: float(dict(b.attributes)["weight"]) for b in made.boxes}
        assert len(weights) == 6
        assert weights["0"] + weights["3"] == pytest.approx(1, abs=1e-3)
        assert made.draw["weight"] == pytest.approx(weights["0"], abs=1e-3)
        assert [b.xyxy for b in made.boxes] == [b.xyxy for b in (*item.boxes, *other.boxes)]


@pytest.mark.parametrize("name", ["augment.mixup", "augment.cutmix"])
def test_classes_are_mixed_in_shares(name: str) -> None:
    black, white = (Classified(np.full((40, 60, 3), v, np.uint8), ((c, 1.0),)) for v, c in ((0, "b"), (255, "w")))
    for made in draws(name, black, 10, donors=donors(white)):
        share = dict(made.classes)
        assert sum(share.values()) == pytest.approx(1)
        assert share.get("w", 0) == pytest.approx(made.pixels.mean() / 255, abs=0.01)


def test_the_only_item_of_a_set_is_its_own_partner(painted: Any) -> None:
    alone = Donors((), lambda source: None)
    for name in ("augment.mixup", "augment.cutmix", "augment.copy_paste"):
        given = {"prepared": None} if name.endswith("paste") else {}
        made = next(draws(name, boxes(painted), 1, donors=alone, **given))
        assert (made.pixels == boxes(painted).pixels).all()
        assert len(made.boxes) == 3
    assert len(next(draws("augment.mosaic", boxes(painted), 1, donors=alone)).boxes) > 0


def test_parts_and_polygons_move_with_their_boxes(painted: Any) -> None:
    polygon = ((20.0, 20.0), (70.0, 24.0), (60.0, 52.0), (16.0, 44.0))
    box = Box("0", (16, 20, 70, 52), parts=(Box("head", (20.0, 22.0, 40.0, 40.0)),), polygon=polygon)
    item = Labelled(painted.paint(SIZE, [np.array(polygon)]), (box,))
    for made in draws("augment.randaugment", item, 10, magnitude=15, unwanted=TONES):
        if not made.boxes:
            continue
        (moved,) = made.boxes
        painted.check(made.pixels, {0: np.array(moved.polygon)})
        inner = contours.box_around(np.array(moved.polygon)) + np.array([-1, -1, 1, 1])
        for part in moved.parts:
            assert part.label == "head"
            assert (np.array(part.xyxy[:2]) >= inner[:2] - 6).all()


def test_mirrored_texts_keep_their_upper_left_first() -> None:
    quad = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))
    item = TextPage(np.zeros((60, 120, 3), np.uint8), (TextRegion(quad, "abc"),))
    kept = [
        made.regions[0].points
        for made in draws("augment.pp_det", item, 30, size=300, angle=0.0, min_scale=1.0, max_scale=1.0)
        if made.regions
    ]
    assert kept
    for points in kept:
        xy = np.array(points)
        assert contours.signed_area(xy) > 0
        assert xy[0].sum() == xy.sum(axis=1).min()


def test_a_text_that_is_cut_is_ignored_and_a_triangle_gets_four_points() -> None:
    quad = ((100.0, 10.0), (180.0, 10.0), (180.0, 40.0), (100.0, 40.0))
    item = TextPage(np.zeros((60, 200, 3), np.uint8), (TextRegion(quad, "abc"),))
    seen = [m for m in draws("augment.randaugment", item, 60, ops=3, magnitude=30, min_visible=0.0) if m.regions]
    assert any(m.regions[0].ignore for m in seen)
    assert all(len(m.regions[0].points) >= 4 for m in seen)


@pytest.mark.parametrize("name", sorted(n for n in op.names("augment") if op.find(n).items and op.find(n).generates))
def test_lines_and_tiny_pictures_work(name: str) -> None:
    """A single pixel, a line of two, and a text line through every augmentation that takes them."""
    operation = op.find(name)
    for kind in operation.items:
        for height, width in ((1, 1), (2, 90), (48, 320)):
            pixels = np.full((height, width, 3), 100, np.uint8)
            rest = {Labelled: ((),), TextPage: ((),), TextLine: ("abc",), Classified: ((("a", 1.0),),)}[kind]
            item = kind(pixels, *rest)
            given = {"donors": donors(item)} if operation.donors_parameter else {}
            given |= {"prepared": None} if operation.prepared_parameter else {}
            if name == "augment.imgaug":
                given = {"pipeline": Path("flip.yaml"), "prepared": [{"Fliplr": {"p": 0.5}}]}
            made = next(draws(name, item, 1, **given))
            assert isinstance(made, kind)
            assert made.pixels.dtype == np.uint8
            assert dataclasses.is_dataclass(made)
