"""A worker process: takes chunks of tasks from its parent, does one after the other, sends back what became of them.

Started by `workers.Pool`, never by a user. It imports nothing but the job that it is given. While it works, shared
memory says on which task and since when, so that the parent can tell whom a crash or a hang is to be blamed on.
"""

import contextlib
import ctypes
import mmap
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from typing import Any

from datatools.core import progress

HEARTBEAT = struct.Struct("=qdd")
"""In shared memory: the number of the task that is being done, -1 for none, the monotonic time of its start, and which
share of it is done, where it tells."""
_SHARE = struct.Struct("=d")
LENGTH = struct.Struct("=Q")
"""Stands before each message: the bytes of the pickle that follows."""

_FLUSH_S = 0.1
_PR_SET_PDEATHSIG = 1


def main(fd: int, heartbeat_fd: int, parent: int) -> None:
    """Serve the parent at the other end of the socket until it closes it."""
    settle(parent)
    channel = socket.socket(fileno=fd)
    heartbeat = mmap.mmap(heartbeat_fd, HEARTBEAT.size)
    first = receive(channel)
    if first is None:
        return
    sys.path[:] = first
    progress.listen(lambda share: _SHARE.pack_into(heartbeat, HEARTBEAT.size - _SHARE.size, share))
    try:
        job = receive(channel)
        HEARTBEAT.pack_into(heartbeat, 0, -1, time.monotonic(), 0.0)  # it has come to life
        with contextlib.suppress(Exception):  # what cannot be loaded is said by the first task
            job.load()
        while (chunk := receive(channel)) is not None:
            _serve(channel, heartbeat, job, chunk)
    except (BrokenPipeError, ConnectionResetError):  # the parent has gone, or wants no answer any more
        pass


def settle(parent: int) -> None:
    """Become a good worker: die with the parent, leave interrupts to it, use one thread, dump no core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)


def receive(channel: socket.socket) -> Any:
    """The next message; None where the other end has closed."""
    head = _exactly(channel, LENGTH.size)
    body = _exactly(channel, LENGTH.unpack(head)[0]) if head else b""
    return pickle.loads(body) if body else None  # noqa: S301  from our own parent


def packed(message: Any) -> bytes:
    """A message as bytes."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


def apply(job: Any, task: Any) -> tuple[bool, Any]:
    """Do one task: (True, result) or (False, exception)."""
    try:
        return True, job(task)
    except Exception as error:
        return False, error


def _serve(channel: socket.socket, heartbeat: mmap.mmap, job: Any, chunk: list[tuple[int, Any]]) -> None:
    done: list[tuple[int, bool, Any]] = []
    flushed = time.monotonic()
    for number, task in chunk:
        HEARTBEAT.pack_into(heartbeat, 0, number, time.monotonic(), 0.0)
        fine, result = apply(job, task)
        if not fine and not _travels(result):  # rare, so that it may be tried out
            result = _cannot(result)
        done.append((number, fine, result))
        if (now := time.monotonic()) - flushed > _FLUSH_S:
            _send(channel, done, now - flushed, last=False)
            done, flushed = [], now
    HEARTBEAT.pack_into(heartbeat, 0, -1, time.monotonic(), 0.0)
    _send(channel, done, time.monotonic() - flushed, last=True)


def _send(channel: socket.socket, done: list[tuple[int, bool, Any]], seconds: float, *, last: bool) -> None:
    try:
        message = packed((done, seconds, last))
    except Exception:  # a result that does not pickle
        told = [(n, ok, r) if _travels(r) else (n, False, _cannot(r)) for n, ok, r in done]
        message = packed((told, seconds, last))
    channel.sendall(message)


def _cannot(value: Any) -> TypeError:
    return TypeError(f"cannot be sent back: {value!r:.200}")


def _travels(value: Any) -> bool:
    """Whether it pickles and can be read again, which exceptions with an __init__ of their own often cannot."""
    try:
        pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301  our own
    except Exception:
        return False
    return True


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 2**20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
