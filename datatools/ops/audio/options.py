"""The options of the operations that look for speech, and what they are as rules."""

from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param
from datatools.core.values import Audio, printable

if TYPE_CHECKING:
    from datatools.kernels.segments import Rules

EngineName = Literal["silero", "energy", "speechbrain", "webrtc"]
Vad = Annotated[EngineName, Param("what finds the speech")]
SourceName = Annotated[str, Param("model of --vad speechbrain: a local folder, or a name on the hub", metavar="MODEL")]
Threshold = Annotated[float, Param("score from which speech begins; it ends 0.15 below", gt=0, lt=1)]
MinSpeech = Annotated[float, Param("speech shorter than this is none, s", ge=0, le=60)]
MinSilence = Annotated[float, Param("silence shorter than this is none, s", ge=0, le=60)]
Pad = Annotated[float, Param("added to speech on both sides, s", ge=0, le=60)]
Merge = Annotated[float, Param("neighbours no farther apart become one, up to --max, s", ge=0, le=3600)]
Longest = Annotated[
    float, Param("what is longer is cut at its quietest places, s", flags=("--max",), ge=0.1, le=43_200)
]
Shortest = Annotated[float, Param("what is shorter is dropped, s", flags=("--min",), ge=0, le=3600)]
MaxHours = Annotated[float, Param("longer recordings are refused", gt=0, le=10_000)]

SPEECHBRAIN = "speechbrain/vad-crdnn-libriparty"
MANIFESTS = ("lhotse", "kaldi", "audacity", "rttm", "csv", "textgrid", "nemo")
Manifest = Annotated[tuple[str, ...], Param(f"lists to write: {', '.join(MANIFESTS)}", metavar="FORMS")]


def rules(
    threshold: float, min_speech: float, min_silence: float, pad: float, merge: float, longest: float, shortest: float
) -> "Rules":
    """The rules of `kernels.segments`. Raises UsageError where no cut could keep both limits."""
    from datatools.kernels.segments import Rules

    if longest < 2 * shortest:
        raise UsageError(f"--max {longest:g} must be at least twice --min {shortest:g}, or cuts could not keep both")
    return Rules(threshold, min_speech, min_silence, pad, merge, longest, shortest)


def check_length(audio: Audio, max_hours: float) -> None:
    """Raise DataError E-AUDIO-LONG for a recording beyond the limit: 1.6 MB of FLAC can be a day of sound."""
    hours = audio.frames / audio.sr / 3600
    if hours > max_hours:
        what = f"{hours:.1f} hours are more than {max_hours:g}"
        raise DataError(printable(audio.name), 0, "E-AUDIO-LONG", what, "raise --max-hours")


def check_manifests(forms: tuple[str, ...]) -> None:
    """Raise UsageError for a form that nobody knows."""
    for form in forms:
        if form not in MANIFESTS:
            raise UsageError(f"--manifest: there is no {form!r}; there are {', '.join(MANIFESTS)}")
