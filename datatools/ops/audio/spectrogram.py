"""The energies that a spectrogram shows, pooled to as many columns as a picture has."""

from typing import TYPE_CHECKING, Literal

from datatools.core.values import Audio
from datatools.ops.audio.streams import frames_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BANDS = 80


def draw(audio: Audio, form: Literal["svg", "png"]) -> bytes:
    """Draw a recording's log mel energies over time."""
    from datatools.report import sound

    return sound.spectrogram(columns(audio, sound.WIDTH), audio.frames / audio.sr, audio.sr, form)


def columns(audio: Audio, count: int) -> "NDArray[np.float32]":
    """The mean log energies of `count` equal parts of the time, (columns, BANDS); fewer if there are fewer frames."""
    import numpy as np

    from datatools.kernels import resample
    from datatools.kernels.features import Frames

    frames = Frames(audio.sr, bands=BANDS)
    total = max(1 + (audio.frames - frames.length) // frames.shift, 0)
    count = min(count, total)
    sums, numbers = np.zeros((count, BANDS)), np.zeros(count)
    at = 0
    for rows in frames_of(resample.to_mono(audio.blocks(), audio.sr, audio.sr), frames, 1.0):
        column = (np.arange(at, at + len(rows)) * count) // total
        np.add.at(sums, column, rows)
        numbers += np.bincount(column, minlength=count)
        at += len(rows)
    return (sums / np.maximum(numbers, 1)[:, None]).astype(np.float32)
