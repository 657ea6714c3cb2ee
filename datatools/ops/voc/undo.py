"""`datatools voc undo`: give back what the last run in place had changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import DryRun, VocFolder


@dataclass(frozen=True)
class Undo(Result):
    """What was given back. Names are relative to the set.

    reason: the command that is undone. replaced: files with their old content again. removed: files that the command
    had made. kept: files that it had made and somebody changed since. backup: its folder.
    """

    src: Path
    dry_run: bool
    reason: str
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    backup: Path

    def lines(self) -> Iterator[str | Table]:
        """One line a kind, then what to do next."""
        would = "would be " if self.dry_run else ""
        yield f"{escape(self.reason)}: {len(self.replaced)} files {would}given back, {len(self.removed)} {would}removed"
        if self.dry_run:
            yield from (f"  {escape(name)}" for name in (*self.replaced, *self.removed))
        yield from (f"kept, changed since: {escape(name)}" for name in self.kept)
        if self.dry_run:
            yield f"next: datatools voc undo {escape(self.src)}"
        else:
            yield f"the backup stays in {escape(self.backup)}; next: datatools voc lint {escape(self.src)}"


@op("voc.undo", version=1)
def undo(
    src: VocFolder,
    *,
    force: Annotated[bool, Param("replace files that were changed since, too; the changed ones are kept")] = False,
    dry_run: DryRun = False,
) -> Undo:
    """Give back what the last `voc fix --in-place` or `voc split` changed; run again, the one before it.

    Raises UsageError where there is nothing to undo, and where a file was changed since by something else, unless
    force is given: its present content is then kept beside the backup.
    """
    from datatools.io import backup

    if not src.is_dir():
        raise UsageError(f"{escape(src)} is not a folder")
    given = backup.restore(src, force=force, dry_run=dry_run)
    return Undo(src, dry_run, given.reason, given.replaced, given.removed, given.kept, given.backup)
