"""The dark channel against a slow reference, and the veil."""

import numpy as np
import pytest

from datatools.kernels.dark_channel import dark_channel, veil_of


def test_dark_channel_is_the_least_of_a_square_window() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 17, 3), dtype=np.uint8)
    found = dark_channel(image, 5)
    for y in range(20):
        for x in range(17):
            assert found[y, x] == image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].min()


def test_one_bright_pixel_does_not_appear_in_the_dark_channel() -> None:
    image = np.full((31, 31, 3), 40, np.uint8)
    image[15, 15] = 255
    assert (dark_channel(image, 15) == 40).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_veil_is_the_dark_channel_of_the_shares(dtype: type) -> None:
    image = np.random.default_rng(2).integers(0, np.iinfo(dtype).max, (30, 40, 3), dtype=dtype)
    before, light = image.copy(), np.array([0.9, 0.5, 0.7]) * np.iinfo(dtype).max
    shares = np.minimum(image / light, 1).min(axis=2)
    expected = [[shares[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].min() for x in range(40)] for y in range(30)]
    assert veil_of(image, light, 5) / 65535 == pytest.approx(np.array(expected), abs=1 / 65535)
    assert (image == before).all()


def test_a_black_airlight_divides_nothing_by_zero() -> None:
    assert (veil_of(np.zeros((3, 3, 3), np.uint8), np.zeros(3)) == 0).all()
