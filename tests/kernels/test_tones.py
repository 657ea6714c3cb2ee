"""Tone tables and chains of operations, against Pillow and against one operation at a time."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from datatools.kernels import autoaugment, contours, geometry, policy, randaugment, tones
from datatools.kernels.policy import Step

FACTORS = st.floats(0.1, 1.9)


def picture(seed: int = 0, size_wh: tuple[int, int] = (70, 50)) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3).astype(int)
    return ((smooth - 100) * 2 + 90).clip(20, 240).astype(np.uint8)


def off(ours: np.ndarray, theirs: Image.Image) -> int:
    return int(np.abs(ours.astype(int) - np.asarray(theirs)).max())


@given(st.integers(0, 1000), FACTORS)
@settings(max_examples=20, deadline=None)
def test_operations_equal_pillows(seed: int, factor: float) -> None:
    rgb = picture(seed)
    theirs, counts = Image.fromarray(rgb), tones.counts_of(rgb)
    assert off(tones.apply(rgb, tones.equalize(counts)), ImageOps.equalize(theirs)) == 0
    assert off(tones.apply(rgb, tones.invert()), ImageOps.invert(theirs)) == 0
    assert off(tones.apply(rgb, tones.posterize(3)), ImageOps.posterize(theirs, 3)) == 0
    assert off(tones.apply(rgb, tones.solarize(128)), ImageOps.solarize(theirs, 128)) == 0
    assert off(tones.apply(rgb, tones.autocontrast(counts)), ImageOps.autocontrast(theirs)) <= 1
    assert off(tones.apply(rgb, tones.brightness(factor)), ImageEnhance.Brightness(theirs).enhance(factor)) <= 1
    assert off(tones.apply(rgb, tones.contrast(factor, counts)), ImageEnhance.Contrast(theirs).enhance(factor)) <= 2
    assert off(tones.color(rgb, factor), ImageEnhance.Color(theirs).enhance(factor)) <= 2
    assert off(tones.sharpness(rgb, factor), ImageEnhance.Sharpness(theirs).enhance(factor)) <= 2


def test_counts_and_chains() -> None:
    rgb = picture()
    counts = tones.counts_of(rgb)
    assert [counts[:, c].tolist() for c in range(3)] == [
        np.bincount(rgb[..., c].ravel(), minlength=256).tolist() for c in range(3)
    ]
    first, second = tones.equalize(counts), tones.solarize(100)
    both = tones.chain(tones.chain(None, first), second)
    assert (tones.apply(rgb, both) == tones.apply(tones.apply(rgb, first), second)).all()
    assert (tones.moved_counts(counts, both) == tones.counts_of(tones.apply(rgb, both))).all()
    mixed = tones.chain(tones.invert(), first)
    assert (tones.apply(rgb, mixed) == tones.apply(tones.apply(rgb, tones.invert()), first)).all()


TONE_STEPS = [
    Step("autocontrast"), Step("brightness", 0.7), Step("color", 1.6), Step("contrast", 1.5), Step("equalize"),
    Step("invert"), Step("posterize", 4), Step("sharpness", 1.8), Step("solarize", 140), Step("identity"),
]  # fmt: skip


@pytest.mark.parametrize("first", TONE_STEPS, ids=lambda s: s.name)
@pytest.mark.parametrize("second", TONE_STEPS, ids=lambda s: s.name)
def test_two_at_once_are_two_after_another(first: Step, second: Step) -> None:
    rgb = picture()
    before = rgb.copy()
    together = policy.apply(rgb, [first, second]).astype(int)
    apart = policy.apply(policy.apply(rgb, [first]), [second]).astype(int)
    assert (rgb == before).all()
    assert np.abs(together - apart).max() <= 1


MOVES = [
    Step("shear_x", 0.2), Step("shear_y", -0.1), Step("translate_x", 9), Step("translate_y", -7), Step("rotate", 15),
]  # fmt: skip


@pytest.mark.parametrize("move", MOVES, ids=lambda s: s.name)
@pytest.mark.parametrize("tone", TONE_STEPS, ids=lambda s: s.name)
def test_moves_and_tones_in_either_order(move: Step, tone: Step) -> None:
    """The waiting map and the waiting table give what one step at a time gives, the uncovered rim included."""
    rgb = picture()
    for steps in ([move, tone], [tone, move]):
        together = policy.apply(rgb, steps).astype(int)
        step_by_step = policy.apply(policy.apply(rgb, steps[:1]), steps[1:]).astype(int)
        if steps[1] is move or tone.name in ("posterize", "solarize", "equalize"):
            assert np.abs(together - step_by_step).mean() < 3  # mixed pixels pass the table before or after
        else:
            assert np.abs(together - step_by_step).max() <= 2
        assert np.abs(together[0, 0] - step_by_step[0, 0]).max() <= 1


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_labels_follow_the_pixels(painted, seed: int) -> None:
    """Any RandAugment of full strength: where the moves go, the labels go."""
    size_wh = (160, 100)
    outlines = [contours.from_box(b) for b in ([20, 15, 70, 45], [90, 20, 140, 55], [40, 60, 110, 90])]
    steps = randaugment.draw(np.random.default_rng(seed), size_wh, ops=3, magnitude=24)
    moves = [step for step in steps if step.name in {"shear_x", "shear_y", "translate_x", "translate_y", "rotate"}]
    moved = policy.apply(painted.paint(size_wh, outlines), moves, fill=(0, 0, 0))
    matrix = policy.matrix_of(steps, size_wh)
    kept = {i: contours.inside(geometry.warp_points(xy, matrix), size_wh) for i, xy in enumerate(outlines)}
    painted.check(moved, {i: xy for i, xy in kept.items() if len(xy) and np.ptp(xy, axis=0).min() > 5})


def test_paper_and_paddleocr_draw_what_they_say() -> None:
    rng = np.random.default_rng(0)
    drawn = [step for _ in range(4000) for step in randaugment.draw(rng, (320, 48))]
    assert {step.name for step in drawn} == set(randaugment.OPERATIONS["paper"])
    values = {step.name: abs(step.value) for step in drawn}
    assert values["rotate"] == pytest.approx(9)
    assert values["shear_x"] == pytest.approx(0.09)
    assert values["solarize"] == pytest.approx(179.2)
    assert values["posterize"] == 7
    assert values["translate_x"] == round(320 * 150 / 331 * 0.3)

    draws = [randaugment.draw(rng, (320, 48), preset="paddleocr") for _ in range(4000)]
    assert 0.45 < sum(bool(draw) for draw in draws) / 4000 < 0.55
    steps = {step.name: step.value for draw in draws for step in draw}
    assert set(steps) == set(randaugment.OPERATIONS["paddleocr"])
    assert "identity" not in steps
    assert abs(steps["rotate"]) == 15
    assert abs(steps["shear_y"]) == pytest.approx(0.15)
    assert abs(steps["translate_x"]) == round(0.226586 * 320)
    assert abs(steps["color"] - 1) == pytest.approx(0.45)
    assert steps["posterize"] == 2
    assert steps["solarize"] == 128
    signs = {np.sign(step.value) for draw in draws for step in draw if step.name == "rotate"}
    assert signs == {-1, 1}


def test_magnitudes_beyond_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        randaugment.draw(np.random.default_rng(0), (9, 9), magnitude=11, preset="paddleocr")


def test_autoaugment_draws_its_25_pairs() -> None:
    assert len(autoaugment.POLICIES) == 25
    rng = np.random.default_rng(0)
    drawn = [autoaugment.draw(rng) for _ in range(3000)]
    names = {step.name for steps in drawn for step in steps}
    assert names == {name for pair in autoaugment.POLICIES for name, _, _ in pair}
    assert max(map(len, drawn)) == 2
    assert {round(abs(s.value), 6) for steps in drawn for s in steps if s.name == "rotate"} == {
        10.0,
        round(80 / 3, 6),
        30.0,
    }
    # (("posterize", 0.4, 8), ("rotate", 0.6, 9)): how often the first half is applied when that pair is drawn
    assert {s.value for steps in drawn for s in steps if s.name == "posterize"} == {
        8 - round(4 * m / 9) for m in (5, 6, 7, 8)
    }


@pytest.mark.parametrize("move", MOVES, ids=lambda s: s.name)
def test_growing_cuts_nothing_off(move: Step) -> None:
    rgb = picture()
    grown = policy.apply(rgb, [move], grow=True, fill=(0, 0, 0))
    assert grown.shape[0] >= rgb.shape[0]
    assert grown.shape[1] >= rgb.shape[1]
    assert grown.sum(dtype=np.int64) == pytest.approx(rgb.sum(dtype=np.int64), rel=0.01)
    assert policy.apply(rgb, [Step("equalize"), Step("invert")], grow=True).shape == rgb.shape


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 5, 3), (40, 1, 3)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    rgb = np.full(shape, 90, np.uint8)
    for step in (*TONE_STEPS, *MOVES):
        assert policy.apply(rgb, [step]).shape == shape


def test_empty_pictures() -> None:
    none = np.empty((0, 0, 3), np.uint8)
    assert tones.counts_of(none).sum() == 0
    assert tones.apply(none, tones.invert()).shape == none.shape
    assert tones.color(none, 0.5).shape == none.shape
    assert tones.sharpness(none, 0.5).shape == none.shape
