"""Work spread over processes of this machine, with a bar on a terminal."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeVar

from datatools.core.errors import Cancelled, DataError
from datatools.core.types import Run
from datatools.engine.workers import AHEAD, Outcome, Pool

T = TypeVar("T")
R = TypeVar("R")

PARALLEL_WORTH_S = 1.5
"""Seconds of work left below which starting processes would cost more than it saves."""
TRIAL_S = 0.25
"""Seconds of work that show how long an item takes."""

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how many items are done, and how many there are."""


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalRun(Run):
    """Spreads work over `jobs` processes of this machine; tells its progress.

    progress: called as items end; without it a bar is drawn on stderr where that is a terminal. cancel: an event that
    ends the run with Cancelled as soon as it is set. workers_lost: how many processes died so far. nodes_lost: machines
    that went away, where there are several. begun: how much of tasks that have not ended is done, in tasks, as far as
    they tell.
    """

    def __init__(
        self,
        jobs: int = 0,
        *,
        bars: bool = True,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self.jobs = jobs or usable_cores()
        self.progress = progress
        self.bars = bars and progress is None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.workers_lost = 0
        self.nodes_lost = 0
        self.begun = 0.0
        self._cancel = cancel
        self._ready: Pool | None = None

    def map(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        label: str,
        lost: Callable[[T, DataError], R] | None = None,
    ) -> Iterator[R]:
        """Yield function(item) for every item, in order.

        Work starts in this process, which shows how long an item takes; processes are started only when enough is left
        for them. A process that dies costs another try of the item that it was at; of an item that kills its process
        again and again, `lost` gives the result.
        """
        with self.bar(label, len(items)) as advance:
            done = 0
            started = time.perf_counter()
            for done, item in enumerate(items, 1):
                self.check()
                yield function(item)
                advance(1)
                spent = time.perf_counter() - started
                left_s = spent / done * (len(items) - done)
                if self.jobs > 1 and spent > TRIAL_S and left_s > PARALLEL_WORTH_S:
                    for result in self._in_order(function, items[done:], lost):
                        yield result
                        advance(1)
                    return

    def track(self, items: Sequence[T], label: str) -> Iterator[T]:
        """Yield the items themselves while showing how far the loop is."""
        with self.bar(label, len(items)) as advance:
            for item in items:
                self.check()
                yield item
                advance(1)

    def stream(
        self, job: Any, tasks: Iterator[Any], total: int, timeout_s: float = 0.0, ahead: int = AHEAD
    ) -> Iterator[Outcome | None]:
        """Do tasks in worker processes, whatever their number; yield what became of each as they end.

        total: how many tasks there are, 0 where nobody knows. ahead: how many chunks of tasks a worker has at a time.
        None comes now and then, for whoever waits to look around. Raises Cancelled.
        """
        pool, self._ready = self._ready or Pool(self.jobs, job, timeout_s, ahead), None
        with pool:
            for outcome in pool.run(tasks, total):
                self.check()
                self.workers_lost = pool.workers_lost
                self.begun = pool.begun
                yield outcome

    @contextlib.contextmanager
    def ready_for(self, job: Any, most: int, timeout_s: float = 0.0) -> Iterator[None]:
        """Have processes load what the job needs while the block finds out what there is to do, and calls `stream`.

        most: so many, if there may be so many at once.
        """
        self._ready = Pool(self.jobs, job, timeout_s)
        try:
            self._ready.start(min(most, self.jobs))
            yield
        finally:
            if self._ready is not None:
                self._ready.close()
            self._ready = None

    def close(self) -> None:
        """Let go of what was started for the run: here, nothing that outlives a stream."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def check(self) -> None:
        """Raise Cancelled where the caller has asked to stop."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("cancelled; what was done is kept, and the same call goes on")

    def _in_order(
        self, function: Callable[[T], R], items: Sequence[T], lost: Callable[[T, DataError], R] | None
    ) -> Iterator[R]:
        waiting: dict[int, R] = {}
        due = 0
        for outcome in self.stream(_Numbered(function), iter(enumerate(items)), len(items)):
            if outcome is None:
                continue
            if outcome.error is not None:
                raise outcome.error
            number, item = outcome.task
            if outcome.lost is not None:
                message = "killed the process that worked on it, each time (out of memory, or a crash in native code)"
                remedy = "take the item out of the set, or use fewer --jobs"
                error = DataError(str(item)[:200], 0, "E-WORKER-DIED", message, remedy)
                if lost is None:
                    raise error
                waiting[number] = lost(item, error)
            else:
                waiting[number] = outcome.value
            while due in waiting:
                yield waiting.pop(due)
                due += 1

    @contextlib.contextmanager
    def bar(self, label: str, total: int) -> Iterator[Callable[[float], object]]:
        """Show how far work of `total` items is; yields what is called with the number of items that ended, or the
        share of one that was done since."""
        if self.progress is not None:
            yield _Counter(self.progress, label, total)
            return
        if not self.bars or not total:
            yield lambda step: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda step: progress.advance(task, step)


class _Numbered:
    """A function that is called with numbered items."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        return self._function(numbered[1])


class _Counter:
    """Adds up steps for a progress callback."""

    def __init__(self, progress: Progress, label: str, total: int) -> None:
        self._progress, self._label, self._total = progress, label, total
        self._done = 0
        progress(label, 0, total)

    def __call__(self, step: float) -> None:
        if isinstance(step, int):  # not a share of an item
            self._done += step
            self._progress(self._label, self._done, self._total)
