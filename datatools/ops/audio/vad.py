"""`datatools audio vad`: where somebody speaks, printed or listed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.records import Recording, Span
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, Run
from datatools.core.values import Source, printable
from datatools.ops.audio import items, options
from datatools.ops.audio.listening import find_segments


@dataclass(frozen=True)
class Found(Result):
    """Speech of every recording.

    segments: by recording, start and end in seconds, and the mean score of each. recordings: duration in seconds of
    each. failures: what could not be read. out: where lists were written, None without.
    """

    src: Path
    segments: dict[str, tuple[tuple[float, float, float], ...]]
    recordings: dict[str, float]
    failures: tuple[DataError, ...]
    out: Path | None = None

    @property
    def problems(self) -> int:
        """Recordings that could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A line a segment: recording, start, end, score."""
        for name, spans in self.segments.items():
            for start, end, score in spans:
                yield f"{escape(name)}\t{start:.3f}\t{end:.3f}\t{score:.3f}"
        for failure in self.failures:
            yield str(failure)

    def remarks(self) -> Iterator[str]:
        """How much speech there is, and what to do next."""
        total = sum(self.recordings.values())
        speech = sum(end - start for spans in self.segments.values() for start, end, _ in spans)
        count = sum(map(len, self.segments.values()))
        yield f"{len(self.recordings)} recordings of {total:.1f} s: {speech:.1f} s of speech in {count} segments"
        if self.out is not None:
            yield f"written: {escape(self.out)}"
        yield f"next: datatools audio slice {escape(self.src)} OUT"


@dataclass(frozen=True, slots=True)
class _Job:
    root: Path
    engine: options.EngineName
    source: str
    rules: tuple[float, ...]
    max_hours: float

    def __call__(self, source: Source) -> "tuple[Recording, list[Span]] | DataError":
        try:
            audio = items.read(self.root, source, self.max_hours)
            found, _ = find_segments(audio, self.engine, self.source, options.rules(*self.rules))
        except DataError as error:
            return error
        path = f"{self.root}/{source.files[0]}"
        recording = Recording(printable(source.id), printable(path), audio.sr, audio.channels, audio.frames)
        spans = zip(found.kept.tolist(), found.scores.tolist(), strict=True)
        return recording, [Span(recording, first, stop, score) for (first, stop), score in spans]


@op("audio.vad", version=1)
def vad(
    src: Annotated[Dataset, Param("file or folder to listen to", metavar="SRC")],
    out: Annotated[Path, Param("folder for the lists", metavar="OUT", writes="folder")] | None = None,
    *,
    vad: options.Vad = "silero",
    source: options.SourceName = options.SPEECHBRAIN,
    threshold: options.Threshold = 0.5,
    min_speech: options.MinSpeech = 0.25,
    min_silence: options.MinSilence = 0.1,
    pad: options.Pad = 0.0,
    merge: options.Merge = 0.0,
    longest: options.Longest = 43_200.0,
    shortest: options.Shortest = 0.0,
    manifest: options.Manifest = (),
    max_hours: options.MaxHours = 12.0,
    force: Force = False,
    run: Run = SERIAL,
) -> Found:
    """Find where somebody speaks: the segments that `slice` with the same options would cut, printed.

    Here nothing is added to the speech, joined or cut, unless asked for. A line a segment: recording, start and end in
    seconds, mean score. With OUT the segments are listed below it, in the
    forms of --manifest (rttm without); rttm, csv, kaldi, lhotse and nemo are for all recordings together, Audacity
    labels and TextGrids one file a recording.

    Raises UsageError for limits that contradict each other, and where there is no recording.
    """
    options.check_manifests(manifest)
    if manifest and out is None:
        raise UsageError("--manifest needs OUT, the folder for the lists")
    rules = (threshold, min_speech, min_silence, pad, merge, longest, shortest)
    options.rules(*rules)
    root, sources = items.find_recordings(src)
    job = _Job(root, vad, source, rules, max_hours)
    marked: list[tuple[Recording, list[Span]]] = []
    failures: list[DataError] = []
    for one in run.map(job, sources, "listening"):
        if isinstance(one, DataError):
            failures.append(one)
        else:
            marked.append(one)
    if out is not None:
        _write(out, manifest or ("rttm",), marked, force, src)
    return Found(
        src,
        {r.id: tuple((s.start_s, s.end_s, s.score) for s in spans) for r, spans in marked},
        {r.id: r.duration_s for r, _ in marked},
        tuple(failures),
        out,
    )


def _write(
    out: Path, forms: tuple[str, ...], marked: list[tuple[Recording, list[Span]]], force: bool, src: Path
) -> None:
    from datatools.io import atomic
    from datatools.io.segments import write

    with atomic.folder(out, force=force, inputs=[src]) as partial:
        for form in forms:
            for name, data in write.files(form, marked).items():
                atomic.write_bytes(partial / name, data)
