"""Two halves of a work, the second in a fork: the results are the same whatever becomes of the fork."""

import os
import subprocess
import sys
import threading

import pytest

from datatools.io.halves import both

needs_two_cores = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one core: nothing is forked"
)


def alone(code: str) -> str:
    """What a process prints that has no other threads."""
    code = f"import os, signal, threading, time\nfrom datatools.io.halves import both\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_two_cores
def test_the_second_half_is_done_by_a_fork() -> None:
    assert alone("one, two = both(lambda x: (x, os.getpid()), 'a', 'b'); print(one[0], two[0], one[1] != two[1])") == (
        "a b True"
    )


@needs_two_cores
def test_what_goes_wrong_in_the_fork_is_done_here() -> None:
    kill = "os.getpid() != here and os.kill(os.getpid(), signal.SIGKILL)"
    raises = "os.getpid() != here and 1 // 0"
    unpicklable = "(lambda: 0) if os.getpid() != here else None"
    for harm in (kill, raises, unpicklable):
        code = (
            f"here = os.getpid()\ndef work(x):\n    made = {harm}\n    return (x * 2, made)[: 1 if not made else 2]\n"
        )
        assert alone(code + "print(both(work, 1, 2))") == "((2,), (4,))"


@needs_two_cores
def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    code = "def work(x):\n    return 1 // x\ntry:\n    both(work, 1, 0)\nexcept ZeroDivisionError as error:\n"
    assert alone(code + "    print(error)") == "integer division or modulo by zero"
    first = "try:\n    both(lambda x: 1 // x if x == 0 else time.sleep(60), 0, 1)\nexcept ZeroDivisionError:\n"
    assert alone(first + "    print('at once')") == "at once"


def test_where_other_threads_may_hold_locks_nothing_is_forked() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert both(lambda x: (x, os.getpid()), 1, 2) == ((1, os.getpid()), (2, os.getpid()))
    finally:
        ended.set()
        thread.join()
