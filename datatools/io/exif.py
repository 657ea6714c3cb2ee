"""The EXIF orientation tag, and whatever else is said in TIFF's directories, which EXIF borrows."""

import struct
from typing import Protocol

_MAX_ENTRIES = 512
_WIDTHS = {1: 1, 3: 2, 4: 4}  # BYTE, SHORT, LONG: the types of whole numbers
_ORIENTATION = 274


class Bytes(Protocol):
    """Bytes that are fetched when they are asked for."""

    def take(self, at: int, count: int) -> bytes:
        """Return the bytes [at, at + count), fewer where the file ends."""


def directory(source: Bytes, start: int) -> dict[int, int] | None:
    """Return the first directory of the TIFF structure at `start`: tag: its first value, whole numbers only.

    None where no TIFF structure begins there. What is cut or out of bounds is left out.
    """
    head = source.take(start, 8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return None
    at = start + int(struct.unpack(order + "I", head[4:])[0])
    counted = source.take(at, 2)
    if len(counted) < 2:
        return {}
    entries = min(int(struct.unpack(order + "H", counted)[0]), _MAX_ENTRIES)
    table = source.take(at + 2, 12 * entries)
    found: dict[int, int] = {}
    for i in range(0, len(table) - 11, 12):
        tag, kind, count = struct.unpack_from(order + "HHI", table, i)
        width = _WIDTHS.get(kind)
        if width is None:
            continue
        value = table[i + 8 : i + 8 + width]
        if count * width > 4:  # the values stand elsewhere
            value = source.take(start + int(struct.unpack_from(order + "I", table, i + 8)[0]), width)
        if len(value) == width:
            found[tag] = int.from_bytes(value, "little" if order == "<" else "big")
    return found


def orientation(source: Bytes, start: int) -> int:
    """Return the orientation, 1 to 8, of the EXIF data whose TIFF structure begins at `start`; 1 where it says none."""
    value = (directory(source, start) or {}).get(_ORIENTATION, 1)
    return value if 1 <= value <= 8 else 1
