"""Outlines: areas against counted pixels, clipping, overlaps."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import contours

SEEDS = st.integers(0, 100_000)


def convex(seed: int, n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, n))
    centre, radius = rng.uniform(10, 40, 2), rng.uniform(5, 25)
    return np.asarray(centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def mask(xy: np.ndarray, scale: int = 16) -> np.ndarray:
    """A raster of the outline over (-20, -20) to (80, 80), counted finely."""
    canvas = np.zeros((100 * scale, 100 * scale), np.uint8)
    if len(xy):
        cv2.fillPoly(canvas, [np.rint((xy + 20) * scale - 0.5).astype(np.int32)], 1)
    return canvas


@given(SEEDS, SEEDS)
@settings(max_examples=15, deadline=None)
def test_overlap_and_shares_equal_counted_pixels(one: int, other: int) -> None:
    a, b = convex(one), convex(other)
    seen_a, seen_b = mask(a), mask(b)
    cells = 16**2
    assert contours.area(a) == pytest.approx(seen_a.sum() / cells, abs=6)
    assert contours.overlap(a, b) == pytest.approx((seen_a & seen_b).sum() / cells, abs=6)
    assert contours.iou(a, b) == pytest.approx((seen_a & seen_b).sum() / max((seen_a | seen_b).sum(), 1), abs=0.03)
    hidden = (seen_a & seen_b).sum() / max(seen_a.sum(), 1)
    if contours.area(a) > 20:
        assert contours.visible_share(a, [b]) == pytest.approx(1 - hidden, abs=0.03)
        parts = [mask(part, 4) for part in contours.uncovered(a, [b])]
        rest = mask(a, 4) & ~mask(b, 4) & 1
        found = np.any(parts, axis=0) if parts else np.zeros_like(rest)
        assert (found < rest).sum() / 16 < 6  # what is left is among them; a hole in it may be, too


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_inside_is_the_part_in_the_image(seed: int) -> None:
    xy = convex(seed)
    before = xy.copy()
    seen = contours.inside(xy, (30, 25))
    assert (xy == before).all()
    assert contours.area(seen) == pytest.approx(contours.overlap(xy, contours.from_box([0, 0, 30, 25])), abs=0.3)
    if len(seen):
        assert seen.min() >= 0
        assert (seen.max(axis=0) <= (30, 25)).all()
        assert (contours.inside(seen, (30, 25)) == seen).all()


def test_a_cover_with_a_hole_hides_only_its_ring() -> None:
    whole = contours.from_box([0, 0, 10, 10])
    ring = [contours.from_box(b) for b in ([2, 2, 8, 3], [2, 7, 8, 8], [2, 2, 3, 8], [7, 2, 8, 8])]
    assert contours.visible_share(whole, ring) == pytest.approx(0.8)
    assert contours.visible_share(whole, []) == 1.0
    assert contours.visible_share(whole, [contours.from_box([-5, -5, 20, 20])]) == 0.0


def test_touching_is_no_overlap() -> None:
    a, b = contours.from_box([0, 0, 4, 4]), contours.from_box([4, 0, 8, 4])
    assert contours.overlap(a, b) == 0.0
    assert contours.uncovered(a, [b])[0].tolist() == a.tolist()


def test_boxes_that_overlap_only_by_their_corners_boxes_do_not() -> None:
    """Two triangles in one square: their upright boxes are the same, they share nothing."""
    upper, lower = np.array([[0.0, 0], [9, 0], [0, 9]]), np.array([[10.0, 1], [10, 10], [1, 10]])
    assert contours.overlap(upper, lower) == 0.0


def test_follow_bends_with_the_move() -> None:
    def bend(xy: np.ndarray) -> np.ndarray:
        return xy + np.stack([np.zeros(len(xy)), 5 * np.sin(xy[:, 0] / 20 * np.pi)], axis=1)

    line = contours.from_box([0, 0, 60, 20])
    bent = contours.follow(line, bend)
    assert len(bent) > 10
    dense, _ = contours.densify(line, 0.5)
    exact = bend(dense).astype(np.float32)
    off = [abs(cv2.pointPolygonTest(bent.astype(np.float32), (float(x), float(y)), True)) for x, y in exact]
    assert max(off) < 0.5
    assert contours.follow(line, lambda xy: xy + 3).tolist() == (line + 3).tolist()


def test_degenerate_outlines() -> None:
    nothing, point, line = np.empty((0, 2)), np.array([[1.0, 1.0]]), np.array([[0.0, 0], [4, 4], [8, 8], [4, 4]])
    for xy in (nothing, point, line):
        assert contours.area(xy) == 0.0
        assert contours.inside(xy, (5, 5)).shape == (0, 2)
        assert contours.visible_share(xy, [contours.from_box([0, 0, 9, 9])]) == 0.0
    assert contours.overlap(line, contours.from_box([0, 0, 9, 9])) == 0.0
    assert contours.follow(nothing, lambda xy: xy).shape == (0, 2)
