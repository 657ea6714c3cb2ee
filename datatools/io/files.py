"""Reading bytes: only regular files, only as many bytes as were allowed, in an order that no machine changes.

A data set from elsewhere holds what nobody expects: a pipe named x.jpg blocks its reader for ever, a link points out of
the set, a device never ends. So nothing is opened by name and trusted: links are not followed, opening never waits, and
what was opened is looked at before it is read.

Everything here takes names as the operating system gives them; bytes that are not UTF-8 are fine.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, TypeGuard

import xxhash

from datatools.core.errors import DataError, StorageError, UsageError, escape

MAX_BYTES = 64 * 2**20
"""What `read_bytes` takes at most, unless told otherwise."""

MAX_DEPTH = 32
"""How deep `walk` goes; deeper nesting is an error, not a silent loss."""

Kind = Literal["file", "folder", "odd", "unreadable"]
"""What lies under a name: a regular file, a folder, a link or a pipe or the like, a folder that cannot be listed."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 2**20

ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG})
"""What the system says where there is no such file, and the disk is fine."""

_DISK = {
    getattr(errno, name, 0)
    for name in ("EACCES", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ENODEV", "ENOSPC", "EPERM", "EROFS", "ESTALE")
}

# what these say is a property of the name, not of the disk
_ODD_NAMES = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.ELOOP: "it is a symbolic link",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENXIO: "it is not a regular file",  # a socket
}


def unreadable(path: str | Path, message: str) -> DataError:
    """Return the error of an item that is not a file that can be read: code E-FILE-READ."""
    return DataError(path, 0, "E-FILE-READ", message)


def open_regular(path: str | Path) -> tuple[int, os.stat_result]:
    """Open a regular file for reading and return its descriptor, which the caller closes, and its state.

    Raises DataError E-FILE-READ for links, folders, pipes, sockets, devices and missing files, and StorageError where
    the disk or the rights fail.
    """
    try:
        fd = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno in _ODD_NAMES:
            raise unreadable(path, _ODD_NAMES[error.errno]) from None
        raise cannot("read", path, error) from None
    except ValueError:  # a NUL inside
        raise unreadable(path, "no file can have this name") from None
    state = os.fstat(fd)
    if stat.S_ISREG(state.st_mode):
        return fd, state
    os.close(fd)
    raise unreadable(path, "it is a folder" if stat.S_ISDIR(state.st_mode) else "it is not a regular file")


def cannot(verb: str, path: str | Path, error: OSError) -> StorageError:
    """Return the one-line StorageError of a failed system call: `cannot write a.xml: No space left on device`."""
    return StorageError(f"cannot {verb} {escape(path)}: {error.strerror or error}")


def disk_failed(error: BaseException) -> TypeGuard[OSError]:
    """Whether an error says that the disk or the rights fail, not that an item is bad.

    Libraries derive errors of their own from OSError, and use its numbers for what they think of a file.
    """
    return isinstance(error, OSError) and type(error).__module__ == "builtins" and error.errno in _DISK


def read_bytes(path: str | Path, limit: int = MAX_BYTES) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises DataError E-FILE-READ for what is no regular file (links are not followed) or is larger, StorageError where
    the disk or the rights fail.
    """
    return read_with_state(path, limit)[0]


def read_with_state(path: str | Path, limit: int = MAX_BYTES) -> tuple[bytes, os.stat_result]:
    """Read as `read_bytes` does; return the bytes and the file's state before they were read."""
    fd, state = open_regular(path)
    try:
        size = state.st_size
        if size > limit:
            raise unreadable(path, f"it has {size} bytes, more than {limit}")
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data, state
        # the file changes under us, or the file system gives less than it was asked for
        parts = [data]
        total = len(data)
        while data and total <= limit:
            data = os.read(fd, _CHUNK)
            parts.append(data)
            total += len(data)
        if total > limit:
            raise unreadable(path, f"it has more than {limit} bytes")
        return b"".join(parts), state
    except OSError as error:
        raise cannot("read", path, error) from None
    finally:
        os.close(fd)


