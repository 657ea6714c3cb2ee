"""Work spread over processes of this machine, with a bar on a terminal."""

import contextlib
import ctypes
import itertools
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from datatools.core.errors import DataError
from datatools.core.types import Run

T = TypeVar("T")
R = TypeVar("R")

PARALLEL_WORTH_S = 1.5
"""Seconds of work left below which starting processes would cost more than it saves."""
CHUNK_S = 0.5
"""Seconds of work that are handed to a process at a time."""

_PR_SET_PDEATHSIG = 1


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalRun(Run):
    """Spreads work over `jobs` processes of this machine; draws a bar on stderr where that is a terminal.

    Work starts in this process, which shows how long an item takes; processes are started only when enough is left
    for them. Results come in the order of the items and do not depend on the number of jobs. A process that dies
    costs a second try of each of its items alone; an item that kills its process twice ends the run by name.
    """

    def __init__(self, jobs: int = 0, *, bars: bool = True) -> None:
        self.jobs = jobs or usable_cores()
        self.bars = bars and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def map(self, function: Callable[[T], R], items: Sequence[T], label: str) -> Iterator[R]:
        """Yield function(item) for every item, in order."""
        with self._bar(label, len(items)) as advance:
            done = 0
            started = time.perf_counter()
            for done, item in enumerate(items, 1):
                yield function(item)
                advance(1)
                spent = time.perf_counter() - started
                left_s = spent / done * (len(items) - done)
                if self.jobs > 1 and spent > CHUNK_S / 2 and left_s > PARALLEL_WORTH_S:
                    size = max(1, min(int(CHUNK_S * done / spent), (len(items) - done) // (self.jobs * 2)))
                    for result in self._spread(function, items[done:], size):
                        yield result
                        advance(1)
                    return

    def track(self, items: Sequence[T], label: str) -> Iterator[T]:
        """Yield the items themselves while showing how far the loop is."""
        with self._bar(label, len(items)) as advance:
            for item in items:
                yield item
                advance(1)

    def _spread(self, function: Callable[[T], R], items: Sequence[T], size: int) -> Iterator[R]:
        import multiprocessing

        import pebble

        # spawn: a fork would copy locks that threads of OpenCV and BLAS may hold at that moment
        pool = pebble.ProcessPool(
            max_workers=self.jobs,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(os.getpid(),),
        )
        chunks = iter([items[i : i + size] for i in range(0, len(items), size)])
        waiting: deque[tuple[Sequence[T], Any]] = deque()
        try:
            with _single_threaded_environment():
                for chunk in itertools.islice(chunks, self.jobs * 2):
                    waiting.append((chunk, pool.schedule(_apply, args=(function, chunk))))
                while waiting:
                    chunk, future = waiting.popleft()
                    try:
                        results = future.result()
                    except pebble.ProcessExpired:
                        results = [_alone(pool, function, item) for item in chunk]
                    for following in itertools.islice(chunks, 1):
                        waiting.append((following, pool.schedule(_apply, args=(function, following))))
                    yield from results
        finally:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join(timeout=2)

    @contextlib.contextmanager
    def _bar(self, label: str, total: int) -> Iterator[Callable[[int], object]]:
        if not self.bars or not total:
            yield lambda step: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda step: progress.advance(task, step)


def _apply(function: Callable[[T], R], chunk: Sequence[T]) -> list[R]:
    return [function(item) for item in chunk]


def _alone(pool: Any, function: Callable[[T], R], item: T) -> R:
    import pebble

    for _ in range(2):
        with contextlib.suppress(pebble.ProcessExpired):
            result: list[R] = pool.schedule(_apply, args=(function, [item])).result()
            return result[0]
    message = "killed the process that worked on it, twice (out of memory, or a crash in native code)"
    raise DataError(str(item)[:200], 0, "E-WORKER-DIED", message, "take the item out of the set, or use fewer --jobs")


@contextlib.contextmanager
def _single_threaded_environment() -> Iterator[None]:
    """Let processes that start inside the block run one thread each: two libraries times two cores wait, not work."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
    old = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start_worker(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
