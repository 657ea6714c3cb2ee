"""Work over processes: in order, whole, and alive when a process dies."""

import os
import signal
from pathlib import Path

import pytest

from datatools.core.errors import DataError, UsageError
from datatools.engine import executors
from datatools.engine.executors import LocalRun


@pytest.fixture(autouse=True)
def parallel_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes however little there is to do."""
    monkeypatch.setattr(executors, "PARALLEL_WORTH_S", -1.0)
    monkeypatch.setattr(executors, "TRIAL_S", -1.0)


def square(x: int) -> int:
    return x * x


def where(x: int) -> int:
    return os.getpid()


def die_once(flag: str) -> str:
    path = Path(flag)
    if path.name != "calm" and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die(x: int) -> int:
    if x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def refuse(x: int) -> int:
    raise UsageError("no")


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order(jobs: int) -> None:
    assert list(LocalRun(jobs).map(square, range(50), "squares")) == [x * x for x in range(50)]


def test_the_work_really_is_spread() -> None:
    assert len(set(LocalRun(2).map(where, range(40), "pids"))) > 1


def test_a_killed_process_costs_a_retry(tmp_path: Path) -> None:
    items = [str(tmp_path / "calm"), *(str(tmp_path / f"{i}") for i in range(4))]
    assert list(LocalRun(2).map(die_once, items, "work")) == ["done"] * 5


def test_an_item_that_kills_twice_is_named() -> None:
    with pytest.raises(DataError, match="2: E-WORKER-DIED"):
        list(LocalRun(2).map(die, range(4), "work"))


def test_the_result_of_a_lost_item_can_be_given() -> None:
    found = list(LocalRun(2).map(die, range(4), "work", lambda x, error: -x))
    assert found == [0, 1, -2, 3]


def test_our_errors_come_through() -> None:
    with pytest.raises(UsageError, match="no"):
        list(LocalRun(2).map(refuse, range(4), "work"))


def test_nothing_to_do_is_fine() -> None:
    assert list(LocalRun(2).map(square, [], "nothing")) == []
    assert list(LocalRun(2).track([1, 2], "items")) == [1, 2]
