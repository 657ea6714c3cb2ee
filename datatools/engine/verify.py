"""`datatools verify OUT`: is every file of an output still what was made?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datatools.core.errors import DatatoolsError, UsageError, escape
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run


@dataclass(frozen=True)
class Damage(Result):
    """A file that is not what was made: `changed`, `missing`, or `extra`, which nobody made."""

    file: str
    what: Literal["changed", "missing", "extra"]


@dataclass(frozen=True)
class Verified(Result):
    """The answer. op: as run.json says, empty where that is damaged. files: how many the output should have; bytes: in
    them; damaged: by name."""

    out: Path
    op: str
    files: int
    bytes: int
    damaged: tuple[Damage, ...]

    @property
    def problems(self) -> int:
        """Files that are not what was made."""
        return len(self.damaged)

    def lines(self) -> Iterator[str | Table]:
        """A line for each, then what to do."""
        for one in self.damaged:
            yield f"{escape(self.out)}/{escape(one.file)}: {one.what}"
        maker = escape(self.op or "datatools")
        if self.damaged:
            yield f"{len(self.damaged)} of {self.files} files are not what {maker} made; run it again with --force"
        else:
            yield f"{self.files} files, {self.bytes:,} bytes: every one is what {maker} made"


def verify(out: Path, run: Run = SERIAL) -> Verified:
    """Read every file of an output again and compare it with the digest that was taken when it was made.

    Raises UsageError where the folder is no output of datatools, StorageError where the disk fails.
    """
    from datatools.io import files, folders, journal

    op = folders.record_of(out).get("op")
    with journal.Journal(out / journal.JOURNAL) as lines:
        made = {one.name: one for row in lines.rows() for one in row.outputs}
    if not made:  # the record is one of the files that may be damaged
        raise UsageError(f"{escape(out)}: is no output that datatools made with its digests (.datatools/journal.jsonl)")
    names = list(made)
    digests = run.map(_digest, [f"{out}/{name}" for name in names], "reading")
    damaged = []
    for name, digest in zip(names, digests, strict=True):
        if digest != made[name].digest:
            damaged.append(Damage(name, "changed" if digest else "missing"))
    for folder, _, found in files.walk(out):
        where = f"{folder}/" if folder.parts else ""
        damaged += [Damage(where + name, "extra") for name in found if where + name not in made]
    damaged.sort(key=lambda one: one.file)
    said = op if isinstance(op, str) else ""
    return Verified(out, said, len(made), sum(one.size for one in made.values()), tuple(damaged))


def _digest(path: str) -> str:
    """The digest of a file; empty where it cannot be read."""
    from datatools.io import files

    try:
        return files.digest(path)
    except DatatoolsError:
        return ""
