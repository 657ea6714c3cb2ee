"""Haze: exact cases of the dark channel prior, odd pictures, nothing changed in place."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from datatools.io import images
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
    clear = haze.remove(image, Settings(refine=refine, radius=8))
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


@pytest.mark.parametrize("size_wh", [(320, 240), (1280, 960)])
def test_fast_is_nearly_guided(size_wh: tuple[int, int]) -> None:
    path = Path(__file__).resolve().parents[2] / "fixtures" / "haze" / "hazy" / "town_1_b2.0.jpg"
    image = cv2.resize(images.decode(path.read_bytes(), name=path.name), size_wh, interpolation=cv2.INTER_CUBIC)
    difference = haze.remove(image, Settings(refine="fast")).astype(float) - haze.remove(image)
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 43


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_a_plain_transcription(seed: int) -> None:
    image = np.sort(scene((90, 120, 3), seed=seed), axis=0)  # bright at one end, as haze is
    colour = image / 255
    window = np.ones((15, 15), np.uint8)
    dark = cv2.erode(colour.min(axis=2), window)
    order = np.argsort(-dark.ravel(), kind="stable")[: max(dark.size // 1000, 1)]
    haziest = image.reshape(-1, 3)[np.sort(order)]
    light = haziest[haziest.sum(axis=1).argmax()] / 255
    t = 1 - 0.95 * np.minimum(cv2.erode((colour / light).min(axis=2), window), 1)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / 255
    inside = cv2.boxFilter(np.ones_like(t), -1, (41, 41), normalize=False, borderType=cv2.BORDER_CONSTANT)

    def mean(plane: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(plane, -1, (41, 41), normalize=False, borderType=cv2.BORDER_CONSTANT) / inside

    a = (mean(guide * t) - mean(guide) * mean(t)) / (mean(guide * guide) - mean(guide) ** 2 + 1e-3)
    t = np.clip(mean(a) * guide + mean(mean(t) - a * mean(guide)), 0.1, 1)
    expected = np.clip(np.rint(((colour - light) / t[..., None] + light) * 255), 0, 255)
    assert np.abs(haze.remove(image, Settings(radius=20)) - expected).max() <= 1
