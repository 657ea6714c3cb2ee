"""Moving least squares and the text warps: known values, invariants, and labels that stay on their pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import contours, mls, tia

SEEDS = st.integers(0, 100_000)
KINDS = st.sampled_from(["distort", "stretch", "perspective"])

# W=120, H=32: destination points, source points, and the displacement of the inverse map at some places
SRC = np.array([(0, 0), (120, 0), (120, 32), (0, 32), (40, 0), (40, 32), (80, 0), (80, 32)], dtype=float)
DST = np.array([(5, 2), (117, 4), (114, 29), (3, 27), (36.5, 1.5), (44.5, 30.5), (82.5, -2.5), (76.5, 33.5)])
SHIFTS = {
    (0, 0): (-5.5319, -2.0659),
    (100, 0): (0.8459, -1.2586),
    (119, 0): (2.9040, -4.3830),
    (0, 31): (-3.1065, 5.3753),
    (100, 31): (4.0937, 1.7500),
    (119, 31): (6.5085, 2.9360),
    (60, 16): (-0.19401, 0.16873),
}


def test_the_worked_example() -> None:
    places = np.array(list(SHIFTS), dtype=float)
    assert mls.move(places, DST, SRC) - places == pytest.approx(np.array(list(SHIFTS.values())), abs=1e-3)
    assert mls.move(np.array([[36.5, 1.5]]), DST, SRC) == pytest.approx(np.array([[40.0, 0.0]]), abs=1e-6)


def test_the_last_control_point_counts() -> None:
    """Where a place is the last control point, the usual implementation returns (0.0337, -3.0129) here."""
    src = np.array([(0, 0), (120, 0), (120, 32), (0, 32)], dtype=float)
    dst = np.array([(0, 3), (120, 5), (120, 30), (0, 0)], dtype=float)
    assert mls.move(np.array([[0.0, 0.0]]), dst, src) == pytest.approx(np.array([[0.0, 32.0]]), abs=1e-5)


@given(SEEDS, st.floats(-20, 20), st.floats(-20, 20))
@settings(max_examples=20, deadline=None)
def test_a_shift_of_all_points_shifts_everything(seed: int, dx: float, dy: float) -> None:
    rng = np.random.default_rng(seed)
    src, xy = rng.uniform(0, 100, (8, 2)), rng.uniform(-10, 110, (9, 2))
    assert mls.move(xy, src + np.array([dx, dy]), src) == pytest.approx(xy - np.array([dx, dy]), abs=1e-6)


@given(SEEDS, st.floats(-3, 3), st.floats(0.5, 2))
@settings(max_examples=20, deadline=None)
def test_a_turn_of_all_points_turns_everything(seed: int, angle: float, factor: float) -> None:
    rng = np.random.default_rng(seed)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    src, xy = rng.uniform(0, 100, (8, 2)), rng.uniform(-10, 110, (9, 2))
    assert mls.move(xy @ turn.T, src @ turn.T, src) == pytest.approx(xy, abs=1e-5)


def test_the_map_of_all_pixels_is_the_map_of_points() -> None:
    whole, rest = mls.pixel_map(DST, SRC, 120, 32)
    x, y = np.meshgrid(np.arange(120) + 0.5, np.arange(32) + 0.5)
    exact = mls.move(np.stack([x.ravel(), y.ravel()], axis=1), DST, SRC).reshape(32, 120, 2) - 0.5
    got = whole + np.stack([rest & 31, rest >> 5], axis=2) / 32
    assert np.abs(got - exact).max() <= 1 / 64 + 1e-3  # the form has 32 steps a pixel


@given(SEEDS, KINDS, st.integers(2, 6), st.sampled_from([(320, 48), (100, 32), (33, 90), (700, 500)]))
@settings(max_examples=25, deadline=None)
def test_there_and_back(seed: int, kind: tia.Kind, segments: int, size_wh: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    warp = tia.draw(rng, size_wh, kind, segments=segments)
    xy = rng.uniform(0, 1, (20, 2)) * size_wh
    moved = tia.warp_points(xy, warp)
    assert mls.move(moved, np.array(warp.dst), np.array(warp.src)) == pytest.approx(xy, abs=2e-3)


@given(SEEDS, KINDS, st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_labels_follow_the_pixels(painted, seed: int, kind: tia.Kind, segments: int) -> None:
    size_wh = (240, 120)
    outlines = [contours.from_box(b) for b in ([10, 12, 90, 40], [110, 20, 220, 60], [60, 75, 180, 105])]
    rgb = painted.paint(size_wh, outlines)
    before = rgb.copy()
    warp = tia.draw(np.random.default_rng(seed), size_wh, kind, segments=segments)
    moved = tia.warp_image(rgb, warp)
    assert (rgb == before).all()
    assert moved.shape == (warp.size_wh[1], warp.size_wh[0], 3)
    painted.check(moved, {i: tia.warp_outline(xy, warp) for i, xy in enumerate(outlines)})


@given(SEEDS, KINDS)
@settings(max_examples=25, deadline=None)
def test_padding_keeps_the_glyphs(seed: int, kind: tia.Kind) -> None:
    warp = tia.draw(np.random.default_rng(seed), (200, 40), kind)
    rim = contours.densify(contours.from_box([0, 0, 200, 40]), 2.0)[0]
    moved = tia.warp_points(rim, warp)
    assert moved.min() > -1
    assert (moved.max(axis=0) < np.array(warp.size_wh) + 1).all()


@given(SEEDS, KINDS, st.floats(0.2, 3))
@settings(max_examples=25, deadline=None)
def test_nothing_is_folded(seed: int, kind: tia.Kind, strength: float) -> None:
    warp = tia.draw(np.random.default_rng(seed), (300, 40), kind, strength=strength, pad=False)
    x, y = np.meshgrid(np.linspace(2, 298, 60), np.linspace(2, 38, 12))
    at = mls.move(np.stack([x.ravel(), y.ravel()], axis=1), np.array(warp.dst), np.array(warp.src)).reshape(12, 60, 2)
    across, down = np.diff(at, axis=1)[:-1], np.diff(at, axis=0)[:, :-1]
    assert (across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0] > 0).mean() > 0.995


def test_no_move_changes_no_pixel() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (48, 320, 3), dtype=np.uint8)
    points = tuple((float(x), float(y)) for x, y in [(0, 0), (320, 0), (320, 48), (0, 48), (160, 0), (160, 48)])
    assert (tia.warp_image(rgb, tia.Warp(points, points, (320, 48))) == rgb).all()


def test_a_long_line_is_bent_everywhere() -> None:
    """The usual implementation bends lines of up to 100 pixels by their corners alone."""
    src = tuple((float(x), float(y)) for x, y in [(0, 0), (99, 0), (99, 32), (0, 32), (50, 0), (50, 32)])
    dst = (*src[:4], (60.0, 0.0), (60.0, 32.0))
    moved = mls.move(np.array([[25.0, 16.0], [50.0, 16.0], [75.0, 16.0]]), np.array(dst), np.array(src))
    assert moved[1, 0] < 45


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 1), (1, 50), (3, 200), (5000, 8)])
@pytest.mark.parametrize("kind", ["distort", "stretch", "perspective"])
def test_odd_sizes(size_wh: tuple[int, int], kind: tia.Kind) -> None:
    rgb = np.full((size_wh[1], size_wh[0], 3), 200, np.uint8)
    warp = tia.draw(np.random.default_rng(1), size_wh, kind)
    assert (tia.warp_image(rgb, warp) == 200).all()


def test_the_same_draw_twice() -> None:
    one, two = (tia.draw(np.random.default_rng(5), (200, 40), "distort") for _ in range(2))
    assert one == two
