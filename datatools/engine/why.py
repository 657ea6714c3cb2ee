"""`datatools why OUT/FILE`: what a file was made of, step by step, back to the raw data."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.errors import DatatoolsError, UsageError, escape
from datatools.core.result import Result, Table

if TYPE_CHECKING:
    from datatools.io.journal import Row

MAX_STEPS = 100


@dataclass(frozen=True)
class Step(Result):
    """One operation on the way. sources: the files that this one was made from; the whole input where nobody can say
    more. state: of each, `unchanged`, `changed` or `gone` since; `unknown` for a folder."""

    file: str
    op: str
    version: int
    parameters: dict[str, Any]
    sources: tuple[str, ...]
    state: tuple[str, ...]


@dataclass(frozen=True)
class Why(Result):
    """The steps, the last one first."""

    file: Path
    steps: tuple[Step, ...]

    def lines(self) -> Iterator[str | Table]:
        """Each step: what made the file, with which parameters, from what."""
        for step in self.steps:
            yield escape(step.file)
            given = " ".join(f"{k}={escape(v)}" for k, v in step.parameters.items() if v not in (None, [], ""))
            yield f"  made by {step.op}, version {step.version}: {given}"
            for source, state in zip(step.sources, step.state, strict=True):
                yield f"  from {escape(source)}" + (f" ({state} since)" if state != "unknown" else "")
        made = {step.file for step in self.steps}
        for raw in dict.fromkeys(s for step in self.steps for s in step.sources if s not in made):
            yield f"raw: {escape(raw)}"


def why(file: Path) -> Why:
    """Follow a file back. Raises UsageError where it is not there, or lies in no output of datatools."""
    if not os.path.lexists(file):
        raise UsageError(f"{escape(file)}: no such file")
    steps: list[Step] = []
    waiting = [file]
    seen: set[str] = set()
    while waiting and len(steps) < MAX_STEPS:
        path = waiting.pop(0)
        step = None if str(path) in seen else _step(path)
        seen.add(str(path))
        if step:
            steps.append(step)
            waiting += [Path(source) for source in step.sources]
    if not steps:
        raise UsageError(f"{escape(file)}: lies in no output that datatools made")
    return Why(file, tuple(steps))


def _step(file: Path) -> Step | None:
    """The operation that made the file; None where none did, as far as one can tell."""
    from datatools.io import folders

    place = Path(os.path.abspath(file))
    home = next((p for p in (place, *place.parents) if (p / folders.RECORD).is_file()), None)
    if home is None:
        return None
    record = folders.record_of(home)
    op, version, given = (record.get(name) for name in ("op", "version", "parameters"))
    if not (isinstance(op, str) and isinstance(version, int) and isinstance(given, dict)):
        return None
    name = os.path.relpath(place, home)
    row = _row(home, name)
    if later := _later(file, home, name, row):
        return later
    if row is None and not place.is_dir():  # it only seems to lie in there, or somebody put it there
        return None
    sources = list(_sources(name, row, _roots(home, given)))
    return Step(
        file=str(file),
        op=op,
        version=version,
        parameters={k: v for k, v in given.items() if k not in ("src", "srcs")},
        sources=tuple(path for path, _ in sources),
        state=tuple(_state(path, digest) for path, digest in sources),
    )


def _later(file: Path, home: Path, name: str, row: "Row | None") -> Step | None:
    """The stage of a pipeline that wrote the file into the output later, if one did."""
    from datatools.engine import stage_memory
    from datatools.io import folders

    made = next((one for one in row.outputs if one.name == name), None) if row else None
    if not file.is_file() or (made and made.same_content(os.stat(file))):
        return None
    parts = stage_memory.left_by(str(file), str(home), folders.origin_of(home) or os.getcwd())
    if parts is None:
        return None
    roots = _roots(home, parts["parameters"])
    own = {k: v for k, v in parts["parameters"].items() if k not in ("src", "srcs")}
    return Step(str(file), str(parts["op"]), int(parts["version"]), own, tuple(roots), ("unknown",) * len(roots))


def _row(home: Path, name: str) -> "Row | None":
    from datatools.io import journal

    with journal.Journal(home / journal.JOURNAL) as lines:
        return next((row for row in lines.rows() if any(one.name == name for one in row.outputs)), None)


def _roots(home: Path, given: dict[str, Any]) -> list[str]:
    """The inputs as they are called from here; the record has the names that they had where the run was started."""
    from datatools.io import folders

    srcs = given.get("srcs")
    named = [str(path) for path in (srcs if isinstance(srcs, list) and srcs else [given.get("src")]) if path]
    origin = folders.origin_of(home)
    return named if origin in ("", os.getcwd()) else [_from_here(path, origin) for path in named]


def _from_here(path: str, origin: str) -> str:
    """A path that was relative to another folder; as it is where only so it leads to something."""
    if os.path.isabs(path):
        return path
    led = os.path.relpath(os.path.join(origin, path))
    return path if os.path.lexists(path) and not os.path.lexists(led) else led  # the output was moved away alone


def _sources(name: str, row: "Row | None", roots: list[str]) -> Iterator[tuple[str, str]]:
    """Paths and digests of what the file was made from."""
    if row is not None and row.inputs and roots:
        root = roots[0] if os.path.isdir(roots[0]) else os.path.dirname(roots[0])
        yield from ((os.path.join(root, one.name), one.digest) for one in row.inputs)
        return
    digest = row.outputs[0].digest if row is not None and row.id == name else ""
    for root in roots:
        same = Path(root) / name
        found = [same] if same.is_file() else list(_of_the_same_stem(Path(root), Path(name).stem))
        if found:
            yield from ((str(path), digest if path == same and _has(path, digest) else "") for path in found)
        else:
            yield root, ""


def _of_the_same_stem(root: Path, stem: str) -> Iterator[Path]:
    from datatools.io import files

    if root.is_dir():
        for folder, _, names in files.walk(root):
            yield from (root / folder / name for name in names if Path(name).stem == stem)


def _has(path: Path, digest: str) -> bool:
    from datatools.io import files

    try:
        return files.digest(path) == digest
    except DatatoolsError:
        return False


def _state(path: str, digest: str) -> str:
    if not os.path.lexists(path):
        return "gone"
    if not digest:
        return "unknown"
    return "unchanged" if _has(Path(path), digest) else "changed"
