"""Bright places are left alone: no burst of colour in the sky of the fixture, no halo along its skyline."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from datatools.io import images
from datatools.kernels import haze, sky
from datatools.kernels.haze import Settings

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "haze" / "sky"


def picture(name: str) -> np.ndarray:
    return images.decode((FOLDER / name).read_bytes(), name=name)


def saturation(rgb: np.ndarray) -> float:
    return float((rgb.max(axis=1).astype(float) - rgb.min(axis=1)).mean())


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * math.log10(255**2 / ((one.astype(float) - other) ** 2).mean())


@pytest.fixture(scope="module")
def places() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the sky is, but for 2 px along the skyline; where it is within 20 px of the skyline; the ground."""
    above = picture("sky_mask.png")[..., 0] > 127
    inside = cv2.erode(above.astype(np.uint8), np.ones((5, 5))) > 0
    along = inside & (cv2.dilate((~above).astype(np.uint8), np.ones((41, 41))) > 0)
    return inside, along, ~above


@pytest.mark.parametrize("refine", ["guided", "fast"])
def test_the_sky_stays_and_the_ground_is_cleared(
    places: tuple[np.ndarray, np.ndarray, np.ndarray], refine: haze.Refine
) -> None:
    inside, along, ground = places
    hazy, clear = picture("sky.jpg"), picture("sky_clear.jpg")
    burst = haze.remove(hazy, Settings(refine=refine))
    kept = haze.remove(hazy, Settings(refine=refine, sky=True))
    changes = [np.abs(one.astype(int) - hazy) for one in (burst, kept)]
    # without protection the sky is another one, and brighter along the skyline: the halo
    assert changes[0][inside].mean() > 30
    assert saturation(burst[inside]) > saturation(hazy[inside]) + 40
    assert changes[0][inside & ~along].mean() > changes[0][along].mean() + 20
    # with it
    assert changes[1][inside].mean() < 4
    assert saturation(kept[inside]) < saturation(hazy[inside]) + 6
    assert changes[1][along].mean() < 0.5
    assert psnr(kept[ground], clear[ground]) > psnr(hazy[ground], clear[ground]) + 5


def test_dark_places_and_texture_are_not_left_alone() -> None:
    light = np.full(3, 250.0)
    dark = np.full((120, 120, 3), 180, np.uint8)
    assert (sky.left_alone(dark, light) == 0).all()
    bright_leaves = np.full((120, 120, 3), 240, np.uint8)
    bright_leaves[::8] = bright_leaves[1::8] = bright_leaves[2::8] = bright_leaves[3::8] = 90
    assert (sky.left_alone(bright_leaves, light) == 0).all()
    assert (sky.left_alone(np.full((120, 120, 3), 240, np.uint8), light) == 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9, 3), (3, 2, 4), (40, 30, 3)])
def test_any_picture(shape: tuple[int, ...], dtype: type) -> None:
    top = np.iinfo(dtype).max
    image = np.full(shape, top - 5, dtype)
    light = np.full(1 if len(shape) == 2 else 3, float(top))
    alone = sky.left_alone(image, light)
    assert alone.shape == shape[:2]
    assert alone == pytest.approx(np.ones(shape[:2]))
    assert (sky.left_alone(np.zeros_like(image), np.zeros_like(light)) == 0).all()
    assert (image == top - 5).all()
