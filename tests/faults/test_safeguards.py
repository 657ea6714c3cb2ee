"""A safeguard that is switched off is found out: each of these runs does without one, and the campaign has to fail."""

import contextlib
from pathlib import Path

import pytest

from tests.faults import shims
from tests.faults.disks import Disk
from tests.faults.scene import JOBS, Job, Scene, Scenes, never_mixed, stopped

SPLIT, FIX, IN_PLACE, IMAGE, _ = JOBS


@pytest.mark.parametrize(
    ("job", "shim"),
    [
        pytest.param(SPLIT, shims.NO_SYNC + shims.at_exit(shims.STOP), id="no sync"),
        pytest.param(FIX, shims.PUBLISH_BEFORE_SYNC, id="the folder gets its name before its files are synced"),
        pytest.param(IN_PLACE, shims.RENAME_BEFORE_SYNC, id="files are renamed before they are synced"),
        pytest.param(IMAGE, shims.JOURNAL_BEFORE_SYNC, id="the journal is written before its files are synced"),
    ],
)
def test_without_syncing_in_time_a_power_cut_is_seen(scenes: Scenes, disk: Disk, job: Job, shim: str) -> None:
    scene = scenes(job).at(disk.folder / "here")
    scene.reset()
    disk.settle()
    with scene.running(disk.shim + shim) as process:
        assert stopped(process)
        cut = disk.cut(committed=True)
    with cut as after, pytest.raises(AssertionError, match="is not"):
        scene.at(after / "here").check_files()


def test_without_a_lock_two_runs_mix(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    scene.reset()
    with pytest.raises(AssertionError, match="at once"):
        never_mixed(scene, 2, shims.NO_LOCK + shims.meeting(tmp_path / "met", 2))


@pytest.mark.parametrize("damage", ["empty", "other bytes"])
def test_where_existence_is_enough_damage_goes_through(almost_done: Scene, tmp_path: Path, damage: str) -> None:
    scene = almost_done.at(tmp_path / "here")
    for shim, expected in (("", contextlib.nullcontext()), (shims.EXISTENCE_ENOUGH, pytest.raises(AssertionError))):
        scene.copy_from(almost_done.here)
        made = next((scene.here / "out.partial").rglob("*.jpg"))
        made.write_bytes(b"" if damage == "empty" else made.read_bytes()[:-3] + b"xyz")
        with expected:
            scene.check_again(shim)
