"""Polygons: area and crossings against plain references, quads in order, empty input."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datatools.kernels import polygons

WHOLE = arrays(
    np.int64,
    st.tuples(st.integers(0, 4), st.integers(3, 7), st.just(2)),
    elements=st.integers(-30, 30),
).map(lambda a: a.astype(np.float64))


def plain_area(points: Sequence[tuple[int, int]]) -> float:
    """The shoelace formula in whole numbers."""
    following = [*points[1:], points[0]]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, following, strict=True)) / 2


def turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])


def plain_crossing(points: Sequence[tuple[int, int]]) -> bool:
    """Every pair of sides that share no corner, in whole numbers."""
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    for (i, (a, b)), (j, (c, d)) in itertools.combinations(enumerate(sides), 2):
        if j - i in (1, len(sides) - 1):
            continue
        if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
            return True
    return False


@given(WHOLE)
@settings(max_examples=60)
def test_area_and_crossings_equal_the_plain_reference(several: np.ndarray) -> None:
    before = several.copy()
    plain = [[(int(x), int(y)) for x, y in one] for one in several]
    assert polygons.signed_area(several).tolist() == [plain_area(p) for p in plain]
    assert polygons.crosses_itself(several).tolist() == [plain_crossing(p) for p in plain]
    assert (several == before).all()


def test_area_of_a_small_polygon_far_away_is_exact() -> None:
    square = np.array([[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1]])
    assert polygons.signed_area(square + 2.0**30) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("n", [3, 4, 8])
def test_no_polygons(n: int) -> None:
    none = np.zeros((0, n, 2))
    assert polygons.signed_area(none).shape == polygons.crosses_itself(none).shape == (0,)
    quads = np.zeros((0, 4, 2))
    assert polygons.order_quads(quads).shape == (0, 4, 2)
    assert polygons.mean_sides(quads).shape == (0, 2)


@given(
    angle=st.floats(-0.7, 0.7),
    size=st.tuples(st.floats(5, 50), st.floats(5, 50)),
    shear=st.floats(-0.3, 0.3),
    order=st.permutations(range(4)),
)
@settings(max_examples=60)
def test_corners_in_any_order_give_one_quad(
    angle: float, size: tuple[float, float], shear: float, order: list[int]
) -> None:
    w, h = size
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    quad = np.array([[0, 0], [w, 0], [w + shear * h, h], [shear * h, h]]) @ turned.T
    (found,) = polygons.order_quads(quad[order][None])
    assert polygons.signed_area(found) > 0
    assert not polygons.crosses_itself(found[None])[0]
    (again,) = polygons.order_quads(found[None])
    assert (again == found).all()
    assert found[0].sum() == pytest.approx(quad.sum(axis=1).min())


def test_of_two_top_left_corners_the_upper_one_comes_first() -> None:
    diamond = np.array([[[2.0, 0.0], [4.0, 2.0], [2.0, 4.0], [0.0, 2.0]]])
    assert polygons.order_quads(np.roll(diamond, 2, axis=1)).tolist() == diamond.tolist()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_polygon_becomes_a_rectangle_that_is_read_the_same_way(turns: int) -> None:
    angle = turns * np.pi / 2 + 0.2
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    top = np.array([[0.0, 0.0], [20.0, 1.0], [40.0, 1.0], [60.0, 0.0]])
    bottom = np.array([[60.0, 10.0], [40.0, 11.0], [20.0, 11.0], [0.0, 10.0]])
    polygon = np.concatenate([top, bottom]) @ turned.T + (500, 300)
    quad = polygons.to_quad(polygon)
    assert polygons.signed_area(quad) > 0
    along = (quad[1] - quad[0]) / np.linalg.norm(quad[1] - quad[0])
    assert along @ turned[:, 0] > 0.999
    for corner in polygon:  # nothing sticks out
        local = (corner - quad[0]) @ np.stack([along, [-along[1], along[0]]], axis=1)
        assert (local > -0.01).all()


def test_what_is_convex() -> None:
    quad = np.array([[3.0, 1.0], [9.0, 2.0], [8.0, 7.0], [2.0, 6.0]])
    assert polygons.is_convex(quad)
    assert not polygons.is_convex(quad[::-1])
    assert not polygons.is_convex(quad[[0, 2, 1, 3]])
    assert not polygons.is_convex(np.array([[0.0, 0.0], [5.0, 0.0], [9.0, 0.0], [5.0, 5.0]]))
    angles = np.arange(5) * 4 * np.pi / 5  # a star turns the same way at each corner
    assert not polygons.is_convex(np.stack([np.cos(angles), np.sin(angles)], axis=1))
