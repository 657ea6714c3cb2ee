"""Which kind of video a file is, seen by its first bytes, and what its headers declare. Nothing is decoded.

MP4 and QuickTime, AVI, Matroska and WebM are known; playlists and image sequences, which make a decoder open other
files or addresses, are not. What a header declares is not what the file holds: frames are counted by reading them.
"""

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datatools.core.errors import DataError
from datatools.io.files import cannot, open_regular
from datatools.io.headers import Window
from datatools.io.video import matroska
from datatools.io.video.isobmff import MAX_BOXES, Box, boxes, find

VIDEO_SUFFIXES = frozenset([".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"])
"""Suffixes, in lower case and with their dot, of files that are taken for videos."""

Kind = Literal["mp4", "avi", "matroska"]

_MP4_STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


@dataclass(frozen=True, slots=True)
class Container:
    """What the headers of a video file declare.

    codec: the name of the first video track's coding in this kind of file, "" where none is told. size_wh: pixels, as
    stored, of the largest video track; (0, 0) where none is told. frames, duration_s: of the first video track, or of
    the whole; 0 where unknown. audio: how many audio tracks there are. missing_bytes: by how much the file is shorter
    than it says.
    """

    kind: Kind
    codec: str
    size_wh: tuple[int, int]
    frames: int
    duration_s: float
    video: int
    audio: int
    missing_bytes: int


class BadVideo(ValueError):
    """Bytes are not the header of a video that we know; the text says in words why."""


def read_container(path: str | Path) -> Container:
    """Read what the headers of a video declare.

    Raises DataError E-VIDEO-UNREADABLE where the file is no regular file, of no known kind, has no video track, or lost
    its index; StorageError where the disk or the rights fail.
    """
    try:
        fd, state = open_regular(path)
    except DataError as error:
        raise unreadable(path, error.message) from None
    try:
        return container(Window(os.pread(fd, 2048, 0), state.st_size, fd))
    except BadVideo as error:
        raise unreadable(path, str(error)) from None
    except OSError as error:
        raise cannot("read", path, error) from None
    finally:
        os.close(fd)


def unreadable(path: str | Path, message: str, remedy: str = "") -> DataError:
    """The error of a file of which no frame can be read: code E-VIDEO-UNREADABLE."""
    return DataError(path, 0, "E-VIDEO-UNREADABLE", message, remedy)


def container(source: Window) -> Container:
    """The same for a file that is open. Raises BadVideo, OSError."""
    head = source.take(0, 16)
    if not head:
        raise BadVideo("the file is empty")
    if head[4:8] in _MP4_STARTS:
        found = _mp4(source)
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        found = _avi(source)
    elif head[:4] == b"\x1a\x45\xdf\xa3":
        found = _matroska(source)
    else:
        raise BadVideo("it is no MP4, QuickTime, AVI, Matroska or WebM file")
    if not found.video:
        raise BadVideo("it has no video track")
    return found


def _mp4(source: Window) -> Container:
    missing, movie = 0, None
    for box in boxes(source, 0, source.size):
        missing = max(missing, box.end - source.size)
        if box.kind == b"moov":
            movie = box
    if movie is None or movie.end > source.size:
        raise BadVideo("its index (moov) is missing: the recording was cut off before it was finished")
    codec, sizes, frames, duration, video, audio = "", [(0, 0)], 0, 0.0, 0, 0
    for box in boxes(source, movie.start, movie.end):
        handler = find(source, box, b"mdia", b"hdlr") if box.kind == b"trak" else None
        kind = source.take(handler.start + 8, 4) if handler else b""
        audio += kind == b"soun"
        table = find(source, box, b"mdia", b"minf", b"stbl") if kind == b"vide" else None
        entry = find(source, table, b"stsd") if table else None
        if table is None or entry is None:
            continue
        video += 1
        said = source.take(entry.start + 8, 36)
        if len(said) == 36:
            sizes.append(struct.unpack_from(">HH", said, 32))
        if video == 1:
            codec = _word(said[4:8])
            counts = find(source, table, b"stsz")
            scale, length = _media(source, box)
            duration = length / scale if scale else 0.0
            if counts and not _trimmed(source, box):
                frames = int.from_bytes(source.take(counts.start + 8, 4), "big")
    return Container("mp4", codec, max(sizes, key=math.prod), frames, duration, video, audio, missing)


