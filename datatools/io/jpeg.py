"""Walking the segments of a JPEG file (ITU-T T.81, annex B) without decoding it."""

import re

from datatools.io.exif import orientation
from datatools.io.headers import BadHeader, Header, Window

MAX_SEGMENTS = 10_000
"""Segments that are looked at: a file of millions of empty ones is an attack on the reader."""

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame; the three are tables and an extension
_SEQUENTIAL = frozenset([0xC0, 0xC1])
_ALONE = frozenset([0x01, *range(0xD0, 0xD8)])  # markers without a length: TEM, RST0 to RST7
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1

_SILENT = frozenset([0xC4, 0xDB, 0xDD, 0xE0, *range(0xE2, 0xF0), 0xFE])
"""Segments of which nothing is wanted: tables, restart interval, APP segments other than EXIF's, comments."""

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def header(source: Window) -> Header:
    """Read size, components, bits and EXIF orientation. Raises BadHeader where there is no complete frame header."""
    at = _skip_silent(source.head, 2)
    turn = 1
    for _ in range(MAX_SEGMENTS):
        segment = source.take(at, 10)
        if len(segment) < 4:
            raise BadHeader("the file ends before the picture begins")
        if segment[0] != 0xFF:
            raise BadHeader(f"no JPEG marker at byte {at}")
        marker = segment[1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in (_SOS, _EOI, _SOI):
            raise BadHeader("it has no frame header")
        if marker in _SOF:
            if len(segment) < 10:
                raise BadHeader("the file ends inside the frame header")
            height, width = segment[5] << 8 | segment[6], segment[7] << 8 | segment[8]
            return Header("jpeg", width, height, segment[9], segment[4], turn)
        if marker == _APP1 and segment[4:] == b"Exif\0\0" and turn == 1:
            turn = orientation(source, at + 10)
        length = segment[2] << 8 | segment[3]
        if length < 2:
            raise BadHeader(f"a segment at byte {at} has no length")
        at += 2 + length
    raise BadHeader(f"it has more than {MAX_SEGMENTS} segments")


def _skip_silent(head: bytes, at: int) -> int:
    """Return where the first segment begins that is another, or whose bytes are not all there."""
    last = len(head) - 4
    while at <= last and head[at] == 0xFF and head[at + 1] in _SILENT:
        length = head[at + 2] << 8 | head[at + 3]
        if length < 2:
            break
        at += 2 + length
    return at


def count_scans(data: bytes) -> int:
    """Count the scans of a whole JPEG file. Raises BadHeader where the segments do not lead to its end marker.

    Thumbnails inside of APP segments are not counted; what follows the end marker is not looked at (cameras put second
    pictures there). Behind a scan that holds all of a sequential picture nothing is looked for but the end marker: it
    is the only one, and a decoder refuses another.
    """
    at = 2
    scans = 0
    parts = 0  # of a sequential picture
    for _ in range(MAX_SEGMENTS):
        match = _NEXT_MARKER.search(data, at) if scans else None
        if match:
            at = match.start()
        if at + 2 > len(data) or (scans and match is None):
            raise BadHeader("the file is cut: it has no end marker")
        if data[at] != 0xFF:
            raise BadHeader(f"no JPEG marker at byte {at}")
        marker = data[at + 1]
        if marker == _EOI:
            return scans
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in _SEQUENTIAL:
            parts = 0 if parts else int.from_bytes(data[at + 9 : at + 10])
        if marker == _SOS:
            scans += 1
            if scans == 1 and parts and data[at + 4 : at + 5] == bytes([parts]) and data.rfind(b"\xff\xd9", at) > 0:
                return 1
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    raise BadHeader(f"it has more than {MAX_SEGMENTS} segments")
