"""Writing bytes: a file or a folder appears whole or not at all, whatever kills the writer.

A file is written under a temporary name beside its target, brought to the disk, then renamed over it. Without the
middle step a power cut leaves *empty* files under the final names, since file systems may order a rename before the
data. Bringing each file to the disk alone costs 5 ms, so `Batch` does it for 256 at once. A folder is made under the
name OUT.partial and renamed when it is whole (`folder`).
"""

import errno
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from datatools.core.errors import DataError
from datatools.io import temporary
from datatools.io.files import cannot, open_regular
from datatools.io.folders import being_made, folder
from datatools.io.syncing import sync_files, sync_folders
from datatools.io.temporary import sweep

__all__ = ["BATCH_FILES", "Batch", "folder", "link_or_copy", "sweep", "write_bytes"]

BATCH_FILES = 256
"""So many files are brought to the disk together."""

_CHUNK = 2**20
NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file: afterwards it holds `data` and is on the disk; killed before that, it is what it was.

    An existing file keeps its mode, and its owner where the rights allow; missing folders are made. Inside a folder
    that `folder` is making nothing is synced here: all of it is, at once, before it appears.

    Raises DataError E-FILE-TARGET where the target is a link or no regular file, StorageError where the disk fails; no
    temporary file stays.
    """
    with Batch() as batch:
        batch.write(path, data)


class Batch:
    """Writes many files, each one old or new at any moment, at a fraction of the cost of one by one.

        with Batch() as batch:
            for path, data in changes:
                batch.write(path, data)

    Files appear under their names in groups of up to 256, the last ones when the block ends, and are on the disk then.
    When the block ends with an error, those that have not appeared are dropped. A path written twice ends with the
    later bytes.

    refuse_links: a file with a second hard link is refused too: replacing it would part it from its twin.
    """

    def __init__(self, *, refuse_links: bool = False) -> None:
        self._refuse_links = refuse_links
        self._pending: list[tuple[str, str, str]] = []  # temporary file, target, its folder
        self._synced: dict[str, bool] = {}  # folder: whether its files are to be synced by us
        self._renamed: set[str] = set()  # folders whose renames are not yet on the disk

    def write(self, path: str | Path, data: bytes) -> None:
        """Take one file. It may not be visible before the block ends.

        Raises DataError E-FILE-TARGET, after which the batch can go on, where the target is a link or no regular file;
        StorageError where the disk fails.
        """
        target = os.fspath(path)
        parent = target.rpartition("/")[0] or os.path.dirname(target)  # the first alone is quick
        try:
            if parent not in self._synced:
                os.makedirs(parent or ".", exist_ok=True)
                self._synced[parent] = not being_made(target)
                if self._synced[parent]:
                    temporary.sweep(parent or ".", below=False)  # what a killed run left here
            if not self._synced[parent] and _create(target, data):
                return  # nobody sees it before the folder is whole
            old = _state(target)
            if old:
                _check_replaceable(target, old, self._refuse_links)
            self._pending.append((temporary.write(parent, data, like=old), target, parent))
        except OSError as error:
            raise cannot("write", path, error) from None
        if len(self._pending) >= BATCH_FILES:
            self.flush()

    def flush(self) -> None:
        """Bring what was written so far to the disk, then put it under its names. Raises StorageError."""
        if not self._pending:
            return
        at = self._pending[0][1]
        try:
            sync_files([made for made, _, parent in self._pending if self._synced[parent]])
            for made, target, parent in self._pending:
                at = target
                temporary.rename(made, target)
                self._renamed.add(parent)
        except OSError as error:
            self._drop()
            raise cannot("write", at, error) from None
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._drop()
            return
        self.flush()
        at = ""
        try:
            sync_folders([at := parent for parent in self._renamed if self._synced[parent]])
        except OSError as failure:
            raise cannot("write", at or ".", failure) from None

    def _drop(self) -> None:
        for made, _, _ in self._pending:
            temporary.remove(made)
        self._pending.clear()


def _create(target: str, data: bytes) -> bool:
    """Write a file that is not there yet under its own name; False where there is one. Raises OSError."""
    try:
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        temporary.write_all(fd, data)
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(fd)
    return True


def _state(target: str) -> os.stat_result | None:
    try:
        return os.lstat(target)
    except FileNotFoundError:
        return None


def _check_replaceable(target: str, old: os.stat_result, refuse_links: bool) -> None:
    if stat.S_ISREG(old.st_mode):
        if old.st_nlink == 1 or not refuse_links:
            return
        what, remedy = f"it has {old.st_nlink} hard links", "work on a copy of the set"
    elif stat.S_ISLNK(old.st_mode):
        what, remedy = "it is a symbolic link", "name the file that it points to"
    else:
        what, remedy = "it is a folder" if stat.S_ISDIR(old.st_mode) else "it is not a regular file", ""
    raise DataError(target, 0, "E-FILE-TARGET", f"cannot be replaced: {what}", remedy)


def link_or_copy(source: str | Path, target: str | Path, how: Literal["hard", "sym", "copy"] = "hard") -> None:
    """Give a regular file a second name, inside a folder that is being made.

    hard: a hard link, or a copy where the file system has none or the two lie on different ones.
    sym: a symbolic link to the absolute path. copy: a copy of the bytes, whole or absent.

    Raises DataError E-FILE-READ where the source is no regular file, StorageError where the target exists or the disk
    fails.
    """
    try:
        if how == "hard" and _link(source, target):
            return
    except OSError as error:
        raise cannot("write", target, error) from None
    fd, _ = open_regular(source)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if how == "sym":
            os.symlink(os.path.abspath(source), target)
        else:
            _copy(fd, target)
    except OSError as error:
        raise cannot("write", target, error) from None
    finally:
        os.close(fd)


def _link(source: str | Path, target: str | Path) -> bool:
    """Make a hard link; False where there can be none, or the source is no regular file. Raises OSError."""
    try:
        if not stat.S_ISREG(os.lstat(source).st_mode):
            return False
        try:
            os.link(source, target, follow_symlinks=False)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (*NO_LINKS, errno.ENOENT, errno.ENOTDIR):
            return False
        raise
    return True


def _copy(source_fd: int, target: str | Path) -> None:
    fd, made = temporary.create(os.path.dirname(target))
    try:
        try:
            while data := os.read(source_fd, _CHUNK):
                temporary.write_all(fd, data)
        finally:
            os.close(fd)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        temporary.rename(made, os.fspath(target))
    finally:
        temporary.remove(made)
