"""`datatools audio info`: what recordings are, and what is wrong with their sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datatools.core.errors import DataError, escape
from datatools.core.op import op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run
from datatools.core.values import Audio, Source, printable
from datatools.ops.audio import items, options

SILENT_DB = -60.0
"""10 ms below this level, relative to full scale, are silence."""
_FULL = 0.999
_RUN = 3  # so many samples at full scale in a row were clipped


@dataclass(frozen=True, slots=True)
class Facts:
    """One recording. codec: container and kind of samples. peak_db, rms_db: of all channels, relative to full scale.
    loudness_lufs: ITU-R BS.1770. dc: the constant offset, of full scale 1. clipped: samples in runs of at least three
    at full scale. silence: share of the time. None where a value is no number (digital silence)."""

    name: str
    codec: str
    sr: int
    channels: int
    frames: int
    duration_s: float
    peak_db: float
    rms_db: float
    loudness_lufs: float
    dc: float
    clipped: int
    silence: float


@dataclass(frozen=True)
class Info(Result):
    """All recordings of a folder. failures: what could not be read."""

    src: Path
    recordings: tuple[Facts, ...]
    duration_s: float
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """Recordings that could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A row a recording."""
        header = ("recording", "codec", "Hz", "ch", "s", "peak dB", "RMS dB", "LUFS", "DC", "clipped", "silence")
        rows = tuple(
            (
                escape(f.name), f.codec, f.sr, f.channels, round(f.duration_s, 3), f"{f.peak_db:.1f}",
                f"{f.rms_db:.1f}", f"{f.loudness_lufs:.1f}", f"{f.dc:.4f}", f.clipped, f"{f.silence:.1%}",
            )
            for f in self.recordings
        )  # fmt: skip
        if rows:
            yield Table(header, rows)
        for failure in self.failures:
            yield str(failure)
        rates = sorted({f.sr for f in self.recordings})
        yield f"{len(rows)} recordings, {self.duration_s:.1f} s, at {', '.join(map(str, rates)) or 'no'} Hz"
        if len(rates) > 1:
            yield f"next: datatools audio convert {escape(self.src)} OUT --rate 16000 --channels 1"


@dataclass(frozen=True, slots=True)
class _Job:
    root: Path
    max_hours: float

    def __call__(self, source: Source) -> Facts | DataError:
        try:
            return measure(items.read(self.root, source, self.max_hours), printable(source.files[0]))
        except DataError as error:
            return error


@op("audio.info", version=1)
def info(src: Dataset, *, max_hours: options.MaxHours = 12.0, run: Run = SERIAL) -> Info:
    """Measure recordings: codec, rate, length, peak, RMS, loudness, offset, clipping, silence.

    All of every file is read, so what is damaged is found. Raises UsageError where SRC is neither file nor folder.
    """
    root, sources = items.find_recordings(src)
    done = list(run.map(_Job(root, max_hours), sources, "measuring"))
    facts = tuple(one for one in done if isinstance(one, Facts))
    failures = tuple(one for one in done if isinstance(one, DataError))
    return Info(src, facts, sum(f.duration_s for f in facts), failures)


def measure(audio: Audio, name: str) -> Facts:
    """Read a recording once and add up."""
    import numpy as np

    from datatools.kernels import levels, resample
    from datatools.kernels.loudness import Meter

    meter = Meter(audio.sr, audio.channels)
    step = max(audio.sr // 100, 1)
    peak = total = squares = 0.0
    clipped = silent = steps = 0
    ends = np.zeros((0, audio.channels), bool)
    for block in resample.regroup(audio.blocks(), step * 100):
        meter.feed(block)
        peak = max(peak, float(np.abs(block).max()))
        total += float(block.sum(dtype=np.float64))
        squares += float(np.square(block, dtype=np.float64).sum())
        level = levels.decibels(levels.powers(np.ascontiguousarray(block.mean(axis=1)), step))
        silent += int((level < SILENT_DB).sum())
        steps += len(level)
        full = np.concatenate([ends, np.abs(block) >= _FULL])
        clipped += _in_runs(full) - _in_runs(ends)
        ends = full[-4 * _RUN :]
    count = max(audio.frames * audio.channels, 1)
    codec = audio.container if audio.subtype == "FFMPEG" else f"{audio.container} {audio.subtype}"
    return Facts(
        name, codec, audio.sr, audio.channels, audio.frames, audio.frames / audio.sr, _db(peak * peak),
        _db(squares / count), meter.loudness(), total / count, clipped, silent / max(steps, 1),
    )  # fmt: skip


def _in_runs(full: object) -> int:
    """How many samples lie in runs of at least three at full scale, all channels."""
    import numpy as np

    from datatools.kernels.segments import runs

    assert isinstance(full, np.ndarray)
    count = 0
    for channel in full.T:
        lengths = np.diff(runs(channel), axis=1)
        count += int(lengths[lengths >= _RUN].sum())
    return count


def _db(power: float) -> float:
    import math

    return 10 * math.log10(power) if power > 0 else float("-inf")
