"""Containers that only ffmpeg reads: m4a, wma, films. ffmpeg is told exactly what it may open, and writes to a pipe.

Playlists and network names inside a file make ffmpeg open other files, so the demuxer is named, the protocols are
listed, and nothing is given to a shell.
"""

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from datatools.io.audio.header import BadAudio, Header, check, too_long
from datatools.io.audio.probe import kind_of as magic_kind
from datatools.io.audio.riff import read_wave

_DEMUXERS = "mov,asf,matroska,webm,avi,amr,aac,wv,ape"
_HEAD = 4096


def kind_of(fd: int) -> str:
    """`ffmpeg:<demuxer>` where the open file is for ffmpeg, else empty."""
    kind = magic_kind(os.pread(fd, 64, 0))
    return kind if kind.startswith("ffmpeg:") else ""


def probe(path: str, kind: str, max_s: float) -> Header:
    """Decode the whole first sound track once, to know that it can be, and how long it is. Raises BadAudio."""
    with _decoding(path, kind) as pipe:
        header, _ = _read_head(pipe)
        limit = max_s * header.sr
        frames = 0.0
        size = header.channels * 2
        while data := pipe.read(2**20):
            frames += len(data) / size
            if frames > limit:
                raise too_long(f"it goes on after {max_s / 3600:g} hours")
    if not frames:
        raise BadAudio("E-AUDIO-EMPTY", "there are no samples in it")
    return check(Header(kind.partition(":")[2].upper(), "FFMPEG", header.sr, header.channels, int(frames)), max_s)


def raw_blocks(path: str, kind: str, header: Header, frames: int) -> Iterator[NDArray[np.int16]]:
    """Yield (n, channels) int16. Raises BadAudio."""
    done = 0
    with _decoding(path, kind) as pipe:
        _read_head(pipe)
        while data := pipe.read(frames * header.channels * 2):
            block = np.frombuffer(data, "<i2", len(data) // (2 * header.channels) * header.channels)
            done += len(block) // header.channels
            yield block.reshape(-1, header.channels)
    if done != header.frames:
        raise BadAudio("E-AUDIO-TRUNCATED", f"{header.frames:,} samples came before, now {done:,}")


def blocks(path: str, kind: str, header: Header, frames: int) -> Iterator[NDArray[np.float32]]:
    """Yield (n, channels) float32, full scale at -1 and 1. Raises BadAudio."""
    for block in raw_blocks(path, kind, header, frames):
        yield block.astype(np.float32) * np.float32(2.0**-15)


def _read_head(pipe: IO[bytes]) -> tuple[Header, int]:
    """Read the WAV header that comes first, up to the samples."""
    head = pipe.read(12)
    while len(head) >= 12:
        chunk = pipe.read(8)
        if len(chunk) < 8:
            break
        head += chunk
        name, length = struct.unpack("<4sI", chunk)
        if name == b"data":
            wave = read_wave(head, len(head))
            return Header("WAV", wave.subtype, wave.sr, wave.channels, 0), len(head)
        if length > _HEAD:
            break
        head += pipe.read(length + (length & 1))
    raise BadAudio("E-AUDIO-DAMAGED", "ffmpeg finds no sound in it")


@contextlib.contextmanager
def _decoding(path: str, kind: str) -> Iterator[IO[bytes]]:
    """A pipe with the first sound track as WAV of 16 bits. Raises BadAudio at the end where ffmpeg complained."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        name = kind.partition(":")[2]
        raise BadAudio("E-AUDIO-FFMPEG", f"only ffmpeg reads this ({name}), and it is not installed", "install ffmpeg")
    words = [
        ffmpeg, "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-format_whitelist", _DEMUXERS,
        "-xerror", "-err_detect", "explode", "-i", f"file:{os.path.abspath(path)}",
        "-map", "0:a:0", "-vn", "-c:a", "pcm_s16le", "-f", "wav", "-bitexact", "pipe:1",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
        )
        assert process.stdout
        try:
            yield process.stdout
            code = process.wait()
        finally:
            process.stdout.close()
            process.kill()
            process.wait()
        complaints.seek(0)
        lines = complaints.read(2000).decode("utf-8", "replace").strip().split("\n")
    if code or lines[0]:
        raise BadAudio("E-AUDIO-DAMAGED", f"ffmpeg says: {lines[0].rpartition(': ')[2] or code}")
