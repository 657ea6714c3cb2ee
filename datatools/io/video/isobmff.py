"""MP4 boxes (ISO/IEC 14496-12): the samples of a track, and a file joined from pieces.

OpenCV writes frames at one constant rate. Here what it wrote is taken apart into samples and put together again with
the true time of every frame, so that a variable frame rate is kept, and pieces that were encoded one by one, perhaps
days apart, become one file. The bytes depend on nothing but the pieces and the times.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from datatools.core.errors import StorageError, escape
from datatools.io.files import cannot
from datatools.io.headers import Window

TIMESCALE = 90_000
"""Ticks a second in files that are made here: whole numbers for 24, 25, 30 and 29.97 frames a second."""

MAX_BOXES = 100_000
"""So many boxes are looked at in one file."""

_CHUNK_SAMPLES = 32
_TABLE_BYTES = 2**28


class Box(NamedTuple):
    """One box: its type, where its body begins, where it ends; the end may lie behind that of the file."""

    kind: bytes
    start: int
    end: int


def boxes(source: Window, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that lie between two places of a file, as far as their headers can be read. Raises OSError."""
    at = start
    for _ in range(MAX_BOXES):
        head = source.take(at, 16)
        if at + 8 > end or len(head) < 8:
            return
        size = int.from_bytes(head[:4], "big")
        body = at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        elif size == 0:
            size = end - at
        if at + size < body:
            return
        yield Box(head[4:8], body, at + size)
        at += size


