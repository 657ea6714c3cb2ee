"""`datatools verify OUT`: is every file of an output still what was made?"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from datatools.core.errors import DataError, StorageError, UsageError, escape
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run

What = Literal["changed", "missing", "unreadable", "extra"]


@dataclass(frozen=True)
class Damage(Result):
    """A file that is not what was made: `changed`, `missing`, `unreadable`, or `extra`, which nobody made.

    Extra are hidden files, links, pipes and empty folders, too; what else a folder holds is named file by file.
    """

    file: str
    what: What


@dataclass(frozen=True)
class Verified(Result):
    """The answer. op: as run.json says, empty where that is damaged. files: how many the output should have; bytes: in
    them; damaged: by name. added: files that stages of a pipeline wrote in there later, and their operations; they are
    as those left them, by size and time."""

    out: Path
    op: str
    files: int
    bytes: int
    damaged: tuple[Damage, ...]
    added: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> int:
        """Files that are not what was made."""
        return len(self.damaged)

    def lines(self) -> Iterator[str | Table]:
        """A line for each, then what to do."""
        for one in self.damaged:
            yield f"{escape(self.out)}/{escape(one.file)}: {one.what}"
        maker = escape(self.op or "datatools")
        for name, count in Counter(self.added.values()).items():
            yield f"{count} files were written there by {escape(name)} later, and look as it left them"
        if self.damaged:
            yield f"{len(self.damaged)} of {self.files} files are not what {maker} made; run it again with --force"
        elif self.added:
            yield f"of {self.files} files, {self.bytes:,} bytes, all others are what {maker} made"
        else:
            yield f"{self.files} files, {self.bytes:,} bytes: every one is what {maker} made"


def verify(out: Path, run: Run = SERIAL) -> Verified:
    """Read every file of an output again and compare it with the digest that was taken when it was made.

    Raises UsageError where the folder is no output of datatools, StorageError where the disk fails.
    """
    from datatools.io import folders, journal

    op = folders.record_of(out).get("op")
    with journal.Journal(out / journal.JOURNAL) as lines:
        made = {one.name: one for row in lines.rows() for one in row.outputs}
    if not made:  # the record is one of the files that may be damaged
        raise UsageError(f"{escape(out)}: is no output that datatools made with its digests (.datatools/journal.jsonl)")
    names = list(made)
    damaged = []
    for name, digest in zip(names, run.map(_digest, [f"{out}/{name}" for name in names], "reading"), strict=True):
        if digest != made[name].digest:
            damaged.append(Damage(name, _WRONG.get(digest, "changed")))
    damaged += _extra(out, made)
    added = _added(out, [one.file for one in damaged if one.what in ("changed", "extra")])
    left = sorted((one for one in damaged if one.file not in added), key=lambda one: one.file)
    said = op if isinstance(op, str) else ""
    size = sum(one.size for one in made.values())
    return Verified(out, said, len(made), size, tuple(left), dict(sorted(added.items())))


_WRONG: dict[str, What] = {"": "missing", "?": "unreadable"}
"""What `_digest` says of files that it cannot read."""


def _digest(path: str) -> str:
    """The digest of a file; `odd` of what is there and no file, nothing of what is not there, `?` where the disk or the
    rights fail."""
    from datatools.io import files

    try:
        return files.digest(path)
    except DataError:
        return "odd" if os.path.lexists(path) else ""
    except StorageError:
        return "?"


def _extra(out: Path, made: Mapping[str, object]) -> Iterator[Damage]:
    """All in the output that nobody made; of folders in which there is nothing but folders, the outermost."""
    from datatools.io import files

    folders: list[str] = []
    filled = {""}  # folders in which something is, or should be
    for name in made:
        filled.update(_above(name))
    for name, kind in files.inventory(out, _is_ours):
        if kind == "folder":
            folders.append(name)
            continue
        filled.update(_above(name))
        if kind == "unreadable":
            filled.add(name)
            yield Damage(name, "unreadable")
        elif name not in made:
            yield Damage(name, "extra")
    for name in folders:
        if name not in filled and name.rpartition("/")[0] in filled and name not in made:
            yield Damage(name, "extra")


def _added(out: Path, names: list[str]) -> dict[str, str]:
    """Those of the files that stages of a pipeline wrote into the output later, and their operations."""
    from datatools.engine import stage_memory
    from datatools.io import folders

    origin = folders.origin_of(out) if names else ""
    found = ((name, stage_memory.left_by(f"{out}/{name}", str(out), origin)) for name in names if origin)
    return {name: str(parts["op"]) for name, parts in found if parts}


def _above(name: str) -> Iterator[str]:
    """The folders around a file."""
    while name := name.rpartition("/")[0]:
        yield name


def _is_ours(name: str) -> bool:
    """Whether datatools has put it there for itself."""
    from datatools.io import folders, journal, temporary

    return name in (journal.JOURNAL.partition("/")[0], folders.LOCK) or temporary.is_temporary(name.rpartition("/")[2])
