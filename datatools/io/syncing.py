"""Bringing written bytes to the disk, for one file or a thousand, at the lowest cost that the system offers.

fsync(2) waits for the disk once a file, some 5 ms; syncfs(2), which Linux has and Python does not offer, brings a whole
file system there in one wait. renameat2(2), the other call that Python lacks, swaps two folders in one step.
"""

import ctypes
import errno
import os
from collections.abc import Callable, Iterable, Sequence

_FEW = 8
"""Up to so many files are synced one by one: syncfs would wait for what other programs wrote as well."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _system_call(name: str, arguments: list[type]) -> Callable[..., None] | None:
    """Return a function of the C library that raises OSError as Python's own do; None where there is no such one."""
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return None
    function.argtypes = arguments
    function.restype = ctypes.c_int

    def call(*values: object) -> None:
        if function(*values) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return call


_syncfs = _system_call("syncfs", [ctypes.c_int])
_renameat2 = _system_call("renameat2", [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint])


def sync_files(paths: Sequence[str]) -> None:
    """Wait until the bytes of the files are on the disk. Raises OSError."""
    if len(paths) <= _FEW or _syncfs is None:
        _sync_each(paths)
    else:
        _sync_file_systems({path.rpartition("/")[0] or os.path.dirname(path) for path in paths})


def sync_folders(folders: Sequence[str]) -> None:
    """Wait until the names in the folders, after a rename, are on the disk. Raises OSError."""
    if len(folders) <= _FEW or _syncfs is None:
        _sync_each(folders)
    else:
        _sync_file_systems(folders)


def sync_tree(folder: str) -> None:
    """Wait until all below the folder, and its names, are on the disk. Raises OSError."""
    if _syncfs is not None:
        _sync_file_systems([folder])
        return
    for parent, _, names in os.walk(folder, topdown=False):
        # hidden files are ours and may be locked; closing a second descriptor would drop the lock
        _sync_each(path for name in names if not name.startswith(".") and os.path.isfile(path := f"{parent}/{name}"))
        _sync_each([parent])


def exchange(one: str, other: str) -> bool:
    """Swap two names in one step. Return False where the system or the file system cannot; raises OSError else."""
    if _renameat2 is None:
        return False
    try:
        _renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            return False
        raise
    return True


def _sync_each(paths: Iterable[str]) -> None:
    for path in paths:
        fd = os.open(path or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _sync_file_systems(folders: Iterable[str]) -> None:
    """Sync each file system that one of the folders lies on, once."""
    done: set[int] = set()
    for folder in folders:
        fd = os.open(folder or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            device = os.fstat(fd).st_dev
            if device not in done:
                done.add(device)
                assert _syncfs is not None
                _syncfs(fd)
        finally:
            os.close(fd)
