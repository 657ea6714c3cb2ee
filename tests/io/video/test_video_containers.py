"""What headers declare, by each kind of container."""

import struct
from pathlib import Path

import numpy as np
import pytest

from datatools.io.headers import Window
from datatools.io.video import containers, matroska
from datatools.io.video.containers import BadVideo


def window(data: bytes) -> Window:
    return Window(data, len(data))


def element(ident: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(ident) + (0x01 << 56 | len(body)).to_bytes(8, "big") + body


def mkv(*, doctype: bytes = b"webm", size: int | None = None, duration: float = 2500.0) -> bytes:
    info = element(
        "1549A966", element("2AD7B1", (1_000_000).to_bytes(3, "big")), element("4489", struct.pack(">d", duration))
    )
    video = element(
        "AE",
        element("83", b"\1"),
        element("86", b"V_VP9"),
        element("E0", element("B0", b"\1\x40"), element("BA", b"\xf0")),
    )
    sound = element("AE", element("83", b"\2"), element("86", b"A_OPUS"))
    body = info + element("1654AE6B", video, sound) + element("1F43B675", bytes(20))
    segment = (
        element("18538067", body)
        if size is None
        else bytes.fromhex("18538067") + (0x01 << 56 | size).to_bytes(8, "big") + body
    )
    return element("1A45DFA3", element("4282", doctype)) + segment


def test_matroska_tells_tracks_and_duration() -> None:
    said = containers.container(window(mkv()))
    assert said == containers.Container("matroska", "V_VP9", (320, 240), 0, 2.5, 1, 1, 0)


def test_matroska_tells_what_is_missing_and_streams_do_not() -> None:
    assert containers.container(window(mkv(size=100_000))).missing_bytes > 90_000
    assert containers.container(window(mkv(size=2**56 - 1))).missing_bytes == 0


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), -1.0])
def test_durations_that_are_none_are_none(duration: float) -> None:
    assert containers.container(window(mkv(duration=duration))).duration_s == 0


def test_other_ebml_is_no_video() -> None:
    with pytest.raises(BadVideo, match="begins like a Matroska file"):
        containers.container(window(mkv(doctype=b"other")))


def avi(frames: int = 40, *, riff: int | None = None, sound: bool = True) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + len(body).to_bytes(4, "little") + body

    def stream(kind: bytes, form: bytes) -> bytes:
        head = kind + b"XVID" + bytes(12) + struct.pack("<4I", 1, 25, 0, frames) + bytes(20)
        return chunk(b"LIST", b"strl" + chunk(b"strh", head) + chunk(b"strf", form))

    picture = stream(b"vids", struct.pack("<IiiHH4s", 40, 320, -240, 1, 24, b"XVID") + bytes(20))
    tracks = picture + (stream(b"auds", bytes(18)) if sound else b"")
    body = b"AVI " + chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(56)) + tracks) + chunk(b"LIST", b"movi" + bytes(64))
    return b"RIFF" + (len(body) if riff is None else riff).to_bytes(4, "little") + body


def test_avi_tells_tracks_frames_and_what_is_missing() -> None:
    said = containers.container(window(avi()))
    assert said == containers.Container("avi", "XVID", (320, 240), 40, 1.6, 1, 1, 0)
    assert containers.container(window(avi(riff=1_000_000, sound=False))).missing_bytes > 990_000


def test_a_container_without_pictures_is_refused() -> None:
    with pytest.raises(BadVideo, match="no video track"):
        containers.container(window(avi().replace(b"vids", b"txts")))


def test_sound_is_seen_in_mp4(fixture_video: Path) -> None:
    said = containers.read_container(fixture_video / "sound.mp4")
    assert (said.video, said.audio, said.frames) == (1, 1, 40)
    assert containers.read_container(fixture_video / "walkers.mp4").audio == 0


@pytest.mark.parametrize("whole", [mkv(), avi(), b"\0\0\0\x10ftypisom" + bytes(4) + b"\0\0\0\x40moov" + bytes(56)])
def test_headers_cut_anywhere_are_read_or_refused(whole: bytes) -> None:
    for end in range(len(whole)):
        try:
            containers.container(window(whole[:end]))
        except BadVideo as error:
            assert "\n" not in str(error)


def test_sizes_of_zero_and_endless_nesting_end() -> None:
    endless = b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\x7fhdrl" * 100
    with pytest.raises(BadVideo):
        containers.container(window(endless))
    zero = b"\0\0\0\x08ftyp" + b"\0\0\0\x08free" * 100 + b"\0\0\0\0moov"
    with pytest.raises(BadVideo):
        containers.container(window(zero))
    assert matroska.read(window(b"\x1a\x45\xdf\xa3\xff" + bytes(200))) is None


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def mp4(*, edits: list[tuple[int, int]] | None = None, delay: int = 0, frames: int = 50) -> bytes:
    listed = (
        box(b"elst", bytes(4), len(edits).to_bytes(4, "big"), *(struct.pack(">Iii", *e, 1 << 16) for e in edits))
        if edits
        else b""
    )
    entry = box(b"avc1", bytes(24), struct.pack(">HH", 320, 240), bytes(50))
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), (1).to_bytes(4, "big"), entry),
        box(b"stsz", bytes(8), frames.to_bytes(4, "big")),
        box(b"ctts", bytes(4), (1).to_bytes(4, "big"), (frames).to_bytes(4, "big"), delay.to_bytes(4, "big")),
    )
    media = box(
        b"mdia",
        box(b"mdhd", bytes(12), struct.pack(">II", 12800, 12800 * frames // 25), bytes(4)),
        box(b"hdlr", bytes(8), b"vide", bytes(12)),
        box(b"minf", table),
    )
    return box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"trak", box(b"edts", listed) if edits else b"", media))


@pytest.mark.parametrize(
    ("edits", "delay", "frames"),
    [
        (None, 0, 50),
        ([(2000, 0)], 0, 50),
        ([(2000, 1024)], 1024, 50),  # the delay of B-frames leaves nothing out
        ([(500, -1), (2000, 0)], 0, 50),  # a pause before the first frame does not, either
        ([(1500, 6656)], 1024, 0),
        ([(1000, 0), (1000, 8000)], 0, 0),
        ([(1, 0)] * 3, 0, 0),
    ],
)
def test_frames_that_an_edit_list_leaves_out_are_not_declared(
    edits: list[tuple[int, int]] | None, delay: int, frames: int
) -> None:
    said = containers.container(window(mp4(edits=edits, delay=delay)))
    assert (said.size_wh, said.frames, said.duration_s) == ((320, 240), frames, 2.0)


@pytest.mark.parametrize("whole", [mkv(), avi(), mp4(edits=[(2000, 1024)], delay=1024)])
def test_mutants_of_headers_are_read_or_refused(whole: bytes) -> None:
    rng = np.random.default_rng(0)
    for _ in range(3400):
        mutant = bytearray(whole)
        for at in rng.integers(0, len(mutant), int(rng.integers(1, 10))):
            mutant[at] = int(rng.integers(256))
        try:
            said = containers.container(window(bytes(mutant)))
        except BadVideo:
            continue
        assert said.frames >= 0
        assert said.duration_s >= 0
