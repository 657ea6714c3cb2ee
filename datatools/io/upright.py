"""Pictures without an EXIF turn: the turn made in the pixels, or the tag that asks for it taken back."""

import struct
import zlib
from typing import Any

from datatools.core.errors import DataError
from datatools.io import images

MAX_BYTES = images.MAX_FILE_BYTES
QUALITY = 95
"""Of a JPEG that is encoded again."""

_ORIENTATION = 274
_SHORT = 3


def turned(data: bytes, name: str) -> bytes:
    """Return the picture with its pixels as displayed and no EXIF: a JPEG of quality 95, or a PNG without loss.

    Grey stays grey; a PNG keeps its alpha and its 16 bits. The other EXIF data (date, place ...) are gone.
    Raises DataError E-IMAGE-DAMAGED, E-IMAGE-UNREADABLE, E-IMAGE-FORMAT (neither JPEG nor PNG); `name` is for its text.
    """
    header = images.header_of(data, name=name)
    if header.format == "jpeg":
        import simplejpeg

        rgb = images.decode(data, name=name)
        if header.channels == 1:
            return bytes(simplejpeg.encode_jpeg(rgb[:, :, :1].copy(), QUALITY, "GRAY"))
        return images.encode_jpeg(rgb, QUALITY)
    if header.format == "png":
        return _turned_png(data, header.orientation, name)
    raise _format(name, header.format)


def without_turn(data: bytes, name: str) -> bytes:
    """Return the picture with an orientation of 1, every other byte as it was.

    Raises DataError E-IMAGE-UNREADABLE, E-IMAGE-FORMAT (neither JPEG nor PNG); `name` is for its text.
    """
    header = images.header_of(data, name=name)
    start, end = 0, 0
    if header.format == "jpeg":
        at = 2
        while data[at : at + 1] == b"\xff" and data[at + 1] not in (0xD9, 0xDA):
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
                start, end = at + 10, at + 2 + length
                break
            at += 2 + length
    elif header.format == "png":
        at = 8
        while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IDAT":
            length = int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] == b"eXIf":
                start, end = at + 8, at + 8 + length
                break
            at += 12 + length
    else:
        raise _format(name, header.format)
    new = bytearray(data)
    new[start:end] = _with_orientation_1(data[start:end])
    if header.format == "png" and start:
        new[end : end + 4] = zlib.crc32(new[start - 4 : end]).to_bytes(4, "big")
    if images.header_of(bytes(new), name=name).orientation != 1:
        raise DataError(name, 0, "E-IMAGE-FORMAT", "its EXIF orientation stands at an unusual place")
    return bytes(new)


def _with_orientation_1(tiff: bytes) -> bytes:
    """The TIFF structure with its first orientation tag set to 1; as it was where there is none."""
    order = "<" if tiff[:2] == b"II" else ">"
    new = bytearray(tiff)
    try:
        at = struct.unpack_from(order + "I", tiff, 4)[0]
        for i in range(struct.unpack_from(order + "H", tiff, at)[0]):
            entry = at + 2 + 12 * i
            tag, kind = struct.unpack_from(order + "HH", tiff, entry)
            if tag == _ORIENTATION and kind == _SHORT:
                struct.pack_into(order + "H", new, entry + 8, 1)
    except struct.error:  # cut: the caller sees that the tag still stands
        return tiff
    return bytes(new)


def _turned_png(data: bytes, orientation: int, name: str) -> bytes:
    images.decode(data, name=name)  # proves that it is whole and of a size that can be decoded
    import cv2
    import numpy as np

    pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)  # without the turn
    if pixels is None:
        raise DataError(name, 0, "E-IMAGE-DAMAGED", "it does not decode")
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    return bytes(encoded)


def _format(name: str, kind: str) -> DataError:
    return DataError(name, 0, "E-IMAGE-FORMAT", f"a {kind} is not turned, only JPEG and PNG are", "convert the image")
