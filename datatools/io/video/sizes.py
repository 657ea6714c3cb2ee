"""Where in a video the size of its frames changes, read off the packets, before anything is decoded.

OpenCV cuts or fills frames of another size to that of the first, and tells nobody. So the key frames of the codecs in
which it happens (recordings of calls and of network cameras) are looked at: H.264, VP8, VP9 and Motion JPEG.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2

Size = tuple[int, int]

_START = b"\0\0\1"
_HIGH_PROFILES = frozenset([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])


class Change(NamedTuple):
    """A change of size. t_ms: the time of its first frame, as the capture tells it. before, after: width, height."""

    t_ms: float
    before: Size
    after: Size


def first_change(packets: Any, codec: str) -> Change | None:
    """Go through the packets of a capture that does not decode; return the first change of size.

    codec: FFmpeg's code. None where there is no change, or the codec is one that is not looked at.
    """
    size_of = _READERS.get(codec.upper())
    if size_of is None:
        return None
    before: Size | None = None
    while packets.grab():
        if not packets.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME):
            continue
        _, data = packets.retrieve()
        size = size_of(data.tobytes()) if data is not None else None
        if size is None:
            continue
        if before is not None and size != before:
            return Change(float(packets.get(cv2.CAP_PROP_POS_MSEC)), before, size)
        before = size
    return None


def jpeg(data: bytes) -> Size | None:
    """The size of a JPEG picture (ITU-T T.81, B.2.2).

    >>> jpeg(bytes.fromhex("ffd8 ffc0 0011 08 0078 00a0 03") + bytes(9))
    (160, 120)
    """
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in (0xC0, 0xC1, 0xC2):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def vp8(data: bytes) -> Size | None:
    """The size of a key frame of VP8 (RFC 6386, 9.1).

    >>> vp8(bytes.fromhex("10 00 00 9d 01 2a a0 00 78 00"))
    (160, 120)
    """
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def vp9(data: bytes) -> Size | None:
    """The size of a key frame of VP9 (VP9 bitstream specification, 6.2).

    >>> vp9(bytes.fromhex("82 49 83 42 00 09 f0 07 70"))
    (160, 120)
    """
    bits = _Bits(data)
    if bits.take(2) != 2:
        return None
    profile = bits.take(1) + 2 * bits.take(1)
    if profile == 3:
        bits.take(1)
    shown_before, not_key = bits.take(1), bits.take(1)
    bits.take(2)
    if shown_before or not_key or bits.take(24) != 0x498342:
        return None
    if profile >= 2:
        bits.take(1)
    if bits.take(3) != 7:  # not RGB
        bits.take(4 if profile in (1, 3) else 1)
    elif profile in (1, 3):
        bits.take(1)
    return bits.take(16) + 1, bits.take(16) + 1


def h264(data: bytes) -> Size | None:
    """The size of the pictures that follow a sequence parameter set of H.264 (ITU-T H.264, 7.3.2.1.1).

    data: with start codes. Returns None where no such set is in it.
    """
    at = data.find(_START)
    while 0 <= at < len(data) - 4:
        if data[at + 3] & 0x1F == 7:
            end = data.find(_START, at + 3)
            unit = data[at + 4 : end if end >= 0 else len(data)]
            return _sequence(_Bits(unit.replace(b"\0\0\3", b"\0\0")))
        at = data.find(_START, at + 3)
    return None


def _sequence(bits: "_Bits") -> Size:
    profile = bits.take(8)
    bits.take(16)
    bits.exp()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.exp()
        if chroma == 3:
            bits.take(1)
        bits.exp()
        bits.exp()
        bits.take(1)
        if bits.take(1):
            for i in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling(bits, 16 if i < 6 else 64)
    bits.exp()
    order = bits.exp()
    if order == 0:
        bits.exp()
    elif order == 1:
        bits.take(1)
        for _ in range(2):
            bits.exp()
        for _ in range(min(bits.exp(), 255)):
            bits.exp()
    bits.exp()
    bits.take(1)
    width, height = 16 * (bits.exp() + 1), 16 * (bits.exp() + 1)
    frames_only = bits.take(1)
    height *= 2 - frames_only
    if not frames_only:
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (2 - frames_only)
        width -= across * (bits.exp() + bits.exp())
        height -= down * (bits.exp() + bits.exp())
    return width, height


def _skip_scaling(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            step = bits.exp()
            following = (last + (-(step // 2) if step % 2 == 0 else (step + 1) // 2)) % 256
        last = following or last


class _Bits:
    """Reads bits, the highest first; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data[:4096]
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte, bit = divmod(self._at, 8)
            value = 2 * value + (self._data[byte] >> 7 - bit & 1 if byte < len(self._data) else 0)
            self._at += 1
        return value

    def exp(self) -> int:
        """An unsigned number in the Exp-Golomb code."""
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


_READERS: dict[str, Callable[[bytes], Size | None]] = {
    "H264": h264,
    "MJPG": jpeg,
    "VP80": vp8,
    "VP90": vp9,
}

LOOKED_AT = frozenset(_READERS)
"""FFmpeg's codes, in capitals, of the codecs that are looked at."""
