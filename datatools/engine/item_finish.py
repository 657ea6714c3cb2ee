"""The end of a run over items: the journal in the order of the set, the files of the whole set, run.json."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import datatools
from datatools.core.errors import DataError
from datatools.core.values import Source, printable
from datatools.engine.item_job import CARRIED, MANIFEST, ItemJob
from datatools.engine.item_plan import Decision
from datatools.engine.item_result import FAILURES, SHOWN_FAILURES
from datatools.engine.tally import Tally


class Told(NamedTuple):
    """What is said of the items at the end. failures: the first items that failed. remarks: the first things that were
    lost of items that were made all the same, or are worth a word. incomplete: items that lost something. counts: what
    the codec counted in the set. files: the names of those of the whole set."""

    failures: tuple[dict[str, Any], ...] = ()
    remarks: tuple[dict[str, Any], ...] = ()
    incomplete: int = 0
    counts: dict[str, int] = {}
    files: tuple[str, ...] = ()


def keep(out: Path, partial: Path, decision: Decision) -> bytes:
    """Give the outputs of a kept item a second name in the folder that is being made; return its journal line."""
    from datatools.io import journal
    from datatools.io.room import Room

    room = Room(os.fspath(partial))
    for one in decision.outputs:
        room.link(f"{out}/{one.name}", one.name, one.digest)
    if all(a.same_content_as(b) for a, b in zip(room.made, decision.outputs, strict=True)):
        return decision.line
    return journal.replaced(decision.line, tuple(room.made))


def refresh(out: Path, lines: dict[str, bytes]) -> None:
    """Put lines in the place of older ones of the same items in a finished output's journal."""
    from datatools.io import atomic, journal

    if not lines:
        return
    with journal.Journal(out / journal.JOURNAL) as before:
        kept = [lines.get(row.id) or row.line() for row in before.rows()]
    atomic.write_bytes(out / journal.JOURNAL, b"".join(kept))


def finish(
    job: ItemJob,
    sources: Callable[[], Iterator[Source]] | None,
    partial: Path,
    record: dict[str, Any],
    tally: Tally,
) -> Told:
    """Make the folder whole; return what has to be told of its items.

    sources: the items, where the rows have to be gone through in the order of the set; without them the journal stays
    in the order of the work, and `tally` is what it adds up to.

    Raises DataError E-ITEM-NAMES where two items made a file of the same name, StorageError.
    """
    from datatools.io import folders, journal, lineage, trees
    from datatools.io.files import cannot
    from datatools.io.room import Room

    where = os.fspath(partial)
    room = Room(where)
    path = partial / journal.JOURNAL
    heard = _Heard()
    try:
        with contextlib.suppress(FileNotFoundError):  # of an end that was cut off
            os.unlink(partial / folders.RECORD)
        if sources is not None:
            tally = _put_in_order(job, sources(), path, room, heard, record)
        if heard.failures or heard.lost:
            room.write(FAILURES, b"".join([*heard.failures, *heard.lost]))
        tally.add((), room.made)
        if trees.count(partial) != tally.outputs:
            _sweep(partial, path, {one.name for one in room.made})
        said = {"datatools": datatools.__version__, **record, "key": job.base, "packages": lineage.packages()}
        said |= {**tally.told(), "failures": len(heard.failures)}
        last = [journal.Row(journal.SET_ROW, job.base, (), tuple(room.made)).line(), folders.write_record(where, said)]
        with open(path, "ab") as file:
            file.write(b"".join(last))
    except OSError as error:
        raise cannot("write", partial, error) from None
    failures = tuple(json.loads(line)["error"] for line in heard.failures[:SHOWN_FAILURES])
    files = tuple(one.name for one in room.made)
    return Told(failures, tuple(heard.remarks[:SHOWN_FAILURES]), heard.incomplete, heard.counts, files)


