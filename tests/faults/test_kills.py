"""Killed at any moment: nothing finished is lost, nothing half done is left, the same command goes on.

A bounded form runs in CI; `make faults` makes 200 of every kind.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.scene import FEW, JOBS, ROUNDS, Job, Scene, Scenes, kill, members, never_mixed, nobody_left, some
from tests.faults.shims import KILL, at_call

EVERY_JOB = pytest.mark.parametrize("job", JOBS, ids=lambda j: j.name)


@EVERY_JOB
def test_killed_at_random_moments(scenes: Scenes, tmp_path: Path, job: Job) -> None:
    scene = scenes(job, 3 if ROUNDS <= FEW else 12).at(tmp_path / "here")
    rng = random.Random(7)
    for number in range(ROUNDS):
        scene.reset()
        process = scene.start()
        time.sleep(rng.uniform(0.05, scene.whole_s))
        kill(process, whole_group=bool(number % 2))
        scene.check(process.pid)


@EVERY_JOB
def test_killed_at_the_nth_call_that_changes_the_disk(scenes: Scenes, tmp_path: Path, job: Job) -> None:
    scene = scenes(job).at(tmp_path / "here")
    assert scene.calls > 3
    for number in some(scene.calls, ROUNDS):
        scene.reset()
        done = scene.run(at_call(number, KILL))
        assert done.returncode == -signal.SIGKILL
        scene.check()


if ROUNDS >= 50 and shutil.which("strace"):  # the long form

    @pytest.mark.parametrize("call", ["write", "fsync", "rename", "mkdir", "syncfs", "renameat2"])
    def test_killed_at_the_nth_call_of_the_kernel(tmp_path: Path, call: str) -> None:
        scene = Scene(tmp_path, JOBS[3], pictures=2)
        for number in range(1, 400):
            scene.reset()
            wrap = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={number}"]
            process = scene.start(wrap=wrap)
            process.communicate(timeout=120)
            scene.check(process.pid)
            if process.returncode == 0:
                break


def test_killed_workers_cost_nothing_but_time(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(JOBS[3], 20).at(tmp_path / "here")
    rng = random.Random(3)
    killed = 0
    while killed < ROUNDS:
        scene.reset()
        process = scene.start()
        for _ in range(2):
            time.sleep(rng.uniform(0.2, 0.6))
            workers = [pid for pid in members(process.pid) if pid != process.pid]
            if workers and process.poll() is None:
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        scene.check(process.pid)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_good_order(scenes: Scenes, tmp_path: Path, sent: signal.Signals, code: int) -> None:
    scene = scenes(JOBS[3], 20).at(tmp_path / "here")
    for number in range(ROUNDS):
        scene.reset()
        process = scene.start()
        time.sleep(0.3 + 0.15 * (number % 5))
        if process.poll() is not None:  # it was faster than that
            process.communicate()
            continue
        os.killpg(process.pid, sent)
        at = time.monotonic()
        err = process.communicate(timeout=30)[1]
        assert process.returncode in (code, 0)
        assert time.monotonic() - at < 4  # two seconds, twice over for a machine that does other things, too
        assert "Traceback" not in err
        scene.check(process.pid)


def test_a_second_interrupt_ends_at_once(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(JOBS[3]).at(tmp_path / "here")
    scene.reset()
    slow = "import time\nfrom datatools.engine import committer\n"
    slow += "committer.Committer.flush = lambda self: time.sleep(30)"
    process = scene.start(slow)
    time.sleep(1.2)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    process.communicate(timeout=10)
    assert process.returncode == 130
    scene.check(process.pid)


@pytest.mark.parametrize("together", [2, 8])
def test_runs_at_once_never_mix(scenes: Scenes, tmp_path: Path, together: int) -> None:
    scene = scenes(JOBS[3], 20).at(tmp_path / "here")
    for _ in range(max(1, ROUNDS // 10)):
        scene.reset()
        never_mixed(scene, together)
        scene.check()


def test_the_lock_says_who_holds_it(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(JOBS[3]).at(tmp_path / "here")
    scene.reset()
    holder = scene.start(
        "import time\nfrom datatools.engine import item_finish\nitem_finish.finish = lambda *a: time.sleep(60)"
    )
    until = time.monotonic() + 30
    while not (scene.here / "out.partial/.dt-lock").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    second = scene.run()
    assert second.returncode == 5
    assert f"process {holder.pid} of " in second.stderr
    assert " since 20" in second.stderr
    kill(holder, whole_group=True)
    assert nobody_left(holder.pid)
    scene.check()


def test_a_killed_run_of_a_pipeline_is_not_started_twice(scenes: Scenes, tmp_path: Path) -> None:
    scene = scenes(JOBS[4]).at(tmp_path / "here")
    scene.reset()
    holder = scene.start(
        "import time\nfrom datatools.engine import stage_task\nstage_task.StageTask.do = lambda *a: time.sleep(60)"
    )
    until = time.monotonic() + 60
    while not any(lock.stat().st_size for lock in scene.here.glob(".datatools/*.lock")) and time.monotonic() < until:
        time.sleep(0.05)
    second: subprocess.CompletedProcess[str] = scene.run()
    assert second.returncode == 5
    assert f"process {holder.pid} of " in second.stderr
    kill(holder, whole_group=True)
    scene.check()
