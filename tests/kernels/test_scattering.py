"""The model forward and back: known levels, there and back, alpha, 16 bit."""

import numpy as np
import pytest

from datatools.kernels.scattering import add_haze, depth_gradient, recover


@pytest.mark.parametrize(("t", "expected"), [(0.5, 50), (0.05, 0), (1.0, 70)])
def test_recovery_of_known_levels(t: float, expected: int) -> None:
    image, plane = np.full((2, 3), 70, np.uint8), np.full((2, 3), t, np.float32)
    assert (recover(image, plane, np.array([90.0])) == expected).all()


def test_it_is_the_model_solved() -> None:
    rng = np.random.default_rng(3)
    light, t = np.array([240.0, 230.0, 220.0]), rng.uniform(0.3, 1, (50, 60)).astype(np.float32)
    scene = rng.integers(0, 256, (50, 60, 3))
    hazy = scene * t[..., None] + light * (1 - t[..., None])
    wide = np.rint(hazy * 257).astype(np.uint16)
    assert np.abs(recover(wide, t, light * 257) / 257 - scene).max() < 0.02
    assert np.abs(recover(wide, t, light * 257, dtype=np.dtype(np.uint8)) - scene).max() == 0
    assert np.abs(recover(np.rint(hazy).astype(np.uint8), t, light) - scene).max() <= np.ceil(0.5 / 0.3)


def test_exposure_is_a_factor_of_the_result() -> None:
    image, t = np.full((2, 3, 3), 70, np.uint8), np.full((2, 3), 0.5, np.float32)
    assert (recover(image, t, np.full(3, 90.0), exposure=1.5) == 75).all()
    assert (recover(image, t, np.full(3, 90.0), exposure=9.0) == 255).all()


def test_alpha_stays() -> None:
    image = np.random.default_rng(4).integers(0, 256, (9, 8, 4), dtype=np.uint8)
    assert (recover(image, np.full((9, 8), 0.3, np.float32), np.full(3, 200.0))[..., 3] == image[..., 3]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3), (40, 30, 4), (1, 1, 3), (0, 4, 3)])
def test_haze_is_added_as_the_model_says(shape: tuple[int, ...], dtype: type) -> None:
    top, rng = np.iinfo(dtype).max, np.random.default_rng(5)
    image = rng.integers(0, top, shape, dtype=dtype)
    before = image.copy()
    depth = rng.integers(0, 65536, shape[:2], dtype=np.uint16)
    light = np.array([0.9, 0.8, 0.7][: 1 if len(shape) == 2 else 3]) * top
    hazy = add_haze(image, depth, 1.2, light)
    assert hazy.dtype == dtype
    assert (image == before).all()
    t = np.exp(-1.2 * depth / 65535)
    t = t if len(shape) == 2 else t[..., None]
    colour, seen = (p[..., :3] if len(shape) == 3 else p for p in (image, hazy))
    assert seen == pytest.approx(colour * t + light * (1 - t), abs=0.51 + top / 60000)
    if shape[-1] == 4:
        assert (hazy[..., 3] == image[..., 3]).all()


def test_no_haze_and_haze_without_end() -> None:
    image = np.random.default_rng(6).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    light = np.full(3, 217.0)
    assert (add_haze(image, depth_gradient(20, 30), 0.0, light) == image).all()
    assert (add_haze(image, np.full((20, 30), 65535, np.uint16), 50.0, light) == 217).all()


def test_recovery_undoes_what_was_added() -> None:
    image = np.random.default_rng(7).integers(0, 65536, (50, 40, 3), dtype=np.uint16)
    depth, light = depth_gradient(50, 40), np.array([60000.0, 61000.0, 62000.0])
    t = np.exp(-1.0 * depth / 65535).astype(np.float32)
    assert np.abs(recover(add_haze(image, depth, 1.0, light), t, light).astype(int) - image).max() <= 4
