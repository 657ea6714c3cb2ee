"""What moves in videos: every output, alone and after a kill."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datatools
from datatools.cli.app import main
from datatools.core import progress
from datatools.core.errors import DataError, StorageError, UsageError
from datatools.core.values import Clip
from datatools.engine.item_job import ItemJob
from datatools.io import arrays, coco, images
from datatools.io.codecs import film
from datatools.io.video import audio, containers, read
from datatools.ops.video.moving import Moving, Wanted

Run = Callable[..., Path]


def run_job(root: Path, out: Path, operation: str, **arguments: Any) -> Path:
    """Run an operation over a folder in this process; return the folder that was made."""
    (out / ".datatools").mkdir(parents=True, exist_ok=True)
    job = ItemJob(operation, arguments, str(root), str(out), "base", stop=True)
    for source in job.sources():
        job(source)
    return out


@pytest.fixture
def walkers(tmp_path: Path, fixture_video: Path) -> Path:
    """A folder with that clip alone."""
    folder = tmp_path / "clips"
    folder.mkdir()
    os.link(fixture_video / "walkers.mp4", folder / "walkers.mp4")
    return folder


@pytest.fixture
def run(walkers: Path, tmp_path: Path) -> Run:
    """Run video.foreground over the clip."""

    def of(name: str = "out", **arguments: Any) -> Path:
        return run_job(walkers, tmp_path / name, "video.foreground", **arguments)

    return of


def contents(root: Path) -> dict[str, bytes]:
    files = {str(p.relative_to(root)): p for p in sorted(root.rglob("*")) if p.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(".")}


def mask(path: Path) -> np.ndarray:
    return images.decode_as_is(path.read_bytes(), name=path.name)


def test_masks_are_good_and_the_default(run: Run, fixture_video: Path) -> None:
    out = run()
    assert [name for name in contents(out)][:2] == ["masks/walkers/000000.png", "masks/walkers/000001.png"]
    assert len(contents(out)) == 100
    one = mask(out / "masks/walkers/000060.png")
    assert one.shape == (120, 160)
    assert set(np.unique(one)) == {0, 255}
    scored = datatools.video.score(out / "masks/walkers", fixture_video / "truth").total
    assert scored.frames == 7
    assert scored.recall > 0.99
    assert scored.f_measure > 0.92  # the shadow is foreground to it


@pytest.mark.parametrize(("engine", "least"), [("vibe", 0.92), ("mog2", 0.7), ("knn", 0.8)])
def test_every_engine_finds_what_moves(run: Run, fixture_video: Path, engine: str, least: float) -> None:
    out = run(engine=engine, masks=True)
    assert datatools.video.score(out / "masks/walkers", fixture_video / "truth").total.f_measure > least


def test_python_means_the_operations_engine(walkers: Path, tmp_path: Path, run: Run) -> None:
    from datatools import engine

    result = engine.run("video.foreground", src=walkers, out=tmp_path / "o", engine="mog2", run_engine="local", jobs=1)
    assert result.problems == 0
    name = "masks/walkers/000060.png"
    assert (tmp_path / "o" / name).read_bytes() == (run(engine="mog2") / name).read_bytes()


def test_videos_have_every_frame_at_its_time(run: Run) -> None:
    out = run(mask_video=True, overlay=True, side_by_side=True, codec="ffv1", masks=True)
    for name, size in (("mask_video", (160, 120)), ("overlay", (160, 120)), ("side_by_side", (320, 120))):
        with read.open_video(out / name / "walkers.mp4") as video:
            frames = list(video)
            assert video.info.size_wh == size
        assert [f.t_s for f in frames] == pytest.approx([i / 25 for i in range(100)], abs=1e-4)
        if name == "mask_video":
            np.testing.assert_array_equal(frames[60].bgr[..., 0], mask(out / "masks/walkers/000060.png"))


def test_boxes_as_voc_are_a_set_that_lint_likes(run: Run) -> None:
    out = run(boxes="voc", keep_every=10, open=3, close=5)
    assert len(list((out / "Annotations").iterdir())) == len(list((out / "JPEGImages").iterdir())) == 10
    linted = datatools.voc.lint(out, deep=True)
    assert linted.problems == 0
    assert datatools.voc.stats(out).census.boxes > 10


def test_boxes_as_csv_and_coco_say_the_same(run: Run) -> None:
    rows = list(csv.DictReader((run("a", boxes="csv", open=3) / "boxes/walkers.csv").read_text().splitlines()))
    assert {row["frame"] for row in rows} >= {"000040", "000060"}
    said = [[float(r[k]) for k in ("xmin", "ymin", "xmax", "ymax")] for r in rows if r["frame"] == "000060"]
    assert all(float(r["t_s"]) == pytest.approx(int(r["frame"]) / 25, abs=1e-3) for r in rows)
    found = coco.read((run("b", boxes="coco", open=3) / "boxes/walkers.json").read_bytes(), "walkers.json")
    assert len(found.annotations) == 100
    of_60 = next(a for a in found.annotations if a.filename == "walkers_000060.jpg")
    assert [list(box.xyxy) for box in of_60.boxes] == said
    assert found.classes == ("moving",)


def test_small_things_get_no_box_and_nothing_moves_outside_the_region(run: Run, fixture_video: Path) -> None:
    region = fixture_video / "region.png"
    rows = list(
        csv.DictReader(
            (run(boxes="csv", roi=region, min_area=300, masks=True) / "boxes/walkers.csv").read_text().splitlines()
        )
    )
    assert rows
    assert all(int(row["area"]) >= 300 and float(row["xmin"]) >= 16 for row in rows)
    assert not mask(run("b", roi=region) / "masks/walkers/000095.png")[:, :16].any()


@pytest.mark.parametrize("grey", [False, True])
def test_a_saved_state_goes_on(run: Run, tmp_path: Path, fixture_video: Path, grey: bool) -> None:
    from datatools.io.video import write

    with read.open_video(fixture_video / "walkers.mp4") as video:
        frames = [frame.bgr for frame in video]
    for name, part in (("first", frames[:60]), ("second", frames[60:])):
        (tmp_path / name).mkdir()
        write.write_video(tmp_path / name / "walkers.mp4", part, [i / 25 for i in range(len(part))], "ffv1")
    one = run_job(tmp_path / "first", tmp_path / "o1", "video.foreground", save_state=True, grey=grey, masks=True)
    state = one / "state/walkers.npz"
    two = run_job(tmp_path / "second", tmp_path / "o2", "video.foreground", state=state, grey=grey)
    whole = run("whole", grey=grey)
    for i in range(40):
        a, b = (p / f"masks/walkers/{n:06d}.png" for p, n in ((two, i), (whole, 60 + i)))
        np.testing.assert_array_equal(mask(a), mask(b))
    assert arrays.read_npz(state)["samples"].nbytes == 20 * 160 * 120 * (1 if grey else 3)


def test_a_state_of_other_frames_is_refused(run: Run, tmp_path: Path) -> None:
    state = run(save_state=True, grey=True) / "state/walkers.npz"
    (tmp_path / "junk.npz").write_bytes(b"junk")
    for path, why in (
        (state, r"E-STATE: .* shape \(120, 160\)"),
        (tmp_path / "junk.npz", "E-ARRAYS: it holds no arrays"),
    ):
        with pytest.raises(DataError, match=why):
            run("x", state=path)


def test_stuck_things_enter_the_background(run: Run, tmp_path: Path) -> None:
    clips = tmp_path / "parked"
    clips.mkdir()
    from datatools.io.video import write

    empty = np.full((40, 60, 3), 90, np.uint8)
    parked = empty.copy()
    parked[10:20, 10:30] = 220
    write.write_video(clips / "a.mp4", [empty] * 5 + [parked] * 60, [i / 25 for i in range(65)], "ffv1")
    stuck = run_job(clips, tmp_path / "a", "video.foreground", stuck_frames=20)
    kept = run_job(clips, tmp_path / "b", "video.foreground")
    for frame, expected in (("000020", 255), ("000064", 0)):
        assert mask(stuck / f"masks/a/{frame}.png")[15, 20] == expected
    assert mask(kept / "masks/a/000064.png")[15, 20] == 255


def test_a_folder_of_frames_gives_masks_of_their_names(run: Run, tmp_path: Path, fixture_video: Path) -> None:
    frames = tmp_path / "frames" / "cam"
    frames.mkdir(parents=True)
    with read.open_video(fixture_video / "walkers.mp4") as video:
        for frame in video:
            (frames / f"in{frame.index + 1}.png").write_bytes(images.encode(frame.bgr[..., ::-1], ".png"))
    out = run_job(tmp_path / "frames", tmp_path / "out", "video.foreground")
    whole = run("whole")
    assert len(contents(out)) == 100
    # another name of the item is another seed; what moves is the same to a few pixels
    differ = mask(out / "masks/cam/in61.png") != mask(whole / "masks/walkers/000060.png")
    assert differ.mean() < 0.01


@pytest.mark.parametrize("engine", ["vibe", "mog2", "knn"])
def test_a_run_that_stops_goes_on_behind_the_last_piece(run: Run, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files and joined videos alike are what they would have been."""
    monkeypatch.setattr(film, "PIECE_FRAMES", 20)
    monkeypatch.setattr(film, "SECURE_S", -1.0)
    asked = {"engine": engine, "masks": True, "overlay": True, "boxes": "csv"}
    whole = run("whole", **asked)
    real, taken, full = Moving.take, [], True

    def take(self: Moving, frame: Any) -> Any:
        if frame.index == 50 and full:
            raise StorageError("the disk is full")
        taken.append(frame.index)
        return real(self, frame)

    monkeypatch.setattr(Moving, "take", take)
    with pytest.raises(StorageError):
        run("out", **asked)
    taken, full = [], False
    out = run("out", **asked)
    assert taken == list(range(40 if engine == "vibe" else 0, 100))  # OpenCV's models cannot be saved
    assert contents(out) == contents(whole)
    assert not (out / ".datatools/pieces").exists() or not list((out / ".datatools/pieces").iterdir())


