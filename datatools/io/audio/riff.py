"""The header of a WAV file, walked chunk by chunk, and the header that we write.

A WAV header promises a number of bytes; libsndfile quietly gives fewer where the file was cut. So the promise is read
here and held against the size of the file. RF64 (EBU Tech 3306) is known, big-endian RIFX is not.
"""

import struct
from dataclasses import dataclass

from datatools.io.audio.header import BadAudio

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUBTYPES = {
    (_PCM, 8): "PCM_U8",
    (_PCM, 16): "PCM_16",
    (_PCM, 24): "PCM_24",
    (_PCM, 32): "PCM_32",
    (_FLOAT, 32): "FLOAT",
    (_FLOAT, 64): "DOUBLE",
    (_ALAW, 8): "ALAW",
    (_ULAW, 8): "ULAW",
}
_FORMATS = {subtype: code for code, subtype in _SUBTYPES.items()}

MAX_CHUNKS = 1000
"""More chunks before the samples are taken for damage."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What the header of a WAV file says.

    subtype: as libsndfile names it; empty for an encoding that is not plain samples (ADPCM, GSM). start: offset of the
    first sample, bytes. block: bytes of one frame, all channels. frames: of the data that is there. streamed: the
    writer did not know the length, so the samples are all that follows.
    """

    sr: int
    channels: int
    subtype: str
    start: int
    block: int
    frames: int
    streamed: bool


def read_wave(head: bytes, size: int) -> Wave:
    """Walk the chunks up to the samples. head: the first bytes of the file. size: of the whole file, bytes.

    Raises BadAudio with E-AUDIO-UNREADABLE, or E-AUDIO-TRUNCATED where the file holds fewer bytes than promised.
    """
    riff_size = struct.unpack_from("<I", head, 4)[0]
    at = 12
    form: tuple[int, int, int, int, int] | None = None
    large = 0
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(head):
            break
        name, length = struct.unpack_from("<4sI", head, at)
        body = at + 8
        if name == b"ds64" and body + 16 <= len(head):
            large = struct.unpack_from("<Q", head, body + 8)[0]
        elif name == b"fmt ":
            form = _form(head, body, length)
        elif name == b"data":
            return _wave(form, body, large if length == 0xFFFFFFFF and large else length, riff_size, size)
        at = body + length + (length & 1)
    raise BadAudio("E-AUDIO-UNREADABLE", "the WAV header has no samples after it")


def _form(head: bytes, at: int, length: int) -> tuple[int, int, int, int, int]:
    """Format code, channels, rate, bytes of a frame, bits of a sample."""
    if length < 16 or at + length > len(head):
        raise BadAudio("E-AUDIO-UNREADABLE", "the WAV header is cut short")
    code, channels, sr, _, block, bits = struct.unpack_from("<HHIIHH", head, at)
    if code == _EXTENSIBLE and length >= 40:
        code = struct.unpack_from("<H", head, at + 24)[0]
    return code, channels, sr, block, bits


def _wave(form: tuple[int, int, int, int, int] | None, start: int, length: int, riff_size: int, size: int) -> Wave:
    if form is None:
        raise BadAudio("E-AUDIO-UNREADABLE", "the WAV header does not say what its samples are")
    code, channels, sr, block, bits = form
    wide = block * 8 // max(channels, 1)
    if code in (_PCM, _FLOAT) and (block * 8 != wide * channels or not wide - 8 < bits <= wide):
        raise BadAudio("E-AUDIO-UNREADABLE", f"the WAV header says {block} bytes for {channels} x {bits} bits")
    subtype = _SUBTYPES.get((code, wide), "")  # 12 bits stand in the upper ones of 16
    there = size - start
    streamed = _unknown(length, riff_size, size)
    if not streamed and length > there:
        raise BadAudio("E-AUDIO-TRUNCATED", f"the header promises {length:,} bytes of samples, the file has {there:,}")
    return Wave(sr, channels, subtype, start, block, (there if streamed else length) // max(block, 1), streamed)


def _unknown(length: int, riff_size: int, size: int) -> bool:
    """Whether the writer could not go back to write the length: pipes leave 0, or the greatest number they know."""
    if length == 0:
        return riff_size in (0, 0xFFFFFFFF) or riff_size + 8 < size
    return length >= 0xFFFFF000 or (0x7FFFF000 <= length <= 0x80000000 and length > size)


def wave_header(sr: int, channels: int, subtype: str, frames: int) -> bytes:
    """Return the header of a WAV file of so many frames: 44 bytes for PCM, 58 for floats, 80 beyond 4 GB.

    >>> len(wave_header(16000, 1, "PCM_16", 8000))
    44
    """
    code, bits = _FORMATS[subtype]
    block = channels * bits // 8
    length = frames * block
    form = struct.pack("<HHIIHH", code, channels, sr, sr * block, block, bits)
    if code != _PCM:  # the standard asks for the size of an extension and the number of frames
        form += b"\0\0"
    chunks = struct.pack("<4sI", b"fmt ", len(form)) + form
    if code != _PCM:
        chunks += struct.pack("<4sII", b"fact", 4, min(frames, 0xFFFFFFFF))
    whole = 4 + len(chunks) + 8 + length + (length & 1)
    if whole < 2**32:
        return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + chunks + struct.pack("<4sI", b"data", length)
    large = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, length, frames, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + large + chunks + b"data\xff\xff\xff\xff"
