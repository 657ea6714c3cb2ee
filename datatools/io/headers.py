"""What the first bytes of a picture say: format, size, channels, bits, orientation. Nothing is decoded.

JPEG and PNG, whose segments and chunks must be walked, have modules of their own.
"""

import os
from typing import Literal, NamedTuple

from datatools.io.exif import directory, orientation

Format = Literal["jpeg", "png", "bmp", "gif", "webp", "tiff"]

_MAX_CHUNKS = 1000
_FETCH = 2048


class BadHeader(ValueError):
    """Bytes are not the header of a picture that we know; the text says in words why."""


class Header(NamedTuple):
    """What a picture's header says.

    width, height: pixels as stored. channels: of the decoded picture: 1 grey, 2 grey and alpha, 3 colour, 4 colour and
    alpha, or CMYK in a JPEG. bits: of a channel, as stored. orientation: the EXIF tag, 1 to 8; 1 where there is none.
    """

    format: Format
    width: int
    height: int
    channels: int
    bits: int
    orientation: int = 1

    @property
    def stored_wh(self) -> tuple[int, int]:
        """Width and height of the picture as stored, in pixels."""
        return self.width, self.height

    @property
    def displayed_wh(self) -> tuple[int, int]:
        """Width and height of the picture as shown: orientations 5 to 8 lay it on its side.

        >>> Header("jpeg", 4000, 3000, 3, 8, orientation=6).displayed_wh
        (3000, 4000)
        """
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


class Window:
    """The bytes of a file, of which only those are read that somebody asks for."""

    __slots__ = ("_data", "_fd", "_start", "head", "size")

    def __init__(self, data: bytes, size: int, fd: int = -1) -> None:
        """data: the first bytes, or all. fd: where to read others; -1 where there are no others. size: of the whole."""
        self._data = data
        self.head = data[:_FETCH]
        self._start = 0
        self._fd = fd
        self.size = size

    def take(self, at: int, count: int) -> bytes:
        """Return the bytes [at, at + count), fewer where the file ends. Raises OSError."""
        first = at - self._start
        if first >= 0 and first + count <= len(self._data):
            return self._data[first : first + count]
        if self._fd < 0 or at >= self.size:
            return self._data[first : first + count] if first >= 0 else b""
        self._data = os.pread(self._fd, max(count, _FETCH), at)
        self._start = at
        return self._data[:count]


def _whole(data: bytes, count: int) -> bytes:
    if len(data) < count:
        raise BadHeader("the file ends inside the header")
    return data


def bmp(source: Window) -> Header:
    """Read the header of a BMP file. Raises BadHeader."""
    head = _whole(source.take(14, 16), 16)
    if int.from_bytes(head[:4], "little") == 12:  # the header of OS/2
        width, height = int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")
        depth = int.from_bytes(head[10:12], "little")
    else:
        width = int.from_bytes(head[4:8], "little", signed=True)
        height = abs(int.from_bytes(head[8:12], "little", signed=True))  # below zero: the first row is the top one
        depth = int.from_bytes(head[14:16], "little")
    return Header("bmp", width, height, 4 if depth == 32 else 3, 8)


def gif(source: Window) -> Header:
    """Read the header of a GIF file. Raises BadHeader."""
    screen = _whole(source.take(6, 4), 4)
    return Header("gif", int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:], "little"), 3, 8)


def webp(source: Window) -> Header:
    """Read the header of a WebP file of any of its three kinds. Raises BadHeader."""
    riff = _whole(source.take(0, 30), 30)
    if riff[8:12] != b"WEBP":
        raise BadHeader("it is a RIFF file, but not of pictures")
    head = riff[12:]
    kind = head[:4]
    if kind == b"VP8 ":
        size = head[14:18]
        width, height = (int.from_bytes(size[i : i + 2], "little") & 0x3FFF for i in (0, 2))
        return Header("webp", width, height, 3, 8)
    if kind == b"VP8L":
        packed = int.from_bytes(head[9:13], "little")
        return Header("webp", (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, 4 if packed >> 28 & 1 else 3, 8)
    if kind != b"VP8X":
        raise BadHeader("its first WebP chunk is no picture")
    flags = head[8]
    width, height = (int.from_bytes(head[i : i + 3], "little") + 1 for i in (12, 15))
    turn = 1
    at = 30
    for _ in range(_MAX_CHUNKS if flags & 0x08 else 0):
        chunk = source.take(at, 14)
        if len(chunk) < 8:
            break
        if chunk[:4] == b"EXIF":
            turn = orientation(source, at + (14 if chunk[8:] == b"Exif\0\0" else 8))
            break
        length = int.from_bytes(chunk[4:8], "little")
        at += 8 + length + length % 2
    return Header("webp", width, height, 4 if flags & 0x10 else 3, 8, turn)


def tiff(source: Window) -> Header:
    """Read the first directory of a TIFF file. Raises BadHeader."""
    tags = directory(source, 0) or {}
    if 256 not in tags or 257 not in tags:
        raise BadHeader("its first TIFF directory gives no size")
    palette = tags.get(262) == 3
    turn = tags.get(274, 1)
    return Header(
        "tiff",
        tags[256],
        tags[257],
        3 if palette else tags.get(277, 1),
        tags.get(258, 1),
        turn if 1 <= turn <= 8 else 1,
    )
