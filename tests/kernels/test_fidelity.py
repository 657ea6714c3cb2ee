"""PSNR and SSIM against their definitions."""

import math

import numpy as np
import pytest

from datatools.kernels.fidelity import psnr, ssim


def slow_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """One channel of 0 .. 255, window by window, as the paper has it."""
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at**2) / (2 * 1.5**2))
    window /= window.sum()
    found = []
    for y in range(one.shape[0] - 10):
        for x in range(one.shape[1] - 10):
            a, b = (p[y : y + 11, x : x + 11].astype(float) for p in (one, other))
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            found.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(found))


def pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    one = rng.integers(0, 256, shape, dtype=np.uint8)
    other = np.clip(one + rng.normal(0, 30, shape), 0, 255).astype(np.uint8)
    return one, other


def test_ssim_equals_the_slow_reference() -> None:
    one, other = pair((24, 19, 3))
    expected = np.mean([slow_ssim(one[..., c], other[..., c]) for c in range(3)])
    assert ssim(one, other) == pytest.approx(expected, abs=1e-9)
    assert ssim(one[..., 0], other[..., 0]) == pytest.approx(slow_ssim(one[..., 0], other[..., 0]), abs=1e-9)


def test_psnr_equals_the_definition() -> None:
    one, other = pair((24, 19, 3))
    error = np.mean((one.astype(float) - other) ** 2)
    assert psnr(one, other) == pytest.approx(10 * math.log10(255**2 / error))
    assert psnr(one.astype(np.uint16) * 257, other.astype(np.uint16) * 257) == pytest.approx(psnr(one, other))
    assert psnr(one.astype(np.uint16) * 257, other) == pytest.approx(psnr(one, other))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (5, 40), (12, 11, 3)])
def test_equal_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    one, _ = pair(shape)
    assert psnr(one, one) == math.inf
    assert ssim(one, one) == pytest.approx(1)


def test_both_are_symmetric_and_worse_pictures_have_less() -> None:
    one, other = pair((40, 40))
    far = np.clip(one.astype(int) + 3 * (other.astype(int) - one), 0, 255).astype(np.uint8)
    assert ssim(one, other) == pytest.approx(ssim(other, one))
    assert psnr(one, far) < psnr(one, other) < psnr(one, one)
    assert ssim(one, far) < ssim(one, other) < 1
