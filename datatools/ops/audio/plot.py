"""`datatools audio plot`: pictures of recordings."""

from typing import Annotated, Literal

from datatools.core.op import Param, op
from datatools.core.values import Audio, Drawings
from datatools.ops.audio import options


@op("audio.plot", version=1)
def plot(
    audio: Audio,
    *,
    kind: Annotated[Literal["both", "waveform", "spectrogram"], Param("what is drawn")] = "both",
    to: Annotated[Literal["svg", "png"], Param("form of the pictures")] = "svg",
    max_hours: options.MaxHours = 12.0,
) -> Drawings:
    """Draw the waveform and the spectrogram of recordings: STEM.waveform.svg, STEM.spectrogram.svg.

    The waveform is the mean of all channels, the least and the greatest sample of each column. The spectrogram shows
    the energies of 80 mel bands, logarithmic, from the quietest percent to the loudest.
    """
    import numpy as np

    from datatools.ops.audio.spectrogram import draw
    from datatools.report import sound

    options.check_length(audio, max_hours)
    files = []
    if kind != "spectrogram":
        nothing = np.zeros((0, 2), np.int64)
        files.append((f".waveform.{to}", sound.waveform(sound.envelope(audio), nothing, to)))
    if kind != "waveform":
        files.append((f".spectrogram.{to}", draw(audio, to)))
    return Drawings(audio.name, tuple(files))