@contextlib.contextmanager
def _manifest(
    job: ItemJob, rows: Iterator[tuple[Source, Any]], room: Any, record: dict[str, Any]
) -> Iterator[Iterator[tuple[Source, Any]]]:
    """Hand the codec's notes on, and write a line of the manifest for each new item on the way."""
    about = {"op": record["op"], "version": record["version"], "seed": job.seed}
    with room.file(MANIFEST) as path, open(path, "wb") as file:

        def passing() -> Iterator[tuple[Source, Any]]:
            for source, made in rows:
                for _, told in made:
                    entry = {"files": told["files"], "source": printable(source.id), "split": source.group}
                    entry |= {**about, **told} if "copy" in told else {}
                    entry = {key: value for key, value in entry.items() if value != ""}
                    file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
                yield source, [note for note, _ in made]

        yield passing()


class _Heard:
    """What the rows say that is worth a word: lines for the list of failures, remarks, how many lost something."""

    def __init__(self) -> None:
        self.failures: list[bytes] = []
        self.lost: list[bytes] = []
        self.remarks: list[dict[str, Any]] = []
        self.incomplete = 0
        self.counts: dict[str, int] = {}

    def failure(self, source: Source, error: Any) -> None:
        """Take an item that failed."""
        entry = {"item": printable(source.id), "error": error}
        self.failures.append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def note(self, source: Source, note: Any) -> None:
        """Take what a codec has `told` of an item that was made: what of it was lost, and remarks (codes W-)."""
        notes = note if isinstance(note, list) else [note]
        told = [error for one in notes if isinstance(one, dict) for error in one.get("told", ())]
        lost = [error for error in told if not error["code"].startswith("W-")]
        self.incomplete += bool(lost)
        self.remarks += told if len(self.remarks) < SHOWN_FAILURES else []
        for error in lost:
            entry = {"item": printable(source.id), "error": error, "made": True}
            self.lost.append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")


def _put_in_order(
    job: ItemJob, sources: Iterator[Source], path: Path, room: Any, heard: _Heard, record: dict[str, Any]
) -> Tally:
    """Write the journal anew in the order of the set, without rows of items that are gone; let the codec make the files
    of the whole set. Raises OSError."""
    from datatools.io import journal, syncing, temporary

    tally = Tally()
    ordered = path.with_name("journal.ordered")

    def rows(lines: journal.Journal, file: Any) -> Iterator[tuple[Source, Any]]:
        for source, place in lines.found(sources):
            if place < 0:  # the input changed while the run was going on
                continue
            line = lines.at(place)
            file.write(line)
            row = journal.parse(line)
            tally.add(row.inputs, row.outputs)
            if row.error is not None:
                heard.failure(source, row.error)
            elif source.kind != CARRIED:
                heard.note(source, row.row)
                yield source, row.row

    try:
        with journal.Journal(path) as lines, open(ordered, "wb") as file:
            noted = rows(lines, file)
            with _manifest(job, noted, room, record) if job.tells_draws else contextlib.nullcontext(noted) as pairs:
                heard.counts = dict(job.writer.finish(pairs, Path(job.root), room) or {})
                for _ in pairs:  # what the codec did not want to know
                    pass
        syncing.sync_files([os.fspath(ordered)])  # it takes the place of rows that are on the disk
        os.replace(ordered, path)
    finally:
        temporary.remove(os.fspath(ordered))
    return tally


def _sweep(partial: Path, path: Path, named: set[str]) -> None:
    """Remove files that neither a row nor `named` names: a worker was killed between writing and telling.

    Raises DataError E-ITEM-NAMES where a file is named by two rows.
    """
    from datatools.io import files, journal

    with journal.Journal(path) as rows:
        for row in rows.rows():
            for one in row.outputs:
                if one.name in named:
                    what = "is what two items would be called in the output"
                    raise DataError(printable(one.name), 0, "E-ITEM-NAMES", what, "rename one of them")
                named.add(one.name)
    for folder, _, names in files.walk(partial):
        where = f"{folder}/" if folder.parts else ""
        for name in names:
            if where + name not in named:
                os.unlink(partial / (where + name))
