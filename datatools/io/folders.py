"""Making a folder: it is filled under the name OUT.partial and becomes OUT by one rename when it is whole.

A lock of the kernel on OUT.partial/.dt-lock, which ends with its process, keeps two runs apart; the same file tells a
leftover of ours, which is cleared, from a folder of the user that happens to have the name, which is never touched.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import xxhash

from datatools.core.errors import DatatoolsError, UsageError, escape
from datatools.core.result import plain
from datatools.io import journal, lineage, locks, temporary
from datatools.io.clearing import clear
from datatools.io.files import ABSENT, cannot, digest, walk
from datatools.io.room import Seen, seen
from datatools.io.syncing import exchange, sync_files, sync_folders, sync_tree

RECORD = "run.json"
"""The file in every output that says what made it."""

BASE = ".datatools/base"
"""The file in an output made item by item that tells apart what decides its bytes beside the items."""

LOCK = ".dt-lock"
"""The file in a folder that is being made by whose lock runs keep apart."""

_making: set[str] = set()  # the partial folders of this process, with a slash at the end


def base_of(out: str | Path) -> str:
    """What decides the bytes of a folder that was made item by item, or is being made; empty where it is none."""
    return _read(os.path.join(out, BASE))


def record_of(out: str | Path) -> dict[str, Any]:
    """The record of a finished output, its run.json; empty where there is none that can be read."""
    try:
        record = json.loads(_read(os.path.join(out, RECORD)))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def origin_of(out: str | Path) -> str:
    """The working directory of the run that made an output, from which relative inputs start; empty where nothing says.

    It is kept as the way that leads there from the output: one that was moved together with its inputs finds them.
    """
    with journal.Journal(Path(out) / journal.JOURNAL) as rows:
        row = rows.get(journal.RECORD_ROW)
    way = row.row.get("origin") if row and isinstance(row.row, dict) else None
    return os.path.normpath(os.path.join(os.path.realpath(out), way)) if isinstance(way, str) else ""


def is_ours(place: str | Path) -> bool:
    """Whether a folder has the lock of a run that is making it, or was cut off. What somebody copied has none."""
    return os.path.isfile(os.path.join(place, LOCK))


def hold(place: str | Path, held: ExitStack) -> None:
    """Lock a folder until `held` ends. Raises InUse where a run is making it, StorageError."""
    try:
        _lock(os.path.abspath(place), held)
    except OSError as error:
        raise cannot("write", place, error) from None


def clear_leftovers(out: str | Path) -> None:
    """Remove an old output that a run had replaced and then was cut off, or met an error, as it removed it.

    What a run can go on with stays. Never raises: it can wait for the next time.
    """
    target = os.path.abspath(out)
    for place in (target + ".partial", target + ".old"):
        with suppress(OSError, DatatoolsError), ExitStack() as held:
            if is_ours(place) and not base_of(place) and os.path.isdir(target):
                _lock(place, held)
                _remove(place)


def being_made(path: str) -> bool:
    """Tell whether a path lies in a folder that this process is making: its files are synced with the folder."""
    return bool(_making) and path.startswith(tuple(_making))


@contextmanager
def resumable(
    out: Path, *, inputs: Sequence[Path] = (), keep: str = "", force: bool = True, recorded: bool = False
) -> Iterator[Path]:
    """Make the folder `out` in several runs: yield OUT.partial as an earlier run left it; it becomes `out` at the end.

    The block fills it, writes run.json, and knows by a journal of its own what of it can be trusted. After an error
    everything stays for the next run. An `out` that datatools made is replaced, in one step where the system can.

    keep: the content of .datatools/base that the leftovers must have; others are cleared. force: as of `folder`.
    recorded: run.json and the journal are added as `folder` does it, and whatever else lies in .datatools is removed.

    Raises as `folder` does.
    """
    target = os.path.abspath(out)
    check(out, inputs=inputs, force=force)
    partial = target + ".partial"
    with ExitStack() as held:
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _open_partial(partial, held)
            _recover(target)
            if base_of(partial) != keep:
                clear(partial, keep=(LOCK,))
                home = os.path.join(partial, os.path.dirname(BASE))
                os.mkdir(home)
                temporary.rename(temporary.write(home, keep.encode()), os.path.join(partial, BASE))
            else:
                temporary.sweep(partial)
        except OSError as error:
            raise cannot("write", partial, error) from None
        _making.add(partial + os.sep)
        held.callback(_making.discard, partial + os.sep)
        yield Path(partial)
        try:
            if recorded:
                _finish(partial)
                _forget(partial)
            else:
                sync_tree(partial)
            _publish(partial, target, force, held)
        except OSError as error:
            raise cannot("write", target, error) from None


@contextmanager
def beside(file: Path) -> Iterator[str]:
    """Yield a hidden folder beside a file that is to be made; the file of its name in there gets its place at the end.

    Nothing is left after an error. Raises StorageError.
    """
    target = os.path.abspath(file)
    parent = os.path.dirname(target)
    try:
        os.makedirs(parent, exist_ok=True)
        temporary.sweep(parent, below=False)  # what a killed run left here
        place = temporary.make_folder(parent)
    except OSError as error:
        raise cannot("write", file, error) from None
    try:
        yield place
        made = os.path.join(place, os.path.basename(target))
        try:
            sync_files([made])
            os.replace(made, target)
            sync_folders([parent])
        except OSError as error:
            raise cannot("write", file, error) from None
    finally:
        temporary.remove_folder(place)


@contextmanager
def folder(out: Path, *, force: bool = False, inputs: Sequence[Path] = ()) -> Iterator[Path]:
    """Make the folder `out`: yield an empty one to fill, which becomes `out` when the block ends without an error.

        with folder(out, inputs=[src]) as partial:
            write_bytes(partial / "labels" / "a.txt", data)

    The record of the running operation is added as run.json, a journal of the files in .datatools. After an
    error nothing is left; what a killed run left is cleared by the next. With `force` an `out` that datatools made is
    replaced, in one step where the system can.

    Raises UsageError, before anything is written, where `out` exists and is not empty (with `force`: and has no
    run.json), is a file or a link, or is one of the inputs, inside one or around one. Raises InUse where another run is
    making it, StorageError where the disk fails.
    """
    target = os.path.abspath(out)
    check(out, inputs=inputs, force=force)
    partial = target + ".partial"
    with ExitStack() as held:
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _open_partial(partial, held)
            _recover(target)
            clear(partial, keep=(LOCK,))
        except OSError as error:
            raise cannot("write", partial, error) from None
        _making.add(partial + os.sep)
        held.callback(_making.discard, partial + os.sep)
        try:
            yield Path(partial)
            try:
                _finish(partial)
                _publish(partial, target, force, held)
            except OSError as error:
                raise cannot("write", target, error) from None
        except BaseException:
            with suppress(OSError):
                _remove(partial)
            raise


def check(out: Path, *, force: bool = False, inputs: Sequence[Path] = ()) -> None:
    """Raise the UsageError that `folder` would, for those that work long before they write."""
    _check_apart(out, inputs)
    _check_free(out, force)


def _check_apart(out: Path, inputs: Sequence[Path]) -> None:
    real = os.path.realpath(out)
    for given in inputs:
        other = os.path.realpath(given)
        if real == other:
            raise UsageError(f"{escape(out)}: the output is the input")
        shared = os.path.commonpath([real, other])
        if shared == other:
            raise UsageError(f"{escape(out)}: the output lies inside the input {escape(given)}; choose another place")
        if shared == real:
            raise UsageError(f"{escape(out)}: the input {escape(given)} lies inside the output; choose another place")


def _check_free(out: Path, force: bool) -> None:
    if os.path.islink(out):
        raise UsageError(f"{escape(out)}: is a symbolic link; name the folder itself")
    try:
        names = os.listdir(out)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise UsageError(f"{escape(out)}: is a file or lies below one, not a folder") from None
    except OSError as error:
        raise cannot("read", out, error) from None
    if not names:
        return
    if "datatools" not in record_of(out):
        raise UsageError(
            f"{escape(out)}: exists and was not made by datatools (it has no {RECORD} of ours); choose another place"
        )
    if not force:
        raise UsageError(f"{escape(out)}: exists and is not empty; replace it with --force or choose another place")


def _recover(target: str) -> None:
    """Undo a replacement that was killed between its two renames (see `_publish`)."""
    old = target + ".old"
    if is_ours(old):
        if os.path.lexists(target):
            _remove(old)
        else:
            os.rename(old, target)


def _open_partial(partial: str, held: ExitStack) -> None:
    """Make or take over the folder, and lock it. Raises OSError, and then a folder that was made is gone again."""
    made = False
    try:
        os.mkdir(partial)
        made = True
    except FileExistsError:
        if os.path.islink(partial) or not os.path.isdir(partial):
            raise UsageError(f"{escape(partial)}: is in the way; move it") from None
        names = os.listdir(partial)
        if names and LOCK not in names:
            raise UsageError(f"{escape(partial)}: is in the way and was not made by datatools; move it") from None
    try:
        _lock(partial, held)
    except OSError:
        if made:
            with suppress(OSError):
                _remove(partial)
        raise


def _lock(place: str, held: ExitStack) -> None:
    """Lock a folder until `held` ends."""
    locks.hold(os.path.join(place, LOCK), held, place)


def _read(path: str) -> str:
    """A small file of ours; empty where there is none, or none of ours. Raises StorageError."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except ValueError:
        return ""
    except OSError as error:
        if error.errno in ABSENT:
            return ""
        raise cannot("read", path, error) from None


