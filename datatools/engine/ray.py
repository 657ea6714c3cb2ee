"""The same work on the machines of a Ray cluster.

Chunks of items go to the nodes; each Ray worker does them in a process of its own, as a local run does, so that a crash
or a hang costs the same item everywhere. Outputs are written by the workers into the folder that all machines share;
the journal is written here alone. A chunk whose worker or node goes away is handed out again.
"""

import contextlib
import itertools
import logging
import os
import platform
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import datatools
from datatools.core.errors import MissingExtra, UsageError, escape
from datatools.engine import workers
from datatools.engine.executors import LocalRun, Progress
from datatools.engine.workers import AHEAD, Outcome

CHUNK_S = 1.0
"""Seconds of work that a task of Ray is worth: each costs it some milliseconds."""
TRIES = 4
"""How often a chunk is handed out before its items are given up: whole, then item by item."""

_WAIT_S = 0.2


class RayRun(LocalRun):
    """Spreads work over a Ray cluster.

    address: of a running cluster (`auto`, `HOST:PORT`); empty starts one on this machine that ends with the run. jobs:
    processor cores of the cluster that are used; 0 is all.

    Raises MissingExtra without Ray, UsageError where the cluster does not answer or its workers are of other versions.
    """

    def __init__(
        self,
        jobs: int = 0,
        address: str = "",
        *,
        bars: bool = True,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        super().__init__(jobs, bars=bars, progress=progress, cancel=cancel)
        self._wanted = jobs
        self._address = address
        self._ray: Any = None

    def stream(
        self, job: Any, tasks: Iterator[Any], total: int, timeout_s: float = 0.0, ahead: int = AHEAD
    ) -> Iterator[Outcome | None]:
        """Do tasks on the cluster; yield what became of each as they end, and None now and then. Raises Cancelled."""
        ray = self._start()
        self._check_nodes(job)
        stream = _Stream(ray, job, timeout_s, self.jobs * ahead)
        try:
            for outcome in stream.run(tasks, total, self.jobs):
                self.check()
                self.workers_lost = stream.workers_lost
                yield outcome
        finally:
            stream.cancel()
            self.nodes_lost = self._nodes_at_start - len(_alive(ray))

    @contextlib.contextmanager
    def ready_for(self, job: Any, most: int, timeout_s: float = 0.0) -> Iterator[None]:
        """Nothing: Ray keeps its processes."""
        yield

    def close(self) -> None:
        """Leave the cluster; end the one that this run started."""
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None

    def _start(self) -> Any:
        if self._ray is not None:
            return self._ray
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing goes out to the network
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise MissingExtra("--engine ray", "ray") from None
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if self._address:
            _check_address(self._address)
            options["address"] = self._address
        else:
            options |= {
                "address": "local",
                "num_cpus": self.jobs,
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
            }
        try:
            with contextlib.redirect_stdout(sys.stderr):
                ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            what = str(error).strip().split("\n")[0][:300]
            raise UsageError(f"--address {self._address or '(local)'}: no Ray cluster there: {what}") from None
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():  # Ray has put its own in their place
                signal.signal(number, handler)
        self._ray = ray
        self._nodes_at_start = len(_alive(ray))
        cores = sum(int(node["Resources"].get("CPU", 0)) for node in _alive(ray)) or 1
        self.jobs = min(self._wanted, cores) if self._wanted else cores
        return ray

    def _check_nodes(self, job: Any) -> None:
        """Raise UsageError where a node has other versions than we, or does not see the folders that are shared."""
        ray = self._ray
        folders = [path for name in ("root", "partial") if (path := getattr(job, name, ""))]

        def probe(paths: list[str]) -> tuple[str, str, list[str]]:  # sent by value: it runs where datatools is not
            import os
            import platform

            try:
                from datatools import __version__ as version
            except ImportError:
                version = "none"
            return platform.python_version(), version, [path for path in paths if not os.path.isdir(path)]

        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asked = {}
        for node in _alive(ray):
            strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(probe).options(scheduling_strategy=strategy, num_cpus=0)
            asked[node["NodeManagerAddress"] + " " + node["NodeID"][:8]] = task.remote(folders)
        for name, answer in asked.items():
            try:
                python, version, missing = ray.get(answer, timeout=60)
            except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
                continue  # it has gone away, and was still in the list
            except ray.exceptions.RayError as error:
                raise UsageError(f"node {name}: does not answer: {type(error).__name__}") from None
            if python.rsplit(".", 1)[0] != platform.python_version().rsplit(".", 1)[0]:
                raise UsageError(f"node {name}: has Python {python}, this machine {platform.python_version()}")
            if version != datatools.__version__:
                raise UsageError(f"node {name}: has datatools {version}, this machine {datatools.__version__}")
            if missing:
                raise UsageError(f"node {name}: does not see {missing[0]}; input and output must be shared folders")


class _Stream:
    """Chunks on their way through the cluster. window: how many may be out at a time.

    workers_lost: processes that died, those of Ray and those below them.
    """

    def __init__(self, ray: Any, job: Any, timeout_s: float, window: int) -> None:
        self.workers_lost = 0
        self._ray = ray
        self._window = window
        self._job = ray.put(job)
        self._timeout_s = timeout_s
        # retries are ours, so that they can be told: Ray's own are silent
        self._remote = ray.remote(_do_chunk).options(max_retries=0, num_cpus=1)
        self._out: dict[Any, tuple[list[Any], int]] = {}
        self._again: deque[tuple[list[Any], int]] = deque()
        self._average_s = 0.0

    def run(self, tasks: Iterator[Any], total: int, jobs: int) -> Iterator[Outcome | None]:
        """Yield what became of each task."""
        taken = 0
        while True:
            while len(self._out) < self._window:
                chunk, tries = self._again.popleft() if self._again else (self._take(tasks, total - taken, jobs), 0)
                if not chunk:
                    break
                taken += len(chunk) if not tries else 0
                self._out[self._remote.remote(self._job, chunk, self._timeout_s)] = (chunk, tries)
            if not self._out:
                return
            ready, _ = self._ray.wait(list(self._out), num_returns=1, timeout=_WAIT_S)
            for reference in ready:
                yield from self._ended(reference, *self._out.pop(reference))
            yield None

    def cancel(self) -> None:
        """Give up what is still out."""
        for reference in self._out:
            with contextlib.suppress(Exception):  # whatever is wrong with the cluster, we are leaving
                self._ray.cancel(reference, force=True)
        self._out.clear()

    def _take(self, tasks: Iterator[Any], left: int, jobs: int) -> list[Any]:
        size = max(1, int(CHUNK_S / self._average_s)) if self._average_s else 1
        if left > 0:
            size = max(1, min(size, left // (jobs * AHEAD)))
        return list(itertools.islice(tasks, size))

    def _ended(self, reference: Any, chunk: list[Any], tries: int) -> Iterator[Outcome]:
        try:
            outcomes, seconds, lost = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError as error:  # the worker or its node has gone
            self.workers_lost += 1
            if len(chunk) > 1 and tries:
                self._again.extend(([task], tries) for task in chunk)
            elif tries + 1 < TRIES:
                self._again.append((chunk, tries + 1))
            else:
                yield from (Outcome(task, lost=workers.Lost(True, type(error).__name__)) for task in chunk)
            return
        average = seconds / len(chunk)
        self._average_s = average if not self._average_s else 0.7 * self._average_s + 0.3 * average
        self.workers_lost += lost
        yield from outcomes


_pool: tuple[bytes, workers.Pool] | None = None  # of this Ray worker, kept from chunk to chunk


def _do_chunk(job: Any, chunk: list[Any], timeout_s: float) -> tuple[list[Outcome], float, int]:
    """Do a chunk in a process below this Ray worker: outcomes, seconds, processes that died."""
    global _pool
    import pickle

    key = pickle.dumps((job, timeout_s))
    if _pool is None or _pool[0] != key:
        if _pool is not None:
            _pool[1].close()
        _pool = (key, workers.Pool(1, job, timeout_s))
    pool = _pool[1]
    before, started = pool.workers_lost, time.monotonic()
    outcomes = [outcome for outcome in pool.run(iter(chunk), len(chunk)) if outcome is not None]
    return outcomes, time.monotonic() - started, pool.workers_lost - before


def _check_address(address: str) -> None:
    """Raise UsageError at once where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return  # auto, or local
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(f"--address {escape(address)}: no Ray cluster there: {error}") from None


def _alive(ray: Any) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]
