"""`datatools audio features`: log mel filter banks and cepstra."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.records import milliseconds
from datatools.core.values import Audio, Features, Source, printable
from datatools.ops.audio import options, streams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.kernels.features import Moments

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is computed. rate: at which the samples are taken; 0 is the recording's own. scale: of full scale."""

    kind: str
    window_ms: float
    shift_ms: float
    bins: int
    cepstra: int
    deltas: int
    scale: float
    rate: int
    by: str

    def rows(self, audio: Audio, start: int, stop: int) -> "Iterator[Floats]":
        """The rows of a part of a recording, before they are normalised."""
        import numpy as np

        from datatools.kernels import resample
        from datatools.kernels.features import Frames

        sr = self.rate or audio.sr
        frames = Frames(sr, self.window_ms / 1000, self.shift_ms / 1000, self.bins)
        mono = resample.to_mono(_part(audio, start, stop), audio.sr, sr)
        cepstra = self.cepstra if self.kind == "mfcc" else 0
        if self.by == "torchaudio":
            from datatools.compat.torchaudio import kaldi_features

            scaled = (block * np.float32(self.scale) for block in mono)
            rows: Iterator[Floats] = kaldi_features(scaled, sr, self.window_ms, self.shift_ms, self.bins, cepstra)
        else:
            rows = streams.frames_of(mono, frames, self.scale, cepstra)
        yield from streams.with_deltas(rows, self.deltas) if self.deltas else rows

    @property
    def width(self) -> int:
        """Values in a row."""
        return (self.cepstra if self.kind == "mfcc" else self.bins) * (self.deltas + 1)


def _part(audio: Audio, start: int, stop: int) -> "Iterator[Floats]":
    """The blocks of a part of a recording; all is read, so that all is checked."""
    at = 0
    for block in audio.blocks():
        low, high = max(start - at, 0), min(stop - at, len(block))
        if low < high:
            yield block[low:high]
        at += len(block)


