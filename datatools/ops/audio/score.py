"""`datatools audio score`: how well segments agree with a reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table


@dataclass(frozen=True, slots=True)
class Scores:
    """precision, recall, f1: of frames of 10 ms. error_rate: false alarms and misses per speech of the reference.
    speech_s: of the reference, seconds, without collars."""

    precision: float
    recall: float
    f1: float
    error_rate: float
    speech_s: float


@dataclass(frozen=True)
class Score(Result):
    """All recordings together, and each. missing: recordings of the reference that the other has not; they count as
    silence. extra: those that only the other has; they are not counted."""

    hyp: Path
    ref: Path
    collar: float
    overall: Scores
    recordings: dict[str, Scores]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def lines(self) -> Iterator[str | Table]:
        """A row a recording, and one for all."""
        rows = [(escape(name), *_row(one)) for name, one in self.recordings.items()]
        rows.append(("all", *_row(self.overall)))
        yield Table(("recording", "precision", "recall", "F1", "error rate", "speech s"), tuple(rows))
        if self.missing:
            yield f"{escape(self.hyp)} has nothing of: {', '.join(escape(n) for n in self.missing[:10])}"
        if self.extra:
            yield f"not counted, as the reference has nothing of them: {', '.join(escape(n) for n in self.extra[:10])}"


def _row(one: Scores) -> tuple[object, ...]:
    return one.precision, one.recall, one.f1, one.error_rate, one.speech_s


@op("audio.score", version=1)
def score(
    hyp: Annotated[Path, Param("segments to score: a file, or a folder of them", metavar="HYP")],
    ref: Annotated[Path, Param("reference segments: a file, or a folder of them", metavar="REF")],
    *,
    collar: Annotated[
        float, Param("seconds around each border of the reference that are not counted", ge=0, le=10)
    ] = 0.0,
) -> Score:
    """Score segments of speech against a reference: precision, recall, F1 of frames, detection error rate.

    Both may be RTTM, CSV with the columns start and end, Audacity labels, Kaldi's segments or TextGrids, one file or
    a folder of them, of different forms. Recordings are matched by their names; two files that each hold one recording
    are compared whatever they are called. Frames are 10 ms.

    Raises DataError E-SEGMENTS where a file cannot be read, UsageError where there is nothing to compare.
    """
    import numpy as np

    from datatools.io.segments.read import read_segments
    from datatools.kernels import detection

    for path in (hyp, ref):
        if not path.exists():
            raise UsageError(f"{escape(path)}: no such file or folder")
    ours, reference = read_segments(hyp), read_segments(ref)
    if not reference:
        raise UsageError(f"{escape(ref)}: holds no segments")
    if len(ours) == len(reference) == 1:
        ours = {next(iter(reference)): next(iter(ours.values()))}
    total = detection.Agreement()
    found: dict[str, Scores] = {}
    for name in sorted(reference):
        a, b = (np.array(spans, np.float64).reshape(-1, 2) for spans in (ours.get(name, []), reference[name]))
        end = max([0.0, *a[:, 1].tolist(), *b[:, 1].tolist()])
        agreement = detection.compare(a, b, end, collar)
        found[name] = _scores(agreement)
        total = total + agreement
    missing = tuple(sorted(reference.keys() - ours.keys()))
    extra = tuple(sorted(ours.keys() - reference.keys()))
    return Score(hyp, ref, collar, _scores(total), found, missing, extra)


def _scores(agreement: "object") -> Scores:
    from datatools.kernels.detection import STEP_S, Agreement

    assert isinstance(agreement, Agreement)
    speech_s = (agreement.hits + agreement.misses) * STEP_S
    return Scores(agreement.precision, agreement.recall, agreement.f1, agreement.error_rate, speech_s)
