"""Walking the chunks of a PNG file (W3C, Portable Network Graphics, third edition) without decoding it."""

import zlib

from datatools.io.exif import orientation
from datatools.io.headers import BadHeader, Header, Window

_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette of colours
_PIXELS = frozenset([b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"])
_MAX_CHUNKS = 1000


def header(source: Window) -> Header:
    """Read size, channels, bits and EXIF orientation. Raises BadHeader.

    An EXIF chunk behind the pixels is not looked for: that would cost a seek through all of them.
    """
    first = source.take(8, 25)
    if len(first) < 25:
        raise BadHeader("the file ends inside the header")
    if first[4:8] != b"IHDR" or first[:4] != b"\0\0\0\r":
        raise BadHeader("its first PNG chunk is no header")
    bits, colour = first[16], first[17]
    if colour not in _CHANNELS:
        raise BadHeader(f"PNG has no colour type {colour}")
    turn = 1
    at = 33
    for _ in range(_MAX_CHUNKS):
        chunk = source.take(at, 8)
        if len(chunk) < 8 or chunk[4:] in (b"IDAT", b"IEND"):
            break
        if chunk[4:] == b"eXIf":
            turn = orientation(source, at + 8)
            break
        at += 12 + int.from_bytes(chunk[:4], "big")
    return Header(
        "png",
        int.from_bytes(first[8:12], "big"),
        int.from_bytes(first[12:16], "big"),
        _CHANNELS[colour],
        bits,
        turn,
    )


def essence(data: bytes) -> bytes:
    """Check every chunk of a whole PNG file and return the file with only those that make the pixels.

    What is left out (colour profiles, texts, animation) makes decoders talk or work, and changes no pixel.
    Raises BadHeader where a check sum is wrong or the end chunk is missing.
    """
    kept = [data[:8]]
    at = 8
    view = memoryview(data)
    while True:
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if len(kind) < 4 or end > len(data):
            raise BadHeader("the file is cut: it has no end chunk")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise BadHeader(f"wrong check sum of the {kind.decode('ascii', 'replace')} chunk at byte {at}")
        if kind in _PIXELS:
            kept.append(data[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
