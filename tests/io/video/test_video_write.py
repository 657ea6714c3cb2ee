"""Writing videos: the same bytes each time, every frame at its time, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import StorageError, UsageError
from datatools.io.video import isobmff, read, write


def frames(count: int, width: int = 48, height: int = 32) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    ground = rng.integers(60, 200, (height, width, 3), dtype=np.uint8)
    return [np.roll(ground, 2 * i, axis=1) for i in range(count)]


@pytest.mark.parametrize("codec", write.CODECS)
def test_the_bytes_are_the_same_on_every_run(tmp_path: Path, codec: write.Codec) -> None:
    for name in ("a", "b"):
        write.write_video(tmp_path / name, frames(30), [i / 25 for i in range(30)], codec)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_bytes_do_not_depend_on_the_number_of_cores(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
import numpy as np
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[2])])
from datatools.io.video import write
ground = np.random.default_rng(3).integers(60, 200, (64, 80, 3), dtype=np.uint8)
frames, times = [np.roll(ground, i, 1) for i in range(20)], [i / 25 for i in range(20)]
for codec in write.CODECS:
    write.write_video(Path(sys.argv[1] + codec), frames, times, codec)
"""
    for cores in ("1", "2"):
        subprocess.run([sys.executable, "-c", code, f"{tmp_path}/{cores}", cores], check=True)
    for codec in write.CODECS:
        assert Path(f"{tmp_path}/1{codec}").read_bytes() == Path(f"{tmp_path}/2{codec}").read_bytes()


@pytest.mark.parametrize("codec", write.CODECS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 17), (47, 31), (48, 32)])
def test_odd_sizes_get_a_copy_of_the_last_column_and_row(
    tmp_path: Path, codec: write.Codec, size: tuple[int, int]
) -> None:
    width, height = size
    given = frames(5, width, height)
    write.write_video(tmp_path / "a", given, [0, 0.1, 0.2, 0.3, 0.4], codec)
    with read.open_video(tmp_path / "a") as video:
        got = [frame.bgr for frame in video]
    assert [frame.shape for frame in got] == [(height + height % 2, width + width % 2, 3)] * 5
    if codec == "ffv1":
        for before, after in zip(given, got, strict=True):
            np.testing.assert_array_equal(after[:height, :width], before)
            np.testing.assert_array_equal(after[-1, :width], before[-1])


def test_each_frame_has_its_time(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.05, 0.3, 1.0, 1.0 + 1001 / 30000, 7.25]
    write.write_video(tmp_path / "a", frames(7), times)
    with read.open_video(tmp_path / "a") as video:
        assert [frame.t_s for frame in video] == pytest.approx(times, abs=1e-5)
        assert video.info.container.frames == 7


def test_grey_frames_are_taken(tmp_path: Path) -> None:
    mask = np.zeros((32, 48), np.uint8)
    mask[8:16, 8:16] = 255
    write.write_video(tmp_path / "a", [mask, mask], [0, 1], "ffv1")
    with read.open_video(tmp_path / "a") as video:
        np.testing.assert_array_equal(next(iter(video)).bgr, np.repeat(mask[..., None], 3, axis=2))


def test_pieces_become_one_video(tmp_path: Path) -> None:
    given = frames(25)
    pieces = []
    for number, start in enumerate((0, 10, 20)):
        piece = tmp_path / str(number)
        with write.Encoder(piece, (48, 32), "mp4v") as encoder:
            for frame in given[start : start + 10]:
                encoder.write(frame)
        pieces.append(piece)
    isobmff.join(pieces, [i / 25 for i in range(25)], tmp_path / "whole")
    with read.open_video(tmp_path / "whole") as video:
        got = list(video)
        assert video.losses() == ()
    assert len(got) == 25
    for before, frame in zip(given, got, strict=True):
        assert np.abs(frame.bgr.astype(int) - before).mean() < 25  # random texture is hard to encode
    track = isobmff.read_track(tmp_path / "whole")
    assert [i for i, key in enumerate(track.keys) if key][:2] == [0, 10]


def encode(path: Path, given: list[np.ndarray]) -> None:
    with write.Encoder(path, (48, 32)) as encoder:
        for frame in given:
            encoder.write(frame)


def test_no_file_stays_after_an_error_or_without_frames(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        encode(tmp_path / "a", [frames(1)[0], None])  # type: ignore[list-item]
    with write.Encoder(tmp_path / "b", (48, 32)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="among frames of size"):
        encode(tmp_path / "a", [np.zeros((32, 50, 3), np.uint8)])


def test_sizes_that_the_codec_cannot_hold_are_refused(tmp_path: Path) -> None:
    for size in ((0, 5), (9000, 100)):
        with pytest.raises(UsageError, match="cannot hold frames"):
            write.Encoder(tmp_path / "a", size)


def test_names_mean_nothing(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff-%03d")
    folder.mkdir()
    name = folder / ("x" * 250)
    write.write_video(name, frames(2), [0, 1])
    with read.open_video(name) as video:
        assert video.skip(10) == 2


def test_a_full_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(path: Path, name: Path) -> isobmff.Track:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        return real(path, name)

    real = isobmff.read_track
    monkeypatch.setattr(isobmff, "read_track", cut)
    with pytest.raises(StorageError, match="is the disk full"):
        encode(tmp_path / "a", frames(20))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        write.Encoder(tmp_path / "absent" / "a", (48, 32))


def test_the_number_of_times_must_be_that_of_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 times for 1 frames"):
        write.write_video(tmp_path / "a", frames(1), [0, 1])
