"""`datatools audio convert`: recordings of one rate, one form, one loudness."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.values import Audio
from datatools.ops.audio import options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

CEILING_DB = -1.0
"""No gain lifts a peak above this."""
_KEEP_S = 0.1  # of silence, around what is left when it is trimmed


@dataclass(frozen=True, slots=True)
class Converted:
    """The samples of a recording on their way: first..stop of it, channels mixed, resampled, multiplied."""

    audio: Audio
    sr: int
    channels: int
    gain: float
    first: int
    stop: int

    def blocks(self) -> "Iterator[Floats]":
        """Yield them, (n, channels)."""
        import numpy as np

        from datatools.kernels import resample

        mixed = (_mixed(block, self.channels) for block in self._part())
        for block in resample.to_rate(mixed, self.audio.sr, self.sr):
            yield block if self.gain == 1 else block * np.float32(self.gain)

    def _part(self) -> "Iterator[Floats]":
        at = 0
        for block in self.audio.blocks():
            low, high = max(self.first - at, 0), min(self.stop - at, len(block))
            if low < high:
                yield block[low:high]
            at += len(block)


def _mixed(block: "Floats", channels: int) -> "Floats":
    """One channel is the mean of all; one becomes several by copying; else the first ones are kept."""
    import numpy as np

    if block.shape[1] == channels:
        return block
    if channels == 1:
        mean: Floats = block.mean(axis=1, keepdims=True, dtype=np.float32)
        return mean
    return np.repeat(block, channels, axis=1) if block.shape[1] == 1 else block[:, :channels]


@op("audio.convert", version=1)
def convert(
    audio: Audio,
    *,
    rate: Annotated[int, Param("samples a second; 0 keeps them", ge=0, le=384_000)] = 0,
    channels: Annotated[int, Param("1 is the mean of all; 0 keeps them", ge=0, le=8)] = 0,
    to: Annotated[Literal["wav", "flac", "ogg", "opus", "mp3"], Param("form of the files")] = "wav",
    bits: Annotated[Literal["16", "24", "32", "float"], Param("of a sample in wav and flac (no 32, no float)")] = "16",
    loudness: Annotated[float, Param("bring to this loudness, LUFS (EBU R 128: -23)", ge=-70, le=0)] | None = None,
    peak: Annotated[float, Param("bring the greatest sample to this level, dB of full scale", ge=-60, le=0)]
    | None = None,
    trim: Annotated[bool, Param("take silence off both ends, but for 0.1 s")] = False,
    max_hours: options.MaxHours = 12.0,
) -> Audio:
    """Convert recordings: rate, channels, form, loudness or peak, trimmed ends.

    Resampling is soxr's, loudness that of ITU-R BS.1770-4 over the whole recording; no gain lifts a peak above -1 dB,
    so that a recording of sharp peaks may stay quieter than asked for. What exceeds full scale is clipped.

    Raises UsageError for what a form cannot hold, and for --loudness with --peak.
    """
    from datatools.io.audio.encode import FORMATS

    options.check_length(audio, max_hours)
    if loudness is not None and peak is not None:
        raise UsageError("give --loudness or --peak, not both")
    sr = rate or audio.sr
    container, subtype = FORMATS[to]
    if to in ("wav", "flac"):
        if to == "flac" and bits in ("32", "float"):
            raise UsageError(f"--to flac holds 16 or 24 bits, not {bits}")
        subtype = "FLOAT" if bits == "float" else f"PCM_{bits}"
    sr = _known_rate(to, sr, asked=bool(rate))
    first, stop = _loud_part(audio) if trim else (0, audio.frames)
    plain = Converted(audio, sr, channels or audio.channels, 1.0, first, stop)
    made = replace(plain, gain=_gain(plain, loudness, peak))
    return Audio(audio.name, sr, made.channels, 0, made, container, subtype)


def _known_rate(to: str, sr: int, *, asked: bool) -> int:
    """The rate, or for the forms that know few the next higher one. Raises UsageError where another was asked for."""
    from datatools.io.audio.encode import MP3_RATES, OPUS_RATES

    rates = {"opus": OPUS_RATES, "mp3": MP3_RATES}.get(to)
    if rates is None or sr in rates:
        return sr
    if asked:
        raise UsageError(f"--to {to} knows the rates {', '.join(map(str, rates))}, not {sr}")
    return next((one for one in rates if one > sr), rates[-1])


def _gain(plain: Converted, loudness: float | None, peak: float | None) -> float:
    """By how much samples are multiplied; 1 for silence."""
    import numpy as np

    from datatools.kernels.loudness import Meter

    if loudness is None and peak is None:
        return 1.0
    meter = Meter(plain.sr, plain.channels)
    highest = 0.0
    for block in plain.blocks():
        highest = max(highest, float(np.abs(block).max()))
        if loudness is not None:
            meter.feed(block)
    if not highest:
        return 1.0
    if peak is not None:
        return float(10 ** (peak / 20) / highest)
    assert loudness is not None
    measured: Any = meter.loudness()
    if measured == float("-inf"):
        return 1.0
    wanted = 10 ** ((loudness - measured) / 20)
    return float(min(wanted, max(10 ** (CEILING_DB / 20) / highest, 1.0)) if wanted > 1 else wanted)


def _loud_part(audio: Audio) -> tuple[int, int]:
    """The part between the first and the last 10 ms that are no silence, with a little around it."""
    import numpy as np

    from datatools.kernels import levels
    from datatools.ops.audio.info import SILENT_DB

    step = max(audio.sr // 100, 1)
    power = [levels.powers(one, step) for one in _mono_steps(audio, step)]
    level = levels.decibels(np.concatenate(power)) if power else np.zeros(0, np.float32)
    loud = np.flatnonzero(level >= SILENT_DB)
    if not len(loud):
        return 0, audio.frames
    margin = round(_KEEP_S * audio.sr)
    return max(int(loud[0]) * step - margin, 0), min((int(loud[-1]) + 1) * step + margin, audio.frames)


def _mono_steps(audio: Audio, step: int) -> "Iterator[Floats]":
    from datatools.kernels import resample

    return resample.regroup(resample.to_mono(audio.blocks(), audio.sr, audio.sr), step * 100)
