"""Noise at its level, rooms without delay, speed, telephones; resampling in blocks."""

import numpy as np
import pytest

from datatools.kernels import effects, resample


@pytest.fixture
def wave() -> np.ndarray:
    return (0.3 * np.sin(np.arange(16000) / 9))[:, None].astype(np.float32)


@pytest.mark.parametrize("snr_db", [0.0, 12.5, 30.0])
def test_noise_is_mixed_at_its_level(wave: np.ndarray, snr_db: float) -> None:
    noise = np.random.default_rng(0).standard_normal(3000).astype(np.float32)
    mixed = effects.add_noise(wave, noise, snr_db, 17)
    added = mixed - wave
    assert 10 * np.log10(np.square(wave).mean() / np.square(added).mean()) == pytest.approx(snr_db, abs=0.01)
    assert added[0, 0] / added[1, 0] == pytest.approx(noise[17] / noise[18], rel=1e-3)


def test_silence_stays_silent(wave: np.ndarray) -> None:
    nothing = np.zeros((100, 2), np.float32)
    assert not effects.add_noise(nothing, np.ones(5, np.float32), 10, 0).any()
    assert (effects.add_noise(wave, np.zeros(5, np.float32), 10, 0) == wave).all()
    assert not effects.reverberate(nothing, np.ones(5, np.float32)).any()


def test_a_room_does_not_move_the_sound() -> None:
    click = np.zeros((1000, 1), np.float32)
    click[100] = 1
    answer = np.concatenate([np.zeros(50), [1.0], 0.1 * np.ones(200)]).astype(np.float32)
    made = effects.reverberate(click, answer)
    assert made.shape == click.shape
    assert np.abs(made).argmax() == 100
    assert np.square(made).mean() == pytest.approx(np.square(click).mean(), rel=1e-3)
    assert made[150] == pytest.approx(made[100] * 0.1, rel=1e-3)


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.25])
def test_speed_changes_length_and_pitch(wave: np.ndarray, factor: float) -> None:
    made = effects.change_speed(wave, factor)
    assert len(made) == pytest.approx(len(wave) / factor, abs=1)
    before, after = (np.abs(np.fft.rfft(x[:, 0])).argmax() / len(x) for x in (wave, made))
    assert after == pytest.approx(before * factor, rel=0.01)


def test_a_telephone_lets_the_voice_through_and_nothing_else() -> None:
    time_s = np.arange(32000) / 16000
    for hz, passed in ((60, False), (1000, True), (3000, True), (6000, False)):
        tone = (0.5 * np.sin(2 * np.pi * hz * time_s))[:, None].astype(np.float32)
        made = effects.through_telephone(tone, 16000)
        assert made.shape == tone.shape
        assert (np.square(made).mean() > 0.25 * np.square(tone).mean()) == passed


def test_empty_input() -> None:
    nothing = np.zeros((0, 1), np.float32)
    some = np.ones(3, np.float32)
    assert len(effects.add_noise(nothing, some, 3, 0)) == 0
    assert len(effects.reverberate(nothing, some)) == 0
    assert len(effects.change_speed(nothing, 1.1)) == 0
    assert len(effects.through_telephone(nothing, 16000)) == 0
    assert list(resample.to_mono([], 44100, 16000)) == []
    assert list(resample.regroup([], 10)) == []


@pytest.mark.parametrize("sr", [8000, 11025, 22050, 44100, 48000])
def test_blocks_are_resampled_as_the_whole_is(sr: int) -> None:
    import soxr

    samples = np.random.default_rng(0).standard_normal((sr, 2)).astype(np.float32)
    blocks = [samples[first : first + 3001] for first in range(0, len(samples), 3001)]
    made = np.concatenate(list(resample.to_mono(blocks, sr, 16000)))
    whole = soxr.resample(samples.mean(axis=1), sr, 16000)
    assert len(made) == len(whole) == 16000
    np.testing.assert_allclose(made, whole, atol=1e-4)


def test_regrouped_blocks_are_the_same_samples() -> None:
    blocks = [np.arange(first, first + 7, dtype=np.float32) for first in range(0, 70, 7)]
    made = list(resample.regroup(blocks, 16))
    assert all(len(block) % 16 == 0 for block in made[:-1])
    assert np.concatenate(made).tolist() == list(range(70))