def read_head(path: str | Path, size: int = 65536) -> tuple[bytes, int]:
    """Read the first bytes of a regular file, `size` of them or all there are; return them and the file's size.

    Raises as `read_bytes` does.
    """
    fd, state = open_regular(path)
    try:
        return os.pread(fd, size, 0), state.st_size
    except OSError as error:
        raise cannot("read", path, error) from None
    finally:
        os.close(fd)


def digest(path: str | Path) -> str:
    """Return the XXH3 128-bit digest of a regular file's bytes as 32 hexadecimal digits, in constant memory.

    Raises as `read_bytes` does; there is no limit on the size.
    """
    fd, _ = open_regular(path)
    try:
        state = xxhash.xxh3_128()
        while data := os.read(fd, _CHUNK):
            state.update(data)
        return state.hexdigest()
    except OSError as error:
        raise cannot("read", path, error) from None
    finally:
        os.close(fd)


def walk(root: str | Path) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
    """Yield (folder relative to the root, names of folders in it, names of regular files in it), root first.

    Names are sorted by their bytes, so every machine sees one order. Names that begin with a dot are skipped, and so is
    all that is neither a folder nor a regular file: pipes, sockets, devices, and symbolic links wherever they point,
    since a set must not change when something outside of it does. The root itself may be a link. Names removed from the
    list of folders are not entered.

    Raises UsageError where the root is no folder or folders are nested more than MAX_DEPTH deep, StorageError where a
    folder cannot be listed.
    """
    if not os.path.isdir(root):
        raise UsageError(f"{escape(root)}: no such folder")
    yield from _walk(os.fspath(root), PurePosixPath(), 0)


def _walk(folder: str, relative: PurePosixPath, depth: int) -> Iterator[tuple[PurePosixPath, list[str], list[str]]]:
    if depth > MAX_DEPTH:
        raise UsageError(f"{escape(folder)}: folders are nested more than {MAX_DEPTH} deep")
    folders, names = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError as error:
        raise cannot("read", folder, error) from None
    folders.sort(key=os.fsencode)
    names.sort(key=None if "".join(names).isascii() else os.fsencode)  # the same order, at a tenth of the cost
    yield relative, folders, names
    for name in folders:
        yield from _walk(os.path.join(folder, name), relative / name, depth + 1)


def inventory(root: str | Path, skip: Callable[[str], bool]) -> Iterator[tuple[str, Kind]]:
    """Yield the relative path and the kind of everything below a folder that `walk` shows or passes over.

    skip: tells by the path what is left out, with all below it. Links are not followed. A folder comes before what is
    in it, and once more as `unreadable` where it cannot be listed.
    """
    top = os.fspath(root)
    waiting = [""]
    while waiting:
        where = waiting.pop()
        try:
            with os.scandir(f"{top}/{where}") as entries:
                for entry in entries:
                    name = where + entry.name
                    if skip(name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{name}/")
                        yield name, "folder"
                    else:
                        yield name, "file" if entry.is_file(follow_symlinks=False) else "odd"
        except OSError:
            yield where.removesuffix("/"), "unreadable"


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Return size in bytes and modification time in nanoseconds of every file below a folder, by its relative path."""
    found = {}
    for folder, _, names in walk(root):
        where = f"{folder}/" if folder.parts else ""
        for name in names:
            status = os.stat(f"{root}/{where}{name}", follow_symlinks=False)
            found[where + name] = (status.st_size, status.st_mtime_ns)
    return found


def safe_component(name: str) -> bool:
    r"""Tell whether a name that came out of data may become one component of a path.

    It may not be empty, `.` or `..`, hold a slash, a backslash, a control character or a line separator, or be longer
    than 255 bytes.

    >>> [safe_component(name) for name in ("cat", "..", "a/b", "a\\b", "a\nb", "x" * 256)]
    [True, False, False, False, False, False]
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        return False
    if not name.isprintable() and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return False
    try:
        return len(os.fsencode(name)) <= 255
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