def _media(source: Window, track: Box) -> tuple[int, int]:
    """Ticks a second of a track, and its length in ticks."""
    media = find(source, track, b"mdia", b"mdhd")
    said = source.take(media.start, 36) if media else b""
    if len(said) < 24:
        return 0, 0
    wide = said[0] == 1 and len(said) >= 32
    scale, length = struct.unpack_from(">IQ", said, 20) if wide else struct.unpack_from(">II", said, 12)
    return scale, length


def _trimmed(source: Window, track: Box) -> bool:
    """Whether an edit list leaves out frames at the start, so that fewer are shown than there are, or may do so."""
    edits = find(source, track, b"edts", b"elst")
    if edits is None:
        return False
    head = source.take(edits.start, 8)
    count, wide = int.from_bytes(head[4:8], "big"), head[:1] == b"\1"
    form, size = (">Qq", 20) if wide else (">Ii", 12)
    entries = source.take(edits.start + 8, size * min(count, 2))
    if count > 2 or len(entries) < size * count:
        return True
    starts = [struct.unpack_from(form, entries, size * i)[1] for i in range(count)]
    shown = [start for start in starts if start >= 0]  # below zero: a pause
    delay = find(source, track, b"mdia", b"minf", b"stbl", b"ctts")
    first = int.from_bytes(source.take(delay.start + 12, 4), "big", signed=True) if delay else 0
    return len(shown) != 1 or not 0 <= shown[0] <= max(first, 0)


def _avi(source: Window) -> Container:
    missing = 8 + int.from_bytes(source.take(4, 4), "little") - source.size
    codec, sizes, frames, duration, video, audio = "", [(0, 0)], 0, 0.0, 0, 0
    kind = b""
    for name, start, _ in _riff(source, 12, source.size):
        if name == b"strh":
            said = source.take(start, 36)
            kind = said[:4]
            video, audio = video + (kind == b"vids"), audio + (kind == b"auds")
            if kind == b"vids" and video == 1 and len(said) == 36:
                scale, rate, _, frames = struct.unpack_from("<4I", said, 20)
                duration = frames * scale / rate if rate else 0.0
        elif name == b"strf" and kind == b"vids":
            said = source.take(start, 20)
            if len(said) == 20:
                width, height = struct.unpack_from("<ii", said, 4)
                sizes.append((width, abs(height)))
                codec = codec or _word(said[16:20])
    return Container("avi", codec, max(sizes, key=math.prod), frames, duration, video, audio, max(missing, 0))


def _riff(source: Window, start: int, end: int, depth: int = 0) -> list[tuple[bytes, int, int]]:
    """List the chunks of the header, those inside lists, too, up to where the frames begin."""
    found: list[tuple[bytes, int, int]] = []
    at = start
    while at + 8 <= end and len(found) < MAX_BOXES:
        head = source.take(at, 12)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"LIST":
            if head[8:12] == b"movi":
                break
            if depth < 4:
                found += _riff(source, at + 12, min(at + 8 + size, end), depth + 1)
        elif len(head) >= 8:
            found.append((head[:4], at + 8, at + 8 + size))
        at += 8 + size + size % 2
    return found


def _matroska(source: Window) -> Container:
    said = matroska.read(source)
    if said is None:
        raise BadVideo("it begins like a Matroska file, but is none")
    video = [t for t in said.tracks if t.kind == 1]
    size = max([(t.width, t.height) for t in video], key=math.prod, default=(0, 0))
    codec = video[0].codec if video else ""
    audio = sum(t.kind == 2 for t in said.tracks)
    return Container("matroska", codec, size, 0, said.duration_s, len(video), audio, said.missing_bytes)


def _word(four: bytes) -> str:
    """A code of four characters as text; unprintable ones become dots."""
    return "".join(chr(b) if 32 <= b < 127 else "." for b in four).strip()