def _finish(partial: str) -> None:
    """Add what the folder says about itself: run.json, and a journal with the digest of every file."""
    record = dict(lineage.current())
    if "op" in record:
        home = os.path.join(partial, os.path.dirname(journal.JOURNAL))
        os.makedirs(home, exist_ok=True)
        lines = []
        state = xxhash.xxh3_128()
        size = 0
        for one in _digests(partial):
            size += one.size
            state.update(os.fsencode(one.name) + b"\0" + one.digest.encode() + b"\0")
            lines.append(journal.Row(one.name, "", (), (one,)).line())
        record["outputs"] = {"files": len(lines), "bytes": size, "digest": state.hexdigest()}
        lines.append(write_record(partial, record))
        temporary.rename(temporary.write(home, b"".join(lines)), os.path.join(partial, journal.JOURNAL))
    else:
        write_record(partial, record)
    sync_tree(partial)


def _forget(partial: str) -> None:
    """Remove what only going on with the work would need."""
    home = os.path.join(partial, os.path.dirname(journal.JOURNAL))
    for name in os.listdir(home):
        if name != os.path.basename(journal.JOURNAL):
            os.unlink(os.path.join(home, name))


def write_record(partial: str, record: Mapping[str, Any]) -> bytes:
    """Write run.json into a folder that is being made; return its line for the journal. Raises OSError.

    The line also says where the run was started: run.json is the same wherever that is.
    """
    told = (json.dumps(plain(record), indent=2, ensure_ascii=False) + "\n").encode()
    path = os.path.join(partial, RECORD)
    temporary.rename(temporary.write(partial, told), path)
    made = seen(RECORD, os.stat(path), xxhash.xxh3_128_hexdigest(told))
    origin = os.path.relpath(os.getcwd(), os.path.realpath(partial.removesuffix(".partial")))
    return journal.Row(journal.RECORD_ROW, "", (), (made,), row={"origin": origin}).line()


