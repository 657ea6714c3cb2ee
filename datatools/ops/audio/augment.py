"""`datatools audio augment`: recordings as they might have been made elsewhere."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.values import Audio, Rng, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MAX_S = 1800.0
"""Longer recordings are not augmented: their samples are all held at once."""


@op("audio.augment", version=1, generates=True)
def augment(
    audio: Audio,
    *,
    gain: Annotated[float, Param("louder or softer by up to so many dB", ge=0, le=60)] = 0.0,
    speed: Annotated[str, Param("times as fast, with the pitch: one of a list as 0.9,1,1.1", metavar="LIST")] = "1",
    reverb: Annotated[Path, Param("rooms: a folder of impulse responses, one of which is drawn, or one file")]
    | None = None,
    noise: Annotated[Path, Param("noises: a folder of recordings, one of which is drawn, or one file")] | None = None,
    snr: Annotated[str, Param("how far the noise is below the recording, dB, as 5..20", metavar="RANGE")] = "5..20",
    codec: Annotated[Literal["none", "telephone", "mp3", "ogg", "opus"], Param("through which it went")] = "none",
    chance: Annotated[float, Param("of each of the steps that are asked for", ge=0, le=1)] = 1.0,
    rng: Rng,
) -> Audio:
    """Change recordings as other rooms, microphones and lines would: speed, reverb, noise, codec, gain, in that order.

    What was drawn for each file stands in OUT/augment.jsonl, a JSON line a file. Files keep the rate, the channels and
    the kind of samples of the recording; what is compressed is written as WAV of 16 bits.

    Raises UsageError for lists and ranges that are none, and folders without recordings; DataError E-AUDIO-LONG for
    recordings of more than half an hour.
    """
    import numpy as np

    from datatools.kernels import effects

    if audio.frames > MAX_S * audio.sr:
        what = f"{audio.frames / audio.sr:.0f} s are more than {MAX_S:.0f}"
        raise DataError(printable(audio.name), 0, "E-AUDIO-LONG", what, "slice it first: datatools audio slice")
    speeds, (low, high) = _list(speed), _range(snr)
    samples = np.concatenate([*audio.blocks(), np.zeros((0, audio.channels), np.float32)])
    drawn: dict[str, Any] = {}
    if speeds != [1.0] and rng.random() < chance:
        drawn["speed"] = float(rng.choice(speeds))
        samples = effects.change_speed(samples, drawn["speed"])
    if reverb is not None and rng.random() < chance:
        room = _drawn(rng, reverb)
        drawn["reverb"] = room.name
        samples = effects.reverberate(samples, _mono(room, audio.sr))
    if noise is not None and rng.random() < chance:
        other = _drawn(rng, noise)
        sound = _mono(other, audio.sr)
        drawn["noise"], drawn["snr_db"] = other.name, round(float(rng.uniform(low, high)), 3)
        samples = effects.add_noise(samples, sound, drawn["snr_db"], int(rng.integers(len(sound))))
    if codec != "none" and rng.random() < chance:
        drawn["codec"] = codec
        samples = _coded(samples, audio.sr, codec)
    if gain and rng.random() < chance:
        drawn["gain_db"] = round(float(rng.uniform(-gain, gain)), 3)
        samples = samples * np.float32(10 ** (drawn["gain_db"] / 20))
    over = float(np.abs(samples).max(initial=0.0))
    if over > 1:  # rather softer than clipped
        drawn["lowered_db"] = round(float(20 * np.log10(over)), 3)
        samples = samples / np.float32(over)
    made = Audio.of(samples.astype(np.float32), audio.sr, audio.name)
    subtype = audio.subtype if audio.container == "WAV" else "PCM_16"
    return Audio(audio.name, audio.sr, audio.channels, made.frames, made.source, "WAV", subtype, {"drawn": drawn})


def _coded(samples: "Floats", sr: int, codec: str) -> "Floats":
    from datatools.io.audio.coding import round_trip
    from datatools.io.audio.encode import MP3_RATES, OPUS_RATES
    from datatools.kernels import effects

    if codec == "telephone":
        return effects.through_telephone(samples, sr)
    rates = {"mp3": MP3_RATES, "opus": OPUS_RATES}.get(codec, (sr,))
    if sr in rates:
        return round_trip(samples, sr, codec)
    near = next((rate for rate in rates if rate > sr), rates[-1])
    there = effects.change_speed(samples, sr / near)
    return effects.fit(effects.change_speed(round_trip(there, near, codec), near / sr), len(samples))


def _drawn(rng: Any, folder: Path) -> Path:
    found = _recordings(folder)
    return found[int(rng.integers(len(found)))]


@functools.lru_cache(maxsize=8)
def _recordings(folder: Path) -> tuple[Path, ...]:
    """The recordings of a folder in an order that no machine changes. Raises UsageError where there is none."""
    from datatools.ops.audio.items import find_recordings

    if not folder.exists():
        raise UsageError(f"{escape(folder)}: no such file or folder")
    root, sources = find_recordings(folder)
    if not sources:
        raise UsageError(f"{escape(folder)}: holds no recordings")
    return tuple(root / source.files[0] for source in sources)


@functools.lru_cache(maxsize=64)
def _mono(path: Path, sr: int) -> "Floats":
    """A whole recording as one channel at that rate."""
    import numpy as np

    from datatools.io.audio.recording import open_recording
    from datatools.kernels import resample

    found = open_recording(path, max_s=MAX_S)
    parts = list(resample.to_mono(found.blocks(), found.header.sr, sr))
    return np.concatenate(parts) if parts else np.zeros(1, np.float32)


def _list(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [0.0]
    if not all(0.25 <= one <= 4 for one in numbers):
        raise UsageError(f"--speed {escape(text)}: must be numbers from 0.25 to 4, as 0.9,1,1.1")
    return numbers


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        numbers = float(low), float(high or low)
    except ValueError:
        numbers = (1.0, 0.0)
    if not -60 <= numbers[0] <= numbers[1] <= 100:
        raise UsageError(f"--snr {escape(text)}: must be dB as 10, or a range as 5..20")
    return numbers
