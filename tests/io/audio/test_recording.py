"""Sound files: read as libsndfile reads them, cut to the sample, refused in one line where something is wrong."""

import io
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError, DatatoolsError
from datatools.io.audio import riff
from datatools.io.audio.encode import FORMATS, write_audio
from datatools.io.audio.recording import open_recording

KINDS = [
    ("wav", "PCM_U8"), ("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "PCM_32"), ("wav", "FLOAT"), ("wav", "DOUBLE"),
    ("wav", "ULAW"), ("wav", "ALAW"), ("wav", "IMA_ADPCM"), ("flac", "PCM_S8"), ("flac", "PCM_16"), ("flac", "PCM_24"),
    ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"), ("aiff", "PCM_16"), ("au", "PCM_16"),
    ("caf", "PCM_24"), ("w64", "PCM_16"), ("rf64", "PCM_16"),
]  # fmt: skip


def wave(channels: int = 2, frames: int = 16_000) -> np.ndarray:
    time = np.arange(frames)[:, None]
    return 0.4 * np.sin(time / np.array([9.0, 31.0][:channels])) + 0.01 * np.random.default_rng(0).standard_normal(
        (frames, channels)
    )


def make(path: Path, form: str, subtype: str, channels: int = 2, frames: int = 16_000) -> Path:
    soundfile.write(path, wave(channels, frames), 16_000, subtype, format=form.upper())
    return path


@pytest.mark.parametrize(("form", "subtype"), KINDS)
def test_every_kind_is_read_and_cut_as_libsndfile_reads_it(tmp_path: Path, form: str, subtype: str) -> None:
    path = make(tmp_path / "x.bin", form, subtype)  # the suffix does not tell
    found = open_recording(path)
    theirs, sr = soundfile.read(path, dtype="float32", always_2d=True)
    assert (found.header.sr, found.header.channels, found.header.frames) == (sr, 2, len(theirs))
    blocks = list(found.blocks(1000))
    assert all(block.dtype == np.float32 and block.shape[1] == 2 for block in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), theirs, atol=1e-6)  # mp3 is rounded by where a block begins
    spans = np.array([[0, 7], [7, 1001], [5000, 5001], [15_000, len(theirs)]])
    for (first, stop), data in zip(spans.tolist(), found.clips(spans), strict=True):
        info = soundfile.info(io.BytesIO(data))
        assert info.subtype == found.clip_subtype
        clip, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        near = 0 if subtype == info.subtype or subtype == "PCM_S8" else 2**-15
        np.testing.assert_allclose(clip, theirs[first:stop], atol=near)


def code(path: Path) -> str:
    """The code with which reading all of a file ends; empty where it is fine."""
    try:
        found = open_recording(path, name="x")
        for _ in found.blocks():
            pass
    except DataError as error:
        assert str(error).startswith("x: E-")
        assert "\n" not in str(error)
        return error.code
    return ""


