"""The guided filter: its closed cases and a slow reference."""

import numpy as np
import pytest

from datatools.kernels import guided


def slow_box(plane: np.ndarray, radius: int) -> np.ndarray:
    out = np.empty(plane.shape)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            out[y, x] = plane[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1].mean()
    return out


def slow_guided(guide: np.ndarray, source: np.ndarray, radius: int, eps: float) -> np.ndarray:
    i, p = guide.astype(np.float64), source.astype(np.float64)
    mi, mp = slow_box(i, radius), slow_box(p, radius)
    a = (slow_box(i * p, radius) - mi * mp) / (slow_box(i * i, radius) - mi * mi + eps)
    return slow_box(a, radius) * i + slow_box(mp - a * mi, radius)


def planes(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.random(shape, dtype=np.float32), rng.random(shape, dtype=np.float32)


@pytest.mark.parametrize(("shape", "radius"), [((1, 1), 3), ((9, 14), 2), ((20, 11), 30), ((30, 40), 5)])
def test_it_equals_the_slow_reference(shape: tuple[int, int], radius: int) -> None:
    guide, source = planes(shape)
    assert guided.guided_filter(guide, source, radius, 0.01) == pytest.approx(
        slow_guided(guide, source, radius, 0.01), abs=1e-5
    )


def test_a_step_that_guides_itself() -> None:
    step = np.zeros((5, 9), np.float32)
    step[:, 5:] = 1
    expected = [0, 0.0029, 0.0056, 0.0104, 0.0198, 0.9802, 0.9896, 0.9931, 0.9961]
    assert guided.guided_filter(step, step, 2, 0.01)[0] == pytest.approx(expected, abs=5e-5)


def test_a_linear_map_of_the_guide_stays() -> None:
    guide, _ = planes((30, 40))
    source = 0.3 * guide + 0.2
    assert guided.guided_filter(guide, source, 5, 1e-9) == pytest.approx(source, abs=1e-4)


def test_much_smoothing_is_two_box_means() -> None:
    guide, source = planes((30, 40))
    twice = slow_box(slow_box(source, 4), 4)
    assert guided.guided_filter(guide, source, 4, 1e9) == pytest.approx(twice, abs=1e-5)


def test_coefficients_of_a_smaller_size_are_near_on_smooth_maps() -> None:
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    guide, source = (np.sin(x / 40) / 2 + 0.5) * y / 240, np.cos(y / 50 + x / 70) / 2 + 0.5
    exact = guided.guided_filter(guide, source, 60, 0.001)
    small = guided.coefficients(guided.shrunk(guide, 4), guided.shrunk(source, 4), 15, 0.001)
    a, b = (guided.grown(plane, (320, 240)) for plane in small)
    error = np.abs(a * guide + b - exact)
    assert error.mean() < 0.01
    assert error.max() < 0.05


def test_nothing_is_changed_in_place() -> None:
    guide, source = planes((20, 30))
    before = guide.copy(), source.copy()
    guided.guided_filter(guide, source, 4, 0.01)
    assert (guide == before[0]).all()
    assert (source == before[1]).all()


def test_bands_are_no_different_from_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    guide, source = planes((97, 30))
    whole = guided.guided_filter(guide, source, 5, 0.01)
    monkeypatch.setattr(guided, "_BAND_PX", 30 * 25)
    assert guided.guided_filter(guide, source, 5, 0.01) == pytest.approx(whole, abs=1e-6)
    assert guided.guided_filter(guide, source, 40, 0.01).shape == (97, 30)


def test_levels_give_what_shares_give() -> None:
    guide, source = planes((40, 30))
    levels = np.rint(guide * 255).astype(np.uint8)
    by_shares = guided.guided_filter(levels.astype(np.float32) / 255, source, 5, 0.01)
    assert guided.guided_filter(levels, source, 5, 0.01 * 255**2) == pytest.approx(by_shares, abs=1e-5)