def find(source: Window, box: Box, *path: bytes) -> Box | None:
    """Return the first box at a path of types inside another; None where there is none. Raises OSError."""
    for kind in path:
        found = next((b for b in boxes(source, box.start, box.end) if b.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


@dataclass(frozen=True, slots=True)
class Track:
    """The samples of a video track.

    description: the body of its `stsd` box: codec, size, what the decoder needs. offsets, sizes: bytes of each sample.
    keys: for each sample, whether decoding can begin there.
    """

    description: bytes
    size_wh: tuple[int, int]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    keys: tuple[bool, ...]


def read_track(path: Path, name: Path | None = None) -> Track:
    """Read the tables of the only track of an MP4 file that was made here. name: what errors call it.

    Raises StorageError where the file is not whole: what the encoder wrote did not all reach the disk.
    """
    name = name or path
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            source = Window(file.read(2048), size, file.fileno())
            whole = Box(b"", 0, size)
            table = find(source, whole, b"moov", b"trak", b"mdia", b"minf", b"stbl")
            if table is None:
                raise StorageError(f"cannot write {escape(name)}: the file has no index; is the disk full?")
            return _track(source, table, size, name)
    except OSError as error:
        raise cannot("read", path, error) from None


def _track(source: Window, table: Box, file_size: int, path: Path) -> Track:
    def body(kind: bytes) -> bytes:
        box = find(source, table, kind)
        return b"" if box is None or box.end - box.start > _TABLE_BYTES else source.take(box.start, box.end - box.start)

    description, sizes = body(b"stsd"), _sizes(body(b"stsz"))
    wide = body(b"co64")
    chunks = _numbers(wide, 8, "Q") if wide else _numbers(body(b"stco"), 8, "I")
    offsets = tuple(_offsets(chunks, _numbers(body(b"stsc"), 8, "I"), sizes))
    keys = _numbers(body(b"stss"), 8, "I") if body(b"stss") else range(1, len(sizes) + 1)
    known = frozenset(keys)
    last = offsets[-1] + sizes[-1] if offsets else 0
    if len(offsets) != len(sizes) or last > file_size or len(description) < 44:
        raise StorageError(f"cannot write {escape(path)}: the file is not whole; is the disk full?")
    width, height = struct.unpack_from(">HH", description, 40)
    return Track(description, (width, height), offsets, sizes, tuple(i in known for i in range(1, len(sizes) + 1)))


def _sizes(stsz: bytes) -> tuple[int, ...]:
    if len(stsz) < 12:
        return ()
    same, count = struct.unpack_from(">II", stsz, 4)
    return (same,) * count if same else _numbers(stsz, 12, "I")


def _numbers(body: bytes, start: int, form: str) -> tuple[int, ...]:
    count = (len(body) - start) // struct.calcsize(f">{form}")
    return struct.unpack_from(f">{count}{form}", body, start) if count > 0 else ()


def _offsets(chunks: Sequence[int], runs: Sequence[int], sizes: Sequence[int]) -> Iterator[int]:
    """Yield where each sample lies. runs: triples of first chunk, samples in each chunk, description."""
    sample = 0
    for i, at in enumerate(chunks, 1):
        in_chunk = next((runs[k + 1] for k in range(len(runs) - 3, -1, -3) if runs[k] <= i), 0)
        for size in sizes[sample : sample + in_chunk]:
            yield at
            at += size
        sample += in_chunk


def join(pieces: Sequence[Path], times_s: Sequence[float], target: Path) -> None:
    """Make an MP4 file of the samples of all pieces, in order, and give each frame its time.

    pieces: files with one video track each, encoded alike. times_s: seconds, rising, one for each frame of all pieces;
    the first frame is shown from the beginning on, the last one as long as the one before it. target: made or
    overwritten.

    Raises StorageError where a piece is not whole or the disk fails (no file stays then), ValueError where the number
    of times is another than that of frames.
    """
    tracks = [read_track(piece) for piece in pieces]
    total = sum(len(track.sizes) for track in tracks)
    if total != len(times_s) or not tracks:
        raise ValueError(f"{len(times_s)} times for {total} frames")
    try:
        with open(target, "wb") as out:
            out.write(_box(b"ftyp", b"isom", (512).to_bytes(4, "big"), b"isomiso2mp41"))
            length = sum(sum(track.sizes) for track in tracks)
            out.write(struct.pack(">I4sQ", 1, b"mdat", length + 16))
            begin = out.tell()
            for piece, track in zip(pieces, tracks, strict=True):
                _copy(piece, track, out)
            out.write(_index(tracks, times_s, begin))
    except OSError as error:
        with suppress(OSError):
            os.unlink(target)
        raise cannot("write", target, error) from None


def _copy(piece: Path, track: Track, out: BinaryIO) -> None:
    with open(piece, "rb") as file:
        for at, size in zip(track.offsets, track.sizes, strict=True):
            file.seek(at)
            out.write(file.read(size))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _index(tracks: Sequence[Track], times_s: Sequence[float], begin: int) -> bytes:
    sizes = [size for track in tracks for size in track.sizes]
    keys = [key for track in tracks for key in track.keys]
    steps = _steps(times_s)
    width, height = tracks[0].size_wh
    length = sum(steps)
    table = _box(
        b"stbl",
        _box(b"stsd", tracks[0].description),
        _full(b"stts", _runs(steps)),
        b"" if all(keys) else _full(b"stss", _list([i for i, key in enumerate(keys, 1) if key])),
        _full(b"stsc", _chunk_runs(len(sizes))),
        _full(b"stsz", struct.pack(">I", 0), _list(sizes)),
        _full(b"co64", _chunks(sizes, begin)),
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">QQIQHH", 0, 0, TIMESCALE, length, 0x55C4, 0), version=1),
        _full(b"hdlr", struct.pack(">I4s12x", 0, b"vide"), b"video\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))),
            table,
        ),
    )
    track = struct.pack(">QQIIQ8xHHHH", 0, 0, 1, 0, length, 0, 0, 0, 0)
    movie = struct.pack(">QQIQIH10x", 0, 0, TIMESCALE, length, 0x10000, 0x100)
    return _box(
        b"moov",
        _full(b"mvhd", movie, _MATRIX, bytes(24), struct.pack(">I", 2), version=1),
        _box(
            b"trak",
            _full(b"tkhd", track, _MATRIX, struct.pack(">II", width << 16, height << 16), version=1, flags=3),
            media,
        ),
    )


def _steps(times_s: Sequence[float]) -> list[int]:
    """How many ticks each frame is shown; at least one."""
    ticks = [round(t * TIMESCALE) for t in times_s]
    steps = [max(after - before, 1) for before, after in pairwise(ticks)]
    return [*steps, steps[-1] if steps else TIMESCALE // 25]


def _list(numbers: Sequence[int]) -> bytes:
    return struct.pack(f">I{len(numbers)}I", len(numbers), *numbers)


def _runs(steps: Sequence[int]) -> bytes:
    runs = [(len(list(same)), step) for step, same in groupby(steps)]
    return struct.pack(">I", len(runs)) + b"".join(struct.pack(">II", count, step) for count, step in runs)


def _chunk_runs(samples: int) -> bytes:
    whole, rest = divmod(samples, _CHUNK_SAMPLES)
    runs = ([(1, _CHUNK_SAMPLES, 1)] if whole else []) + ([(whole + 1, rest, 1)] if rest else [])
    return struct.pack(">I", len(runs)) + b"".join(struct.pack(">III", *run) for run in runs)


def _chunks(sizes: Sequence[int], begin: int) -> bytes:
    offsets, at = [], begin
    for i, size in enumerate(sizes):
        if i % _CHUNK_SAMPLES == 0:
            offsets.append(at)
        at += size
    return struct.pack(f">I{len(offsets)}Q", len(offsets), *offsets)
