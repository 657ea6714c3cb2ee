"""What a sound file is, by its first bytes, and whether it is as long as it says."""

import contextlib
import os
import struct
from collections.abc import Iterator

import soundfile

from datatools.io.audio import mpeg, ogg
from datatools.io.audio.header import BadAudio, Header, check
from datatools.io.audio.riff import Wave, read_wave

_HEAD = 65536
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_FOREIGN = {  # what libsndfile does not read, and ffmpeg does
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"\x1a\x45\xdf\xa3": "matroska,webm",
    b"#!AMR": "amr",
    b"wvpk": "wv",
    b"MAC ": "ape",
}


def kind_of(head: bytes) -> str:
    """Name the container by its magic number: wav, flac, ogg, mp3, aiff, au, caf, w64; `ffmpeg:<demuxer>` for what
    only ffmpeg reads; empty where it is none of them."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "ffmpeg:avi"
    if head[4:8] == b"ftyp":
        return "ffmpeg:mov"
    for magic, name in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b".snd", "au"), (b"caff", "caf"), (_W64, "w64")):
        if head.startswith(magic):
            return name
    for magic, demuxer in _FOREIGN.items():
        if head.startswith(magic):
            return f"ffmpeg:{demuxer}"
    if head[:3] == b"ID3" or mpeg.is_frame(head):
        return "mp3"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "ffmpeg:aac"
    return ""


def probe(fd: int, size: int, max_s: float) -> tuple[str, Header, Wave | None]:
    """Read the headers of an open file and prove that it is as long as they say; return its kind and what they say.

    The Wave stands for samples of a fixed size, which can be cut without a decoder. What only ffmpeg reads is not for
    here. Raises BadAudio; OSError where the disk fails.
    """
    head = os.pread(fd, _HEAD, 0)
    if not head:
        raise BadAudio("E-AUDIO-EMPTY", "the file is empty")
    kind = kind_of(head)
    if not kind or kind.startswith("ffmpeg:"):
        raise BadAudio("E-AUDIO-UNREADABLE", "it is no WAV, FLAC, Ogg, MP3, AIFF, AU, CAF or W64 file")
    if kind == "wav":
        wave = read_wave(_through_data(fd, head, size), size)
        if wave.subtype:
            return kind, _sized(Header("WAV", wave.subtype, wave.sr, wave.channels, wave.frames), max_s), wave
    else:
        _check_length(kind, fd, head, size)
    return kind, _sized(_by_libsndfile(fd), max_s), None


def _sized(header: Header, max_s: float) -> Header:
    if not header.frames:
        raise BadAudio("E-AUDIO-EMPTY", "there are no samples in it")
    return check(header, max_s)


def _through_data(fd: int, head: bytes, size: int) -> bytes:
    """Enough of the file to hold its chunks up to the samples: pictures and texts may stand before them."""
    for length in (2**20, 2**24):
        if b"data" in head or size <= len(head):
            break
        head = os.pread(fd, length, 0)
    return head


def _by_libsndfile(fd: int) -> Header:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        with quiet(), soundfile.SoundFile(fd, closefd=False) as opened:
            return Header(opened.format, opened.subtype, opened.samplerate, opened.channels, opened.frames)
    except (soundfile.SoundFileError, ValueError, OverflowError) as error:
        raise BadAudio("E-AUDIO-DAMAGED", f"the decoder says: {said(error)}") from None


def _check_length(kind: str, fd: int, head: bytes, size: int) -> None:
    if kind == "ogg":
        ogg.check_pages(lambda length, at: os.pread(fd, length, at), size)
    elif kind == "mp3":
        mpeg.check_frames(lambda length, at: os.pread(fd, length, at), size)
    else:
        promised = _promised(kind, head)
        if promised > size:
            raise BadAudio("E-AUDIO-TRUNCATED", f"the header promises {promised:,} bytes, the file has {size:,}")


def _promised(kind: str, head: bytes) -> int:
    """How many bytes the header says that the file has; 0 where it does not say."""
    try:
        if kind == "aiff":
            return int(struct.unpack_from(">I", head, 4)[0]) + 8
        if kind == "w64":
            return int(struct.unpack_from("<Q", head, 16)[0])
        if kind == "au":
            start, length = struct.unpack_from(">II", head, 4)
            return 0 if length == 0xFFFFFFFF else int(start + length)
        if kind == "caf":
            return _promised_caf(head)
    except struct.error:
        raise BadAudio("E-AUDIO-UNREADABLE", "the header is cut short") from None
    return 0


def _promised_caf(head: bytes) -> int:
    """The end of the chunk of samples (Apple's Core Audio Format, 1.0); 0 where its length is left open."""
    at = 8
    while at + 12 <= len(head):
        name, length = struct.unpack_from(">4sq", head, at)
        if name == b"data" or length < 0:
            return max(at + 12 + length, 0) if length >= 0 else 0
        at += 12 + length
    return at


@contextlib.contextmanager
def quiet(on: bool = True) -> Iterator[None]:
    """Keep what a decoder prints from the terminal: libmpg123 remarks on files that it reads well. What matters to us
    is found by counting."""
    if not on:
        yield
        return
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def said(error: Exception) -> str:
    """What the decoder complains of, without the name of the file, which it does not know well."""
    text = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return text.rpartition(": ")[2] if text.startswith("Error opening") else text
