"""The head of a Matroska or WebM file (RFC 8794, RFC 9559): tracks and duration."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from datatools.io.headers import Window

_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_INFO, _SCALE, _DURATION = 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _ENTRY, _KIND, _CODEC = 0x1654AE6B, 0xAE, 0x83, 0x86
_VIDEO, _WIDTH, _HEIGHT, _DOCTYPE = 0xE0, 0xB0, 0xBA, 0x4282

_MAX_ELEMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Track:
    """One track. kind: 1 video, 2 audio. codec: as V_VP9. width, height: pixels, as stored; 0 where not told."""

    kind: int
    codec: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the first frame. missing_bytes: by how much the file is shorter than it says."""

    tracks: tuple[Track, ...]
    duration_s: float
    missing_bytes: int


def read(source: Window) -> Head | None:
    """Read the head of a file; None where it is not of this kind. Raises OSError."""
    top = list(_elements(source, 0, source.size, most=64))
    head = next((e for e in top if e[0] == _HEADER), None)
    segment = next((e for e in top if e[0] == _SEGMENT), None)
    if head is None or segment is None:
        return None
    doctype = b"".join(source.take(s, min(e - s, 16)) for i, s, e in _elements(source, *head[1:]) if i == _DOCTYPE)
    if doctype.rstrip(b"\0") not in (b"matroska", b"webm"):
        return None
    tracks: list[Track] = []
    duration = 0.0
    for ident, start, end in _elements(source, segment[1], min(segment[2], source.size)):
        if ident == _INFO:
            duration = _duration(source, start, end)
        elif ident == _TRACKS:
            tracks += [_track(source, s, e) for i, s, e in _elements(source, start, end) if i == _ENTRY]
        elif ident == _CLUSTER:
            break
    return Head(tuple(tracks), duration, max(segment[2] - source.size, 0))


def _elements(source: Window, start: int, end: int, most: int = _MAX_ELEMENTS) -> Iterator[tuple[int, int, int]]:
    """Yield (identifier, start of the body, its end) of the elements between two places. Raises OSError."""
    at = start
    for _ in range(most):
        head = source.take(at, 12)
        if at >= end or len(head) < 2:
            return
        width = 9 - head[0].bit_length()  # the leading zeros tell the length
        more = head[width] if len(head) > width else 0
        if width > 4 or not more:
            return
        count = 9 - more.bit_length()
        number = int.from_bytes(head[width : width + count], "big") & ((1 << 7 * count) - 1)
        body = at + width + count
        unknown = number == (1 << 7 * count) - 1  # a stream: to the end of the file
        stop = source.size if unknown else body + number
        yield int.from_bytes(head[:width], "big"), body, stop
        at = stop


def _number(source: Window, start: int, end: int) -> int:
    return int.from_bytes(source.take(start, min(end - start, 8)), "big")


def _duration(source: Window, start: int, end: int) -> float:
    scale, length = 1_000_000, 0.0
    for ident, s, e in _elements(source, start, end):
        if ident == _SCALE:
            scale = _number(source, s, e)
        elif ident == _DURATION and e - s in (4, 8):
            (length,) = struct.unpack(">f" if e - s == 4 else ">d", source.take(s, e - s).ljust(e - s, b"\0"))
    seconds = length * scale / 1e9
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _track(source: Window, start: int, end: int) -> Track:
    kind = width = height = 0
    codec = ""
    for ident, s, e in _elements(source, start, end):
        if ident == _KIND:
            kind = _number(source, s, e)
        elif ident == _CODEC:
            codec = source.take(s, min(e - s, 64)).decode("ascii", "replace").rstrip("\0")
        elif ident == _VIDEO:
            for inner, vs, ve in _elements(source, s, e):
                width = _number(source, vs, ve) if inner == _WIDTH else width
                height = _number(source, vs, ve) if inner == _HEIGHT else height
    return Track(kind, codec, width, height)
