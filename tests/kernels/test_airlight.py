"""The airlight: the rule of He, Sun, Tang to the pixel, its variants, small and flat pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datatools.kernels import airlight

FEW_LEVELS = arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)), elements=st.integers(0, 9))


def plain_haziest(colour: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """By sorting, as one would write it."""
    order = np.argsort(-dark.ravel().astype(int), kind="stable")[: max(dark.size // 1000, 1)]
    return colour.reshape(-1, colour.shape[2])[np.sort(order)].astype(float)


@given(FEW_LEVELS)
@settings(max_examples=50)
def test_it_equals_the_plain_rule(colour: np.ndarray) -> None:
    before, dark = colour.copy(), colour.min(axis=2)
    found = plain_haziest(colour, dark)
    assert airlight.brightest(colour, dark).tolist() == found[found.sum(axis=1).argmax()].tolist()
    assert airlight.mean(colour, dark) == pytest.approx(found.mean(axis=0))
    assert (colour == before).all()


def test_it_is_the_brightest_pixel_among_the_haziest_thousandth() -> None:
    colour = np.full((60, 60, 3), 90, np.uint8)  # 3 pixels are a thousandth
    dark = np.zeros((60, 60), np.uint8)
    dark[10, 10:12], dark[30, 30], dark[50, 50:55] = 250, 240, 230
    colour[30, 30] = (200, 180, 220)
    colour[50, 50] = (255, 255, 255)  # only the fourth
    assert airlight.brightest(colour, dark).tolist() == [200, 180, 220]
    assert airlight.mean(colour, dark) == pytest.approx(np.array([380, 360, 400]) / 3)


def test_less_than_two_thousand_pixels_give_one() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    dark = colour.min(axis=2)
    haziest = colour.reshape(-1, 3)[dark.argmax()].tolist()
    assert airlight.brightest(colour, dark).tolist() == haziest
    assert airlight.mean(colour, dark).tolist() == haziest


def test_a_lamp_does_not_fool_the_quad_tree() -> None:
    colour = np.full((200, 300, 3), 60, np.uint8)
    colour[:90, :140] = (190, 195, 200)  # the sky
    colour[150:154, 250:254] = 255  # the lamp
    assert airlight.quad_tree(colour).tolist() == [190, 195, 200]


@pytest.mark.parametrize("method", ["brightest", "mean", "quad-tree"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (1, 500, 3), (70, 40, 1)])
def test_every_shape(shape: tuple[int, int, int], dtype: type, method: airlight.Method) -> None:
    colour = np.full(shape, np.iinfo(dtype).max - 3, dtype)
    light = airlight.find_airlight(colour, colour.min(axis=2), method)
    assert light.tolist() == [np.iinfo(dtype).max - 3] * shape[2]
