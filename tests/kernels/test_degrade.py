"""BDA and RecAug: each step does something, and labels follow those that move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import contours, degrade

SIZE = (240, 48)
NAMES = [
    "distort", "stretch", "tilt", "rotate", "perspective", "crop", "blur", "motion_blur", "color", "jitter", "noise",
    "reverse",
]  # fmt: skip


def text() -> np.ndarray:
    """Bars of different widths on a light ground."""
    rgb = np.full((SIZE[1], SIZE[0], 3), 220, np.uint8)
    for i, x in enumerate(range(10, 220, 22)):
        rgb[10:38, x : x + 4 + i] = (40, 60, 90)
    return rgb


def one_of(name: str, seed: int = 0) -> degrade.Step:
    for step in degrade.draw(np.random.default_rng(seed), SIZE, probability=1.0):
        if step.name == name:
            return step
    raise AssertionError(name)


def test_all_steps_are_drawn_in_order() -> None:
    steps = degrade.draw(np.random.default_rng(0), SIZE, probability=1.0)
    assert [step.name for step in steps] == NAMES
    unbent = degrade.draw(np.random.default_rng(0), SIZE, probability=1.0, bend=False)
    assert [step.name for step in unbent] == NAMES[3:]
    assert degrade.draw(np.random.default_rng(0), SIZE, probability=0.0) == ()
    counts = [len(degrade.draw(np.random.default_rng(i), SIZE)) for i in range(400)]
    assert np.mean(counts) == pytest.approx(0.4 * 12, abs=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_every_step_does_something(name: str) -> None:
    """PaddleOCR's colour, jitter and noise leave a line of this size as it is, but for single grey values."""
    rgb = text()
    before = rgb.copy()
    made = degrade.apply(rgb, [one_of(name)])
    assert (rgb == before).all()
    if made.shape == rgb.shape:
        assert (np.abs(made.astype(int) - rgb) > 3).mean() > 0.02
    assert (degrade.apply(rgb, [one_of(name)]) == made).all()
    assert made.shape[:2] == degrade.size_after([one_of(name)], SIZE)[::-1]


def test_the_noise_is_gaussian() -> None:
    rgb = np.full((200, 200, 3), 128, np.uint8)
    noise = degrade.apply(rgb, [degrade.Step("noise", (8.0, 5.0))]).astype(float) - 128
    assert noise.mean() == pytest.approx(0, abs=0.1)
    assert noise.std() == pytest.approx(8, abs=0.1)


def test_motion_blur_smears_along_its_line() -> None:
    rgb = np.zeros((41, 41, 3), np.uint8)
    rgb[20, 20] = 255
    across = degrade.apply(rgb, [degrade.Step("motion_blur", (9.0, 0.0))])
    assert np.argwhere(across[..., 0]).tolist() == [[20, x] for x in range(16, 25)]
    down = degrade.apply(rgb, [degrade.Step("motion_blur", (9.0, 90.0))])
    assert np.ptp(np.argwhere(down[..., 0] > 5), axis=0).tolist() == [8, 0]


@given(st.integers(0, 100_000))
@settings(max_examples=30, deadline=None)
def test_labels_follow_the_pixels(painted, seed: int) -> None:
    size_wh = (240, 140)
    outlines = [contours.from_box(b) for b in ([12, 15, 90, 45], [120, 30, 220, 70], [50, 80, 190, 120])]
    steps = [s for s in degrade.draw(np.random.default_rng(seed), size_wh, probability=0.5) if s.warp or s.matrix]
    made = degrade.apply(painted.paint(size_wh, outlines), steps)
    size = degrade.size_after(steps, size_wh)
    assert made.shape[:2] == size[::-1]
    kept = {i: contours.inside(degrade.warp_outline(xy, steps), size) for i, xy in enumerate(outlines)}
    painted.check(made, {i: xy for i, xy in kept.items() if len(xy)})


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 40), (19, 19), (600, 3)])
def test_odd_sizes(size_wh: tuple[int, int]) -> None:
    rgb = np.full((size_wh[1], size_wh[0], 3), 50, np.uint8)
    for seed in range(6):
        made = degrade.apply(rgb, degrade.draw(np.random.default_rng(seed), size_wh, probability=1.0))
        assert min(made.shape) >= 1
