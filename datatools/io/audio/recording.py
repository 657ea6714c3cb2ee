"""A recording: opened once to be checked, then read in blocks or cut, as often as it takes, in little memory."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.io.audio import foreign
from datatools.io.audio.encode import packed
from datatools.io.audio.flac import Checksum
from datatools.io.audio.header import BadAudio, Header
from datatools.io.audio.probe import probe, quiet, said
from datatools.io.audio.riff import Wave, wave_header
from datatools.io.files import cannot, open_regular

Samples = NDArray[np.float32]
"""(frames, channels) float32, full scale at -1 and 1."""

MAX_S = 10_000 * 3600.0
"""Longer recordings are not read, whatever a header claims."""

BLOCK = 65536
"""Frames that are read at once, of all channels together."""

_PLAIN = {"PCM_U8": "u1", "PCM_16": "<i2", "PCM_24": "u1", "PCM_32": "<i4", "FLOAT": "<f4", "DOUBLE": "<f8"}
_CUT = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32", "FLOAT": "float32", "DOUBLE": "float64"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file whose headers were found good. It holds nothing open, and pickles.

    name: for errors. kind: by its magic number (`probe.kind_of`). wave: where plain samples stand in it, if they do.
    """

    path: str
    name: str
    kind: str
    header: Header
    wave: Wave | None

    @property
    def clip_subtype(self) -> str:
        """How clips that are cut out of it store their samples: as it does, or PCM_16 where it is compressed."""
        if self.wave is not None:
            return self.wave.subtype
        return self.header.subtype if self.header.subtype in _CUT else "PCM_16"

    def blocks(self, frames: int = 0) -> Iterator[Samples]:
        """Yield the samples in order, so many frames at once, the last block shorter.

        Raises DataError E-AUDIO-TRUNCATED where there are fewer than the header says, E-AUDIO-DAMAGED where they do not
        decode or miss their check sum, E-AUDIO-NAN where one is no number; StorageError where the disk fails.
        """
        frames = frames or max(BLOCK // self.header.channels, 1)
        with _told(self.name, self.path):
            if self.wave is not None and self.wave.subtype in _PLAIN:
                yield from _plain_blocks(self.path, self.wave, frames)
            elif self.kind.startswith("ffmpeg:"):
                yield from foreign.blocks(self.path, self.kind, self.header, frames)
            else:
                yield from _decoded(self.path, self.header, frames, "float32")

    def clips(self, spans: NDArray[np.int64]) -> Iterator[bytes | memoryview]:
        """Yield a whole WAV file for each span, sample by sample what the recording holds.

        spans: (K, 2) first and one past the last frame, in order, without overlap. What is yielded stays as it is only
        until the next is asked for. Raises as `blocks` does.
        """
        header = self.header
        heads = [wave_header(header.sr, header.channels, self.clip_subtype, int(n)) for n in spans[:, 1] - spans[:, 0]]
        with _told(self.name, self.path):
            if self.wave is not None:
                yield from _cut_bytes(self.path, self.wave, spans, heads)
                return
            for head, payload in zip(heads, self._payloads(spans), strict=True):
                yield b"".join((head, payload, b"\0" if len(payload) & 1 else b""))

    def _payloads(self, spans: NDArray[np.int64]) -> Iterator[bytes]:
        blocks = (
            foreign.raw_blocks(self.path, self.kind, self.header, BLOCK)
            if self.kind.startswith("ffmpeg:")
            else _decoded(self.path, self.header, BLOCK, _CUT[self.clip_subtype])
        )
        for piece in _assembled(blocks, spans):
            yield packed(piece, self.clip_subtype)


def open_recording(path: str | Path, *, name: str = "", max_s: float = MAX_S) -> Recording:
    """Look at a sound file and prove, as far as its headers tell, that it is whole.

    name: as the user knows it, for errors. max_s: the longest recording that is taken, seconds.

    Raises DataError E-AUDIO-UNREADABLE (no sound file, a header that makes no sense), E-AUDIO-TRUNCATED (fewer bytes
    than promised), E-AUDIO-DAMAGED (a check sum is wrong), E-AUDIO-EMPTY, E-AUDIO-LONG, E-AUDIO-FFMPEG (only ffmpeg
    could read it, and it is not installed), E-FILE-READ (no regular file); StorageError where the disk fails.
    """
    where, name = os.fspath(path), name or os.fspath(path)
    try:
        fd, state = open_regular(path)
    except DataError as error:
        raise DataError(name, 0, error.code, error.message, error.remedy) from None
    try:
        with _told(name, where):
            kind = foreign.kind_of(fd)
            if kind:
                return Recording(where, name, kind, foreign.probe(where, kind, max_s), None)
            kind, header, wave = probe(fd, state.st_size, max_s)
            return Recording(where, name, kind, header, wave)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _told(name: str, path: str) -> Iterator[None]:
    """Turn what goes wrong inside into the errors that users see."""
    try:
        yield
    except BadAudio as bad:
        raise DataError(name, 0, bad.code, bad.message, bad.remedy) from None
    except OSError as error:
        raise cannot("read", path, error) from None


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    fd, _ = open_regular(path)
    try:
        yield fd
    finally:
        os.close(fd)


def _plain_blocks(path: str, wave: Wave, frames: int) -> Iterator[Samples]:
    with _opened(path) as fd:
        for first in range(0, wave.frames, frames):
            count = min(frames, wave.frames - first)
            block = _to_float(_exactly(fd, wave, first, count), wave)
            if wave.subtype in ("FLOAT", "DOUBLE"):
                _check_finite(block, first, wave.sr)
            yield block


def _to_float(data: bytes, wave: Wave) -> Samples:
    raw = np.frombuffer(data, _PLAIN[wave.subtype])
    if wave.subtype == "PCM_24":
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        raw = wide.view("<i4").ravel()
    samples = raw.astype(np.float32)
    if wave.subtype == "PCM_U8":
        samples -= 128.0
    scale = {"PCM_U8": 2.0**-7, "PCM_16": 2.0**-15, "PCM_24": 2.0**-31, "PCM_32": 2.0**-31}.get(wave.subtype)
    if scale:
        samples *= np.float32(scale)
    return samples.reshape(-1, wave.channels)


def _cut_bytes(path: str, wave: Wave, spans: NDArray[np.int64], heads: list[bytes]) -> Iterator[memoryview]:
    """Clips of samples that lie in the file as they are: read once, behind their headers, into one buffer for all."""
    sizes = (spans[:, 1] - spans[:, 0]) * wave.block
    buffer = memoryview(bytearray(max(map(len, heads), default=0) + int(sizes.max(initial=0)) + 1))
    with _opened(path) as fd:
        for head, first, size in zip(heads, spans[:, 0].tolist(), sizes.tolist(), strict=True):
            end = len(head) + size
            buffer[: len(head)] = head
            if os.preadv(fd, [buffer[len(head) : end]], wave.start + first * wave.block) < size:
                raise BadAudio("E-AUDIO-TRUNCATED", "the file became shorter while it was read")
            buffer[end] = 0
            yield buffer[: end + (size & 1)]


def _exactly(fd: int, wave: Wave, first: int, count: int) -> bytes:
    data = os.pread(fd, count * wave.block, wave.start + first * wave.block)
    if len(data) < count * wave.block:
        raise BadAudio("E-AUDIO-TRUNCATED", "the file became shorter while it was read")
    return data


def _decoded(path: str, header: Header, frames: int, dtype: str) -> Iterator[NDArray[Any]]:
    """Samples through libsndfile, (n, channels), counted and, where the format allows it, checked."""
    with _opened(path) as fd:
        checksum = Checksum.of(os.pread(fd, 42, 0)) if header.container == "FLAC" else None
        try:
            with quiet(header.container == "MP3"):
                opened = soundfile.SoundFile(fd, closefd=False)
            with opened:
                done = 0
                while True:
                    with quiet(header.container == "MP3"):
                        raw = opened.read(frames, dtype=checksum.dtype if checksum else dtype, always_2d=True)
                    if not len(raw):
                        break
                    block = checksum.take(raw, dtype) if checksum else raw
                    if block.dtype.kind == "f":
                        _check_finite(block, done, header.sr)
                    done += len(raw)
                    yield block
        except soundfile.SoundFileError as error:
            raise BadAudio("E-AUDIO-DAMAGED", f"the decoder says: {said(error)}") from None
        if done != header.frames:
            raise BadAudio("E-AUDIO-TRUNCATED", f"the header promises {header.frames:,} samples, {done:,} came")
        if checksum and not checksum.holds():
            raise BadAudio("E-AUDIO-DAMAGED", "its samples are not those that its check sum was made of")


def _check_finite(block: NDArray[Any], first: int, sr: int) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        at = first + int(np.argmin(finite.all(axis=1)))
        raise BadAudio("E-AUDIO-NAN", f"a sample at {at / sr:.3f} s is not a number", "make the recording again")


def _assembled(blocks: Iterator[NDArray[Any]], spans: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """Cut spans out of a stream of blocks. The stream is read to its end, so that it is checked whole."""
    wanted = iter(spans.tolist())
    first, stop = next(wanted, (-1, -1))
    pieces: list[NDArray[Any]] = []
    start = 0
    for block in blocks:
        end = start + len(block)
        while first >= 0 and first < end:
            pieces.append(block[max(first - start, 0) : min(stop, end) - start].copy())
            if stop > end:
                break
            yield np.concatenate(pieces)
            pieces = []
            first, stop = next(wanted, (-1, -1))
        start = end
    if first >= 0:
        raise BadAudio("E-AUDIO-TRUNCATED", f"there are only {start:,} samples")
