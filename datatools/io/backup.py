"""What stood in a folder before datatools rewrote it: kept under ROOT/.datatools/backup/NNNN, given back by `restore`.

    ROOT/.datatools/lock                     held (lockf) by the run that writes in ROOT
    ROOT/.datatools/backup/0001/manifest.json    which files, their digests before and after, why
    ROOT/.datatools/backup/0001/files/...        the old files under their own relative paths
    ROOT/.datatools/backup/0002.undone/          a backup that was given back

The old files are hard links where the file system has them: a rewrite replaces the directory entry by a new file, so
the old one lives on here, unchanged and without a copy. A backup appears whole, by a rename, before the first file is
rewritten; backups are never deleted.
"""

import errno
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from datatools.core.errors import DataError, InUse, StorageError, UsageError, escape
from datatools.io import atomic, files, syncing

HOME = ".datatools"
VERSION = 1
MANIFEST_LIMIT = 1 << 30
UNDONE = ".undone"
PARTIAL = ".partial"

_held: set[str] = set()


class Change(NamedTuple):
    """The digests (xxh3_128, hexadecimal) of a file before and after a rewrite; "" before: the file is new."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What giving back a backup did, or would do. Names are relative to the root.

    replaced: files that have their old content again. removed: files that the rewrite had made.
    kept: files that the rewrite had made and somebody changed since; they stay.
    """

    backup: Path
    reason: str
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def digest_of(data: bytes) -> str:
    """Return the digest by which backups know a content.

    >>> digest_of(b"")
    '99aa06d3014798d86001c324468d497f'
    """
    return xxhash.xxh3_128_hexdigest(data)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the folder for writing; a second run gets InUse at once. A lock dies with its process, it cannot go stale.

    May be nested inside one process. Raises StorageError where the folder cannot be written.
    """
    key = os.path.realpath(root)
    if key in _held:  # closing a second descriptor of the file would drop the lock
        yield
        return
    descriptor = _open_lock(root)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise files.cannot("lock", root, error) from None
        raise InUse(f"{escape(root)} is in use by another run of datatools (wait for it, or end it)") from error
    _held.add(key)
    try:
        yield
    finally:
        _held.discard(key)
        os.close(descriptor)


def check_rewritable(root: str | Path, name: str) -> None:
    """Raise DataError if rewriting the file would cut or change what other names lead to.

    Symbolic links and files with several hard links are refused; links that our own backups hold do not count.
    """
    status = os.lstat(f"{root}/{name}")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(name, 0, "E-FILE-LINK", "is not a regular file", "fix into a new folder: -o OUT")
    if status.st_nlink > 1:
        # what a killed run left counts as well: NNNN.partial
        kept = (folder / part / name for folder in _everything(Path(root)) for part in ("files", "replaced"))
        ours = sum(_is_link_to(path, status) for path in kept)
        if status.st_nlink - ours > 1:
            what = f"has {status.st_nlink - ours} names (hard links), a rewrite would part them"
            raise DataError(name, 0, "E-FILE-LINK", what, "fix into a new folder: -o OUT")


def save(root: Path, changes: Mapping[str, Change], reason: str) -> Path:
    """Keep the files that are about to be rewritten; return the backup's folder, which is durable by then.

    changes: by path relative to root, with "/". Call it, and rewrite, inside `locked(root)`.
    Raises StorageError where the backup cannot be written; nothing has been changed then.
    """
    home = _home(root)
    numbers = [int(folder.name.partition(".")[0]) for folder in _folders(root)]
    final = home / f"{max(numbers, default=0) + 1:04d}"
    partial = final.with_name(final.name + PARTIAL)
    try:
        if partial.exists():  # a killed run's: links to files that it had not touched yet
            shutil.rmtree(partial)
        partial.mkdir()
        source, kept = os.fspath(root), f"{partial}/files"
        made = set()
        for name, change in changes.items():
            if change.before:
                inner = name.rpartition("/")[0]
                if inner not in made:
                    os.makedirs(f"{kept}/{inner}", exist_ok=True)
                    made.add(inner)
                _keep(f"{source}/{name}", f"{kept}/{name}")
        manifest = {"version": VERSION, "reason": reason, "files": dict(changes)}
        atomic.write_bytes(partial / "manifest.json", json.dumps(manifest).encode())
        syncing.sync_tree(str(partial))
        partial.rename(final)
        syncing.sync_folders([str(home)])
    except (OSError, StorageError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{escape(partial)}: the backup cannot be written: {error.strerror}") from error
    return final


def rewrite(
    root: Path, contents: Mapping[str, bytes], reason: str, *, before: Mapping[str, str] | None = None
) -> Path | None:
    """Write several files of a folder, each whole or not at all, after a backup of what stood there.

    contents: new bytes by path relative to root, with "/"; files that have them already are left alone.
    before: digests of the files that the caller has read, and seen to be rewritable, since it holds the lock.
    Returns the backup's folder, None where nothing had to be written. Raises InUse, StorageError, and DataError for a
    file that must not be rewritten.
    """
    known = before or {}
    with locked(root):
        changes = {}
        for name, data in contents.items():
            change = Change(known[name] if name in known else _digest_before(root, name), digest_of(data))
            if change.before != change.after:
                changes[name] = change
        if not changes:
            return None
        folder = save(root, changes, reason)
        source = os.fspath(root)
        with atomic.Batch() as batch:
            for name in changes:
                batch.write(f"{source}/{name}", contents[name])
        return folder


def _digest_before(root: Path, name: str) -> str:
    if not os.path.lexists(root / name):
        return ""
    check_rewritable(root, name)
    return files.digest(root / name)


def restore(root: Path, *, force: bool = False, dry_run: bool = False) -> Restored:
    """Give back the newest backup that was not given back yet, and mark it as undone.

    Each file is old or new at any moment; a killed run is continued by the next. Files that somebody changed since are
    replaced only with force, and then kept inside the backup's folder under replaced/.
    Raises UsageError where there is no backup, where it is damaged, or where a file was changed since.
    """
    with locked(root):
        folder = newest(root)
        if folder is None:
            raise UsageError(f"{escape(root)}: there is nothing to undo (no backup in {HOME}/backup)")
        reason, changes = _read_manifest(folder)
        replaced: list[str] = []
        removed: list[str] = []
        kept: list[str] = []
        foreign: list[str] = []
        damaged: list[str] = []
        for name, change in changes.items():
            now = files.digest(root / name) if os.path.lexists(root / name) else ""
            if now == change.before or _is_same(root / name, folder / "files" / name):
                continue  # it was never rewritten, or has its old content again
            if not change.before:
                (removed if now == change.after else kept).append(name)
                continue
            replaced.append(name)
            if now != change.after:
                foreign.append(name)
            if not (folder / "files" / name).is_file() or files.digest(folder / "files" / name) != change.before:
                damaged.append(name)
        if damaged:
            raise UsageError(f"{escape(folder)}: the backup is damaged: {_some(damaged)}")
        if foreign and not force:
            raise UsageError(
                f"{escape(root)}: changed or deleted since '{reason}': {_some(foreign)} "
                f"(--force replaces them; their present content is then kept in {escape(folder.name)}{UNDONE}/replaced)"
            )
        done = folder.with_name(folder.name + UNDONE)
        restored = Restored(folder if dry_run else done, reason, tuple(replaced), tuple(removed), tuple(kept))
        if not dry_run:
            _give_back(root, folder, replaced, removed, foreign)
            folder.rename(done)
            syncing.sync_folders([str(done.parent)])
        return restored


def newest(root: Path) -> Path | None:
    """Return the folder of the backup that `restore` would give back."""
    standing = [folder for folder in _folders(root) if not folder.suffix]
    return max(standing, key=lambda folder: int(folder.name), default=None)


def _give_back(root: Path, folder: Path, replaced: list[str], removed: list[str], foreign: list[str]) -> None:
    for name in foreign:
        if os.path.lexists(root / name):
            target = folder / "replaced" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # of a killed run
            _keep(f"{root}/{name}", str(target))
    with atomic.Batch() as batch:
        for name in replaced:
            batch.write(root / name, files.read_bytes(folder / "files" / name, limit=MANIFEST_LIMIT))
    for name in removed:
        (root / name).unlink()


def _open_lock(root: Path) -> int:
    try:
        _home(root)
        return os.open(root / HOME / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StorageError(f"{escape(root)}: cannot be written: {error.strerror}") from error


def _home(root: Path) -> Path:
    home = root / HOME / "backup"
    home.mkdir(parents=True, exist_ok=True)
    for folder in (root / HOME, home):
        if folder.is_symlink():
            raise StorageError(f"{escape(folder)}: is a link, no backup is written through it (remove the link)")
    return home


def _folders(root: Path) -> list[Path]:
    """The backups, undone ones too; not what a killed run left."""
    return [path for path in _everything(root) if path.name.removesuffix(UNDONE).isdecimal()]


def _everything(root: Path) -> list[Path]:
    home = root / HOME / "backup"
    return list(home.iterdir()) if home.is_dir() else []


def _is_same(path: Path, other: Path) -> bool:
    return os.path.lexists(path) and _is_link_to(other, os.lstat(path))


def _is_link_to(path: Path, status: os.stat_result) -> bool:
    try:
        other = os.lstat(path)
    except OSError:
        return False
    return (other.st_dev, other.st_ino) == (status.st_dev, status.st_ino)


def _keep(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(escape(name) for name in names[:3]) + more


def _read_manifest(folder: Path) -> tuple[str, dict[str, Change]]:
    path = folder / "manifest.json"
    try:
        manifest: Any = json.loads(files.read_bytes(path, limit=MANIFEST_LIMIT))
        if manifest["version"] != VERSION:
            raise UsageError(f"{escape(path)}: was written by another version of datatools")
        changes = {str(name): Change(str(before), str(after)) for name, (before, after) in manifest["files"].items()}
        reason = str(manifest["reason"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError) as error:
        raise UsageError(f"{escape(path)}: the backup is damaged: {escape(error)}") from error
    root = folder.parents[2]
    for parent in {os.path.dirname(name) for name in changes}:
        inside = all(part not in ("", ".", "..") for part in parent.split("/")) if parent else True
        if not inside or os.path.realpath(root / parent) != os.path.join(os.path.realpath(root), parent).rstrip("/"):
            raise UsageError(f"{escape(path)}: names a place outside the set: {escape(parent)}")
    if any(name.rpartition("/")[2] in ("", ".", "..") for name in changes):
        raise UsageError(f"{escape(path)}: names a place outside the set")
    return reason, changes
