"""Loudness against the standard's own test signals (EBU Tech 3341, ITU-R BS.2217)."""

import numpy as np
import pytest

from datatools.kernels.loudness import Meter


def tone(level_db: float, seconds: float, sr: int = 48000, hz: float = 1000.0) -> np.ndarray:
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * np.arange(int(seconds * sr)) / sr)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def measure(samples: np.ndarray, sr: int = 48000) -> float:
    meter = Meter(sr, samples.shape[1])
    for first in range(0, len(samples), 30_001):
        meter.feed(samples[first : first + 30_001])
    return meter.loudness()


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 48000])
def test_a_stereo_tone_is_as_loud_as_its_level(sr: int) -> None:
    assert measure(tone(-23, 5, sr), sr) == pytest.approx(-23, abs=0.1)
    assert measure(tone(-33, 5, sr), sr) == pytest.approx(-33, abs=0.1)


def test_a_mono_tone_at_full_scale() -> None:
    assert measure(tone(0, 3, hz=997)[:, :1]) == pytest.approx(-3.01, abs=0.05)


def test_quiet_parts_do_not_count() -> None:
    """Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 dB are -23 LUFS; here a tenth of the length."""
    parts = [tone(-36, 2), tone(-23, 12), tone(-36, 2)]
    assert measure(np.concatenate(parts)) == pytest.approx(-23, abs=0.1)


def test_silence_and_nothing() -> None:
    assert measure(np.zeros((48000, 1), np.float32)) == float("-inf")
    assert measure(np.zeros((0, 1), np.float32)) == float("-inf")
