"""Rectification: every pixel comes from where the quad says, slices are exact, tall texts are turned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import rectify


def ramp(columns: int, rows: int) -> np.ndarray:
    """Two channels that say where a pixel is: bicubic interpolation keeps straight ramps."""
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


def project(quad: np.ndarray, u: float, v: float) -> np.ndarray:
    """Where (u, v) of the unit square lies in the quad, by eight equations: the slow way."""
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    rows, values = [], []
    for (p, q), (x, y) in zip(square, quad, strict=True):
        rows += [[p, q, 1, 0, 0, 0, -x * p, -x * q], [0, 0, 0, p, q, 1, -y * p, -y * q]]
        values += [x, y]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, float), np.array(values, float))
    return np.array([a * u + b * v + c, d * u + e * v + f]) / (g * u + h * v + 1)


@st.composite
def quads(draw: st.DrawFn) -> np.ndarray:
    angle = draw(st.floats(0, 6.3))
    w, h = draw(st.floats(8, 60)), draw(st.floats(8, 60))
    base = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
    bent = base + np.array([[draw(st.floats(-2, 2)) for _ in range(2)] for _ in range(4)])
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return bent @ turned.T + 100


@given(quads())
@settings(max_examples=60)
def test_each_pixel_comes_from_its_place_in_the_quad(quad: np.ndarray) -> None:
    picture, before = ramp(200, 200), quad.copy()
    cut = rectify.rectify(picture, quad, tall=0)
    width, height = rectify.rectified_wh(quad)
    assert cut.shape == (height, width, 3)
    for u, v in ((0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1), (width // 2, height // 2)):
        seen = cut[v, u, :2].astype(float)
        # the centre of the pixel in the quad; a ramp's value at a place is the place less half a pixel
        expected = project(quad, (u + 0.5) / width, (v + 0.5) / height) - 0.5
        assert np.abs(seen - expected).max() <= 1.0  # rounding, and OpenCV's interpolation in 1/32 pixels
    assert (quad == before).all()


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 30), st.integers(1, 20))
def test_an_upright_quad_of_whole_pixels_is_a_slice(left: int, top: int, width: int, height: int) -> None:
    picture = np.random.default_rng(left).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    corners = [[0, 0], [width, 0], [width, height], [0, height]]
    quad = np.array(corners, float) + np.array([left, top])
    cut = rectify.rectify(picture, quad, tall=0)
    assert (cut == picture[top : top + height, left : left + width]).all()
    assert not np.shares_memory(cut, picture)


@given(quads())
@settings(max_examples=30)
def test_tall_texts_are_laid_on_their_side(quad: np.ndarray) -> None:
    picture = ramp(200, 200)
    plain, turned = rectify.rectify(picture, quad, tall=0), rectify.rectify(picture, quad, tall=1.0)
    if plain.shape[0] >= plain.shape[1]:
        assert np.abs(np.rot90(plain).astype(int) - turned).max() <= 1
    else:
        assert (plain == turned).all()


def test_the_ratio_decides_what_is_tall() -> None:
    picture = ramp(60, 60)
    quad = np.array([[10, 10], [30, 10], [30, 40], [10, 40]], float)
    assert rectify.rectify(picture, quad).shape == (20, 30, 3)
    assert rectify.rectify(picture, quad, tall=1.51).shape == (30, 20, 3)


def test_outside_of_the_picture_its_edge_goes_on() -> None:
    picture = ramp(20, 10)
    cut = rectify.rectify(picture, np.array([[-5, 2], [5, 2], [5, 6], [-5, 6]], float), tall=0)
    assert cut[0, :, 0].tolist() == [0] * 5 + [0, 1, 2, 3, 4]
    far = rectify.rectify(picture, np.array([[50, 50], [54, 50], [54, 52], [50, 52]], float))
    assert (far == picture[-1, -1]).all()


def test_grey_pictures_stay_grey() -> None:
    assert rectify.rectify(np.zeros((9, 9), np.uint8), np.array([[0, 1], [5, 0], [6, 4], [1, 5.0]])).ndim == 2


@pytest.mark.parametrize(
    ("quad", "message"),
    [
        ([[0, 0], [9, 9], [9, 0], [0, 9]], "not convex"),
        ([[0, 0], [9, 0], [2, 2], [0, 9]], "not convex"),
        ([[0, 0], [5, 0], [9, 0], [0, 0]], "not convex"),
        ([[0, 0], [np.nan, 0], [9, 9], [0, 9]], "not finite"),
        ([[0, 0], [40000, 0], [40000, 9], [0, 9]], "longer than 32000"),
    ],
)
def test_what_is_no_quad_of_a_text_is_refused(quad: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rectify.rectify(ramp(20, 20), np.array(quad, float))