def _digests(partial: str) -> Iterator[Seen]:
    """Every file below the folder; what is a link to an input is known already."""
    known = lineage.known_digests()
    for where, _, names in walk(partial):
        for name in names:
            relative = str(where / name)
            path = f"{partial}/{relative}"
            status = os.stat(path, follow_symlinks=False)
            key = (status.st_ino, status.st_size, status.st_mtime_ns)
            yield seen(relative, status, known.get(key) or digest(path))


def _publish(partial: str, target: str, force: bool, held: ExitStack) -> None:
    """Give the whole folder its name. The lock goes along, so that no other run can take the folder for a leftover."""
    replaces = force and os.path.isfile(os.path.join(target, RECORD))
    if not replaces:
        os.rename(partial, target)  # over an empty folder too; over a filled one the system refuses
    else:
        _lock(target, held)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(target, BASE))  # from now on it is a leftover, wherever it lies
        if not exchange(partial, target):
            os.rename(target, target + ".old")
            os.rename(partial, target)
            partial = target + ".old"
    sync_folders([os.path.dirname(target)])
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(target, LOCK))
    if replaces:
        _remove(partial)


def _remove(place: str) -> None:
    """Remove a folder of ours, the file that marks it as ours last: a kill in between leaves it recognisable."""
    clear(place, keep=(LOCK,))
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(place, LOCK))
    with suppress(FileNotFoundError):
        os.rmdir(place)
