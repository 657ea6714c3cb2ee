"""The detector's crop: no text is cut, labels stay on their pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import contours, text_crop

SIZE = (300, 200)
TEXTS = [contours.from_box(b) for b in ([20, 20, 110, 45], [150, 30, 280, 60], [40, 110, 240, 140])]


@given(st.integers(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_labels_follow_the_pixels_and_no_text_is_cut(painted, seed: int) -> None:
    rng = np.random.default_rng(seed)
    crop = text_crop.draw(rng, SIZE, TEXTS, [False] * 3, size=160)
    made = text_crop.apply(painted.paint(SIZE, TEXTS), crop)
    assert made.shape == (160, 160, 3)
    kept = {}
    for i, xy in enumerate(TEXTS):
        moved = text_crop.warp_outline(xy, crop)
        seen = contours.inside(moved, crop.shown_wh)
        if len(seen) and contours.area(seen) > 0.5:
            kept[i] = seen
    assert kept
    painted.check(made, {i: xy for i, xy in kept.items() if np.ptp(xy, axis=0).min() > 4})
    assert not made[crop.shown_wh[1] :].any()
    assert not made[:, crop.shown_wh[0] :].any()


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_a_rectangle_never_cuts_a_text(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 180, (5, 2))
    texts = [
        contours.from_box([x, y, x + w, y + h])
        for (x, y), (w, h) in zip(corners, rng.uniform(4, 40, (5, 2)), strict=True)
    ]
    left, top, right, bottom = text_crop.crop_rect(rng, (220, 220), texts)
    whole = 0
    for text in texts:
        box = contours.box_around(text)
        inside = left <= box[0] and box[2] <= right and top <= box[1] and box[3] <= bottom
        outside = box[2] <= left or box[0] >= right or box[3] <= top or box[1] >= bottom
        assert inside or outside
        whole += inside
    assert whole


def test_the_last_free_stretch_is_used() -> None:
    """Right of the only text is free: some crops end there, not at the picture's edge."""
    texts = [contours.from_box([10, 10, 60, 30])]
    rects = [text_crop.crop_rect(np.random.default_rng(i), (200, 100), texts) for i in range(80)]
    assert any(60 <= right < 200 for _, _, right, _ in rects)
    assert len({rect for rect in rects}) > 40


def test_a_picture_without_text_is_cropped_too() -> None:
    rects = {text_crop.crop_rect(np.random.default_rng(i), (200, 100), []) for i in range(20)}
    assert len(rects) > 10
    ignored = text_crop.draw(np.random.default_rng(1), SIZE, TEXTS, [True] * 3)
    assert ignored.size_wh == (960, 960)


def test_where_no_cut_is_possible_the_whole_is_shown() -> None:
    assert text_crop.crop_rect(np.random.default_rng(0), (50, 50), [contours.from_box([-5, -5, 60, 60])]) == (
        0,
        0,
        50,
        50,
    )


@pytest.mark.parametrize("size_wh", [(1, 1), (900, 2)])
def test_odd_sizes(size_wh: tuple[int, int]) -> None:
    crop = text_crop.draw(np.random.default_rng(2), size_wh, [], [], size=32)
    assert text_crop.apply(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), crop).shape == (32, 32, 3)
