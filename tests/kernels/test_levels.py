"""Levels and the detector that goes by them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datatools.kernels import levels


def test_powers_leave_a_constant_out() -> None:
    wave = 0.5 * np.sin(2 * np.pi * np.arange(1600) / 160)
    made = levels.powers((wave + 0.3).astype(np.float32), 160)
    np.testing.assert_allclose(made, 0.125, rtol=1e-3)
    assert made.dtype == np.float32


def test_empty_input() -> None:
    nothing = np.zeros(0, np.float32)
    assert levels.powers(nothing, 160).shape == (0,)
    assert levels.activity(nothing).shape == (0,)


def test_speech_in_noise_stands_out_and_noise_alone_does_not() -> None:
    rng = np.random.default_rng(0)
    noise = 0.003 * rng.standard_normal(16000 * 20)
    silent = levels.activity(levels.powers(noise.astype(np.float32), 160))
    assert (silent < 0.5).all()
    spoken = noise.copy()
    spoken[16000 * 5 : 16000 * 7] += 0.1 * rng.standard_normal(32000)
    score = levels.activity(levels.powers(spoken.astype(np.float32), 160))
    assert (score[505:695] > 0.5).all()
    assert (score[:490] < 0.5).all()


def test_a_background_that_rises_is_still_background() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(16000 * 60) * np.repeat([0.001, 0.02], 16000 * 30)
    score = levels.activity(levels.powers(noise.astype(np.float32), 160))
    assert (score[:2900] < 0.5).all()
    assert (score[3800:] < 0.5).all()  # five seconds for the floor to see it, some to follow


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=60), st.integers(0, 20))
def test_moving_windows_are_what_loops_give(values: list[float], reach: int) -> None:
    x = np.array(values, np.float32)
    windows = [x[max(i - reach, 0) : i + reach + 1] for i in range(len(x))]
    assert levels.moving_minimum(x, reach).tolist() == [w.min() for w in windows]
    np.testing.assert_allclose(levels.moving_mean(x, reach), [w.mean(dtype=np.float64) for w in windows], atol=1e-3)
