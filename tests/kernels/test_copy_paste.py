"""CopyPaste: every pasted object is where its label is, and covers nothing that it must not cover."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import blend, contours, copy_paste, geometry
from datatools.kernels.copy_paste import Rules

SEEDS = st.integers(0, 100_000)
SIZE, DONOR_SIZE = (200, 140), (160, 120)
THERE = [contours.from_box([10, 10, 60, 50]), contours.from_box([120, 80, 190, 130])]
BOXES = [contours.from_box(b) for b in ([12, 8, 52, 33], [70, 20, 130, 64], [20, 70, 66, 108])]
QUADS = [
    np.array([[12.0, 10], [58, 4], [62, 22], [14, 30]]),
    np.array([[80.0, 30], [140, 44], [136, 66], [76, 50]]),
    np.array([[20.0, 70], [40, 66], [52, 110], [30, 114]]),
]


def pasted(painted, seed: int, donors: list, upright: bool, rules: Rules, how: blend.Blend = "none"):
    """The picture after pasting all donors' objects, and the outline of each that found a place."""
    rng = np.random.default_rng(seed)
    canvas = painted.paint(SIZE, THERE)
    source = painted.paint(DONOR_SIZE, donors, first=2)
    draw = copy_paste.draw(rng, SIZE, THERE, donors, [upright] * len(donors), range(len(donors)), rules)
    labels = {2 + paste.donor: blend.paste(canvas, source, donors[paste.donor], paste.map, None, how) for paste in draw}
    return canvas, labels


