"""`datatools why OUT/FILE`: what a file was made of, step by step, back to the raw data."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core.errors import DatatoolsError, UsageError, escape
from datatools.core.result import Result, Table

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
    """Follow a file back. Raises UsageError where it lies in no output of datatools."""
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
    from datatools.io import folders

    home = next((p for p in (file, *file.parents) if (p / folders.RECORD).is_file()), None)
    if home is None:
        return None
    record = folders.record_of(home)
    if "op" not in record:
        return None
    name = os.path.relpath(file, home)
    if not os.path.lexists(file):
        raise UsageError(f"{escape(file)}: no such file")
    sources = list(_sources(home, name, record))
    parameters = {k: v for k, v in record.get("parameters", {}).items() if k not in ("src", "srcs")}
    return Step(
        file=str(file),
        op=str(record["op"]),
        version=int(record.get("version", 0)),
        parameters=parameters,
        sources=tuple(path for path, _ in sources),
        state=tuple(_state(path, digest) for path, digest in sources),
    )


def _sources(home: Path, name: str, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and digests of what the file was made from."""
    from datatools.io import journal

    given = record.get("parameters", {})
    roots = [str(path) for path in (given.get("srcs") or [given.get("src")]) if path]
    with journal.Journal(home / journal.JOURNAL) as lines:
        row = next((r for r in lines.rows() if any(one.name == name for one in r.outputs)), None)
    if row is not None and row.inputs:
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
