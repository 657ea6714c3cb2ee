"""Temporary files: short names beside their targets, never in the way, never there for long.

They are called `.dt-tmp-<pid>-<n>`: `files.walk` does not see them, a target's name of 255 bytes leaves room for them,
and `sweep` knows which of them a killed process left.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

_PATTERN = re.compile(r"\.dt-tmp-([0-9]+)-[0-9]+")
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_numbers = count()
_own: set[str] = set()  # names that this process is working on


def create(folder: str) -> tuple[int, str]:
    """Make an empty temporary file in the folder; return its descriptor and its path. Raises OSError."""
    while True:
        name = f".dt-tmp-{os.getpid()}-{next(_numbers)}"
        path = f"{folder}/{name}" if folder else name
        _own.add(name)
        try:
            return os.open(path, _CREATE, 0o666), path
        except FileExistsError:  # left by a killed process that had our number
            _own.discard(name)
        except BaseException:
            _own.discard(name)
            raise


def write(folder: str, data: bytes, like: os.stat_result | None = None) -> str:
    """Make a temporary file with these bytes in the folder and return its path. Raises OSError and leaves nothing then.

    like: the file that it will replace, whose mode it takes, and whose owner where the rights allow.
    """
    fd, path = create(folder)
    try:
        try:
            write_all(fd, data)
            if like:
                if like.st_uid != os.geteuid() or like.st_gid != os.getegid():
                    with suppress(PermissionError):
                        os.fchown(fd, like.st_uid, like.st_gid)
                os.fchmod(fd, stat.S_IMODE(like.st_mode))
        finally:
            os.close(fd)
    except BaseException:
        remove(path)
        raise
    return path


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte; the system may take fewer at once. Raises OSError."""
    written = os.write(fd, data)
    while written < len(data):  # a nearly full disk, or more than 2 GiB
        written += os.write(fd, memoryview(data)[written:])


def make_folder(folder: str) -> str:
    """Make an empty temporary folder in a folder and return its path. Raises OSError."""
    while True:
        name = f".dt-tmp-{os.getpid()}-{next(_numbers)}"
        path = os.path.join(folder, name)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        _own.add(name)
        return path


def rename(path: str, target: str) -> None:
    """Put a temporary file under its name, over what is there. Raises OSError; then it is removed."""
    try:
        os.replace(path, target)
    except BaseException:
        remove(path)
        raise
    _own.discard(path.rpartition("/")[2])


def remove(path: str) -> None:
    """Remove a temporary file, if it is still there; never raises."""
    with suppress(OSError):
        os.unlink(path)
    _own.discard(path.rpartition("/")[2])


def remove_folder(path: str) -> None:
    """Remove a temporary folder with all in it, if it is still there; never raises."""
    shutil.rmtree(path, ignore_errors=True)  # which follows no link
    _own.discard(os.path.basename(path))


def leftovers(folder: str | Path, *, below: bool = True) -> Iterator[Path]:
    """Yield the temporary files and folders that killed processes left in a folder, and below unless told otherwise.

    Those of living processes are not among them, except where the number is this process's own and the file is not:
    numbers come again, inside a container nearly always.
    """
    for parent, folders, names in os.walk(folder):
        found = [name for name in (*names, *folders) if name.startswith(".dt-tmp-") and _is_left(name)]
        folders[:] = [name for name in folders if name not in found] if below else []
        yield from (Path(parent, name) for name in found)


def is_temporary(name: str) -> bool:
    """Whether a file or folder of that name is a temporary one of ours, in use or left behind."""
    return _PATTERN.fullmatch(name) is not None


def sweep(folder: str | Path, *, below: bool = True) -> int:
    """Remove what `leftovers` finds; return how many."""
    removed = 0
    for path in leftovers(folder, below=below):
        (remove_folder if os.path.isdir(path) else remove)(os.fspath(path))
        removed += not os.path.lexists(path)
    return removed


def _is_left(name: str) -> bool:
    match = _PATTERN.fullmatch(name)
    return match is not None and name not in _own and not _alive_elsewhere(int(match[1]))


def _alive_elsewhere(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is there, and someone else's
        return True
    return True
