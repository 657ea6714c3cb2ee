"""Where the outputs of one item go: files below the folder that is being made, remembered with their digests.

Nothing is synced here and no name is temporary: nobody looks into the folder before it is whole, and a file counts only
once the journal names it, which happens after it was brought to the disk.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import xxhash

from datatools.core.errors import DataError, StorageError
from datatools.io import files, temporary
from datatools.io.files import cannot

_PLAIN = re.compile(r"\w[\w. -]{0,200}(?:/\w[\w. -]{0,200})*", re.ASCII).fullmatch  # most names
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Seen(NamedTuple):
    """A file as it was when its digest was taken.

    size: bytes. mtime_ns, ctime_ns: times of content and inode. inode: its number. digest: XXH3, 128 bits.
    """

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    digest: str

    def same_stat(self, status: os.stat_result) -> bool:
        """Whether the file has not been touched since."""
        return (self.size, self.mtime_ns, self.ctime_ns, self.inode) == (
            status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino,
        )  # fmt: skip

    def same_content(self, status: os.stat_result) -> bool:
        """Whether nothing was written since; the file may have been renamed or linked, as we do ourselves."""
        return (self.size, self.mtime_ns, self.inode) == (status.st_size, status.st_mtime_ns, status.st_ino)

    def same_content_as(self, other: "Seen") -> bool:
        """Whether both are one file with the same bytes, whatever names it was given in between."""
        return (self.size, self.mtime_ns, self.inode) == (other.size, other.mtime_ns, other.inode)


def seen(name: str, status: os.stat_result, digest: str) -> Seen:
    """The file of that state and digest."""
    return Seen(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, digest)


class Room:
    """Takes the outputs of one item. root: the folder that is being made."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.made: list[Seen] = []

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Write a file. name: relative to the root, `/` between folders. Raises StorageError; nothing is left then."""
        path = self._path(name)
        try:
            fd = self._open(path)
            try:
                temporary.write_all(fd, data)
                status = os.fstat(fd)
            finally:
                os.close(fd)
        except OSError as error:
            temporary.remove(path)
            raise cannot("write", path, error) from None
        self.made.append(seen(name, status, xxhash.xxh3_128_hexdigest(data)))

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[str]:
        """Yield a path that the block fills, for encoders that want to write themselves. Raises StorageError."""
        path = self._path(name)
        try:
            os.close(self._open(path))
            yield path
            digest = files.digest(path)
            self.made.append(seen(name, os.stat(path), digest))
        except OSError as error:
            temporary.remove(path)
            raise cannot("write", path, error) from None
        except BaseException:
            temporary.remove(path)
            raise

    def link(self, source: str, name: str, digest: str) -> None:
        """Give a file of the input a second name, or a copy where there can be none. digest: of its bytes."""
        from datatools.io import atomic

        path = self._path(name)
        try:
            try:
                atomic.link_or_copy(source, path)
            except StorageError:
                if not os.path.lexists(path):
                    raise
                os.unlink(path)  # what a run left that was cut off
                atomic.link_or_copy(source, path)
            self.made.append(seen(name, os.stat(path, follow_symlinks=False), digest))
        except OSError as error:
            raise cannot("write", path, error) from None

    def discard(self) -> None:
        """Remove what was made: the item failed."""
        for one in self.made:
            temporary.remove(os.path.join(self.root, one.name))
        self.made.clear()

    def _path(self, name: str) -> str:
        if not _PLAIN(name) and not all(files.safe_component(part) for part in name.split("/")):
            raise DataError(name, 0, "E-NAME", "cannot be the name of an output", "rename the item")
        return f"{self.root}/{name}"

    @staticmethod
    def _open(path: str) -> int:
        """Create a file. What has the name may be a second name for a file of the old output, which must not change."""
        try:
            return os.open(path, _FLAGS, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except FileExistsError:
            os.unlink(path)
        return os.open(path, _FLAGS, 0o666)
