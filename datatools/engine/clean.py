"""`datatools clean FILE`: what runs of a pipeline left lying about, and how much of the disk it takes."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from datatools.core.errors import InUse, escape
from datatools.core.result import Result, Table
from datatools.engine.pipeline import Pipeline
from datatools.engine.stage_memory import State, made_paths


@dataclass(frozen=True)
class Leftover(Result):
    """A file or folder that no stage needs. why: it is there."""

    path: Path
    why: str
    bytes: int


@dataclass(frozen=True)
class Cleaned(Result):
    """What was removed, or would be. busy: leftovers that a run is using right now."""

    removed: tuple[Leftover, ...]
    busy: tuple[Path, ...]
    dry_run: bool

    def lines(self) -> Iterator[str | Table]:
        """A line each, then the sum."""
        for one in self.removed:
            yield f"{escape(one.path)}: {one.why}, {one.bytes:,} bytes"
        for path in self.busy:
            yield f"{escape(path)}: left alone, a run is using it"
        total = sum(one.bytes for one in self.removed)
        said = "would remove" if self.dry_run else "removed"
        yield f"{said} {len(self.removed)} leftovers, {total:,} bytes" if self.removed else "nothing to remove"


def clean(pipeline: Pipeline, *, dry_run: bool = False) -> Cleaned:
    """Remove what killed runs left beside the outputs, and outputs that stages made which the file no longer has.

    An output is only removed where it still is what was made. Raises InUse where a run of the pipeline is going on.
    """
    state = State(pipeline.path)
    removed: list[Leftover] = []
    busy: list[Path] = []
    with state.locked():
        for path, why in _leftovers(pipeline, state):
            size = _size(path)  # before our own lock is in it
            with ExitStack() as held:
                try:
                    _hold(path, held, leave_no_trace=dry_run)
                except InUse:
                    busy.append(path)
                    continue
                removed.append(Leftover(path, why, size))
                if not dry_run:
                    _remove(path)
        if not dry_run:
            state.forget({one.path for one in removed})
    return Cleaned(tuple(removed), tuple(busy), dry_run)


def _leftovers(pipeline: Pipeline, state: State) -> Iterator[tuple[Path, str]]:
    from datatools.engine import runner
    from datatools.io import folders, temporary

    outs = {out for stage in pipeline.stages for out in made_paths(stage)}
    old = state.outs() - outs
    for out in sorted(outs | old):
        for suffix, why in ((".partial", "a run was cut off"), (".old", "a replacement was cut off")):
            path = out.with_name(out.name + suffix)
            if folders.is_ours(path):
                yield path, why
        yield from ((path, "a writer was killed") for path in temporary.leftovers(out))
    for out in sorted(old):
        made = runner.read_made(out)
        if made is not None and not made.changes(out):
            yield out, "no stage of the file makes it any more"


def _hold(path: Path, held: ExitStack, *, leave_no_trace: bool) -> None:
    from datatools.io import folders, temporary

    if not path.is_dir():
        return
    lock = path / folders.LOCK
    if leave_no_trace and not lock.exists():
        held.callback(temporary.remove, os.fspath(lock))
    folders.hold(path, held)


def _size(path: Path) -> int:
    """Bytes that go with it: a file that has a second name elsewhere takes none."""
    if not path.is_dir():
        return path.stat().st_size
    found = (os.lstat(os.path.join(parent, name)) for parent, _, names in os.walk(path) for name in names)
    return sum(status.st_size for status in found if status.st_nlink == 1)


def _remove(path: Path) -> None:
    from datatools.io.files import cannot

    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot("remove", path, error) from None
