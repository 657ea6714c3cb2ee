"""Every augmentation that moves things: a mark inside an object stays inside its moved label, to a pixel, and stays
where it was between the label's points, so that a text still begins at its first one."""

import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from datatools.core import op
from datatools.core.records import Box, TextRegion
from datatools.core.values import Donors, Labelled, Source, TextPage
from datatools.kernels import contours, degrade

SIZE = (210, 150)
BOXES = [contours.from_box(b) for b in ([20, 16, 80, 52], [110, 24, 190, 62], [50, 84, 140, 130])]
QUADS = [
    np.array([[18.0, 16], [78, 22], [75, 52], [15, 46]]),
    np.array([[108.0, 34], [188, 22], [191, 50], [111, 62]]),
    np.array([[50.0, 86], [138, 96], [134, 128], [46, 118]]),
]
CURVED = [np.array([[x, y], [x + 30, y - 8], [x + 64, y], [x + 62, y + 26], [x + 30, y + 34], [x + 2, y + 26]])
          for x, y in ((16.0, 20.0), (120.0, 30.0), (60.0, 90.0))]  # fmt: skip
KINDS = {"boxes": BOXES, "polygons": CURVED, "page": QUADS, "curved": CURVED}

CHANGING_COLOURS = {
    "autocontrast", "brightness", "color", "contrast", "equalize", "invert", "posterize", "sharpness", "solarize",
    "blur", "motion_blur", "jitter", "noise", "reverse",
}  # fmt: skip


def item_of(kind: str, painted: Any, rng: np.random.Generator, first: int = 0) -> tuple[Any, np.ndarray]:
    """A picture of dark objects, each with a small mark in a colour of its own at a random place inside, and the places
    of the marks."""
    outlines = KINDS[kind]
    pixels = np.full((SIZE[1], SIZE[0], 3), 115, np.uint8)
    marks = []
    for number, xy in enumerate(outlines, first):
        cv2.fillConvexPoly(pixels, np.rint((xy - 0.5) * 16).astype(np.int32), (60, 60, 60), shift=4)
        inner = xy.mean(axis=0) + (xy - xy.mean(axis=0)) * (1 - 7 / np.ptp(xy, axis=0).min())
        x, y = np.floor(rng.dirichlet(np.full(len(xy), 0.4)) @ inner).astype(int)
        pixels[y - 2 : y + 3, x - 2 : x + 3] = painted.COLOURS[number]
        marks.append((x + 0.5, y + 0.5))
    if kind in ("page", "curved"):
        regions = (TextRegion(tuple(map(tuple, q.tolist())), str(n)) for n, q in enumerate(outlines, first))
        return TextPage(pixels, tuple(regions)), np.array(marks)
    with_polygon = kind == "polygons"
    boxes = (
        Box(
            str(n),
            tuple(contours.box_around(q).tolist()),
            polygon=tuple(map(tuple, q.tolist())) if with_polygon else (),
        )
        for n, q in enumerate(outlines, first)
    )
    return Labelled(pixels, tuple(boxes)), np.array(marks)


