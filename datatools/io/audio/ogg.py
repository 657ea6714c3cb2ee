"""The pages of an Ogg file: each has a check sum and a number, the last one says that it is the last (RFC 3533).

The decoders pass over damaged pages and do not miss the end of a file that was cut, so the pages are walked here.
"""

import os
import struct
import zlib
from collections.abc import Callable

from datatools.io.audio.header import BadAudio

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LAST = 4
_HEAD = 27

Pread = Callable[[int, int], bytes]
"""Reads so many bytes at an offset."""


def check_pages(pread: Pread, size: int) -> None:
    """Walk all pages. Raises BadAudio E-AUDIO-DAMAGED where one is broken or missing, E-AUDIO-TRUNCATED at a cut."""
    at = 0
    expected: dict[int, int] = {}  # of each stream, the number of its next page
    flags = 0
    while at < size:
        head = pread(_HEAD + 255, at)
        if head[:4] != b"OggS":
            raise BadAudio("E-AUDIO-DAMAGED", f"no Ogg page begins at byte {at}")
        count = head[26] if len(head) >= _HEAD else 0
        length = _HEAD + count + sum(head[_HEAD : _HEAD + count])
        if len(head) < _HEAD + count or at + length > size:
            raise BadAudio("E-AUDIO-TRUNCATED", f"the file ends inside the Ogg page at byte {at}")
        page = pread(length, at)
        flags = page[5]
        serial, number, said = struct.unpack_from("<III", page, 14)
        if _crc(page[:22] + b"\0\0\0\0" + page[26:]) != said:
            raise BadAudio("E-AUDIO-DAMAGED", f"the check sum of the Ogg page at byte {at} is wrong")
        if number != expected.get(serial, number):
            raise BadAudio("E-AUDIO-DAMAGED", f"Ogg pages are missing before byte {at}")
        expected[serial] = number + 1
        at += length
    if not flags & _LAST:
        raise BadAudio("E-AUDIO-TRUNCATED", "the last Ogg page does not say that it is the last")


def renumber(path: str, serial: int) -> None:
    """Give the one stream of a whole Ogg file another number, in place. Raises OSError."""
    with open(path, "r+b") as file:
        fd, at = file.fileno(), 0
        while len(head := os.pread(fd, _HEAD + 255, at)) >= _HEAD:
            length = _HEAD + head[26] + sum(head[_HEAD : _HEAD + head[26]])
            page = bytearray(os.pread(fd, length, at))
            struct.pack_into("<I", page, 14, serial)
            page[22:26] = b"\0\0\0\0"
            struct.pack_into("<I", page, 22, _crc(bytes(page)))
            os.pwrite(fd, page, at)
            at += length


def _crc(data: bytes) -> int:
    """CRC-32 with the polynomial 04C11DB7, most significant bit first, from 0: zlib's on mirrored bits."""
    mirrored = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
