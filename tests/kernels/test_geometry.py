"""Maps move points, boxes and pixels alike."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import contours, geometry

SIZE = (90, 60)
ANGLES = st.floats(-180, 180)


def some_map(angle: float, factor: float, slant: float, dx: float, dy: float) -> np.ndarray:
    turned = geometry.around(geometry.rotate(angle), (45, 30)) @ geometry.shear(slant, 0)
    return geometry.translate(dx, dy) @ geometry.around(geometry.scale(factor, factor), (45, 30)) @ turned


def test_known_points() -> None:
    xy = np.array([[2.0, 1.0]])
    assert geometry.warp_points(xy, geometry.rotate(90)) == pytest.approx(np.array([[-1.0, 2.0]]))
    assert geometry.warp_points(xy, geometry.shear(0.5, 0)).tolist() == [[2.5, 1.0]]
    assert geometry.warp_points(xy, geometry.flip_x(10)).tolist() == [[8.0, 1.0]]


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_quad_to_quad_takes_the_corners(seed: int) -> None:
    rng = np.random.default_rng(seed)
    src, dst = (geometry.corners((40, 30)) + rng.uniform(-6, 6, (4, 2)) for _ in range(2))
    assert geometry.warp_points(src, geometry.quad_to_quad(src, dst)) == pytest.approx(dst, abs=1e-6)


def test_quad_to_quad_refuses_a_line() -> None:
    with pytest.raises(ValueError, match="on a line"):
        geometry.quad_to_quad(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), geometry.corners((4, 4)))


@given(ANGLES, st.floats(0.5, 2), st.floats(-0.3, 0.3), st.floats(-15, 15), st.floats(-15, 15))
@settings(max_examples=40, deadline=None)
def test_labels_follow_the_pixels(painted, angle: float, factor: float, slant: float, dx: float, dy: float) -> None:
    matrix = some_map(angle, factor, slant, dx, dy)
    outlines = [contours.from_box(b) for b in ([5, 6, 25, 20], [40, 8, 70, 22], [30, 35, 60, 55])]
    rgb = painted.paint(SIZE, outlines)
    before = rgb.copy()
    moved = geometry.warp_image(rgb, matrix, SIZE)
    assert (rgb == before).all()
    kept = {i: contours.inside(geometry.warp_points(xy, matrix), SIZE) for i, xy in enumerate(outlines)}
    kept = {i: xy for i, xy in kept.items() if contours.area(xy) > 12 and np.ptp(xy, axis=0).min() > 3}
    painted.check(moved, kept)
    boxes = geometry.warp_boxes(np.array([contours.box_around(xy) for xy in outlines]), matrix)
    for i in kept:
        assert boxes[i] == pytest.approx(contours.box_around(geometry.warp_points(outlines[i], matrix)))


def test_perspective_moves_labels_too(painted) -> None:
    outlines = [contours.from_box(b) for b in ([5, 6, 25, 20], [40, 8, 70, 22], [30, 35, 60, 55])]
    to = geometry.corners(SIZE) + np.array([[6, 9], [-12, 2], [-3, -8], [9, -1]])
    matrix = geometry.quad_to_quad(geometry.corners(SIZE), to)
    moved = geometry.warp_image(painted.paint(SIZE, outlines), matrix, SIZE)
    painted.check(moved, {i: geometry.warp_points(xy, matrix) for i, xy in enumerate(outlines)})


def test_whole_brings_everything_into_view() -> None:
    matrix, size = geometry.whole(geometry.rotate(90), (30, 20))
    assert size == (20, 30)
    xy = geometry.warp_points(geometry.corners((30, 20)), matrix)
    assert xy.min() == pytest.approx(0, abs=1e-9)
    assert xy.max(axis=0) == pytest.approx((20, 30))


@pytest.mark.parametrize("shift", [(3, -2), (0, 0), (-90, 0), (200, 5), (-4, 59)])
def test_whole_shifts_are_exact(shift: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    moved = geometry.warp_image(rgb, geometry.translate(*shift), SIZE, fill=(1, 2, 3))
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    expected = cv2.warpAffine(rgb, matrix, SIZE, flags=cv2.INTER_NEAREST, borderValue=(1, 2, 3))
    assert (moved == expected).all()


def test_a_view_of_another_size_shows_the_upper_left() -> None:
    rgb = np.full((4, 5, 3), 7, np.uint8)
    assert geometry.warp_image(rgb, np.eye(3), (8, 6))[:4, :5].min() == 7
    assert geometry.warp_image(rgb, np.eye(3), (8, 6))[4:].max() == 0


def test_shrinking_loses_no_line() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, 30] = 255
    small, rest = geometry.shrunk(rgb, geometry.scale(0.1, 0.1))
    assert small.shape == (6, 6, 3)
    assert rest @ np.array([6, 6, 1]) == pytest.approx([6.4, 6.4, 1])
    assert geometry.warp_image(small, rest, (6, 6)).max() > 15


def test_sides_that_opencv_cannot_address_are_refused() -> None:
    with pytest.raises(ValueError, match="32766"):
        geometry.warp_image(np.zeros((1, 40_000, 3), np.uint8), geometry.rotate(5), (10, 10))


def test_empty_input() -> None:
    assert geometry.warp_points(np.empty((0, 2)), geometry.rotate(5)).shape == (0, 2)
    assert geometry.warp_boxes(np.empty((0, 4)), geometry.rotate(5)).shape == (0, 4)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_quad_to_rectangle_is_quad_to_quad(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height = rng.uniform(5, 300, 2)
    quad = (
        geometry.corners((width, height)) + rng.uniform(-0.2, 0.2, (4, 2)) * min(width, height) + rng.uniform(0, 900, 2)
    )
    made = geometry.quad_to_rectangle(quad.tolist(), 120.0, 30.0)
    assert made is not None
    solved = geometry.quad_to_quad(quad, geometry.corners((120.0, 30.0)))
    np.testing.assert_allclose(geometry.warp_points(quad, made), geometry.corners((120.0, 30.0)), atol=1e-8)
    inner = quad.mean(axis=0) + (quad - quad.mean(axis=0)) * 0.7
    np.testing.assert_allclose(geometry.warp_points(inner, made), geometry.warp_points(inner, solved), atol=1e-6)


def test_quad_to_rectangle_of_what_is_no_quad() -> None:
    assert geometry.quad_to_rectangle([(0, 0), (1, 0), (2, 0), (3, 0)], 4, 4) is None
    assert geometry.quad_to_rectangle([(5, 5)] * 4, 4, 4) is None
    skewed = geometry.quad_to_rectangle([(0, 0), (10, 2), (13, 9), (3, 7)], 10, 8)
    assert skewed is not None
    assert geometry.is_affine(skewed)
