"""`datatools audio slice`: recordings cut into utterances."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.values import Audio, Slices, printable
from datatools.ops.audio import options
from datatools.ops.audio.listening import Heard, find_segments

if TYPE_CHECKING:
    from datatools.kernels.segments import Segments


def _lines(made: Slices) -> Iterator[str]:
    """A line a clip: recording, start and end in seconds, mean score."""
    sr = made.audio.sr
    for (first, stop), score in zip(made.kept.tolist(), made.scores.tolist(), strict=True):
        yield f"{escape(printable(made.audio.name))}\t{first / sr:.3f}\t{stop / sr:.3f}\t{score:.3f}"


@op("audio.slice", version=1, preview=_lines)
def slice(
    audio: Audio,
    *,
    vad: options.Vad = "silero",
    source: options.SourceName = options.SPEECHBRAIN,
    threshold: options.Threshold = 0.5,
    min_speech: options.MinSpeech = 0.25,
    min_silence: options.MinSilence = 0.1,
    pad: options.Pad = 0.1,
    merge: options.Merge = 0.3,
    longest: options.Longest = 15.0,
    shortest: options.Shortest = 1.0,
    name: Annotated[
        str, Param("of clips: {stem}, {start} and {end} in ms, {n}", metavar="TEMPLATE")
    ] = "{stem}/{start}-{end}",
    manifest: options.Manifest = (),
    scores: Annotated[bool, Param("write the scores of each recording: STEM.scores.npy")] = False,
    plot: Annotated[
        Literal["none", "svg", "png"], Param("draw each recording with its clips: STEM.svg, STEM.png")
    ] = "none",
    max_hours: options.MaxHours = 12.0,
) -> Slices:
    """Cut recordings into clips of speech, none longer than --max, without losing a sample.

    Every clip is cut out of the recording as it is: its rate, its channels, its kind of samples; what is compressed is
    decoded to 16 bits. What is in no clip is listed in OUT/dropped.csv, as silence or as too short; clips and list
    together are the whole recording. A piece that is longer than --max is cut at the quietest place that leaves nothing
    shorter than --min. With --dry-run the clips are printed: recording, start and end in seconds, mean score.

    Raises UsageError for limits that contradict each other, names and forms that nobody knows; DataError where the
    recording is bad.
    """
    options.check_manifests(manifest)
    options.check_length(audio, max_hours)
    if not any(field in name for field in ("{start}", "{end}", "{n}")) or "{stem}" not in name:
        raise UsageError("--name must hold {stem} and {start}, {end} or {n}, or clips would share a name")
    rules = options.rules(threshold, min_speech, min_silence, pad, merge, longest, shortest)
    found, heard = find_segments(audio, vad, source, rules)
    files: list[tuple[str, bytes]] = []
    if scores:
        files.append((".scores.npy", _scores(heard)))
    if plot != "none":
        files.append((f".{plot}", _plot(audio, found, plot)))
    return Slices(audio, found.kept, found.scores, found.dropped, found.silent, name, manifest, tuple(files))


def _scores(heard: Heard) -> bytes:
    """A .npy file of (N, 2): where each step begins, seconds, and its score."""
    import io

    import numpy as np

    out = io.BytesIO()
    np.save(out, np.stack([np.arange(len(heard.scores)) * heard.step_s, heard.scores], axis=1), allow_pickle=False)
    return out.getvalue()


def _plot(audio: Audio, found: "Segments", form: Literal["svg", "png"]) -> bytes:
    from datatools.report import sound

    return sound.waveform(sound.envelope(audio), found.kept, form)
