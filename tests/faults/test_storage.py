"""The disk fails: exit 4, one line, nothing half-written, and the same command goes on once it works again.

Full and read-only disks are small ones that the tests mount. Where nobody may mount, a limit on the size of files
stands in for a full disk, and rights that are taken away for a read-only one; the names of the tests say so.
"""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import disks, shims
from tests.faults.scene import JOBS, ROUNDS, Job, Scene, Scenes, contents, is_temporary, some

_, FIX, IN_PLACE, IMAGE, PIPELINE = JOBS
IMAGE = Job("image", (*IMAGE.words[:-1], "1"), "out")
IMAGE_AGAIN = Job("image again", IMAGE.words, "out", before=(*IMAGE.words, "--omega", "0.5"))
FIX_AGAIN = Job("fix again", FIX.words, "out", before=(*FIX.words, "--rule", "clip"))
FILE = Job("file", ("haze", "remove", "raw/JPEGImages/street_a_0001.jpg", "made/a.jpg", "--refine", "none"), "made")

FEW = max(1, ROUNDS // 3)
NEEDED_KB = {"fix": 28, "fix in place": 16, "image": 130, "pipeline": 216}
CALLS = {"EIO": shims.FALLIBLE, "ENOSPC": shims.SPACE}

MOUNTED = disks.may_mount()
FULL, LIMIT = "a full disk", "a limit on file sizes"
READ_ONLY = "a read-only disk" if MOUNTED else "no right to write, in the place of a read-only disk"


def failed_well(scene: Scene, done: "subprocess.CompletedProcess[str]") -> bool:
    """Whether a job failed; then as it should: with exit 4 and one line, and without leaving anything but a folder that
    the next run goes on with. Else it has to have worked."""
    if done.returncode == 0:
        assert contents(scene.out) == scene.whole
        return False
    assert done.returncode == 4, (done.returncode, done.stderr)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("datatools: "), done.stderr
    left = [path for path in scene.here.rglob("*") if is_temporary(path)]
    assert not left
    return True


@pytest.mark.parametrize(
    ("job", "error"),
    [
        *((job, "EIO") for job in (FIX, IN_PLACE, IMAGE, IMAGE_AGAIN, FIX_AGAIN)),
        *((job, "ENOSPC") for job in (IN_PLACE, IMAGE)),
    ],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_an_error_at_the_nth_call(scenes: Scenes, tmp_path: Path, job: Job, error: str) -> None:
    scene = scenes(job).at(tmp_path / "here")
    for number in some(scene.count(CALLS[error]), FEW):
        scene.reset()
        failed_well(scene, scene.run(shims.at_call(number, shims.fails(error), calls=CALLS[error])))
        scene.check()


@pytest.mark.parametrize("error", CALLS)
def test_errors_from_the_nth_call_on(scenes: Scenes, tmp_path: Path, error: str) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    for number in some(scene.count(CALLS[error]), FEW):
        scene.reset()
        shim = shims.at_call(number, shims.fails(error), calls=CALLS[error], ever_after=True)
        done = scene.run(shim)
        assert (done.returncode, len(done.stderr.splitlines())) == (4, 1), done.stderr
        scene.check()  # what could not be removed then is removed now


@pytest.mark.parametrize("error", CALLS)
def test_an_error_in_a_worker(scenes: Scenes, tmp_path: Path, error: str) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    for number in range(1, 1 + FEW):
        scene.reset()
        shim = shims.in_workers(shims.at_call(number, shims.fails(error), calls=CALLS[error]))
        failed = failed_well(scene, scene.run(shim))
        scene.check()
        if not failed:
            assert number > len(scene.raw), "it writes a file for each"
            break


@pytest.mark.parametrize(
    "function",
    [
        "datatools.io.folders.write_record",
        "datatools.io.folders.sync_tree",
        "datatools.io.journal.JournalFile.append",
        "datatools.engine.item_finish.open",
        "datatools.io.journal.JournalFile.close",
        "datatools.io.locks.os.pwrite",
    ],
)
def test_no_room_for_the_journal_or_the_record(scenes: Scenes, tmp_path: Path, function: str) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    scene.reset()
    assert failed_well(scene, scene.run(shims.instead(function, shims.fails("ENOSPC"))))
    assert not scene.out.exists()
    scene.check()


def test_whatever_ends_the_writer_of_the_journal_ends_the_run(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    scene.reset()
    done = scene.run(shims.instead("datatools.io.syncing.sync_tree", "raise RecursionError('deep')"), timeout_s=60)
    assert (done.returncode, len(done.stderr.splitlines())) == (70, 1), done.stderr
    scene.check()


@contextlib.contextmanager
def little_room(scene: Scene, place: Path, how: str, room_kb: int) -> Iterator[tuple[Scene, str]]:
    """The scene where there is room for so many kB beside its input, and a shim that its job has to run there."""
    if how != FULL:
        there = scene.at(place)
        there.reset()
        yield there, f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({room_kb * 10}, {room_kb * 10}))\n"
        there.check()
        return
    with disks.small(place, 4096) as disk:
        there = scene.at(disk / "here")
        there.reset()
        room = os.statvfs(disk)
        taken_kb = (room.f_blocks - room.f_bfree) * room.f_frsize // 1024
        disks.remount(disk, f"size={taken_kb + room_kb}k")
        yield there, ""
        disks.remount(disk, "size=4096k")
        there.check()


@pytest.mark.parametrize(
    ("job", "how"),
    [
        *((job, FULL) for job in (FIX, IN_PLACE, IMAGE, PIPELINE) if MOUNTED),
        *((job, LIMIT if MOUNTED else f"{LIMIT}, in the place of {FULL}") for job in (IN_PLACE, IMAGE)),
    ],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_no_room(scenes: Scenes, tmp_path: Path, job: Job, how: str) -> None:
    needed_kb = NEEDED_KB[job.name]
    for number in some(needed_kb // 4 + 2, FEW):
        with little_room(scenes(job), tmp_path / "disk", how, 4 * number) as (scene, shim):
            failed = failed_well(scene, scene.run(shim))
            assert failed or 4 * number > needed_kb // 2
            scene.check_files()


@contextlib.contextmanager
def read_only(scene: Scene, place: Path, first: bool) -> Iterator[Scene]:
    """The scene where nothing can be written. first: the job is run before that."""
    with disks.small(place, 4096) if MOUNTED else contextlib.nullcontext(place) as disk:
        there = scene.at(disk / "here")
        disk.mkdir(exist_ok=True)
        there.reset()
        if first:
            assert there.run().returncode == 0
        _forbid(disk, True)
        try:
            yield there
        finally:
            _forbid(disk, False)
        there.check()


def _forbid(disk: Path, forbidden: bool) -> None:
    if MOUNTED:
        disks.remount(disk, "ro" if forbidden else "rw")
        return
    if os.geteuid() == 0:
        pytest.skip("root may write where nobody else may, and nothing can be mounted here")
    for path in (disk, *disk.rglob("*")):
        if path.is_dir():
            path.chmod(stat.S_IRUSR | stat.S_IXUSR | (0 if forbidden else stat.S_IWUSR))


@pytest.mark.parametrize("how", [READ_ONLY])
@pytest.mark.parametrize("job", [FIX, IN_PLACE, IMAGE, PIPELINE], ids=lambda j: j.name)
def test_nothing_can_be_written(scenes: Scenes, tmp_path: Path, job: Job, how: str) -> None:
    with read_only(scenes(job), tmp_path / "disk", first=False) as scene:
        assert failed_well(scene, scene.run())
        assert contents(scene.here / "raw") == scene.raw


@pytest.mark.parametrize("how", [READ_ONLY])
@pytest.mark.parametrize("job", [FIX, IMAGE], ids=lambda j: j.name)
def test_what_is_up_to_date_needs_no_writing(scenes: Scenes, tmp_path: Path, job: Job, how: str) -> None:
    with read_only(scenes(job), tmp_path / "disk", first=True) as scene:
        done = scene.run()
        assert (done.returncode, done.stderr) == (0, "")
        assert "up to date" in done.stdout


@pytest.mark.skipif(not MOUNTED, reason="no disk can be mounted here")
def test_no_room_for_temporary_files_of_the_system(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(IMAGE).at(tmp_path / "here")
    scene.reset()
    with disks.small(tmp_path / "full", 64) as full:
        with contextlib.suppress(OSError):
            (full / "all").write_bytes(bytes(2**20))
        failed_well(scene, scene.run(f"import tempfile\ntempfile.tempdir = {str(full)!r}\n"))
    scene.check()


@pytest.mark.parametrize("then", [shims.fails("EIO"), shims.KILL], ids=["EIO", "SIGKILL"])
def test_one_file_is_absent_or_whole(scenes: Scenes, tmp_path: Path, then: str) -> None:
    scene = scenes(FILE).at(tmp_path / "here")
    for number in some(scene.count(shims.FALLIBLE), FEW):
        scene.reset()
        scene.run(shims.at_call(number, then, calls=shims.FALLIBLE))
        scene.check_files()
        again = scene.run("import sys\nsys.argv.append('--force')\n")
        assert again.returncode == 0, again.stderr
        assert contents(scene.out) == scene.whole
        assert [path.name for path in scene.out.iterdir()] == ["a.jpg"]
