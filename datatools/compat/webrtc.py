"""The detector of WebRTC as an engine, where the package webrtcvad is installed.

Nothing is broken in it: this is an adaptor. It says yes or no for frames of 30 ms, so scores are 0 or 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import UsageError

Floats = NDArray[np.float32]

_FRAME = 480
_MODE = 2  # of 0, which lets most through, to 3


class WebRtc:
    """One pass over one recording of 16 kHz. step_s: seconds of a score."""

    step_s = 0.03

    def __init__(self) -> None:
        try:
            import webrtcvad
        except ImportError:
            raise UsageError("--vad webrtc needs: pip install webrtcvad-wheels") from None
        self._vad: Any = webrtcvad.Vad(_MODE)
        self._rest = np.zeros(0, np.float32)
        self._scores: list[float] = []

    def feed(self, samples: Floats, power: Floats, last: bool) -> None:
        """Take the next samples; what fills no frame at the end is filled up with silence."""
        x = np.concatenate([self._rest, samples])
        if last and len(x) % _FRAME:
            x = np.concatenate([x, np.zeros(-len(x) % _FRAME, np.float32)])
        whole = len(x) // _FRAME * _FRAME
        pcm = np.clip(np.rint(x[:whole] * 32768), -32768, 32767).astype("<i2").reshape(-1, _FRAME)
        self._scores += [float(self._vad.is_speech(frame.tobytes(), 16000)) for frame in pcm]
        self._rest = x[whole:]

    def scores(self) -> Floats:
        """All scores."""
        return np.array(self._scores, np.float32)