@given(SEEDS, st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_colours_lie_in_their_labels_and_nowhere_else(painted, seed: int, upright: bool, rotate: bool) -> None:
    canvas, labels = pasted(painted, seed, BOXES if upright else QUADS, upright, Rules(rotate=rotate))
    painted.check(canvas, labels | dict(enumerate(THERE)))
    everything = [*THERE, *labels.values()]
    for i, one in enumerate(everything):
        assert one.min() > -1e-6
        assert (one.max(axis=0) < np.array(SIZE) + 1e-6).all()
        for other in everything[:i]:
            assert contours.overlap(one, other) < 0.05


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_boxes_keep_whole_pixels(painted, seed: int) -> None:
    _, labels = pasted(painted, seed, BOXES, True, Rules())
    for outline in labels.values():
        assert outline == pytest.approx(np.rint(outline), abs=1e-9)
        assert contours.area(outline) == pytest.approx(np.prod(np.ptp(outline, axis=0)))


def test_outlines_may_lie_where_their_boxes_would_touch() -> None:
    """A triangle's other half is free, although the upright boxes overlap."""
    there = [np.array([[0.0, 0], [100, 0], [0, 100]])]
    donor = [np.array([[60.0, 0], [60, 60], [0, 60]])]
    rules = Rules(flip=0.0, scales=(1.0, 1.0), tries=200)
    draw = copy_paste.draw(np.random.default_rng(3), (100, 100), there, donor, [False], [0], rules)
    assert len(draw) == 1
    assert contours.overlap(geometry.warp_points(donor[0], draw[0].map), there[0]) == 0.0


def test_nothing_is_pasted_where_there_is_no_room() -> None:
    full = [contours.from_box([0, 0, *SIZE])]
    none = copy_paste.draw(np.random.default_rng(0), SIZE, full, BOXES, [True] * 3, [0, 1, 2], Rules())
    assert none == ()
    large = [contours.from_box([0, 0, 900, 900])]
    assert copy_paste.draw(np.random.default_rng(0), SIZE, [], large, [True], [0], Rules()) == ()


def test_max_iou_lets_objects_overlap() -> None:
    full = [contours.from_box([0, 0, *SIZE])]
    draw = copy_paste.draw(np.random.default_rng(0), SIZE, full, BOXES, [True] * 3, [0, 1, 2], Rules(max_iou=0.9))
    assert len(draw) >= 1
    for paste in draw:
        assert contours.iou(geometry.warp_points(BOXES[paste.donor], paste.map), full[0]) <= 0.9


def test_choose_takes_a_share() -> None:
    rng = np.random.default_rng(0)
    assert copy_paste.choose(rng, 0) == []
    assert len(copy_paste.choose(rng, 3)) == 1
    assert len(copy_paste.choose(rng, 50)) == 10
    assert len(copy_paste.choose(rng, 1000)) == 30
    assert sorted(copy_paste.choose(rng, 5, ratio=1.0)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("how", ["feather", "poisson"])
def test_soft_rims_change_nothing_outside(painted, how: blend.Blend) -> None:
    hard, labels = pasted(painted, 4, BOXES, True, Rules())
    soft, again = pasted(painted, 4, BOXES, True, Rules(), how)
    assert {k: v.tolist() for k, v in labels.items()} == {k: v.tolist() for k, v in again.items()}
    inside = np.zeros(soft.shape[:2], bool)
    for xy in labels.values():
        left, top, right, bottom = contours.box_around(xy).astype(int)
        inside[top:bottom, left:right] = True
    assert (soft[~inside] == hard[~inside]).all()
    assert (soft[inside] != hard[inside]).any()
    if how == "feather":
        for xy in labels.values():
            left, top, right, bottom = contours.box_around(xy).astype(int)
            inner = (slice(top + 5, bottom - 5), slice(left + 5, right - 5))
            assert (soft[inner] == hard[inner]).all()


def test_grabcut_cuts_the_object_out_of_its_box(painted) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(90, 110, (120, 160, 3)).astype(np.uint8)
    disc = np.hypot(*np.meshgrid(np.arange(160) - 80, np.arange(120) - 60)) < 28
    rgb[disc] = (230, 40, 40)
    box = contours.from_box([44, 24, 118, 98])
    mask = blend.silhouette(rgb, box)
    assert mask is not None
    assert (mask == blend.silhouette(rgb, box)).all()
    assert ((mask > 0) == disc).mean() > 0.98
    canvas = np.zeros((120, 160, 3), np.uint8)
    label = blend.paste(canvas, rgb, box, geometry.translate(5, 3), mask, "none")
    assert contours.box_around(label) == pytest.approx([85 - 27, 63 - 27, 85 + 28, 63 + 28], abs=2)
    assert canvas[3 + 26, 5 + 46].max() == 0  # the corner of the box is not pasted


def test_grabcut_gives_up_on_one_colour() -> None:
    rgb = np.full((60, 60, 3), 9, np.uint8)
    assert blend.silhouette(rgb, contours.from_box([10, 10, 40, 40])) is None
    assert blend.silhouette(rgb, contours.from_box([0, 0, 60, 60])) is None


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("size", "off"), [((54, 25), 3), ((90, 61), 3), ((12, 9), 40)])
def test_boxes_are_resized_as_a_warp_would(size: tuple[int, int], off: float, mirrored: bool) -> None:
    """And nothing that lies beside the box has a part in it; shrunk ones are means, which a warp is not."""
    rng = np.random.default_rng(1)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8), (0, 0), 2)
    left, top, right, bottom = 10, 8, 64, 33
    beside = np.full_like(smooth, 255)
    beside[top:bottom, left:right] = smooth[top:bottom, left:right]
    x, y = size[0] / (right - left), size[1] / (bottom - top)
    start = geometry.translate(-right if mirrored else -left, -top)
    matrix = geometry.translate(5, 6) @ geometry.scale(-x if mirrored else x, y) @ start
    box = contours.from_box([left, top, right, bottom])
    one, two = (np.zeros((80, 120, 3), np.uint8) for _ in range(2))
    moved = blend.paste(one, smooth, box, matrix, None, "none")
    blend.paste(two, beside, box, matrix, None, "none")
    assert (one == two).all()
    assert contours.box_around(moved) == pytest.approx([5, 6, 5 + size[0], 6 + size[1]])
    warped = geometry.warp_image(smooth, matrix, (120, 80))
    inner = (slice(8, 4 + size[1]), slice(7, 3 + size[0]))
    assert np.abs(one[inner].astype(int) - warped[inner]).max() <= off
    assert not one[:, :5].any()
    assert not one[6 + size[1] :].any()


def test_same_draw_from_the_same_state() -> None:
    one, two = (
        copy_paste.draw(np.random.default_rng(8), SIZE, THERE, QUADS, [False] * 3, [2, 0], Rules(rotate=True))
        for _ in range(2)
    )
    assert one == two
    assert one[0].donor == 2
