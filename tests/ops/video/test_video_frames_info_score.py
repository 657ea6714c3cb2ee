"""Pictures out of videos, what videos are, scores of masks."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datatools
from datatools.cli.app import main
from datatools.core.errors import StorageError, UsageError
from datatools.engine.item_job import ItemJob
from datatools.io import images
from datatools.io.codecs import film
from datatools.ops.video.frames import Choice


@pytest.fixture
def scenes(tmp_path: Path, fixture_video: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(fixture_video / "scenes.mp4", folder)
    return folder


def frames(root: Path, out: Path, **arguments: Any) -> list[dict[str, str]]:
    (out / ".datatools").mkdir(parents=True, exist_ok=True)
    job = ItemJob("video.frames", arguments, str(root), str(out), "base", stop=True)
    for source in job.sources():
        job(source)
    rows = list(csv.DictReader((out / "scenes.csv").read_text().splitlines()))
    assert sorted(row["file"] for row in rows) == sorted(p.name for p in (out / "scenes").iterdir())
    return rows


def indices(rows: list[dict[str, str]]) -> list[int]:
    return [int(row["frame"]) for row in rows]


def test_every_nth_frame(scenes: Path, tmp_path: Path) -> None:
    rows = frames(scenes, tmp_path / "out", every=25)
    assert [row["file"] for row in rows] == [
        "000000_00-00-00.000.jpg", "000025_00-00-01.000.jpg", "000050_00-00-02.400.jpg",
    ]  # fmt: skip
    assert all(float(row["sharpness"]) > 50 for row in rows)
    assert rows[0]["change"] == ""
    picture = images.decode((tmp_path / "out/scenes/000025_00-00-01.000.jpg").read_bytes(), name="")
    assert picture.shape == (120, 160, 3)
    assert picture.mean(axis=(0, 1)).argmax() == 2  # the second scene is blue


def test_all_frames_without_a_choice(scenes: Path, tmp_path: Path) -> None:
    assert indices(frames(scenes, tmp_path / "out")) == list(range(60))


def test_frames_a_second_go_by_time_not_by_number(scenes: Path, tmp_path: Path) -> None:
    """The clip has 25 frames a second for 1.6 s, then 12.5."""
    rows = frames(scenes, tmp_path / "out", fps=5.0)
    times = [float(row["t_s"]) for row in rows]
    assert len(times) == 16
    assert np.abs(np.array(times) - np.arange(16) / 5).max() < 0.08


def test_the_first_frame_of_each_scene(scenes: Path, tmp_path: Path) -> None:
    assert indices(frames(scenes, tmp_path / "out", scene=True)) == [0, 20, 45]


def test_near_duplicates_are_left_out(scenes: Path, tmp_path: Path) -> None:
    taken = indices(frames(scenes, tmp_path / "out", min_change=12.0))
    assert taken[:2] == [0, 20]
    assert len(taken) < 14


@pytest.mark.parametrize("choice", [{"scene": True}, {"fps": 5.0}, {"min_change": 6.0}])
def test_a_run_that_stops_goes_on(
    scenes: Path, tmp_path: Path, choice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "PIECE_FRAMES", 7)
    monkeypatch.setattr(film, "SECURE_S", -1.0)
    whole = frames(scenes, tmp_path / "whole", **choice)
    real = Choice.take
    with monkeypatch.context() as patched:

        def take(self: Choice, frame: Any) -> Any:
            if frame.index >= 40:
                raise StorageError("the disk is full")
            return real(self, frame)

        patched.setattr(Choice, "take", take)
        with pytest.raises(StorageError):
            frames(scenes, tmp_path / "out", **choice)
    assert frames(scenes, tmp_path / "out", **choice) == whole


def test_choices_exclude_each_other(scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["video", "frames", str(scenes), str(tmp_path / "out"), "--every", "3", "--scene", "-j", "1"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_info_tells_what_is_in_the_file_not_what_its_name_says(
    tmp_path: Path, fixture_video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    shutil.copytree(fixture_video, clips)
    (clips / "sound.mp4").rename(clips / "sound.avi")
    (clips / "junk.mkv").write_bytes(b"junk")
    assert main(["video", "info", str(clips), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    by_name = {video["name"]: video for video in told["videos"]}
    assert by_name["scenes.mp4"] | {"lost": 0} == {
        "name": "scenes.mp4", "container": "mp4", "codec": "FMP4", "size": [160, 120], "turned": 0,
        "fps": pytest.approx(18.75), "declared": 60, "frames": 60, "duration_s": pytest.approx(3.2, abs=0.05),
        "steady": False, "sound": 0, "lost": 0,
    }  # fmt: skip
    assert (by_name["sound.avi"]["container"], by_name["sound.avi"]["sound"]) == ("mp4", 1)
    assert by_name["truth"]["container"] == "stills"
    assert [failure["code"] for failure in told["failures"]] == ["E-VIDEO-UNREADABLE"]


def test_info_without_counting_believes_the_header(fixture_video: Path) -> None:
    one = datatools.video.info(fixture_video / "walkers.mp4", count=False).videos[0]
    assert (one.declared, one.frames, one.steady) == (100, None, None)


def test_info_of_nothing_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError):
            datatools.video.info(path)


def put(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(images.encode(pixels, ".png"))


def test_score_pairs_by_folder_and_number(tmp_path: Path) -> None:
    truth = np.zeros((4, 5), np.uint8)
    truth[0] = 255
    truth[1] = 50
    truth[2] = 85
    for folder in ("a", "b"):
        for number in (1, 2, 3):
            put(tmp_path / f"gt/{folder}/gt{number:06d}.png", truth)
    right = np.where(truth == 255, 255, 0).astype(np.uint8)
    for number in (1, 2):
        put(tmp_path / f"masks/a/{number}.png", right)
        put(tmp_path / f"masks/b/bin00{number}.png", 255 - right)
    put(tmp_path / "masks/b/bin3.png", np.zeros((9, 9), np.uint8))
    scored = datatools.video.score(tmp_path / "masks", tmp_path / "gt")
    a, b = scored.sequences
    assert (a.name, a.frames, a.precision, a.recall, a.f_measure, a.pwc) == ("a", 2, 1, 1, 1, 0)
    assert (b.name, b.tp, b.fp, b.fn, b.tn, b.shadow, b.pwc) == ("b", 0, 20, 10, 0, 10, 100)
    assert scored.total.pwc == pytest.approx(50)
    assert sorted(failure.code for failure in scored.failures) == ["E-MASK-MISSING", "E-MASK-TRUTH"]
    assert scored.problems == 2


def test_score_looks_inside_the_region_alone(tmp_path: Path) -> None:
    put(tmp_path / "gt/1.png", np.zeros((4, 6), np.uint8))
    put(tmp_path / "masks/1.png", np.full((4, 6), 255, np.uint8))
    region = np.zeros((4, 6), np.uint8)
    region[1, 2:5] = 255
    put(tmp_path / "roi.png", region)
    scored = datatools.video.score(tmp_path / "masks", tmp_path / "gt", roi=tmp_path / "roi.png")
    assert (scored.total.fp, scored.total.tn) == (3, 0)


def test_score_names_a_ground_truth_of_other_values(tmp_path: Path) -> None:
    put(tmp_path / "gt/1.png", np.full((4, 6), 128, np.uint8))
    put(tmp_path / "masks/1.png", np.zeros((4, 6), np.uint8))
    (failure,) = datatools.video.score(tmp_path / "masks", tmp_path / "gt").failures
    assert "the value 128, which is none of" in failure.message


def test_score_without_pairs_is_a_usage_error(tmp_path: Path) -> None:
    put(tmp_path / "gt/1.png", np.zeros((4, 6), np.uint8))
    put(tmp_path / "masks/2.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(UsageError, match="has the number"):
        datatools.video.score(tmp_path / "masks", tmp_path / "gt")
    put(tmp_path / "masks/bin_002.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(UsageError, match="have the same number"):
        datatools.video.score(tmp_path / "masks", tmp_path / "gt")
