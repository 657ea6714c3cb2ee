"""Filter banks and cepstra against Kaldi's formulas in plain NumPy and against torchaudio."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datatools.io.audio.recording import open_recording
from datatools.kernels import features
from datatools.kernels.features import Frames
from datatools.ops.audio.streams import frames_of, with_deltas

Floats = NDArray[np.float32]


def plain(samples: Floats, frames: Frames) -> NDArray[np.float64]:
    """Frame by frame, in double precision."""
    size = 1 << (frames.length - 1).bit_length()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames.length) / (frames.length - 1))
    rows = []
    for first in range(0, len(samples) - frames.length + 1, frames.shift):
        x = samples[first : first + frames.length].astype(np.float64)
        x = x - x.mean()
        x = (x - 0.97 * np.concatenate([x[:1], x[:-1]])) * hann**0.85
        power = np.abs(np.fft.rfft(x, size)) ** 2
        energies = features.mel_filters(frames.bands, size, frames.sr).astype(np.float64) @ power[:-1]
        rows.append(np.log(np.maximum(energies, features.EPSILON)))
    return np.array(rows).reshape(-1, frames.bands)


@pytest.fixture(scope="module")
def voice() -> Floats:
    path = Path(__file__).resolve().parents[2] / "fixtures" / "audio" / "meeting.wav"
    return np.ascontiguousarray(np.concatenate(list(open_recording(path).blocks()))[:80_000, 0])


@pytest.fixture(scope="module")
def kaldi() -> Any:
    from datatools.compat import torchaudio

    return torchaudio.load("torchaudio.compliance.kaldi")


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("bands", [23, 80])
def test_it_is_what_the_formulas_give(voice: Floats, sr: int, bands: int) -> None:
    frames = Frames(sr, bands=bands)
    made = features.fbank(voice, frames)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, plain(voice, frames), atol=1e-3)


@pytest.mark.parametrize("scale", [1, 32768])
@pytest.mark.parametrize(("kind", "bands"), [("fbank", 23), ("fbank", 40), ("fbank", 80), ("mfcc", 23), ("mfcc", 40)])
def test_it_agrees_with_torchaudio(voice: Floats, kaldi: Any, kind: str, bands: int, scale: int) -> None:
    import torch

    samples = voice * np.float32(scale)
    settings = {"sample_frequency": 16000.0, "num_mel_bins": bands, "dither": 0.0}
    theirs = getattr(kaldi, kind)(torch.from_numpy(samples)[None], **settings).numpy()
    made = getattr(features, kind)(samples, Frames(16000, bands=bands))
    assert made.shape == theirs.shape
    np.testing.assert_allclose(made, theirs, atol=1e-3)


@given(st.integers(0, 4000))
@settings(max_examples=30, deadline=None)
def test_the_number_of_frames(n: int) -> None:
    made = features.fbank(np.zeros(n, np.float32), Frames(16000))
    assert made.shape == (1 + (n - 400) // 160 if n >= 400 else 0, 40)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("block", [100, 1000, 16000])
@pytest.mark.parametrize("order", [1, 2])
def test_a_stream_in_blocks_gives_what_the_whole_gives(voice: Floats, block: int, order: int) -> None:
    frames = Frames(16000, bands=20)

    def blocks() -> Iterator[Floats]:
        for first in range(0, 20_000, block):
            yield voice[first : min(first + block, 20_000)]

    whole = features.fbank(voice[:20_000], frames)
    parts = list(frames_of(blocks(), frames, 1.0))
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-4)
    sloped = np.concatenate(list(with_deltas(iter(parts), order)))
    np.testing.assert_allclose(sloped, features.deltas(np.concatenate(parts), order), atol=1e-5)


def test_deltas_agree_with_torchaudio(voice: Floats, kaldi: Any) -> None:
    import torch
    from torchaudio.functional import compute_deltas

    rows = features.fbank(voice, Frames(16000))
    first = compute_deltas(torch.from_numpy(rows.T.copy())[None])
    second = compute_deltas(first)
    made = features.deltas(rows, 2)
    np.testing.assert_allclose(made[:, 40:80], first[0].numpy().T, atol=1e-4)
    np.testing.assert_allclose(made[:, 80:], second[0].numpy().T, atol=1e-4)


def test_normalised_rows_have_mean_0_and_variance_1(voice: Floats) -> None:
    rows = features.fbank(voice, Frames(16000))
    both = features.moments(rows[:100]) + features.moments(rows[100:])
    made = features.normalise(rows, both)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(made.std(axis=0), 1, atol=1e-3)
    constant = np.full((5, 3), 2.0, np.float32)
    assert not features.normalise(constant, features.moments(constant)).any()


def test_no_argument_changes(voice: Floats) -> None:
    before = voice.copy()
    features.mfcc(voice, Frames(16000))
    assert (voice == before).all()


@pytest.mark.parametrize(("length_ms", "sr"), [(25, 8000), (1, 8000), (25, 96000), (3.1, 11025)])
def test_odd_sizes_of_frames(length_ms: float, sr: int) -> None:
    samples = np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    frames = Frames(sr, window_s=length_ms / 1000, bands=3)
    np.testing.assert_allclose(features.fbank(samples, frames), plain(samples, frames), atol=1e-3)
