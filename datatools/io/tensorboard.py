"""Event files of TensorBoard, written without TensorBoard: curves that it shows while a training runs.

A file is a row of TFRecords (length, check sum, data, check sum), each the Protocol Buffers message `Event` with some
scalars in it. The wall time of an event is its step in seconds, so that the same training writes the same bytes; look
at curves over the step.
"""

import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from datatools.io import atomic
from datatools.io.files import cannot

NAME = "events.out.tfevents.0.datatools"
"""A name by which TensorBoard finds the file in a folder."""

_CASTAGNOLI = 0x82F63B78


def event(step: int, scalars: Mapping[str, float]) -> bytes:
    """Return the record of some scalars at a step (not negative)."""
    values = b"".join(_bytes(1, _bytes(1, tag.encode()) + _float(2, value)) for tag, value in scalars.items())
    return _record(_double(1, float(step)) + _integer(2, step) + _bytes(5, values))


def begin(path: Path, events: Iterable[bytes] = ()) -> None:
    """Write a file with the header and these events, in place of one that is there. Raises StorageError."""
    header = _record(_double(1, 0.0) + _bytes(3, b"brain.Event:2"))
    atomic.write_bytes(path, b"".join((header, *events)))


def append(path: Path, record: bytes) -> None:
    """Add an event behind the others, where TensorBoard sees it at once. Raises StorageError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(fd, record)
        finally:
            os.close(fd)
    except OSError as error:
        raise cannot("write", path, error) from None


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """CRC-32C (Castagnoli), rotated and shifted as TFRecords have it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _table() -> tuple[int, ...]:
    made = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (_CASTAGNOLI if entry & 1 else 0)
        made.append(entry)
    return tuple(made)


_TABLE = _table()


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
