"""Haze: exact cases of the dark channel prior, odd pictures, nothing changed in place."""

import numpy as np
import pytest

from datatools.kernels import haze
from datatools.kernels.dark_channel import veil_of
from datatools.kernels.haze import Settings
from datatools.kernels.scattering import recover

SHAPES = [
    *((1, 1), (1, 1, 3), (4, 1), (1, 4, 3), (3, 4, 1), (7, 5), (7, 5, 2), (7, 5, 3), (7, 5, 4)),
    *((40, 33, 3), (3, 70000), (0, 5, 3), (5, 0)),
]


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


@pytest.mark.parametrize("refine", ["guided", "fast", "none"])
def test_transmission_of_a_scene_with_a_black_channel(refine: haze.Refine) -> None:
    light, t = np.array([0.9, 0.85, 0.8]) * 65535, 0.6
    clear = scene((50, 60, 3), np.uint16).astype(np.float64)
    clear[..., 1] = 0
    hazy = np.rint(clear * t + light * (1 - t)).astype(np.uint16)
    found = haze.transmission(hazy, veil_of(hazy, light), light, Settings(refine=refine))(slice(None))
    assert found == pytest.approx(np.full((50, 60), 0.62), abs=2e-4)
    error = recover(hazy, found, light).astype(np.float64) - clear
    expected = np.clip((clear - light) * (0.6 / 0.62) + light, 0, 65535) - clear
    assert np.abs(error).max() == pytest.approx(np.abs(expected).max(), abs=20)


@pytest.mark.parametrize("refine", ["guided", "fast", "none"])
@pytest.mark.parametrize("sky", [True, False])
def test_what_is_estimated_gives_what_remove_gives(refine: haze.Refine, sky: bool) -> None:
    image = scene((300, 400, 3)) // 2 + 90
    settings = Settings(refine=refine, sky=sky, exposure=1.2)
    found = haze.estimate(image, settings)
    clear = recover(image, found.transmission, found.airlight, settings.t0, settings.exposure)
    assert (clear == haze.remove(image, settings)).all()
    assert found.transmission.min() >= 0
    assert found.transmission.max() <= 1
