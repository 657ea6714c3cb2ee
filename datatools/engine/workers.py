"""Processes of this machine that do tasks, and what happens when one of them dies or hangs.

The pools of the standard library lose all tasks, or hang, when a worker is killed; this one blames the task that was
being done. It is done again alone, and a task that kills its worker twice alone is given up, as is one that takes
longer than it may. All others are done. Workers die with their parent.
"""

import contextlib
import itertools
import mmap
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from datatools.engine import worker

CHUNK_S = 0.25
"""Seconds of work that are handed to a worker at a time."""
ALONE_TRIES = 2
"""How often a task may kill a worker that does nothing else."""

AHEAD = 2
"""Chunks with each worker: one that is done and one that waits, so that no worker does."""

_TICK_S = 0.1
_STILLBORN = 4
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)  # two libraries times two cores wait, not work


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a task was given up. died: it killed its worker (else it took too long). told: the worker's last words."""

    died: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: its value, the exception that it raised, or why it was given up."""

    task: Any
    value: Any = None
    error: Exception | None = None
    lost: Lost | None = None


def _memory() -> Any:
    """A file that two processes can map; in memory, where the system has such."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("datatools-worker"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


@dataclass(eq=False, slots=True)
class _Worker:
    """A process, our end of the channel to it, and the numbers of the tasks that it has, chunk by chunk."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    heartbeat: mmap.mmap
    words: Any
    chunks: deque[dict[int, Any]] = field(default_factory=deque)
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)

    def active(self) -> tuple[int, float]:
        """The number of the task that is being done, -1 for none, and since when."""
        number, since, _ = worker.HEARTBEAT.unpack_from(self.heartbeat, 0)
        return int(number), float(since)

    def share(self) -> float:
        """Which share of the task is done, where it tells."""
        number, _, share = worker.HEARTBEAT.unpack_from(self.heartbeat, 0)
        return float(share) if number >= 0 else 0.0


class Pool:
    """Does tasks in worker processes.

    job: called with each task there; it pickles. timeout_s: for one task, 0 is none. ahead: chunks with each worker.

    workers_lost: how many processes died.
    """

    def __init__(self, jobs: int, job: Any, timeout_s: float = 0.0, ahead: int = AHEAD) -> None:
        self.jobs = jobs
        self.workers_lost = 0
        self._job = job
        self._timeout_s = timeout_s
        self._ahead = ahead
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._alone: deque[tuple[int, Any]] = deque()  # blamed for the death of a worker
        self._again: deque[tuple[int, Any]] = deque()  # lost with somebody else
        self._deaths: dict[int, int] = {}
        self._average_s = 0.0
        self._taken = 0
        self._numbers = itertools.count()
        self._stillborn = 0

    @property
    def begun(self) -> float:
        """How much of tasks that have not ended is done, in tasks."""
        return sum(one.share() for one in self._workers)

    def start(self, count: int) -> None:
        """Start processes before there is anything to do."""
        for _ in range(count):
            self._start()

    def run(self, tasks: Iterator[Any], total: int = 0) -> Iterator[Outcome | None]:
        """Yield what became of each task, as they end, and None now and then, for whoever waits to look around.

        total: how many tasks there are, where that is known: the last chunks are small then, so that all workers end
        together. The workers stay, for another call, until the pool is closed.

        Raises RuntimeError where no worker can be started.
        """
        numbered = zip(self._numbers, tasks, strict=False)
        self._taken = 0
        while True:
            self._hand_out(numbered, total)
            if not self._alone and not any(w.chunks for w in self._workers):
                return
            yield from self._collect()
            yield None

    def close(self) -> None:
        """Kill the workers and wait for them."""
        for one in self._workers:
            one.process.kill()
        for one in self._workers:
            self._bury(one)
        self._workers.clear()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _hand_out(self, numbered: Iterator[tuple[int, Any]], total: int) -> None:
        while self._alone and len(self._workers) < self.jobs:  # the death of a worker made room for one
            self._send(self._start(), [self._alone.popleft()])
        while self._has_room() and (chunk := self._take(numbered, total)):
            self._send(self._free(), chunk)

    def _take(self, numbered: Iterator[tuple[int, Any]], total: int) -> list[tuple[int, Any]]:
        """The next chunk: what was lost with others first."""
        size = max(1, int(CHUNK_S / self._average_s)) if self._average_s else 1
        if total:
            size = max(1, min(size, (len(self._again) + total - self._taken) // (self.jobs * self._ahead)))
        chunk = [self._again.popleft() for _ in range(min(size, len(self._again)))]
        fresh = list(itertools.islice(numbered, size - len(chunk)))
        self._taken += len(fresh)
        return chunk + fresh

    def _has_room(self) -> bool:
        ready = [w for w in self._workers if len(w.chunks) < self._ahead and not self._is_alone(w)]
        return bool(ready) or len(self._workers) < self.jobs

    def _free(self) -> _Worker:
        """The worker that has the least to do; a new one where all have something."""
        ready = [w for w in self._workers if len(w.chunks) < self._ahead and not self._is_alone(w)]
        idle = min(ready, key=lambda w: len(w.chunks), default=None)
        if len(self._workers) < self.jobs and (idle is None or idle.chunks):
            return self._start()
        assert idle
        return idle

    def _is_alone(self, one: _Worker) -> bool:
        return any(number in self._deaths for chunk in one.chunks for number in chunk)

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        words = tempfile.TemporaryFile()  # noqa: SIM115  read when it dies
        shared = _memory()
        try:
            shared.write(bytes(worker.HEARTBEAT.size))  # on a full disk that raises; touching the map would be a crash
            heartbeat = mmap.mmap(shared.fileno(), worker.HEARTBEAT.size)
            worker.HEARTBEAT.pack_into(heartbeat, 0, -1, 0.0, 0.0)
            fds = (theirs.fileno(), shared.fileno())
            path = [os.path.abspath(entry) for entry in sys.path]
            code = f"from datatools.engine.worker import main; main({fds[0]}, {fds[1]}, {os.getpid()})"
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", code], pass_fds=fds, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(path)},
            )  # fmt: skip
        finally:
            theirs.close()
            shared.close()
        one = _Worker(process, ours, heartbeat, words)
        ours.setblocking(False)  # both sides may have much to say: neither may wait for the other to listen
        self._workers.append(one)
        self._selector.register(ours, selectors.EVENT_READ, one)
        one.unsent += worker.packed(path) + worker.packed(self._job)
        self._push(one)
        return one

    def _send(self, one: _Worker, chunk: list[tuple[int, Any]]) -> None:
        one.chunks.append(dict(chunk))
        one.unsent += worker.packed(chunk)
        self._push(one)

    def _push(self, one: _Worker) -> None:
        """Send as much as the channel takes."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):  # a death is seen on reading
            while one.unsent:
                del one.unsent[: one.channel.send(one.unsent)]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.unsent else 0)
        self._selector.modify(one.channel, events, one)

    def _collect(self) -> Iterator[Outcome]:
        for key, events in self._selector.select(_TICK_S):
            one: _Worker = key.data
            if events & selectors.EVENT_WRITE:
                self._push(one)
            if not events & selectors.EVENT_READ:
                continue
            try:
                data = one.channel.recv(2**20)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                yield from self._died(one)
                continue
            one.received += data
            yield from self._answers(one)
        if self._timeout_s:
            for one in list(self._workers):
                number, since = one.active()
                if number >= 0 and time.monotonic() - since > self._timeout_s and self._holds(one, number):
                    yield from self._answers(one)
                    yield from self._died(one, too_long=True)

    def _holds(self, one: _Worker, number: int) -> bool:
        return any(number in chunk for chunk in one.chunks)

    def _answers(self, one: _Worker) -> Iterator[Outcome]:
        import pickle

        head = worker.LENGTH.size
        while len(one.received) >= head:
            (size,) = worker.LENGTH.unpack_from(one.received)
            if len(one.received) < head + size:
                return
            done, seconds, last = pickle.loads(bytes(one.received[head : head + size]))  # noqa: S301  our own worker
            del one.received[: head + size]
            if done:
                average = seconds / len(done)
                self._average_s = average if not self._average_s else 0.7 * self._average_s + 0.3 * average
            for number, fine, result in done:
                task = one.chunks[0].pop(number)
                self._deaths.pop(number, None)
                yield Outcome(task, value=result) if fine else Outcome(task, error=result)
            if last:
                one.chunks.popleft()

    def _died(self, one: _Worker, *, too_long: bool = False) -> Iterator[Outcome]:
        """Take a worker out of service: the task that it was doing is to blame, the others are done again."""
        number, since = one.active()
        one.process.kill()
        self._selector.unregister(one.channel)
        self._workers.remove(one)
        told = self._bury(one)
        self.workers_lost += 1
        self._stillborn = self._stillborn + 1 if number < 0 and not since else 0
        if self._stillborn >= _STILLBORN:
            raise RuntimeError(f"worker processes die as they start: {told or 'without a word'}")
        alone = self._is_alone(one)
        left = {n: task for chunk in one.chunks for n, task in chunk.items()}
        if number not in left:  # it died between two tasks, or before the first
            number = next(iter(left), -1)
        if number in left:
            task = left.pop(number)
            self._deaths[number] = self._deaths.get(number, -1) + 1  # the first death was in company
            if too_long or (alone and self._deaths[number] >= ALONE_TRIES):
                del self._deaths[number]
                yield Outcome(task, lost=Lost(not too_long, told))
            else:
                self._alone.append((number, task))
        self._again.extendleft(reversed(left.items()))

    def _bury(self, one: _Worker) -> str:
        """Wait for a killed worker, let go of what belongs to it, return its last words."""
        one.channel.close()
        one.process.wait()
        one.heartbeat.close()
        with one.words:
            one.words.seek(0, os.SEEK_END)
            one.words.seek(max(0, one.words.tell() - 2000))
            lines = one.words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""
