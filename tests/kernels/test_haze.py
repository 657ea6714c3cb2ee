"""Haze: exact cases of the dark channel prior, odd pictures, nothing changed in place."""

import numpy as np
import pytest

from datatools.kernels import haze
from datatools.kernels.haze import Settings

SHAPES = [(1, 1), (1, 1, 3), (7, 5), (7, 5, 2), (7, 5, 3), (7, 5, 4), (40, 33, 3), (0, 5, 3), (5, 0)]


def scene(shape: tuple[int, ...], dtype: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("refine", ["guided", "fast", "none"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_dtype_comes_back_as_it_was(shape: tuple[int, ...], refine: haze.Refine, dtype: type) -> None:
    image = scene(shape, dtype)
    before = image.copy()
    clear = haze.remove(image, Settings(refine=refine))
    assert clear.shape == image.shape
    assert clear.dtype == image.dtype
    assert (image == before).all()
    if shape[-1] in (2, 4) and len(shape) == 3:
        assert (clear[..., -1] == image[..., -1]).all()


def test_dark_channel_is_the_least_of_a_square_window() -> None:
    image = scene((20, 17, 3))
    found = haze.dark_channel(image, 5)
    for y in range(20):
        for x in range(17):
            assert found[y, x] == image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].min()


def test_one_bright_pixel_does_not_appear_in_the_dark_channel() -> None:
    image = np.full((31, 31, 3), 40, np.uint8)
    image[15, 15] = 255
    assert (haze.dark_channel(image, 15) == 40).all()


def test_airlight_is_the_brightest_pixel_among_the_haziest_thousandth() -> None:
    image = np.full((60, 60, 3), 90, np.uint8)  # 3 pixels are a thousandth
    dark = np.zeros((60, 60), np.uint8)
    dark[10, 10:12], dark[30, 30], dark[50, 50:55] = 250, 240, 230
    image[30, 30] = (200, 180, 220)
    image[50, 50] = (255, 255, 255)  # only the fourth
    assert haze.airlight(image, dark).tolist() == [200, 180, 220]


def test_airlight_of_a_small_picture_is_one_pixel() -> None:
    image = scene((9, 9, 3))
    dark = haze.dark_channel(image, 3)
    assert haze.airlight(image, dark).tolist() == image.reshape(-1, 3)[dark.argmax()].tolist()


@pytest.mark.parametrize("refine", ["guided", "fast", "none"])
def test_transmission_of_a_scene_with_a_black_channel(refine: haze.Refine) -> None:
    light, t = np.array([0.9, 0.85, 0.8]) * 65535, 0.6
    clear = scene((50, 60, 3), np.uint16).astype(np.float64)
    clear[..., 1] = 0
    hazy = np.rint(clear * t + light * (1 - t)).astype(np.uint16)
    found = haze.transmission(hazy, light, Settings(refine=refine))
    assert found == pytest.approx(np.full((50, 60), 0.62), abs=2e-4)
    error = haze.recover(hazy, found, light).astype(np.float64) - clear
    expected = np.clip((clear - light) * (0.6 / 0.62) + light, 0, 65535) - clear
    assert np.abs(error).max() == pytest.approx(np.abs(expected).max(), abs=20)


@pytest.mark.parametrize(("t", "expected"), [(0.5, 50), (0.05, 0), (1.0, 70)])
def test_recovery_of_known_levels(t: float, expected: int) -> None:
    image, plane = np.full((2, 3), 70, np.uint8), np.full((2, 3), t, np.float32)
    assert (haze.recover(image, plane, np.array([90.0])) == expected).all()
