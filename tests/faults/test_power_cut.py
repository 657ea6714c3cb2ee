"""The power goes: every file under its final name is whole or absent, the journal is never ahead of the disk.

Where file systems may be mounted, the disk is a real ext4, and what is found after the cut is what stood on its device
at that moment. Elsewhere, and once beside it, bytes that were not synced are dropped from a copy of the folder.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.io.journal import JOURNAL, Journal
from tests.faults.disks import DISKS, Disk
from tests.faults.scene import JOBS, ROUNDS, Job, Scene, Scenes, contents, some, stopped
from tests.faults.shims import STOP, STOP_BEFORE_THE_END, STOP_BEHIND_THE_END, at_call

SPLIT, _, IN_PLACE, IMAGE, PIPELINE = JOBS
AGAIN = Job("image again", IMAGE.words, "out", before=(*IMAGE.words, "--omega", "0.5"))


def on_disks(*jobs: Job) -> pytest.MarkDecorator:
    """Each job on the best disk that there is; the simulation beside a real one is tried with one of them."""
    cases = [(job, kind) for kind in DISKS for job in jobs if kind == DISKS[0] or job is IMAGE]
    names = [f"{kind}-{job.name}" for job, kind in cases]
    return pytest.mark.parametrize(("job", "disk"), cases, indirect=["disk"], ids=names)


def begin(origin: Scene, disk: Disk) -> Scene:
    """The scene on that disk, its input safe."""
    scene = origin.at(disk.folder / "here")
    scene.reset()
    disk.settle()
    return scene


@on_disks(SPLIT, IN_PLACE, IMAGE, AGAIN)
def test_cut_at_the_nth_call_that_changes_the_disk(scenes: Scenes, job: Job, disk: Disk) -> None:
    origin = scenes(job)
    for number in some(origin.calls, ROUNDS if disk.shim == "" else 1):
        scene = begin(origin, disk)
        with scene.running(disk.shim + at_call(number, STOP)) as process:
            assert stopped(process)
            cuts = [disk.cut(), disk.cut(committed=True)]
        with cuts[0] as after:
            scene.at(after / "here").check_files()
        with cuts[1] as after:
            scene.at(after / "here").check()


def test_cut_at_random_moments(scenes: Scenes, disk: Disk) -> None:
    rng = random.Random(11)
    origin = scenes(IMAGE)
    scene = begin(origin, disk)
    started = time.monotonic()
    scene.run(disk.shim)
    whole_s = time.monotonic() - started
    for number in range(max(1, ROUNDS // 2)):
        scene = begin(origin, disk)
        with scene.running(disk.shim):
            time.sleep(rng.uniform(0.1, whole_s))
            cut = disk.cut(committed=bool(number % 2))
        with cut as after:
            scene.at(after / "here").check()


@on_disks(SPLIT, IN_PLACE, IMAGE, PIPELINE)
def test_what_ended_well_is_on_the_disk(scenes: Scenes, job: Job, disk: Disk) -> None:
    origin = scenes(job)
    scene = begin(origin, disk)
    assert scene.run(disk.shim).returncode == 0
    with disk.cut() as after:
        there = scene.at(after / "here")
        there.check_files()
        assert contents(there.out) == origin.whole


def test_rows_that_are_put_in_order_are_not_lost(scenes: Scenes, disk: Disk) -> None:
    scene = begin(scenes(IMAGE), disk)
    with scene.running(disk.shim + STOP_BEFORE_THE_END) as process:
        assert stopped(process)
    with scene.running(disk.shim + STOP_BEHIND_THE_END) as process:  # what goes on has rows in the order of the work
        assert stopped(process)
        cut = disk.cut(committed=True)
    with cut as after, Journal(after / "here/out.partial" / JOURNAL) as lines:
        assert {row.id for row in lines.rows()} >= {name for name in scene.raw if scene.whole.get(name)}


TAILS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": lambda data, rng: data[: rng.randrange(len(data))],
    "zeros": lambda data, rng: data[: (at := rng.randrange(len(data)))] + bytes(len(data) - at),
    "noise": lambda data, rng: data[: (at := rng.randrange(len(data)))] + rng.randbytes(len(data) - at),
    "flips": lambda data, rng: flipped(data, rng),
}


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Other bytes in a few places."""
    changed = bytearray(data)
    for _ in range(5):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("kind", TAILS)
def test_a_journal_that_lost_its_end_costs_only_what_it_lost(almost_done: Scene, tmp_path: Path, kind: str) -> None:
    scene = almost_done.at(tmp_path / "here")
    rows = (almost_done.here / "out.partial" / JOURNAL).read_bytes()
    assert rows.count(b"\n") == len(scene.raw)
    rng = random.Random(kind)
    for _ in range(max(1, ROUNDS // 3)):
        scene.copy_from(almost_done.here)
        (scene.here / "out.partial" / JOURNAL).write_bytes(TAILS[kind](rows, rng))
        scene.check_again()
