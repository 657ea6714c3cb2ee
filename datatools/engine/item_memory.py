"""What a finished output remembers beside its journal: the answer of its run, and how input and output looked then.

Where both still look the same, to the times and numbers of every file, there is nothing to do, and nobody has to read
the journal to know it.
"""

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.result import plain
from datatools.engine.item_result import ItemsRun
from datatools.engine.runner import ANSWER

if TYPE_CHECKING:
    from datatools.io.journal import Journal

FRESH_S = 0.5
"""How long what was seen of input and output is taken for the truth."""


class Memory:
    """The finished output of an operation on items. out: its folder. src: the input of the run that asks.

    finished: whether there is one. record: its run.json. failed: how many items failed when it was made.
    """

    def __init__(self, out: Path, src: Path) -> None:
        from datatools.io import folders, temporary, trees

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
        self._before = trees.fingerprint(src)
        self._certain = self._before.settled
        self._made = trees.fingerprint(out).digest if self.finished else ""
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
        seen = self._told.get("seen")
        return self.finished and isinstance(seen, list) and len(seen) == 3 and [seen[0], seen[2]] == [base, self._made]

    @property
    def failed(self) -> int:
        """Items that failed when the output was made."""
        answer = self._told.get("answer")
        return int(answer.get("failed", 0)) if isinstance(answer, dict) else 0

    @property
    def told(self) -> dict[str, Any]:
        """What the run that made the output told of its items, by the names of item_finish.Told."""
        answer = self._told.get("answer")
        said = answer if isinstance(answer, dict) else {}
        lists = {"failures": tuple(said.get("failures", ())), "remarks": tuple(said.get("told", ()))}
        return {**lists, "incomplete": int(said.get("incomplete", 0)), "counts": dict(said.get("counts", {}))}

    def answer(self, base: str) -> ItemsRun | None:
        """The answer of the run that made the output, where it still holds; None where one has to look closer."""
        if self._told.get("seen") != [base, self._before.digest, self._made]:
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

    def remember(self, base: str, result: ItemsRun) -> ItemsRun:
        """Keep the answer, and how the files look, if the input is what it was when the run began."""
        from datatools.io import atomic, trees

        made, read, certain = trees.settled(self._out), self._before, self._certain
        if made.linked or read.linked or not certain:  # a name in the output changes the times of an input's inode
            read = trees.settled(self._src)
            certain = read.settled and read.content == self._before.content
        seen = [base, read.digest, made.digest] if certain and made.settled else None
        told = {"answer": plain(result.to_json()), "problems": result.problems, "seen": seen}
        atomic.write_bytes(self._out / ANSWER, json.dumps(told).encode())
        return result
