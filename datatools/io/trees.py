"""What a folder holds: one digest of the names and states of all files below, or of their names and bytes.

Two equal fingerprints say that nobody touched anything in between: size, times of content and inode, and number of
every file are the same. A file that was changed within the clock's tick of being looked at would be missed, so a
fingerprint that is as young as that is not given.
"""

import contextlib
import json
import os
import struct
import time
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import xxhash

from datatools.core.errors import UsageError, escape
from datatools.io import files
from datatools.io.files import MAX_DEPTH, cannot
from datatools.io.halves import both
from datatools.io.room import Seen, seen

TICK_NS = 20_000_000
"""The clocks of file systems may stand still for so long."""

MANY = 2_000
"""From so many files on, two processes look at them or link them."""

_CHUNK = 250


class Folder(NamedTuple):
    """The files that lie in one folder itself. digest, content, files, newest_ns, linked: as of a Fingerprint."""

    digest: str
    content: str
    files: int
    newest_ns: int
    linked: bool


class Fingerprint(NamedTuple):
    """digest: of names and states. content: of names, sizes, times of content and inodes alone, which a new name for a
    file elsewhere does not change. files: how many. newest_ns: the latest change of all. linked: whether any has
    several names. folders: the same of each folder that has files, by its name relative to the root: `` and `a/b/`.
    """

    digest: str
    content: str
    files: int
    newest_ns: int
    linked: bool
    folders: Mapping[str, Folder]

    @property
    def settled(self) -> bool:
        """Whether a change of any file since would have changed its times; clocks that were set back are seen too."""
        return self.newest_ns + TICK_NS < time.time_ns()


def fingerprint(root: str | Path) -> Fingerprint:
    """Look at every file below a folder, or at the one file; hidden ones are passed over, as `files.walk` does.

    Raises UsageError where nothing is there, StorageError where a folder cannot be listed.
    """
    top = os.fspath(root)
    if not os.path.isdir(top):
        try:
            return _together({"": _folder("", {"": os.stat(top)})})
        except OSError:
            raise UsageError(f"{escape(root)}: no such file or folder") from None
    folders = {}
    waiting = [""]
    while waiting:
        relative = waiting.pop()
        if relative.count("/") > MAX_DEPTH:
            raise UsageError(f"{escape(top + '/' + relative)}: folders are nested more than {MAX_DEPTH} deep")
        found, inside = _states(f"{top}/{relative}")
        waiting += [f"{relative}{name}/" for name in inside]
        if found:
            folders[relative] = _folder(relative, found)
    return _together(folders)


def refreshed(root: str | Path, before: Fingerprint, names: Iterable[str]) -> Fingerprint:
    """An earlier fingerprint with some folders looked at anew, without those below them. names: as in `folders`.

    Raises StorageError where a folder cannot be listed.
    """
    folders = dict(before.folders)
    for name in names:
        path = f"{os.fspath(root)}/{name}"
        found, _ = _states(path) if os.path.isdir(path) else ({}, [])
        folders.pop(name, None)
        if found:
            folders[name] = _folder(name, found)
    return _together(folders)


def _states(folder: str) -> tuple[dict[str, os.stat_result], list[str]]:
    """The states of the files in a folder by their names, and the names of the folders in it."""
    found: dict[str, os.stat_result] = {}
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                if entry.is_file(follow_symlinks=False):
                    found[name] = entry.stat(follow_symlinks=False)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(name)
    except OSError as error:
        raise cannot("read", folder, error) from None
    return found, folders


def _folder(name: str, found: Mapping[str, os.stat_result]) -> Folder:
    names = sorted(found)
    states = [found[one] for one in names]
    changed = [one.st_ctime_ns for one in states]
    told = os.fsencode("/".join([name, *names, str(len(names))]))
    told += _packed([v for one in states for v in (one.st_size, one.st_mtime_ns, one.st_ino)])
    digest = xxhash.xxh3_128_hexdigest(told + _packed(changed))
    linked = max(one.st_nlink for one in states) > 1
    return Folder(digest, xxhash.xxh3_128_hexdigest(told), len(names), max(changed), linked)


def _packed(numbers: list[int]) -> bytes:
    return struct.pack(f"={len(numbers)}q", *numbers)


def _together(folders: Mapping[str, Folder]) -> Fingerprint:
    whole, content = xxhash.xxh3_128(), xxhash.xxh3_128()
    for name in sorted(folders):
        whole.update(folders[name].digest.encode())
        content.update(folders[name].content.encode())
    all_ = folders.values()
    newest = max((one.newest_ns for one in all_), default=0)
    linked = any(one.linked for one in all_)
    return Fingerprint(whole.hexdigest(), content.hexdigest(), sum(one.files for one in all_), newest, linked, folders)


class Unlinkable(Exception):
    """The file system gives no second name to a file."""


def link(old: str | Path, new: str | Path, leave: Container[str]) -> None:
    """Give every file below a folder a second name at the same place below another one; what has it there loses it.

    leave: names, relative to the folder, that are passed over, as hidden files are. Raises Unlinkable, StorageError.
    """
    top, target = os.fspath(old), os.fspath(new)
    chunks = []
    for folder, _, names in files.walk(top):
        where = f"{folder}/" if folder.parts else ""
        stays = [name for name in names if where + name not in leave]
        chunks += [(where, stays[i : i + _CHUNK]) for i in range(0, len(stays), _CHUNK)]

    def work(some: Iterable[tuple[str, list[str]]]) -> None:
        for where, names in some:
            _link_all(f"{top}/{where}", f"{target}/{where}", names)

    if sum(len(names) for _, names in chunks) >= MANY:
        both(work, chunks[0::2], chunks[1::2])
    else:
        work(chunks)


