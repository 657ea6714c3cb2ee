"""Measures of frames."""

import numpy as np
import pytest

from datatools.kernels import footage


def texture(seed: int, tone: tuple[int, int, int] = (128, 128, 128)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 20, (90, 120, 1))
    return np.clip(np.array(tone) + noise, 0, 255).astype(np.uint8)


def scenes(frames: list[np.ndarray]) -> list[int]:
    cuts = footage.Cuts()
    return [i for i, frame in enumerate(frames) if cuts.starts_scene(footage.thumbnail(frame))]


def test_blur_lowers_sharpness() -> None:
    import cv2

    sharp = texture(0)
    assert footage.sharpness(sharp) > 10 * footage.sharpness(cv2.GaussianBlur(sharp, (0, 0), 2))
    assert footage.sharpness(sharp[..., 0]) > 0


def test_change_is_a_mean_of_levels() -> None:
    a, b = (footage.thumbnail(np.full((50, 70, 3), v, np.uint8)) for v in (100, 130))
    assert footage.change(a, b) == pytest.approx(30)
    assert footage.change(a, a) == 0


def test_a_cut_begins_a_scene_and_motion_does_not() -> None:
    moving = [np.roll(texture(1, (60, 90, 140)), 9 * i, axis=1) for i in range(10)]
    other = [texture(2, (150, 60, 60)) for _ in range(10)]
    assert scenes(moving + other + moving) == [0, 10, 20]


def test_a_dissolve_begins_one_scene_at_its_end() -> None:
    a, b = texture(1, (60, 90, 140)), texture(2, (150, 60, 60))
    dissolve = [(a * (1 - s) + b * s).astype(np.uint8) for s in np.linspace(0, 1, 9)[1:-1]]
    assert scenes([a] * 10 + dissolve + [b] * 10) == [0, 18]


def test_a_flash_of_light_is_no_dissolve() -> None:
    a = texture(1, (60, 90, 140))
    brighter = [(a * f).clip(0, 255).astype(np.uint8) for f in (1.05, 1.1, 1.05)]
    assert scenes([a] * 5 + brighter + [a] * 5) == [0]


def test_a_saved_state_goes_on() -> None:
    a, b = texture(1, (60, 90, 140)), texture(2, (150, 60, 60))
    dissolve = [(a * (1 - s) + b * s).astype(np.uint8) for s in np.linspace(0, 1, 9)[1:-1]]
    frames = [footage.thumbnail(f) for f in [a] * 3 + dissolve + [b] * 3]
    for stop in range(len(frames)):
        first, second = footage.Cuts(), footage.Cuts()
        told = [first.starts_scene(f) for f in frames[:stop]]
        second.restore(first.state())
        assert [i for i, t in enumerate(told + [second.starts_scene(f) for f in frames[stop:]]) if t] == [0, 11]