def labels_of(item: Any) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Number, outline, and whether all of it is there, of each label."""
    if isinstance(item, TextPage):
        yield from ((int(r.text), np.array(r.points), not r.ignore) for r in item.regions)
    else:
        for b in item.boxes:
            yield int(b.label), np.array(b.polygon) if b.polygon else contours.from_box(b.xyxy), not b.truncated


def expected(mark: np.ndarray, before: np.ndarray, after: np.ndarray, *, mirrored: bool) -> np.ndarray:
    """Where a mark must be if four points of its label tell how everything moved."""
    order = (
        [1, 0, len(before) - 1, len(before) - 2] if mirrored else range(4)
    )  # a text's second corner comes first then
    matrix = cv2.getPerspectiveTransform(before[list(order)].astype(np.float32), after[:4].astype(np.float32))
    return cv2.perspectiveTransform(mark.reshape(1, 1, 2), matrix)[0, 0]


def _cases() -> Iterator[Any]:
    """Kind of item, operation, arguments, a step that must have been drawn, whether straight lines stay straight."""

    def case(
        said: str, name: str, given: dict[str, Any], wanted: str = "", *, straight: bool = True, kinds: Any = KINDS
    ) -> Iterator[Any]:
        for kind in kinds:
            yield pytest.param(kind, f"augment.{name}", given, wanted, straight, id=f"{said}, {kind}")

    for kind in ("distort", "stretch", "perspective"):
        for pad in ("auto", "none"):
            yield from case(f"tia {kind} {pad}", f"tia.{kind}", {"pad": pad}, straight=False)
    for step in ("shear_x", "shear_y", "translate_x", "translate_y", "rotate"):
        yield from case(f"randaugment {step}", "randaugment", {"ops": 1, "magnitude": 15}, step)
    yield from case("randaugment paddleocr", "randaugment", {"preset": "paddleocr"}, "rotate", kinds=["boxes", "page"])
    yield from case("autoaugment", "autoaugment", {}, "rotate", kinds=["boxes", "page"])
    yield from case("bda bent", "bda", {"probability": 1.0}, "tilt", straight=False)
    yield from case("bda straight", "bda", {"probability": 1.0, "tia": False}, "crop")
    yield from case("pp-det", "pp_det", {"size": 300, "flip": 0.0, "min_scale": 0.9})
    yield from case("pp-det flip", "pp_det", {"size": 300, "flip": 1.0, "min_scale": 0.9})
    chains: dict[str, list[Any]] = {
        "Fliplr": [{"Fliplr": {"p": 1.0}}],
        "Affine": [{"Affine": {"rotate": [-15, 15], "shear": [-8, 8], "translate_percent": [-0.05, 0.05]}}],
        "PerspectiveTransform": [{"PerspectiveTransform": {"scale": 0.06, "keep_size": False}}, {"Rot90": {"k": 1}}],
    }
    for said, chain in chains.items():
        yield from case(f"imgaug {said}", "imgaug", {"pipeline": "x.yaml", "prepared": chain})
    bent = [{"ElasticTransformation": {"alpha": 8, "sigma": 4}}, {"PiecewiseAffine": {"scale": 0.02, "nb_rows": 2}}]
    for chain in bent:
        given = {"pipeline": "x.yaml", "prepared": [chain]}
        yield from case(f"imgaug {next(iter(chain))}", "imgaug", given, straight=False, kinds=["page"])


@pytest.mark.parametrize(("kind", "name", "given", "wanted", "straight"), [*_cases()])
def test_marks_stay_inside(
    painted: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    given: dict[str, Any],
    wanted: str,
    straight: bool,
) -> None:
    monkeypatch.setattr(degrade, "_DRAWS", {k: v for k, v in degrade._DRAWS.items() if k not in CHANGING_COLOURS})
    operation = op.find(name)
    mirrored = kind in ("page", "curved") and (given.get("flip") == 1.0 or "Fliplr" in str(given))
    draws = seen = exact = seed = 0
    wished = 1 if "PiecewiseAffine" in str(given) else 3  # it takes a second
    while draws < wished:
        seed += 1
        assert seed < 300, "the step is never drawn"
        item, marks = item_of(kind, painted, np.random.default_rng(seed))
        made = operation.function(item, **given, **{operation.rng_parameter: np.random.default_rng([seed, 2])})
        steps = set(re.findall(r"name='(\w+)'", repr(made.draw)))
        if (wanted and wanted not in steps) or steps & CHANGING_COLOURS:
            continue
        draws += 1
        shown = getattr(made.draw, "shown_wh", made.pixels.shape[1::-1])
        for number, outline, whole in labels_of(made):
            points = painted.seen(made.pixels, number)
            assert not len(painted.outside(points, outline)), f"seed {seed}: mark {number} left its label"
            seen += bool(len(points))
            uncut = whole and outline.min() > 0.5 and (np.array(shown) - outline.max(axis=0)).min() > 0.5
            if straight and uncut and kind != "boxes" and len(points) and len(outline) == len(KINDS[kind][number]):
                at = expected(marks[number], KINDS[kind][number], outline, mirrored=mirrored)
                assert np.abs(points.mean(axis=0) - at).max() < 0.75, f"seed {seed}: mark {number} moved in its label"
                exact += 1
    assert seen > wished
    assert exact or not straight or kind == "boxes"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", [{}, {"rotate": True}, {"blend": "feather"}], ids=["plain", "rotate", "feather"])
def test_marks_of_pasted_objects_stay_inside(painted: Any, kind: str, given: dict[str, Any]) -> None:
    operation = op.find("augment.copy_paste")
    pasted = 0
    for seed in range(8):
        item, _ = item_of(kind, painted, np.random.default_rng(seed))
        other, marks = item_of(kind, painted, np.random.default_rng(seed + 100), 3)
        donors = Donors((Source("other", ()),), lambda source, other=other: other)
        made = operation.function(item, ratio=1.0, rng=np.random.default_rng(seed), donors=donors, **given)
        assert [n for n, _, _ in labels_of(made)][:3] == [0, 1, 2]
        (drawn,) = made.draw
        matrices = {3 + one.donor: one.map for one in drawn["pastes"]}
        for number, outline, _ in labels_of(made):
            points = painted.seen(made.pixels, number)
            assert not len(painted.outside(points, outline)), f"seed {seed}: mark {number} left its label"
            if number > 2 and len(points):
                at = cv2.perspectiveTransform(marks[number - 3].reshape(1, 1, 2), matrices[number])[0, 0]
                assert np.abs(points.mean(axis=0) - at).max() < 0.75
                pasted += 1
    assert pasted > 4
