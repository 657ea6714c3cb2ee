"""`haze remove` on videos: no flicker, sound, times, pieces that survive a kill, what is damaged or odd."""

import json
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from datatools.cli.app import main
from datatools.io import images
from datatools.io.codecs import film
from datatools.io.video import audio, read
from datatools.io.video.write import write_video
from datatools.kernels import haze
from datatools.kernels.haze import Settings

HAZE = Path(__file__).resolve().parents[2] / "fixtures" / "haze"
CLIP = HAZE / "clip" / "static.mp4"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str | Path) -> int:
    said = ["haze", "remove", *map(str, words)]
    return main(said if "-j" in said else [*said, "-j", "1"])


def frames(path: str | Path) -> list[np.ndarray]:
    with read.open_video(path) as video:
        return [frame.bgr for frame in video]


def times(path: str | Path) -> list[float]:
    with read.open_video(path) as video:
        return [frame.t_s for frame in video]


def flicker(pictures: list[np.ndarray]) -> float:
    """Mean absolute difference of a frame and the one before."""
    return float(np.mean([np.abs(b.astype(int) - a).mean() for a, b in pairwise(pictures)]))


def hazy_frames(count: int, size_wh: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """A hazy scene in which a dark thing moves."""
    width, height = size_wh
    rng = np.random.default_rng(2)
    scene = np.linspace(210, 90, height)[:, None, None] + rng.integers(-25, 25, (height, width, 3))
    made = []
    for number in range(count):
        frame = scene + rng.normal(0, 1, scene.shape)
        left = number * 2 % (width - 8)
        frame[height // 2 : height // 2 + 8, left : left + 8] = (20, 40, 30)
        made.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return made


def contents(root: str) -> dict[str, bytes]:
    files = {p.relative_to(root): p for p in sorted(Path(root).rglob("*")) if p.is_file()}
    return {str(n): p.read_bytes() for n, p in files.items() if not any(part.startswith(".") for part in n.parts)}


def test_a_static_clip_does_not_flicker() -> None:
    before = flicker(frames(CLIP))
    assert run(CLIP, "out") == 0
    assert len(frames("out/static.mp4")) == 25
    assert flicker(frames("out/static.mp4")) <= before + 1
    assert run(CLIP, "lossless", "--codec", "ffv1", "--refine", "fast") == 0
    assert flicker(frames("lossless/static.mp4")) <= before + 1
    assert run(CLIP, "alone", "--codec", "ffv1", "--smooth", "0") == 0
    assert flicker(frames("alone/static.mp4")) > before + 4  # the smoothing is what keeps it still


def test_each_frame_alone_is_cleared_as_a_picture_is() -> None:
    assert run(CLIP, "out", "--codec", "ffv1", "--smooth", "0", "--refine", "fast") == 0
    for hazy, clear in list(zip(frames(CLIP), frames("out/static.mp4"), strict=True))[::8]:
        expected = haze.remove(hazy[..., ::-1].copy(), Settings(refine="fast"))[..., ::-1]
        assert np.abs(clear.astype(int) - expected).mean() < 2  # FFV1 keeps colours as YUV


@pytest.mark.skipif(not audio.available(), reason="the program ffmpeg is not installed")
def test_the_sound_is_kept() -> None:
    assert run(CLIP, "with", "--compare") == 0
    for name in ("with/static.mp4", "with/compare/static.mp4"):
        with read.open_video(name) as video:
            assert video.info.container.audio == 1
            assert len(list(video)) == 25


def test_without_ffmpeg_the_video_is_made_without_sound_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert run(CLIP, "out") in (0, 1)
    with read.open_video("out/static.mp4") as video:
        assert video.info.container.audio == 0
        assert len(list(video)) == 25
    assert "W-VIDEO-SOUND" in Path("out/.datatools/journal.jsonl").read_text()


def test_maps_and_comparisons_are_videos() -> None:
    write_video(Path("a.mp4"), hazy_frames(6), [i / 10 for i in range(6)], "ffv1")
    assert run("a.mp4", "out", "--maps", "maps", "--compare", "--codec", "ffv1") == 0
    assert {n for n in contents("out") if n != "run.json"} == {
        "a.mp4", "compare/a.mp4", "maps/a.dark.mp4", "maps/a.transmission.mp4", "maps/a.airlight.json",
    }  # fmt: skip
    told = json.loads(Path("out/maps/a.airlight.json").read_text())
    assert [one["t_s"] for one in told["frames"]] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert all(len(one["airlight"]) == 3 for one in told["frames"])
    assert frames("out/compare/a.mp4")[0].shape == (100, 64, 3)
    assert 0 < frames("out/maps/a.transmission.mp4")[3].mean() < 255


def test_pictures_videos_and_other_files_of_one_folder() -> None:
    Path("in/sub").mkdir(parents=True)
    write_video(Path("in/sub/a.mp4"), hazy_frames(3), [0, 0.04, 0.08], "mjpg")
    shutil.copy("in/sub/a.mp4", "in/sub/b.mp4")
    shutil.copy("in/sub/a.mp4", "in/sub/b.mov")
    Path("in/sub/a").write_text("no suffix")
    Path("in/p.png").write_bytes(images.encode_png(hazy_frames(1)[0]))
    Path("in/labels.txt").write_text("p.png 1\n")
    assert run("in", "out", "--refine", "fast") == 0
    assert {n for n in contents("out") if n != "run.json"} == {
        "labels.txt", "p.png", "sub/a", "sub/a.mp4.mp4", "sub/b.mov.mp4", "sub/b.mp4.mp4",
    }  # fmt: skip
    assert run("in", "pictures", "--format", "image") == 0
    assert Path("pictures/sub/a.mp4").read_bytes() == Path("in/sub/a.mp4").read_bytes()
    assert run("in", "films", "--format", "clip", "--refine", "fast") == 0
    assert Path("films/frames.mp4").exists()  # the pictures of the folder, as one clip


def test_times_and_odd_sizes_are_kept() -> None:
    moments = [0.0, 0.02, 0.2, 0.21, 0.5, 0.9]
    write_video(Path("a.mp4"), hazy_frames(6, (63, 47)), moments, "mjpg")
    assert run("a.mp4", "out", "--refine", "fast") == 0
    assert times("out/a.mp4") == pytest.approx(moments, abs=1e-4)
    assert frames("out/a.mp4")[0].shape == frames("a.mp4")[0].shape


@pytest.mark.parametrize("codec", ["mp4v", "mjpg", "vp9", "ffv1"])
def test_codecs(codec: str) -> None:
    write_video(Path("a.mp4"), hazy_frames(3), [0, 0.04, 0.08], "ffv1")
    assert run("a.mp4", "out", "--codec", codec, "--refine", "fast") == 0
    assert len(frames("out/a.mp4")) == 3


def test_jobs_do_not_change_the_bytes() -> None:
    Path("in").mkdir()
    for name in ("a", "b", "c"):
        write_video(Path(f"in/{name}.mp4"), hazy_frames(4), [0, 0.04, 0.08, 0.12], "mjpg")
    assert run("in", "one") == 0
    assert run("in", "two", "-j", "2") == 0
    one, two = contents("one"), contents("two")
    del one["run.json"], two["run.json"]
    assert one == two


def test_a_state_goes_on_where_it_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pieces; the first run ends by force in the second."""
    write_video(Path("a.mp4"), hazy_frames(24), [i / 25 for i in range(24)], "ffv1")
    monkeypatch.setattr(film, "PIECE_FRAMES", 8)
    from datatools.core.values import Film, Source
    from datatools.io.intake import Intake
    from datatools.io.room import Room
    from datatools.ops.haze.remove import remove

    source = Source("a", ("a.mp4",), kind="clip")
    codec = film.FilmCodec()

    def make(out: str, die_at: int = 0) -> None:
        Path(out).mkdir(exist_ok=True)
        made = remove(codec.read(source, Intake(".", source.files)), refine="fast", maps="m")
        assert isinstance(made, Film)
        take, taken = made.step.take, 0

        def dying(frame: object) -> object:
            nonlocal taken
            taken += 1
            if die_at and taken > die_at:
                raise KeyboardInterrupt
            return take(frame)  # type: ignore[arg-type]

        made.step.take = dying  # type: ignore[method-assign,assignment]
        codec.write(made, source, Room(out), "")

    make("whole")
    with pytest.raises(KeyboardInterrupt):
        make("killed", die_at=11)
    assert not Path("killed/a.mp4").exists()
    make("killed")
    assert contents("killed") == contents("whole")


def test_a_killed_run_goes_on_and_makes_the_same_bytes() -> None:
    write_video(Path("a.mp4"), hazy_frames(500, (48, 32)), [i / 25 for i in range(500)], "mjpg")
    assert run("a.mp4", "whole", "--refine", "fast") == 0
    words = [sys.executable, "-m", "datatools", "haze", "remove", "a.mp4", "out", "--refine", "fast", "-j", "1"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(Path().glob("out.partial/.datatools/pieces/*/000000")) and time.monotonic() < until:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not Path("out").exists()
    assert run("a.mp4", "out", "--refine", "fast") == 0
    assert Path("out/a.mp4").read_bytes() == Path("whole/a.mp4").read_bytes()
    assert not list(Path("out/.datatools").glob("pieces/*"))


def test_a_cut_video_is_done_as_far_as_it_goes_and_bad_ones_are_named() -> None:
    Path("in").mkdir()
    write_video(Path("whole.mp4"), hazy_frames(12), [i / 25 for i in range(12)], "mjpg")
    shutil.copy("whole.mp4", "in/good.mp4")
    data = Path("whole.mp4").read_bytes()
    Path("in/text.mp4").write_text("#EXTM3U\nhttp://example.com/x.ts\n")
    Path("in/empty.avi").write_bytes(b"")
    Path("in/headless.mp4").write_bytes(data[: len(data) // 2])
    writer = cv2.VideoWriter("whole.avi", cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))  # noqa: TID251 (an AVI file)
    for frame in hazy_frames(12):
        writer.write(frame)
    writer.release()
    cut = Path("whole.avi").read_bytes()
    Path("in/cut.avi").write_bytes(cut[: len(cut) // 2])
    assert run("in", "out", "--refine", "fast") == 1
    assert 4 <= len(frames("out/cut.mp4")) < 12
    told = [json.loads(line)["error"] for line in Path("out/failures.jsonl").read_text().splitlines()]
    assert {one["path"]: one["code"] for one in told} == {
        "cut.avi": "E-VIDEO-CUT",
        "empty.avi": "E-VIDEO-UNREADABLE",
        "headless.mp4": "E-VIDEO-UNREADABLE",
        "text.mp4": "E-VIDEO-UNREADABLE",
    }
    assert len(frames("out/good.mp4")) == 12


@pytest.mark.shared
def test_a_real_video(shared_voc: Path) -> None:
    source = shared_voc.parent / "video" / "opencv_samples" / "vtest.avi"
    with read.open_video(source) as video:
        some = [frame.bgr for frame, _ in zip(video, range(20), strict=False)]
    write_video(Path("a.mp4"), [one[::2, ::2].copy() for one in some], [i / 10 for i in range(20)], "mjpg")
    assert run("a.mp4", "out", "--refine", "fast", "--sky") == 0
    assert len(frames("out/a.mp4")) == 20
