"""Locks of the kernel: held by a process, gone with it, so that none can go stale and nothing has to be cleaned."""

import errno
import fcntl
import os
import socket
import time
from contextlib import ExitStack

from datatools.core.errors import InUse, escape

_held: set[str] = set()  # a second descriptor of the same process would get the lock, and closing it drop the first


def hold(path: str, held: ExitStack, what: str) -> None:
    """Lock the file until `held` ends; it is made where it is not there. what: is locked by it, for messages.

    Raises InUse where another run has it, OSError.
    """
    if path in _held:
        raise InUse(f"{escape(what)}: this process is making it already")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    held.callback(os.close, fd)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        raise InUse(f"{escape(what)}: {_holder(fd)} is making it; wait for it, or end it") from None
    if os.fstat(fd).st_nlink == 0:  # its holder finished while we waited at the door
        raise InUse(f"{escape(what)}: another process has just finished it")
    _held.add(path)
    held.callback(_held.discard, path)
    os.ftruncate(fd, 0)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    os.pwrite(fd, f"{os.getpid()} {socket.gethostname()} {since}".encode(), 0)


def _holder(fd: int) -> str:
    """Who holds a lock, as its file says."""
    words = os.pread(fd, 300, 0).decode("utf-8", "replace").split(" ", 2)
    if len(words) < 3:  # it has just taken it
        return "another process"
    pid, host, since = map(escape, words)
    return f"process {pid} of {host} since {since}"
