"""The pool: every task ends once, whatever a task, a message or a worker does, and no process is left."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datatools.engine.workers import Outcome, Pool


class Odd(Exception):
    """An exception that pickles and cannot be read again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def job(task: Any) -> Any:
    """Do what the task says."""
    match task:
        case ("echo", data):
            return data
        case ("pid",):
            return os.getpid()
        case ("sleep", seconds):
            time.sleep(seconds)
        case ("die",):
            os.kill(os.getpid(), signal.SIGKILL)
        case ("die once", flag):
            if not Path(flag).exists():
                Path(flag).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case ("say and die", words):
            print(words, file=sys.stderr, flush=True)
            os._exit(3)
        case ("raise", error):
            raise error
        case ("raise local",):

            class Local(Exception):
                pass

            raise Local("it has no address")
        case ("raise odd",):
            raise Odd("a", "b")
        case ("lambda",):
            return lambda: None
    return task


class Unborn:
    """A job that kills whoever unpickles it."""

    def __reduce__(self) -> Any:
        return os._exit, (3,)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2])


def outcomes(tasks: list[Any], jobs: int = 2, timeout_s: float = 0.0, total: int | None = None) -> list[Outcome]:
    with Pool(jobs, job, timeout_s) as pool:
        return [one for one in pool.run(iter(tasks), len(tasks) if total is None else total) if one is not None]


def children() -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.add(int(stat.parent.name))
    return found


@pytest.mark.parametrize("total", [0, 3000])
def test_every_task_ends_once(total: int) -> None:
    tasks = [("echo", number) for number in range(3000)]
    assert sorted(one.value for one in outcomes(tasks, total=total)) == list(range(3000))


def test_a_pool_takes_tasks_again_with_the_same_workers() -> None:
    with Pool(1, job) as pool:
        first, second = ({one.value for one in pool.run(iter([("pid",)] * 5), 5) if one is not None} for _ in range(2))
    assert first == second
    assert len(first) == 1


def test_big_messages_go_both_ways_at_once() -> None:
    tasks = [("echo", bytes(12_000_000)) for _ in range(8)]
    began = time.monotonic()
    assert [len(one.value) for one in outcomes(tasks)] == [12_000_000] * 8
    assert time.monotonic() - began < 30


def test_a_task_that_kills_is_lost_alone() -> None:
    tasks: list[Any] = [("echo", number) for number in range(200)]
    tasks.insert(70, ("die",))
    ended = outcomes(tasks)
    assert sorted(one.value for one in ended if one.lost is None) == list(range(200))
    (lost,) = [one for one in ended if one.lost is not None]
    assert lost.task == ("die",)
    assert lost.lost
    assert lost.lost.died


def test_several_that_kill_are_all_lost_and_the_others_done() -> None:
    tasks: list[Any] = [("die",) if number % 20 == 7 else ("echo", number) for number in range(40)]
    ended = outcomes(tasks)
    assert len(ended) == 40
    assert sum(one.lost is not None for one in ended) == 2


def test_a_death_that_does_not_come_again_costs_nothing(tmp_path: Path) -> None:
    tasks: list[Any] = [("echo", number) for number in range(20)]
    tasks.insert(3, ("die once", str(tmp_path / "flag")))
    ended = outcomes(tasks)
    assert len(ended) == 21
    assert all(one.lost is None for one in ended)


def test_the_last_words_of_a_worker_are_told() -> None:
    (one,) = outcomes([("say and die", "terminate called: \x1b[31mbad")])
    assert one.lost
    assert one.lost.told == "terminate called: \x1b[31mbad"


def test_a_task_that_hangs_is_given_up_and_the_others_done() -> None:
    tasks: list[Any] = [("echo", number) for number in range(50)]
    tasks.insert(10, ("sleep", 60))
    began = time.monotonic()
    ended = outcomes(tasks, timeout_s=0.7)
    assert time.monotonic() - began < 15
    (lost,) = [one for one in ended if one.lost is not None]
    assert lost.task == ("sleep", 60)
    assert lost.lost
    assert not lost.lost.died
    assert len(ended) == 51


@pytest.mark.parametrize("bad", [("lambda",), ("raise local",), ("raise odd",)])
def test_what_does_not_pickle_is_an_error_of_its_task(bad: Any) -> None:
    tasks: list[Any] = [("echo", number) for number in range(10)]
    tasks.insert(4, bad)
    ended = outcomes(tasks, jobs=1)
    assert sorted(one.value for one in ended if one.task != bad) == list(range(10))
    (one,) = [one for one in ended if one.task == bad]
    assert isinstance(one.error, TypeError)
    assert "cannot be sent back" in str(one.error)


def test_exceptions_come_back_as_they_are() -> None:
    (one,) = outcomes([("raise", ValueError("no", 3))])
    assert isinstance(one.error, ValueError)
    assert one.error.args == ("no", 3)


def test_workers_that_die_as_they_start_end_the_run() -> None:
    before = children()
    with Pool(2, Unborn()) as pool, pytest.raises(RuntimeError, match="worker processes die as they start"):
        list(pool.run(iter([1, 2, 3]), 3))
    assert children() <= before


def test_no_process_is_left_by_a_pool_that_is_closed_in_the_middle() -> None:
    before = children()

    def endless() -> Iterator[Any]:
        while True:
            yield ("sleep", 0.01)

    with Pool(3, job) as pool:
        for number, _ in enumerate(pool.run(endless())):
            if number == 30:
                break
        assert len(children() - before) == 3
    assert children() <= before


def test_workers_die_with_a_parent_that_is_killed() -> None:
    code = (
        "from datatools.engine.workers import Pool; from tests.engine.test_workers import job\n"
        "pool = Pool(2, job)\n"
        "for one in pool.run(iter([('pid',)] * 4 + [('sleep', 60)] * 2)):\n"
        "    if one is not None: print(one.value, flush=True)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert parent.stdout
    workers = {int(parent.stdout.readline()) for _ in range(3)}
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 5
    while any(map(runs, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(runs, workers))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
