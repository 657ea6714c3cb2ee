"""Which items have to be done, and why: today's input against the journals of the runs before."""

import dataclasses
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datatools.core.errors import DatatoolsError
from datatools.core.values import Source
from datatools.engine.runner import difference

if TYPE_CHECKING:
    from datatools.io.journal import Journal, Row
    from datatools.io.room import Seen

Action = Literal["make", "keep", "resumed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with an item. why: what makes it necessary. line: its line for the journal, where it is kept.

    inputs, outputs: its files, where it is kept or was resumed; none are told where the whole output was not touched.
    failed: the item failed before, and would again.
    """

    action: Action
    why: str = ""
    line: bytes = b""
    inputs: tuple["Seen", ...] = ()
    outputs: tuple["Seen", ...] = ()
    failed: bool = False


_NEW = Decision("make", "new")
_STANDS = Decision("keep")
_FAILS = Decision("keep", failed=True)


class Planner:
    """Decides about every item. root: the folder of the set. record: what run.json will say of the run. untouched:
    whether it is certain that no file of the output was touched since it was made. same: the folders of the set whose
    own files nobody touched since then. plain: whether every row of the earlier journal is of an item of one file, that
    did not fail, and of which nothing else is known: those of folders that are the same need not be looked at.

    removed: items of the earlier output that are gone, once all items of today were decided about. changed: outputs
    that somebody changed since. updates: whether the output is as it was made, and most of it may stand. stays: which
    rows of the earlier journal do, by their places in it.
    """

    def __init__(
        self,
        root: str,
        record: dict[str, Any],
        base: str,
        out: Path,
        *,
        retry: bool,
        force: bool,
        untouched: bool,
        same: Collection[str],
        plain: bool,
    ) -> None:
        from datatools.io import folders, journal

        self._root = root
        self._out = os.path.abspath(out)
        self._retry = retry
        self._same = same
        self._force = force
        self.refreshed: dict[str, bytes] = {}
        self._found = 0
        self.changed: list[str] = []
        self.partial = self._out + ".partial"
        self.resumes = folders.base_of(self.partial) == base
        self._before: Journal = journal.Journal(Path(self.partial if self.resumes else "/dev/null") / journal.JOURNAL)
        self.same_base = folders.base_of(self._out) == base
        self._why_all = "" if self.same_base else difference(folders.record_of(self._out), record)
        self.updates = untouched and self.same_base and not force and not len(self._before)
        self._unseen = journal.written_plainly(same if self.updates and plain else ())
        self.earlier: Journal = journal.Journal(Path(self._out) / journal.JOURNAL, self._unseen)
        self.stays = bytearray(len(self.earlier))

    def look_closer(self) -> None:
        """Decide about every item by itself from now on: the output cannot be taken over as a whole."""
        from datatools.io import journal

        self.updates = False
        if self._unseen:
            self.earlier.close()
            self._unseen = frozenset()
            self.earlier = journal.Journal(Path(self._out) / journal.JOURNAL)

    def close(self) -> None:
        """Let go of the journals."""
        self.earlier.close()
        self._before.close()

    @property
    def removed(self) -> int:
        """How many items of the earlier output are gone."""
        from datatools.io import journal

        own_rows = sum(self.earlier.line(name) is not None for name in (journal.SET_ROW, journal.RECORD_ROW))
        return len(self.earlier) - own_rows - self._found

    @property
    def resumed(self) -> int:
        """How many rows the journal of OUT.partial has."""
        return len(self._before)

    @property
    def journal_end(self) -> int:
        """How much of the journal of OUT.partial can be trusted."""
        return self._before.end

    def decided(self, sources: Iterator[Source]) -> Iterator[tuple[Source, Decision]]:
        """Every item, and what to do with it. Raises StorageError where the disk fails."""
        if not self.updates:
            yield from ((source, self.decide(source)) for source in sources)
            return
        if not self._unseen:
            yield from ((source, self._decision(source, place)) for source, place in self.earlier.found(sources))
            return
        for source in sources:
            name = source.files[0]
            if name[: name.rfind("/") + 1] in self._unseen and len(source.files) == 1 and not source.labels:
                yield source, _STANDS
            else:
                yield source, self._decision(source, *self.earlier.places([source.id]))

    def _decision(self, source: Source, place: int) -> Decision:
        decision = self._standing(source, self.earlier.at(place)) if place >= 0 else None
        if decision is None:
            decision = self.decide(source)
        else:
            self._found += 1
        if decision.action == "keep":
            self.stays[place] = True
        return decision

    def _standing(self, source: Source, line: bytes) -> Decision | None:
        """What to do with an item whose outputs nobody touched: keep it where nobody touched its inputs; None where one
        has to look closer."""
        from datatools.io import journal

        try:
            if len(source.files) == 1 and not source.labels:
                name = source.files[0]
                state = None if name[: name.rfind("/") + 1] in self._same else os.lstat(f"{self._root}/{name}")
                if journal.stands(line, source.id, name, state):
                    return _STANDS
            entry = journal.entry_of(line)
            failed = "error" in entry
            if entry["id"] != source.id or entry.get("labels", "") != source.labels or (failed and self._retry):
                return None
            if [one[0] for one in entry["in"][: len(source.files)]] != list(source.files):
                return None
            for name, size, mtime_ns, ctime_ns, inode, _ in entry["in"]:
                status = os.stat(f"{self._root}/{name}", follow_symlinks=False)
                if (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino) != (
                    size, mtime_ns, ctime_ns, inode,
                ):  # fmt: skip
                    return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return _FAILS if failed else _STANDS

    def decide(self, source: Source) -> Decision:
        """What to do with the item. Raises StorageError where the disk fails."""
        if not len(self.earlier) and not len(self._before):
            return _NEW
        line = self.earlier.line(source.id)
        self._found += line is not None
        if self._force:
            return Decision("make", "forced")
        if (row := self._before.get(source.id)) and self._holds(row, source):
            if row.error and self._retry:
                return Decision("make", "failed before")
            return Decision("resumed", "", b"", row.inputs, row.outputs, bool(row.error))
        if line is None:
            return Decision("make", "new")
        if not self.same_base:
            return Decision("make", self._why_all)
        row = self.earlier.get(source.id)
        if row is None:
            return Decision("make", "its row in the journal cannot be read")
        if row.error and self._retry:
            return Decision("make", "failed before")
        fresh = self._fresh_inputs(row, source)
        if fresh is None:
            return Decision("make", "input changed")
        if lost := self._lost(row):
            return Decision("make", f"output {lost}")
        if fresh != row.inputs:
            row = dataclasses.replace(row, inputs=fresh)
            line = row.line()
            self.refreshed[source.id] = line
        return Decision("keep", "", line, row.inputs, row.outputs, bool(row.error))

    def _holds(self, row: "Row", source: Source) -> bool:
        """Whether the row of a run that was cut off counts: its files' bytes are what the journal says."""
        from datatools.io import files

        if self._fresh_inputs(row, source) is None:
            return False
        try:
            return all(files.digest(f"{self.partial}/{one.name}") == one.digest for one in row.outputs)
        except DatatoolsError:
            return False

    def _fresh_inputs(self, row: "Row", source: Source) -> "tuple[Seen, ...] | None":
        """The inputs with today's states; None where the bytes of one are others."""
        from datatools.io import files
        from datatools.io.room import seen

        if row.labels != source.labels or tuple(one.name for one in row.inputs[: len(source.files)]) != source.files:
            return None
        fresh = []
        for one in row.inputs:
            path = f"{self._root}/{one.name}"
            try:
                status = os.stat(path, follow_symlinks=False)
            except OSError:
                return None
            if not one.same_stat(status):
                try:
                    if status.st_size != one.size or files.digest(path) != one.digest:
                        return None
                except DatatoolsError:
                    return None
                one = seen(one.name, status, one.digest)
            fresh.append(one)
        return tuple(fresh)

    def _lost(self, row: "Row") -> str:
        """What is wrong with the outputs that stand in OUT: `lost`, `changed`, or nothing."""
        from datatools.io import files

        for one in row.outputs:
            path = f"{self._out}/{one.name}"
            try:
                status = os.stat(path, follow_symlinks=False)
            except OSError:
                return "lost"
            if not one.same_content(status):
                try:
                    if files.digest(path) == one.digest:
                        continue
                except DatatoolsError:
                    pass
                if status.st_nlink == 1:  # else it is a link to the input, and changes with it
                    self.changed.append(one.name)
                return "changed"
        return ""
