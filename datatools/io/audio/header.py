"""What a sound file says about itself, and how it is told to be broken."""

from dataclasses import dataclass

MAX_CHANNELS = 64
MAX_RATE = 1_000_000


class BadAudio(Exception):
    """The file is broken or not what it says. code: E-AUDIO-... ; the reader adds the name."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Header:
    """What a sound file says about itself.

    container: WAV, FLAC, OGG, MP3 ... subtype: encoding of a sample, as libsndfile names it (PCM_16, FLOAT, VORBIS).
    sr: frames a second. frames: samples of one channel; 0 where only decoding tells.
    """

    container: str
    subtype: str
    sr: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sr


def check(header: Header, max_s: float) -> Header:
    """Refuse what no recording has. max_s: the longest that is taken, seconds."""
    if not 1 <= header.sr <= MAX_RATE:
        raise BadAudio("E-AUDIO-UNREADABLE", f"the header says {header.sr} samples a second")
    if not 1 <= header.channels <= MAX_CHANNELS:
        raise BadAudio("E-AUDIO-UNREADABLE", f"the header says {header.channels} channels")
    if header.frames > max_s * header.sr:
        hours = header.duration_s / 3600
        raise too_long(f"{hours:.1f} hours are more than {max_s / 3600:g}")
    return header


def too_long(message: str) -> BadAudio:
    """The error of a recording beyond the limit."""
    return BadAudio("E-AUDIO-LONG", message, "raise --max-hours")
