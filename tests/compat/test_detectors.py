"""Detectors of others behind our interface: a real CRDNN, WebRTC's if it is installed."""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datatools.compat.webrtc import WebRtc
from datatools.core.errors import UsageError
from datatools.io.segments.read import read_segments
from datatools.kernels import detection
from datatools.kernels.segments import Rules
from datatools.ops.audio import items
from datatools.ops.audio.listening import find_segments, listen

AS_FOUND = Rules(pad=0, merge=0, longest=1e4, shortest=0)


def f1(folder: Path, engine: Any, source: str = "") -> float:
    """The F1 of frames over all recordings of a folder, against its reference.rttm."""
    root, sources = items.find_recordings(folder)
    reference = read_segments(folder / "reference.rttm")
    total = detection.Agreement()
    for one in sources:
        audio = items.read(root, one, 1)
        found, _ = find_segments(audio, engine, source, AS_FOUND)
        spans = np.array(reference[one.id], np.float64)
        total = total + detection.compare(found.kept / audio.sr, spans, audio.frames / audio.sr)
    return total.f1


@pytest.mark.filterwarnings("ignore")
def test_a_crdnn_of_our_own_finds_the_voices(fixture_audio: Path) -> None:
    assert f1(fixture_audio, "speechbrain", str(fixture_audio.parent / "crdnn")) > 0.94


@pytest.mark.filterwarnings("ignore")
def test_its_scores_are_those_that_speechbrain_gives_for_the_file(fixture_audio: Path) -> None:
    from datatools.compat import speechbrain

    vad = speechbrain._model(str(fixture_audio.parent / "crdnn"))
    root, sources = items.find_recordings(fixture_audio / "meeting.wav")
    audio = items.read(root, sources[0], 1)
    heard = listen(audio, "speechbrain", str(fixture_audio.parent / "crdnn"))
    import torch

    samples = torch.from_numpy(np.concatenate(list(audio.blocks()))[:, 0])
    first = vad.get_speech_prob_chunk(samples[None, : 10 * 16_000])[0, :1000, 0].detach().numpy()
    np.testing.assert_allclose(heard.scores[:1000], first, atol=1e-4)
    assert len(heard.scores) == 1180
    assert heard.step_s == 0.01


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ["empty", "broken"])
def test_a_folder_that_is_no_model_is_a_usage_error(tmp_path: Path, what: str) -> None:
    if what == "broken":
        (tmp_path / "hyperparams.yaml").write_text("a: !new:no.such.Class\n")
    from datatools.compat.speechbrain import Crdnn

    with pytest.raises(UsageError, match="--source"):
        Crdnn(str(tmp_path))


def test_weights_are_not_loaded_as_code(monkeypatch: pytest.MonkeyPatch, fixture_audio: Path) -> None:
    from datatools.compat import speechbrain

    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    speechbrain._model.cache_clear()
    with pytest.raises(UsageError, match="loaded as code"):
        speechbrain.Crdnn(str(fixture_audio.parent / "crdnn"))


def test_energy_and_silero_find_the_voices(fixture_audio: Path) -> None:
    assert f1(fixture_audio, "silero") > 0.95
    assert f1(fixture_audio, "energy") > 0.97


def test_webrtc_is_asked_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is not among our own; here stands a detector of its interface that calls everything loud speech."""
    module: Any = types.ModuleType("webrtcvad")

    class Vad:
        def __init__(self, mode: int) -> None:
            assert mode == 2

        def is_speech(self, frame: bytes, sr: int) -> bool:
            assert (len(frame), sr) == (960, 16_000)
            return bool(np.abs(np.frombuffer(frame, "<i2").astype(int)).max() > 1000)

    module.Vad = Vad
    monkeypatch.setitem(sys.modules, "webrtcvad", module)
    engine = WebRtc()
    loud = np.full(1000, 0.5, np.float32)
    engine.feed(np.concatenate([loud, np.zeros(700, np.float32)]), np.zeros(0, np.float32), False)
    engine.feed(loud[:10], np.zeros(0, np.float32), True)
    assert engine.scores().tolist() == [1, 1, 1, 1]  # the third frame ends in silence, the fourth begins so


def test_without_webrtc_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(UsageError, match="pip install webrtcvad-wheels"):
        WebRtc()