@pytest.mark.parametrize(("form", "subtype"), KINDS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_cut_file_is_not_read_as_a_shorter_one(tmp_path: Path, form: str, subtype: str, share: float) -> None:
    path = make(tmp_path / "x", form, subtype)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert code(path).startswith("E-AUDIO-")


@pytest.mark.parametrize(("form", "subtype"), [("flac", "PCM_16"), ("ogg", "VORBIS"), ("ogg", "OPUS")])
def test_flipped_bits_are_found_where_there_is_a_check_sum(tmp_path: Path, form: str, subtype: str) -> None:
    path = make(tmp_path / "x", form, subtype)
    data = bytearray(path.read_bytes())
    for at in (len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        broken = data.copy()
        broken[at] ^= 0x10
        path.write_bytes(broken)
        assert code(path) in ("E-AUDIO-DAMAGED", "E-AUDIO-TRUNCATED")


def header(**changes: int) -> bytes:
    """A WAV header with some fields changed, and a second of silence."""
    fields = {"riff": 32036, "code": 1, "channels": 1, "sr": 16000, "block": 2, "bits": 16, "data": 32000, **changes}
    form = struct.pack(
        "<HHIIHH", fields["code"], fields["channels"], fields["sr"], 32000, fields["block"], fields["bits"]
    )
    return (
        struct.pack("<4sI4s4sI", b"RIFF", fields["riff"], b"WAVE", b"fmt ", 16) + form
        + struct.pack("<4sI", b"data", fields["data"]) + bytes(32000)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (header(), ""),
        (header(data=0xFFFFFFFF, riff=0xFFFFFFFF), ""),  # a pipe wrote it
        (header(data=0, riff=0), ""),
        (header(data=0x7FFFFFFF - 36, riff=0x7FFFFFFF), ""),
        (header(data=32002), "E-AUDIO-TRUNCATED"),
        (header(data=2**31 - 2**20), "E-AUDIO-TRUNCATED"),
        (header(sr=0), "E-AUDIO-UNREADABLE"),
        (header(channels=0, block=0), "E-AUDIO-UNREADABLE"),
        (header(channels=0xFFFF, block=0xFFFE), "E-AUDIO-UNREADABLE"),
        (header(block=3), "E-AUDIO-UNREADABLE"),
        (header(bits=17), "E-AUDIO-UNREADABLE"),
        (header(bits=7), "E-AUDIO-UNREADABLE"),
        (header(bits=12), ""),
        (header(code=0x1234), "E-AUDIO-DAMAGED"),
        (header()[:44], "E-AUDIO-TRUNCATED"),
        (header(data=0, riff=36)[:44], "E-AUDIO-EMPTY"),
        (header()[:30], "E-AUDIO-UNREADABLE"),
        (header()[:12], "E-AUDIO-UNREADABLE"),
        (b"RIFF", "E-AUDIO-UNREADABLE"),
        (b"", "E-AUDIO-EMPTY"),
        (b"\0" * 1000, "E-AUDIO-UNREADABLE"),
        (b"text, not sound" * 50, "E-AUDIO-UNREADABLE"),
        (b"fLaC" + b"\xff" * 100, "E-AUDIO-DAMAGED"),
        (b"OggS" + b"\xff" * 100, "E-AUDIO-TRUNCATED"),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"\0" * 50, "E-AUDIO-EMPTY"),
        (b"\xff\xfb\x90\x64" * 300, "E-AUDIO-DAMAGED"),
        (b".snd" + b"\xff" * 40, "E-AUDIO-DAMAGED"),
        (b"FORM\xff\xff\xff\xffAIFF", "E-AUDIO-TRUNCATED"),
    ],
)
def test_headers_that_lie(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert code(path) == expected


def test_the_length_that_a_pipe_left_out_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(header(data=0xFFFFFFFF, riff=0xFFFFFFFF))
    assert open_recording(path).header.frames == 16_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = wave(1)
    samples[8000] = value
    soundfile.write(tmp_path / "x", samples, 16_000, "FLOAT", format="WAV")
    assert code(tmp_path / "x") == "E-AUDIO-NAN"
    with pytest.raises(DataError, match=r"0\.500 s"):
        list(open_recording(tmp_path / "x").blocks())


def test_an_mp3_that_claims_more_frames_than_it_has(tmp_path: Path) -> None:
    path = make(tmp_path / "x", "mp3", "MPEG_LAYER_III", frames=32_000)
    data = path.read_bytes()
    at = max(data.find(b"Xing"), data.find(b"Info"))
    assert at > 0
    lying = data[: at + 8] + struct.pack(">I", 4000) + data[at + 12 :]
    path.write_bytes(lying)
    assert code(path) == "E-AUDIO-TRUNCATED"


def test_tags_around_an_mp3_are_no_damage(tmp_path: Path) -> None:
    path = make(tmp_path / "x", "mp3", "MPEG_LAYER_III")
    sound = path.read_bytes()
    path.write_bytes(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + sound + b"TAG" + bytes(125))
    assert code(path) == ""


def test_a_day_of_silence_in_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(60):
            file.write(np.zeros(8000, np.int16))
    assert code(path) == ""
    with pytest.raises(DataError, match="E-AUDIO-LONG"):
        open_recording(path, max_s=59)


def test_files_that_are_none(tmp_path: Path) -> None:
    import os

    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "link.wav").symlink_to("/etc/hostname")
    for name in ("folder.wav", "pipe.wav", "link.wav", "absent.wav"):
        assert code(tmp_path / name) == "E-FILE-READ"


