"""Sound through a lossy codec and back, in memory."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from datatools.io.audio.encode import FORMATS
from datatools.io.audio.probe import quiet


def round_trip(samples: NDArray[np.float32], sr: int, form: str) -> NDArray[np.float32]:
    """Encode (n, channels) as mp3, ogg or opus and decode that; what comes back is as long as what went in.

    sr: one that the codec knows. Raises ValueError where it does not.
    """
    container, subtype = FORMATS[form]
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, np.clip(samples, -1, 1), sr, subtype, format=container)
        buffer.seek(0)
        with quiet():
            back, _ = soundfile.read(buffer, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{form} does not take {sr} Hz: {error}") from None
    out = np.zeros_like(samples)
    out[: min(len(out), len(back))] = back[: len(out)]
    return out