def _whole_set(root: Path, sources: Iterator[Source], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sums over all recordings that --cmvn global needs: the first of its two passes."""
    given = {**{spec.name: spec.default for spec in features.own}, **given}
    if given["cmvn"] != "global":
        return None
    from datatools.core.errors import DataError
    from datatools.ops.audio import items

    setting = _setting(given)
    total: Moments | None = None
    for source in sources:
        try:
            audio = items.read(root, source, given["max_hours"])
            for span in _spans(audio, given["segments"]):
                one = _moments(setting, audio, span)
                total = one if total is None else total + one
        except DataError:  # it is reported when its turn comes
            continue
    if total is None:
        return None
    return {"count": total.count, "total": total.total.tolist(), "squares": total.squares.tolist()}


@op("audio.features", version=1, prepare=_whole_set)
def features(
    audio: Audio,
    *,
    kind: Annotated[Literal["fbank", "mfcc"], Param("log mel filter bank, or cepstra made of it")] = "fbank",
    bins: Annotated[int, Param("mel bands", ge=2, le=512)] = 40,
    cepstra: Annotated[int, Param("coefficients of mfcc, at most as many as bands", ge=1, le=512)] = 13,
    window: Annotated[float, Param("length of a frame, ms", ge=1, le=1000)] = 25.0,
    shift: Annotated[float, Param("from one frame to the next, ms", ge=1, le=1000)] = 10.0,
    kaldi: Annotated[bool, Param("samples on the scale of 16-bit integers, as Kaldi takes them")] = False,
    deltas: Annotated[int, Param("so many orders of slopes are put beside each row", ge=0, le=3)] = 0,
    cmvn: Annotated[Literal["none", "utterance", "global"], Param("rows of mean 0 and variance 1, over what")] = "none",
    rate: Annotated[int, Param("resample first, Hz; 0 keeps the recording's own", ge=0, le=192_000)] = 0,
    to: Annotated[Literal["npy", "npz", "ark"], Param("arrays, arrays and one npz of all, Kaldi's archives")] = "npy",
    segments: Annotated[Path, Param("rows of these parts alone: a list that `vad` or `slice` wrote", metavar="LIST")]
    | None = None,
    by: Annotated[Literal["auto", "torchaudio"], Param("what computes; auto is our own code")] = "auto",
    plot: Annotated[Literal["none", "svg", "png"], Param("draw a spectrogram beside the features")] = "none",
    max_hours: options.MaxHours = 12.0,
    prepared: dict[str, Any] | None = None,
) -> Features:
    """Compute log mel filter banks or MFCC of recordings, as Kaldi does without dither.

    Frames of 25 ms every 10 ms, none that reaches over the end: 1 + (n - window) // shift rows of float32. Several
    channels become their mean. The window is Kaldi's (povey), pre-emphasis 0.97, lowest band from 20 Hz on.

    Raises UsageError for more cepstra than bands, MissingExtra where torchaudio is asked for and not there; DataError
    where the recording is bad.
    """
    options.check_length(audio, max_hours)
    given = {
        "kind": kind, "window": window, "shift": shift, "bins": bins, "cepstra": cepstra, "deltas": deltas,
        "kaldi": kaldi, "rate": rate, "by": by,
    }  # fmt: skip
    setting = _setting(given)
    whole = _as_moments(prepared)
    parts = []
    for span in _spans(audio, segments):
        name = "" if segments is None else f"/{milliseconds(span[0], audio.sr)}-{milliseconds(span[1], audio.sr)}"
        over = _moments(setting, audio, span) if cmvn == "utterance" else whole
        parts.append((name, functools.partial(_normalised, setting, audio, span, over)))
    files: tuple[tuple[str, bytes], ...] = ()
    if plot != "none":
        from datatools.ops.audio.spectrogram import draw

        files = ((f".{plot}", draw(audio, plot)),)
    return Features(audio.name, setting.width, tuple(parts), to, files)


def _setting(given: Mapping[str, Any]) -> Setting:
    if given["kind"] == "mfcc" and given["cepstra"] > given["bins"]:
        raise UsageError(f"--cepstra {given['cepstra']} are more than --bins {given['bins']}")
    scale = 32768.0 if given["kaldi"] else 1.0
    return Setting(
        given["kind"], given["window"], given["shift"], given["bins"], given["cepstra"], given["deltas"], scale,
        given["rate"], given["by"],
    )  # fmt: skip


def _normalised(setting: Setting, audio: Audio, span: tuple[int, int], over: "Moments | None") -> "Iterator[Floats]":
    from datatools.kernels import features as kernel

    for rows in setting.rows(audio, *span):
        yield rows if over is None else kernel.normalise(rows, over)


def _moments(setting: Setting, audio: Audio, span: tuple[int, int]) -> "Moments":
    import numpy as np

    from datatools.kernels import features as kernel

    total = kernel.Moments(0, np.zeros(setting.width), np.zeros(setting.width))
    for rows in setting.rows(audio, *span):
        total = total + kernel.moments(rows)
    return total


def _as_moments(prepared: dict[str, Any] | None) -> "Moments | None":
    import numpy as np

    from datatools.kernels.features import Moments

    if prepared is None:
        return None
    return Moments(prepared["count"], np.array(prepared["total"]), np.array(prepared["squares"]))


def _spans(audio: Audio, segments: Path | None) -> list[tuple[int, int]]:
    """The parts of a recording whose features are wanted: all of it, or what a list names."""
    if segments is None:
        return [(0, audio.frames)]
    listed = _listed(segments)
    name = printable(audio.name)
    found = listed.get(name) or listed.get(name.replace("/", "-")) or listed.get(name.rpartition("/")[2]) or []
    spans = [(round(a * audio.sr), min(round(b * audio.sr), audio.frames)) for a, b in found]
    return [(a, b) for a, b in spans if a < b]


@functools.lru_cache(maxsize=4)
def _listed(segments: Path) -> Any:
    from datatools.io.segments.read import read_segments

    return read_segments(segments)
