"""Work on two halves at once, where it is little else than calls of the system: threads would wait for each other.

The second half is done by a fork of this process, which needs no time to start. Where a fork could do harm, as other
threads may hold locks, or there is one core, this process does both.
"""

import ctypes
import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1
_prctl = getattr(ctypes.CDLL(None), "prctl", None)  # looked up here: in a fork the lock of the loader may be held


def both(work: Callable[[T], R], first: T, second: T) -> tuple[R, R]:
    """Return the results of work on two things. It may be done twice on the second one: where the fork died, or the
    work raised there, this process does it, and raises as `work` does."""
    if not _can_fork():
        return work(first), work(second)
    parent = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _do(work, second, writing, parent)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answer:
            mine = work(first)
            told = answer.read()
    finally:
        try:
            os.kill(child, signal.SIGKILL)  # it has answered, or nobody waits for it any more
        finally:
            os.waitpid(child, 0)
    try:
        theirs: R = pickle.loads(told)  # noqa: S301  from our own fork
    except Exception:  # it said nothing, or not all
        theirs = work(second)
    return mine, theirs


def _can_fork() -> bool:
    return (
        _prctl is not None
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) > 1
        and threading.current_thread() is threading.main_thread()
    )


def _do(work: Callable[[T], R], what: T, writing: int, parent: int) -> None:
    """Do the work in the fork, and end it. It dies with its parent, whose locks it holds as long as it lives."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            told = pickle.dumps(work(what), pickle.HIGHEST_PROTOCOL)
            with os.fdopen(writing, "wb") as answer:
                answer.write(told)
    finally:
        os._exit(0)
