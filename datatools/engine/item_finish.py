"""The end of a run over items: the journal in the order of the set, the files of the whole set, run.json."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datatools
from datatools.core.errors import DataError
from datatools.core.values import Source, printable
from datatools.engine.item_job import CARRIED, ItemJob
from datatools.engine.item_plan import Decision
from datatools.engine.item_result import FAILURES, SHOWN_FAILURES


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
    job: ItemJob, sources: Callable[[], Iterator[Source]], partial: Path, record: dict[str, Any]
) -> tuple[dict[str, Any], ...]:
    """Make the folder whole; return the first of the failures.

    Raises DataError E-ITEM-NAMES where two items made a file of the same name.
    """
    from datatools.io import folders, journal, lineage, syncing, temporary, trees
    from datatools.io.files import cannot
    from datatools.io.room import Room

    ending = _Ending()
    where = os.fspath(partial)
    room = Room(where)
    path = partial / journal.JOURNAL
    ordered = path.with_name("journal.ordered")
    try:
        with journal.Journal(path) as lines, open(ordered, "wb") as file:
            rows = ending.rows(sources(), lines, file)
            job.writer.finish(rows, Path(job.root), room)
            for _ in rows:  # what the codec did not want to know
                pass
            if ending.failures:
                room.write(FAILURES, b"".join(ending.failures))
            ending.see_outputs(room.made)
            file.write(journal.Row(journal.SET_ROW, job.base, (), tuple(room.made)).line())
            with contextlib.suppress(FileNotFoundError):  # of an end that was cut off
                os.unlink(partial / folders.RECORD)
            if trees.fingerprint(partial).files != ending.files:
                file.flush()
                _sweep(partial, ordered)
            told = {"datatools": datatools.__version__, **record, "key": job.base, "packages": lineage.packages()}
            file.write(folders.write_record(where, told | ending.summary()))
        syncing.sync_files([os.fspath(ordered)])  # it takes the place of rows that are on the disk
        temporary.rename(os.fspath(ordered), os.fspath(path))
    except BaseException as error:
        temporary.remove(os.fspath(ordered))
        if isinstance(error, OSError):
            raise cannot("write", partial, error) from None
        raise
    return tuple(json.loads(line)["error"] for line in ending.failures[:SHOWN_FAILURES])


class _Ending:
    """Goes through the rows in the order of the set and adds up what run.json says of them."""

    def __init__(self) -> None:
        import xxhash

        self.files = 0
        self.failures: list[bytes] = []
        self._bytes = 0
        self._inputs = 0
        self._read, self._made = xxhash.xxh3_128(), xxhash.xxh3_128()

    def rows(self, sources: Iterator[Source], lines: Any, file: Any) -> Iterator[tuple[Source, Any]]:
        """Write the line of every source; yield what was noted of the items that were made."""
        from datatools.io import journal

        for source in sources:
            line = lines.line(source.id)
            if line is None:  # the input changed while the run was going on
                continue
            file.write(line)
            row = journal.parse(line)
            self._inputs += len(row.inputs)
            for one in row.inputs:
                self._read.update(f"{printable(one.name)}\0{one.digest}\0".encode())
            self.see_outputs(row.outputs)
            if row.error is not None:
                entry = {"item": printable(source.id), "error": row.error}
                self.failures.append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            elif source.kind != CARRIED:
                yield source, row.row

    def see_outputs(self, outputs: Any) -> None:
        """Add files of the output."""
        for one in outputs:
            self.files += 1
            self._bytes += one.size
            self._made.update(f"{printable(one.name)}\0{one.digest}\0".encode())

    def summary(self) -> dict[str, Any]:
        """What run.json says."""
        return {
            "inputs": {"files": self._inputs, "digest": self._read.hexdigest()},
            "outputs": {"files": self.files, "bytes": self._bytes, "digest": self._made.hexdigest()},
            "failures": len(self.failures),
        }


def _sweep(partial: Path, path: Path) -> None:
    """Remove files that no row names: a worker was killed between writing and telling.

    Raises DataError E-ITEM-NAMES where a file is named by two rows.
    """
    from datatools.io import files, journal

    named: set[str] = set()
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