def test_progress_is_told_frame_by_frame(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(progress, "tell", told.append)
    run()
    assert told == pytest.approx([(i + 1) / 100 for i in range(100)])


def test_the_sound_is_kept_or_its_loss_is_told(
    tmp_path: Path, fixture_video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["video", "foreground", str(fixture_video / "sound.mp4"), str(tmp_path / "out"), "--overlay", "-j", "1"]
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        assert main(words) == 0
        assert "W-VIDEO-SOUND: the sound is not kept: the program ffmpeg is not" in capsys.readouterr().out
    assert containers.read_container(tmp_path / "out/overlay/sound.mp4").audio == 0
    if audio.available():
        assert main([*words, "--force"]) == 0
        assert containers.read_container(tmp_path / "out/overlay/sound.mp4").audio == 1


def test_bad_videos_cost_themselves(tmp_path: Path, fixture_video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    whole = (fixture_video / "walkers.mp4").read_bytes()
    (clips / "good.mp4").write_bytes((fixture_video / "scenes.mp4").read_bytes())
    (clips / "unfinished.mp4").write_bytes(whole[:-3000])
    (clips / "empty.avi").write_bytes(b"")
    (clips / "list.mp4").write_bytes(b"#EXTM3U\ngood.mp4\n")
    holed = bytearray(whole)
    holed[30_000:34_000] = bytes(4000)
    (clips / "holed.mp4").write_bytes(holed)
    words = ["video", "foreground", str(clips), str(tmp_path / "out"), "--mask-video", "-j", "1"]
    assert main(words) == 1
    told = capsys.readouterr().out
    for line in (
        "empty.avi: E-VIDEO-UNREADABLE: the file is empty",
        "list.mp4: E-VIDEO-UNREADABLE: it is no MP4, QuickTime, AVI, Matroska or WebM file",
        "unfinished.mp4: E-VIDEO-UNREADABLE: its index (moov) is missing",
        "holed.mp4: E-VIDEO-LOST: ",
        "5 items: 2 made, 0 kept, 3 failed, 1 incomplete",
    ):
        assert line in told
    assert {p.name for p in (tmp_path / "out/mask_video").iterdir()} == {"good.mp4", "holed.mp4"}
    listed = [json.loads(line) for line in (tmp_path / "out/failures.jsonl").read_text().splitlines()]
    assert [(entry["item"], entry.get("made", False)) for entry in listed][-1] == ("holed", True)
    assert main(words) == 1  # told again, though nothing is done
    assert "holed.mp4: E-VIDEO-LOST" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--min-area", "0"], ["--codec", "h264"], ["--engine", "mog2", "--save-state"]])
def test_what_makes_no_sense_is_a_usage_error(
    tmp_path: Path, walkers: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["video", "foreground", str(walkers), str(tmp_path / "out"), *words, "-j", "1"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("asked", [{"stuck_frames": 5}, {"state": Path("x.npz")}])
def test_options_of_vibe_need_vibe(run: Run, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="need --engine vibe"):
        run(engine="knn", **asked)


def test_a_region_of_another_size_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "roi.png").write_bytes(images.encode(np.zeros((5, 6, 3), np.uint8), ".png"))
    with pytest.raises(DataError, match="E-ROI-SIZE: the region is 6 x 5 pixels, the frames are 160 x 120"):
        run(roi=tmp_path / "roi.png")


@pytest.mark.shared
def test_pedestrians_of_the_real_video_are_found(shared_video: Path) -> None:
    with read.open_video(shared_video) as video:
        clip = Clip("vtest", video.info.size_wh, 10, 795, "", "", lambda: video)
        wanted = Wanted(boxes="csv", open_px=3, close_px=9, min_area=200)
        step = Moving(clip, wanted, grey=True, rng=np.random.default_rng(0))
        rows = [step.take(frame).row for frame, _ in zip(video, range(120), strict=False)]
    boxes = [len(row[3]) for row in rows[60:]]
    assert 3 <= np.mean(boxes) <= 15
