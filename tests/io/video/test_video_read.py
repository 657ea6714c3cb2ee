"""Reading videos: every frame with its time, and the truth about what is damaged or is no video at all."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError
from datatools.io.video import containers, isobmff, read, write


def times_of(path: Path) -> list[float]:
    with read.open_video(path) as video:
        return [frame.t_s for frame in video]


def told(path: Path) -> tuple[int, list[str]]:
    with read.open_video(path, name=path.name) as video:
        return sum(1 for _ in video), [error.code for error in video.losses()]


def picture(i: int, width: int = 64, height: int = 48) -> np.ndarray:
    made = np.full((height, width, 3), (40, 90, 160), np.uint8)
    made[8:24, 4 + i : 20 + i] = (20, 220, 250)
    return made


def made(path: Path, frames: int = 30, codec: write.Codec = "mp4v", **size: int) -> Path:
    write.write_video(path, [picture(i, **size) for i in range(frames)], [i / 25 for i in range(frames)], codec)
    return path


def test_frames_come_with_index_time_name_and_pixels(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4", codec="ffv1")
    with read.open_video(path) as video:
        frames = list(video)
        assert video.losses() == ()
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.name for frame in frames][:2] == ["000000", "000001"]
    assert [frame.t_s for frame in frames] == pytest.approx([i / 25 for i in range(30)])
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.bgr, picture(i))


def test_the_header_is_told(tmp_path: Path) -> None:
    with read.open_video(made(tmp_path / "a.mp4")) as video:
        info = video.info
    assert info.size_wh == (64, 48)
    assert info.fps == pytest.approx(25)
    assert info.frames == 30
    assert info.container == containers.Container("mp4", "mp4v", (64, 48), 30, 1.2, 1, 0, 0)


def test_a_variable_rate_is_kept(fixture_video: Path) -> None:
    steps = np.diff(times_of(fixture_video / "scenes.mp4"))
    assert steps == pytest.approx([0.04] * 40 + [0.08] * 19, abs=1e-4)


def test_frames_that_nobody_wants_are_not_converted(tmp_path: Path) -> None:
    with read.open_video(made(tmp_path / "a.mp4")) as video:
        assert video.skip(3) == 3
        frame = video.next(lambda index, t_s: index != 3)
        assert frame is not None
        assert (frame.index, frame.bgr.size) == (3, 0)
        following = video.next(lambda index, t_s: index != 3)
        assert following is not None
        assert following.bgr.shape == (48, 64, 3)
        assert video.skip(100) == 25
        assert video.next() is None


@pytest.mark.parametrize("codec", write.CODECS)
def test_a_hole_costs_the_frames_in_it_and_is_told(tmp_path: Path, codec: write.Codec) -> None:
    """Decoders conceal what they can; what they refuse is counted, and the frames behind it are read."""
    path = made(tmp_path / "a.mp4", codec=codec)
    track = isobmff.read_track(path)
    data = bytearray(path.read_bytes())
    at, size = track.offsets[10], track.sizes[10]
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    frames, codes = told(path)
    assert 25 <= frames <= 30
    assert (codes == ["E-VIDEO-LOST"]) == (frames < 30)
    if codec in ("mp4v", "mjpg"):
        assert frames == 29
        gap = np.diff(times_of(path))
        assert gap.max() == pytest.approx(0.08)  # later frames keep their times


def as_avi(source: Path, target: Path) -> None:
    """The same frames in an AVI file, which is readable from its start."""
    import cv2

    with read.open_video(source) as video:
        writer = cv2.VideoWriter(str(target), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))  # noqa: TID251
        for frame in video:
            writer.write(frame.bgr)
        writer.release()


def test_what_can_be_read_of_a_cut_file_is_read_and_the_rest_is_told(tmp_path: Path) -> None:
    whole = tmp_path / "whole.avi"
    as_avi(made(tmp_path / "a.mp4"), whole)
    assert told(whole) == (30, [])
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames, codes = told(cut)
    assert 5 < frames < 25
    assert codes == ["E-VIDEO-CUT"]
    with read.open_video(cut, name="cut.avi") as video:
        video.skip(1000)
        assert str(video.losses()[0]).startswith(f"cut.avi: E-VIDEO-CUT: {frames} of 30 frames could be read; the file")


def test_a_recording_that_was_never_finished_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"E-VIDEO-UNREADABLE: its index \(moov\) is missing"):
        read.open_video(path)


def test_a_codec_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"mp4v", b"zzzz").replace(b"esds", b"free"))
    with pytest.raises(DataError, match=r"no frame can be decoded \(codec 'zzzz'\) \(convert it with ffmpeg first\)"):
        read.open_video(path)


def test_a_video_of_which_no_frame_can_be_decoded_is_told(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4", codec="mjpg")
    track = isobmff.read_track(path)
    data = bytearray(path.read_bytes())
    for at, size in zip(track.offsets, track.sizes, strict=True):
        data[at : at + size] = bytes(size)
    path.write_bytes(data)
    assert told(path) == (0, ["E-VIDEO-UNREADABLE"])


def test_a_change_of_size_ends_the_video_and_is_told(tmp_path: Path) -> None:
    pieces = []
    for name, size in (("a", (64, 48)), ("b", (96, 80))):
        piece = tmp_path / name
        with write.Encoder(piece, size, "mjpg") as encoder:
            for i in range(10):
                encoder.write(picture(i, *size))
        pieces.append(piece)
    joined = tmp_path / "both.mp4"
    isobmff.join(pieces, [i / 25 for i in range(20)], joined)
    frames, codes = told(joined)
    assert frames == 10
    assert codes == ["E-VIDEO-SIZE"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"hello, this is no video at all, only text"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nother.mp4\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile other.mp4\n"),
        ("sdp.mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
        ("dash.mp4", b"<?xml version='1.0'?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>"),
        ("riff.avi", b"RIFF\x10\0\0\0WAVEfmt " + bytes(8)),
        ("ebml.mkv", b"\x1a\x45\xdf\xa3\x80" + bytes(40)),
        ("boxes.mp4", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    made(tmp_path / "other.mp4")  # which a playlist must not reach
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match="E-VIDEO-UNREADABLE") as caught:
        read.open_video(path, name=name)
    assert "\n" not in str(caught.value)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    made(tmp_path / "a.mp4")
    (tmp_path / "link.mp4").symlink_to("a.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("link.mp4", "pipe.mp4", "absent.mp4", "."):
        with pytest.raises(DataError, match="E-VIDEO-UNREADABLE"):
            read.open_video(tmp_path / name)


@pytest.mark.parametrize("name", ["%03d.mp4", "-i.mp4", "http:a.mp4", os.fsdecode(b"\xff\xfe.mp4"), "a\nb.mp4"])
def test_names_mean_nothing(tmp_path: Path, name: str) -> None:
    shutil.copy(made(tmp_path / "a.mp4"), tmp_path / name)
    assert len(times_of(tmp_path / name)) == 30


def test_frames_larger_than_allowed_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="64 x 48 pixels are more than 1,000"):
        read.open_video(made(tmp_path / "a.mp4"), max_pixels=1000)


def test_the_environment_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "mine;1")
    read.open_video(made(tmp_path / "a.mp4")).close()
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "mine;1"


def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    """No crash, no endless loop, no error but ours."""
    rng = np.random.default_rng(0)
    sources = [made(tmp_path / "a.mp4", frames=4), tmp_path / "b.avi"]
    as_avi(sources[0], sources[1])
    seen = set()
    for source in sources:
        data = source.read_bytes()
        for number in range(120):
            mutant = bytearray(data[: int(rng.integers(1, len(data) + 1)) if number % 4 == 0 else len(data)])
            for at in rng.integers(0, len(mutant), int(rng.integers(1, 8))):
                mutant[at] = int(rng.integers(256))
            path = tmp_path / "mutant"
            path.write_bytes(mutant)
            try:
                with read.open_video(path) as video:
                    for _ in range(60):
                        if video.next() is None:
                            break
                    seen.add("read")
            except DataError as error:
                seen.add(error.code)
    assert seen == {"read", "E-VIDEO-UNREADABLE"}


@pytest.mark.shared
def test_the_real_video_is_read_whole(shared_video: Path) -> None:
    with read.open_video(shared_video) as video:
        assert video.info.size_wh == (768, 576)
        assert video.skip(10_000) == 795
        assert video.losses() == ()
        assert video.t_s == pytest.approx(79.4)
