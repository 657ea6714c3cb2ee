"""Locks: one holder at a time, who it is can be read, and none outlives its process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from datatools.core.errors import InUse
from datatools.io import locks

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from contextlib import ExitStack
from datatools.io import locks
with ExitStack() as held:
    locks.hold(sys.argv[1], held, "out")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.fixture
def holder(path: str) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts another process that holds the lock until its stdin ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, "-c", HOLDER, path], text=True, env=env, **pipes)  # type: ignore[call-overload]
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def take(path: str) -> None:
    with ExitStack() as held:
        locks.hold(path, held, "out")


def test_the_second_of_two_processes_is_told_who_has_it(
    path: str, holder: Callable[[], "subprocess.Popen[str]"]
) -> None:
    other = holder()
    started = time.monotonic()
    with pytest.raises(InUse) as told:
        take(path)
    assert time.monotonic() - started < 1, "it does not wait"
    day = time.strftime("%Y-")
    assert str(told.value).startswith(f"out: process {other.pid} of {socket.gethostname()} since {day}")
    assert str(told.value).endswith("is making it; wait for it, or end it")
    assert told.value.exit_code == 5
    other.communicate()
    take(path)


def test_a_killed_holder_leaves_nothing_to_clean(path: str, holder: Callable[[], "subprocess.Popen[str]"]) -> None:
    other = holder()
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert Path(path).exists()
    take(path)


def test_children_of_the_holder_do_not_have_it(path: str) -> None:
    with ExitStack() as held:
        locks.hold(path, held, "out")
        child = subprocess.Popen(["sleep", "30"])
    try:
        done = subprocess.run(
            [sys.executable, "-c", HOLDER, path],
            input="", text=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=30,
        )  # fmt: skip
        assert done.stdout == "held\n", done.stderr
    finally:
        child.kill()
        child.wait()


def test_the_same_process_does_not_get_it_twice(path: str) -> None:
    with ExitStack() as held:
        locks.hold(path, held, "out")
        with pytest.raises(InUse, match="out: this process is making it already"):
            take(path)
        with pytest.raises(InUse):  # what failed did not let go of the first
            take(path)
        done = subprocess.run(
            [sys.executable, "-c", HOLDER, path],
            input="", text=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=30,
        )  # fmt: skip
        assert f"process {os.getpid()} of" in done.stderr
    take(path)
    take(path)


def test_an_error_inside_lets_go(path: str) -> None:
    with pytest.raises(ZeroDivisionError), ExitStack() as held:  # noqa: PT012  what fails comes second
        locks.hold(path, held, "out")
        raise ZeroDivisionError
    take(path)


@pytest.mark.parametrize("text", ["", "123", "\x1b[31m \x00 \n", "x" * 1000])
def test_what_stands_in_the_file_is_data(path: str, holder: Callable[[], "subprocess.Popen[str]"], text: str) -> None:
    holder()
    Path(path).write_text(text)
    with pytest.raises(InUse) as told:
        take(path)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 500


def test_a_link_is_not_followed(path: str, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    os.symlink("precious", path)
    with pytest.raises(OSError, match=r"symbolic links|File exists"):
        take(path)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_lock_whose_file_has_just_gone_is_none(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lockf = locks.fcntl.lockf

    def late(fd: int, how: int) -> None:
        lockf(fd, how)
        os.unlink(path)  # as its holder does at the end

    with monkeypatch.context() as patched:
        patched.setattr(locks.fcntl, "lockf", late)
        with pytest.raises(InUse, match="another process has just finished it"):
            take(path)
    take(path)
