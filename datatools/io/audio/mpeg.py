"""The frames of an MP3 file, walked by their headers (ISO/IEC 11172-3, 13818-3).

libsndfile reports the length that a Xing header claims and gives silence for what is missing, so the frames are counted
here and held against the claim.
"""

import struct
from collections.abc import Callable, Iterator

from datatools.io.audio.header import BadAudio

_KBITS = {  # by MPEG version (1, or 2 and 2.5) and layer
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_CHUNK = 2**20

Pread = Callable[[int, int], bytes]


def is_frame(head: bytes) -> bool:
    """Whether four bytes are the header of a frame."""
    return _length(int.from_bytes(head[:4], "big")) > 0 if len(head) >= 4 else False


def check_frames(pread: Pread, size: int) -> None:
    """Walk all frames. Raises BadAudio E-AUDIO-TRUNCATED where there are fewer than the Xing header claims or the last
    one is cut, E-AUDIO-DAMAGED where something else stands between them."""
    start = _after_id3(pread(10, 0))
    end = _before_tags(pread, size)
    first = pread(_CHUNK, start)
    padding = len(first) - len(first.lstrip(b"\0"))
    start += padding
    claim = _claimed(first[padding:])
    count = 0
    for at, length in _frames(pread, start, end):
        if not length:
            raise BadAudio("E-AUDIO-DAMAGED", f"no MPEG frame begins at byte {at}")
        if at + length > end:
            raise BadAudio("E-AUDIO-TRUNCATED", f"the file ends inside the MPEG frame at byte {at}")
        count += 1
    if not count:
        raise BadAudio("E-AUDIO-EMPTY", "there are no MPEG frames")
    if claim is not None and count - 1 < claim:  # the frame that claims holds no sound and is not counted
        raise BadAudio("E-AUDIO-TRUNCATED", f"the header promises {claim} MPEG frames, the file has {count - 1}")


def _frames(pread: Pread, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each frame; length 0 where there is none, which ends the walk."""
    at, base, data = start, start, b""
    while end - at >= 4:
        if at + 4 > base + len(data):
            base, data = at, pread(_CHUNK, at)
        length = _length(int.from_bytes(data[at - base : at - base + 4], "big"))
        yield at, length
        if not length:
            return
        at += length


def _length(word: int) -> int:
    """Bytes of the frame whose header this is; 0 where it is no header."""
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    rate, kbits = word >> 10 & 3, word >> 12 & 15
    if word >> 21 != 0x7FF or version == 1 or layer == 4 or rate == 3 or kbits in (0, 15):
        return 0
    sr = _RATES[version][rate]
    bits = _KBITS[1 if version == 3 else 2, layer][kbits] * 1000
    padding = word >> 9 & 1
    if layer == 1:
        return (12 * bits // sr + padding) * 4
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bits // sr + padding


def _claimed(frame: bytes) -> int | None:
    """How many frames the Xing or Info header in the first frame claims."""
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 0, 200)
        if at >= 0 and len(frame) >= at + 12:
            flags, frames = struct.unpack_from(">II", frame, at + 4)
            return int(frames) if flags & 1 else None
    return None


def _after_id3(head: bytes) -> int:
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = (head[6] & 127) << 21 | (head[7] & 127) << 14 | (head[8] & 127) << 7 | head[9] & 127
    return size + (20 if head[5] & 16 else 10)


def _before_tags(pread: Pread, size: int) -> int:
    """Where the sound ends: an ID3v1 tag of 128 bytes, and an APE tag before it, may follow."""
    end = size
    if size >= 128 and pread(3, size - 128) == b"TAG":
        end -= 128
    foot = pread(32, end - 32) if end >= 32 else b""
    if foot[:8] == b"APETAGEX":
        length, _, flags = struct.unpack_from("<III", foot, 12)
        end -= length + (32 if flags >> 31 else 0)
    return end