@pytest.fixture(scope="module")
def samples_of_kinds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("kinds")
    return [
        make(folder / "x", form, subtype, frames=3000).read_bytes()
        for form, subtype in [KINDS[1], KINDS[4], KINDS[8], KINDS[10], KINDS[12], KINDS[13], KINDS[14], KINDS[15]]
    ]


@settings(max_examples=250, deadline=None)
@given(
    kind=st.integers(0, 7),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.one_of(st.none(), st.integers(0, 2000)),
)
def test_no_damage_ends_in_anything_but_our_error(
    samples_of_kinds: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
    kind: int,
    changes: list[tuple[int, int]],
    cut: int | None,
) -> None:
    data = bytearray(samples_of_kinds[kind])
    for at, byte in changes:
        data[at % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "mutant"
    path.write_bytes(bytes(data[:cut]))
    try:
        found = open_recording(path, max_s=600)
        assert sum(len(block) for block in found.blocks()) == found.header.frames
    except DatatoolsError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize(("channels", "frames"), [(1, 0), (1, 1), (3, 5)])
def test_our_wave_files_are_what_others_read(tmp_path: Path, subtype: str, channels: int, frames: int) -> None:
    path = tmp_path / "x.wav"
    path.touch()
    samples = np.linspace(-1.5, 1.5, frames * channels, dtype=np.float32).reshape(frames, channels)
    assert write_audio(str(path), iter([samples[:2], samples[2:]]), 22_050, channels, "WAV", subtype) == frames
    theirs, sr = soundfile.read(path, dtype="float64", always_2d=True)
    assert sr == 22_050
    bound = samples if subtype == "FLOAT" else np.clip(samples, -1, 1)
    np.testing.assert_allclose(theirs, bound, atol=2**-15)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_samples_give_the_same_bytes(tmp_path: Path, form: str) -> None:
    container, subtype = FORMATS[form]
    for name in ("a", "b"):
        (tmp_path / name).touch()
        write_audio(str(tmp_path / name), [wave().astype(np.float32)], 16_000, 2, container, subtype)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert code(tmp_path / "a") == ""


def test_a_header_beyond_4_gb_is_rf64() -> None:
    head = riff.wave_header(48_000, 2, "PCM_24", 10**9)
    made = riff.read_wave(head, len(head) + 6 * 10**9)
    assert (made.frames, made.start, made.sr) == (10**9, len(head), 48_000)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_what_only_ffmpeg_reads(tmp_path: Path) -> None:
    import subprocess

    source = make(tmp_path / "x.wav", "wav", "PCM_16", frames=32_000)
    film = tmp_path / "x.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-c:a", "aac", film], check=True)
    found = open_recording(film)
    assert found.header.sr == 16_000
    assert found.header.channels == 2
    assert found.header.frames == pytest.approx(32_000, abs=2048)
    assert sum(map(len, found.blocks())) == found.header.frames
    data = next(found.clips(np.array([[100, 1100]])))
    clip, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(clip, np.concatenate(list(found.blocks()))[100:1100])
    film.write_bytes(film.read_bytes()[:-3000])
    assert code(film) in ("E-AUDIO-DAMAGED", "E-AUDIO-TRUNCATED")


def test_without_ffmpeg_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "x.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    with pytest.raises(DataError, match=r"E-AUDIO-FFMPEG.*install ffmpeg"):
        open_recording(path)
