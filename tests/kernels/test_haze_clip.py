"""Haze over time: no flicker on a static clip, no trail behind what moves, no past in a new scene."""

from itertools import pairwise

import numpy as np
import pytest

from datatools.kernels import haze, haze_clip
from datatools.kernels.haze import Settings
from datatools.kernels.scattering import add_haze, depth_gradient

FAST = Settings(refine="fast")
LIGHT = np.array([222.0, 226.0, 230.0])


def hazy_scene(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 200, (9, 12, 3), dtype=np.uint8)
    scene = blocks.repeat(20, axis=0).repeat(20, axis=1)
    return add_haze(scene, depth_gradient(180, 240), 1.6, LIGHT)


def noisy(image: np.ndarray, sigma: float, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    shaken = (image + rng.normal(0, sigma, image.shape) for _ in range(count))
    return [np.clip(np.rint(one), 0, 255).astype(np.uint8) for one in shaken]


def cleared(frames: list[np.ndarray], smooth: float = 0.9) -> list[np.ndarray]:
    past, done = None, []
    for frame in frames:
        clear, past = haze_clip.clear_next(frame, past, FAST, smooth)
        done.append(clear)
    return done


def flicker(frames: list[np.ndarray]) -> float:
    """Mean absolute difference of a frame and the one before."""
    return float(np.mean([np.abs(b.astype(int) - a).mean() for a, b in pairwise(frames)]))


@pytest.mark.parametrize("sigma", [0, 0.5, 2, 6])
def test_a_static_clip_flickers_no_more_than_its_input(sigma: float) -> None:
    frames = noisy(hazy_scene(), sigma, 12)
    assert flicker(cleared(frames)) <= flicker(frames) + 0.2
    if sigma >= 2:  # one by one, the noise is multiplied, and the airlight jumps
        assert flicker([haze.remove(frame, FAST) for frame in frames]) > 1.5 * flicker(frames) + 1


def test_a_blinking_lamp_does_not_make_the_picture_blink() -> None:
    frames = noisy(hazy_scene(), 1, 12)
    for frame in frames[1::2]:
        frame[60:90, 100:130] = 255
    rest = np.s_[110:, :]
    before = flicker([frame[rest] for frame in frames])
    assert flicker([frame[rest] for frame in cleared(frames)]) <= before + 0.5
    assert flicker([haze.remove(frame, FAST)[rest] for frame in frames]) > before + 2


def test_a_moving_thing_leaves_no_trail() -> None:
    background = hazy_scene()
    frames = noisy(background, 1, 16)
    for number, frame in enumerate(frames):
        frame[120:160, 12 * number : 12 * number + 30] = (70, 20, 20)
    done = cleared(frames)
    bare = cleared(noisy(background, 1, 16))
    left = slice(0, 12 * 15 - 12)  # where it was, but for the last step
    trail = np.abs(done[-1][120:160, left].astype(int) - bare[-1][120:160, left])
    assert trail.mean() < 4
    assert np.abs(done[-1][120:160, 180:210].astype(int) - haze.remove(frames[-1], FAST)[120:160, 180:210]).mean() < 12


def test_the_result_does_not_drift() -> None:
    frames = noisy(hazy_scene(), 2, 30)
    whole = haze.remove(hazy_scene(), FAST)
    assert np.abs(cleared(frames)[-1].astype(int) - whole).mean() < 6


def test_a_new_scene_begins_without_a_past() -> None:
    before, after = noisy(hazy_scene(0), 1, 4), noisy(255 - hazy_scene(7), 1, 1)
    assert (cleared([*before, *after])[-1] == haze.remove(after[0], FAST)).all()


def test_without_smoothing_each_frame_is_cleared_by_itself() -> None:
    frames = noisy(hazy_scene(), 2, 3)
    for one, alone in zip(cleared(frames, 0.0), frames, strict=True):
        assert (one == haze.remove(alone, FAST)).all()


def test_nothing_is_changed_in_place_and_grey_works() -> None:
    frames = noisy(hazy_scene()[..., 0], 1, 2)
    _, past = haze_clip.clear_next(frames[0], None, FAST)
    kept = [past.airlight.copy(), past.veil.copy(), past.frame.copy(), frames[1].copy()]
    clear, _ = haze_clip.clear_next(frames[1], past, FAST)
    assert clear.shape == frames[1].shape
    for one, before in zip([past.airlight, past.veil, past.frame, frames[1]], kept, strict=True):
        assert (one == before).all()


@pytest.mark.parametrize("sigma", [1, 3, 8])
def test_noise_is_measured_beside_texture(sigma: float) -> None:
    grey = noisy(hazy_scene()[..., 1], sigma, 1)[0]
    assert haze_clip.noise(grey) == pytest.approx(sigma, rel=0.25)
    assert haze_clip.noise(hazy_scene()[..., 1]) < 0.5
