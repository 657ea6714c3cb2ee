"""Crops and scaling: the pixels that a box touches, averages and interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import crops

NUMBER = st.floats(-30, 30, allow_nan=False)


@given(NUMBER, NUMBER, NUMBER, NUMBER)
@settings(max_examples=100)
def test_a_crop_is_every_pixel_that_the_box_touches(left: float, top: float, right: float, bottom: float) -> None:
    rgb = np.arange(12 * 20 * 3, dtype=np.uint8).reshape(12, 20, 3)
    touched = [
        [x for x in range(20) if x + 1 > left and x < right and right > left] if y + 1 > top and y < bottom else []
        for y in range(12)
    ]
    found = crops.crop(rgb, (left, top, right, bottom))
    if right > left and bottom > top:
        rows = [row for row in touched if row]
        assert found.size == 3 * sum(map(len, rows))
        if found.size:
            assert (found[0, 0] == rgb[touched.index(rows[0]), rows[0][0]]).all()


def test_a_box_outside_is_an_empty_picture() -> None:
    rgb = np.zeros((10, 10, 3), np.uint8)
    assert crops.crop(rgb, (20, 2, 30, 5)).size == 0
    assert crops.crop(rgb, (-9, 2, -1, 5)).size == 0


def test_shrinking_averages_and_growing_interpolates() -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[:, 2:] = 200
    before = rgb.copy()
    assert crops.scale(rgb, (2, 2))[0, :, 0].tolist() == [0, 200]
    assert crops.scale(rgb, (1, 1)).ravel().tolist() == [100, 100, 100]
    grown = crops.scale(rgb[:1, 1:3], (4, 1))[0, :, 0].tolist()
    assert grown == sorted(grown)
    assert (grown[0], grown[-1]) == (0, 200)
    assert crops.scale(rgb, (8, 2)).shape == (2, 8, 3)  # one side grows, the other shrinks
    assert (rgb == before).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (4, 4)])
def test_scaling_gives_an_array_of_its_own(size: tuple[int, int]) -> None:
    rgb = np.full((4, 4, 3), 9, np.uint8)
    made = crops.scale(rgb, size)
    made[:] = 0
    assert (rgb == 9).all()
