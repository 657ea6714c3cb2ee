"""What a finished output remembers beside its journal: the answer of its run, and how input and output looked then.

Where both still look the same, to the times and numbers of every file, there is nothing to do, and nobody has to read
the journal to know it.
"""

import dataclasses
import json
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.result import plain
from datatools.engine.item_result import ItemsRun
from datatools.engine.runner import ANSWER

if TYPE_CHECKING:
    from datatools.io.journal import Journal

FRESH_S = 0.5
"""How long what was seen of input and output is taken for the truth."""
MOST_FOLDERS = 10_000
"""Of so many folders it is remembered how each one looked."""


class Memory:
    """The finished output of an operation on items. out: its folder. src: the input of the run that asks.

    finished: whether there is one. record: its run.json. failed: how many items failed when it was made.
    """

    def __init__(self, out: Path, src: Path) -> None:
        from datatools.io import folders, temporary, trees
        from datatools.io.halves import both

        began_ns = time.time_ns()
        self._out = out
        self._src = src
        self.record = folders.record_of(out)
        self.finished = bool(self.record)
        self._told: dict[str, Any] = {}
        if self.finished:
            temporary.sweep(out / ".datatools", below=False)  # what a run left that was killed at its very end
            try:
                told = json.loads((out / ANSWER).read_bytes())
                self._told = told if isinstance(told, dict) else {}
            except (OSError, ValueError):
                pass
        self._made: trees.Fingerprint | None = None
        if self.finished and self._items >= trees.MANY:
            self._before, self._made = both(trees.fingerprint, src, out)
        else:
            self._before = trees.fingerprint(src)
            self._made = trees.fingerprint(out) if self.finished else None
        self._certain = self._before.newest_ns + trees.TICK_NS < began_ns
        self._looked_s = time.monotonic()

    @property
    def is_fresh(self) -> bool:
        """Whether input and output were looked at just now."""
        return time.monotonic() - self._looked_s < FRESH_S

    @property
    def inputs(self) -> int:
        """How many files the input has."""
        return self._before.files

    def untouched(self, base: str) -> bool:
        """Whether nobody touched the output since it was made, of what has that base."""
        return self._made is not None and (self._seen.get("base"), self._seen.get("out")) == (base, self._made.content)

    @property
    def same_folders(self) -> frozenset[str]:
        """The folders of the input whose own files nobody touched since, relative to it, with a slash at the end."""
        before = self._seen.get("folders")
        if not isinstance(before, dict):
            return frozenset()
        return frozenset(name for name, one in self._before.folders.items() if before.get(name) == one.digest)

    @property
    def _seen(self) -> dict[str, Any]:
        seen = self._told.get("seen")
        return seen if isinstance(seen, dict) else {}

    @property
    def failed(self) -> int:
        """Items that failed when the output was made."""
        answer = self._told.get("answer")
        return int(answer.get("failed", 0)) if isinstance(answer, dict) else 0

    @property
    def one_file_each(self) -> bool:
        """Whether no item failed when the output was made, and each was made of one file."""
        answer, inputs = self._told.get("answer"), self.record.get("inputs")
        if not isinstance(answer, dict) or not isinstance(inputs, dict) or answer.get("failed") != 0:
            return False
        return bool(inputs.get("files") == self._items + answer.get("carried", 0))

    @property
    def _items(self) -> int:
        """How many items there were when the output was made."""
        answer = self._told.get("answer")
        items = answer.get("items") if isinstance(answer, dict) else 0
        return items if isinstance(items, int) else 0

    @property
    def told(self) -> dict[str, Any]:
        """What the run that made the output told of its items, by the names of item_finish.Told."""
        answer = self._told.get("answer")
        said = answer if isinstance(answer, dict) else {}
        lists = {"failures": tuple(said.get("failures", ())), "remarks": tuple(said.get("told", ()))}
        return {**lists, "incomplete": int(said.get("incomplete", 0)), "counts": dict(said.get("counts", {}))}

    def answer(self, base: str) -> ItemsRun | None:
        """The answer of the run that made the output, where it still holds; None where one has to look closer."""
        if not self.untouched(base) or self._seen.get("src") != self._before.digest:
            return None
        try:
            answer = dict(self._told["answer"])
            paths = {name: Path(answer[name]) for name in ("src", "out")}
            lists = {name: tuple(answer[name]) for name in ("failures", "told")}
            held = ItemsRun(**{**answer, **paths, **lists}, up_to_date=True)
        except (KeyError, TypeError):
            return None
        return dataclasses.replace(held, src=self._src, out=self._out)

    def unknown_files(self, journal: "Journal") -> Iterator[str]:
        """Files in the output that no row names."""
        from datatools.io import files

        known = {one.name for row in journal.rows() for one in row.outputs}
        for folder, _, names in files.walk(self._out):
            where = f"{folder}/" if folder.parts else ""
            yield from (where + name for name in names if where + name not in known)

    def remember(self, base: str, result: ItemsRun, folders: Collection[str] | None = None) -> ItemsRun:
        """Keep the answer, and how the files look, if the input is what it was when the run began.

        folders: of the output in which files are others than before, where the rest is known to be the same.
        """
        from datatools.io import atomic, trees

        made = trees.settled(self._out, None if folders is None else self._made, folders or ())
        read, certain = self._before, self._certain
        if made.linked or read.linked or not certain:  # a name in the output changes the times of an input's inode
            read = trees.settled(self._src)
            certain = read.settled and read.content == self._before.content
        seen = None
        if certain and made.settled:
            own = {name: one.digest for name, one in read.folders.items()} if len(read.folders) <= MOST_FOLDERS else {}
            seen = {"base": base, "src": read.digest, "out": made.content, "folders": own}
        told = {"answer": plain(result.to_json()), "problems": result.problems, "seen": seen}
        atomic.write_bytes(self._out / ANSWER, json.dumps(told).encode())
        return result