def _link_all(source: str, target: str, names: list[str]) -> None:
    from datatools.io.atomic import NO_LINKS

    try:
        os.makedirs(target, exist_ok=True)
        with _opened(source) as there, _opened(target) as here:
            for name in names:
                try:
                    os.link(name, name, src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)
                except FileExistsError:
                    os.unlink(name, dir_fd=here)
                    os.link(name, name, src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)
    except OSError as error:
        if error.errno in NO_LINKS:
            raise Unlinkable from None
        raise cannot("write", target, error) from None


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[int]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def count(root: str | Path) -> int:
    """How many files there are below a folder, as `fingerprint` counts them. Raises OSError."""
    found = 0
    waiting = [os.fspath(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_file(follow_symlinks=False):
                    found += 1
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return found


def settled(root: str | Path, before: Fingerprint | None = None, names: Collection[str] = ()) -> Fingerprint:
    """The fingerprint, taken once more after a moment where something has just been written.

    before, names: only these folders are looked at, as `refreshed` does.
    """

    def look() -> Fingerprint:
        return refreshed(root, before, names) if before else fingerprint(root)

    first = look()
    if first.settled:
        return first
    wait_ns = first.newest_ns + TICK_NS + 1_000_000 - time.time_ns()
    time.sleep(min(max(wait_ns, 0), 2 * TICK_NS) / 1e9)  # no longer than that where a file is of the future
    return look()


class Tree:
    """A file or folder by its bytes.

    cache: a file that remembers the digest of each file together with its state; only files that were touched since
    are read. digest: of the file, or of the names and contents of all files below the folder.

    Raises as `files.walk` and `files.digest` do.
    """

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self._root = root
        self._cache = cache
        self._rows: list[Seen] | None = None
        said = _load(cache)
        now = fingerprint(root)
        if said and said.fingerprint == now.digest:
            self.digest = said.digest
            return
        known = {one.name: one for one in said.rows()} if said else {}
        self._rows = [self._seen(name, path, known, said.taken_ns if said else 0) for name, path in _files(root)]
        self.digest = _digest_of(self._rows)
        self.save()

    @property
    def rows(self) -> list[Seen]:
        """Every file, in the order of a walk."""
        if self._rows is None:
            said = _load(self._cache)
            self._rows = list(said.rows()) if said else []
        return self._rows

    def by_inode(self) -> dict[tuple[int, int, int], str]:
        """The digests of the files by inode, size and time: a second name for one of them is known without reading."""
        return {(one.inode, one.size, one.mtime_ns): one.digest for one in self.rows}

    def save(self, cache: Path | None = None) -> None:
        """Write the cache, for a later run. What only got another name since, as our own links give it, is known."""
        from datatools.io import atomic

        self._cache = cache or self._cache
        if self._cache is None:
            return
        now, looked = time.time_ns(), fingerprint(self._root)
        fresh = []
        for one in self.rows:
            with contextlib.suppress(OSError):
                status = os.stat(self._root / one.name if one.name else self._root)
                if one.same_content(status):
                    fresh.append(seen(one.name, status, one.digest))
        whole = looked.digest if looked.settled and len(fresh) == len(self.rows) == looked.files else ""
        head = json.dumps({"fingerprint": whole, "digest": self.digest, "taken_ns": now})
        lines = [head, *(json.dumps(one) for one in fresh)]
        atomic.write_bytes(self._cache, "\n".join(lines).encode() + b"\n")

    def _seen(self, name: str, path: str, known: dict[str, Seen], taken_ns: int) -> Seen:
        status = os.stat(path, follow_symlinks=bool(not name))
        before = known.get(name)
        # what was changed within a tick of being read may have been changed after it
        if before and before.ctime_ns + TICK_NS < taken_ns and before.same_stat(status):
            return before
        return seen(name, status, files.digest(path))


class _Said(NamedTuple):
    """What a cache says. fingerprint: of the tree when it was taken; empty where it may have changed just then."""

    fingerprint: str
    digest: str
    taken_ns: int
    lines: list[bytes]

    def rows(self) -> Iterator[Seen]:
        for line in self.lines:
            yield Seen(*json.loads(line))


def _digest_of(rows: list[Seen]) -> str:
    if len(rows) == 1 and not rows[0].name:
        return rows[0].digest
    state = xxhash.xxh3_128()
    for one in rows:
        state.update(os.fsencode(one.name) + b"\0" + one.digest.encode() + b"\0")
    return state.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """Names and paths of all files below a folder; of a file, an empty name and its path."""
    top = os.fspath(root)
    if not os.path.isdir(root):
        yield "", top
        return
    for folder, _, names in files.walk(root):
        where = f"{folder}/" if folder.parts else ""
        yield from ((where + name, f"{top}/{where}{name}") for name in names)


def _load(cache: Path | None) -> _Said | None:
    try:
        lines = cache.read_bytes().splitlines() if cache else []
        head = json.loads(lines[0])
        return _Said(str(head["fingerprint"]), str(head["digest"]), int(head["taken_ns"]), lines[1:])
    except (OSError, ValueError, TypeError, IndexError, KeyError):
        return None
