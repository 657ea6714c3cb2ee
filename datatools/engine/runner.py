"""One run of one operation: not done again when nothing changed, and told by its output what made it.

The key of a run is a digest of the operation's name and version, its parameters and the bytes of its inputs; equal keys
make equal bytes. After an output folder has appeared, a snapshot of it (size and time of every file) and the answer are
kept inside, so that the same command finds out that there is nothing to do, and a changed output is not taken for ours.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datatools
from datatools.core.errors import UsageError
from datatools.core.op import Op
from datatools.core.result import Result, Table, plain
from datatools.core.types import Run

SNAPSHOT = Path(".datatools") / "result.json"

Stat = tuple[int, int]
"""Size in bytes and modification time in nanoseconds."""


@dataclass(frozen=True)
class Kept(Result):
    """There was nothing to do: the output stands as an earlier run made it."""

    out: Path
    answer: dict[str, Any]
    answer_problems: int

    @property
    def problems(self) -> int:
        """The problems that the earlier run found."""
        return self.answer_problems

    def lines(self) -> Iterator[str | Table]:
        """One line."""
        yield f"{self.out} is up to date (same input, parameters and version): nothing was written"

    def to_json(self) -> dict[str, Any]:
        """The answer of the run that made the output."""
        return self.answer


def execute(op: Op[..., Result], arguments: Mapping[str, Any], run: Run) -> Result:
    """Run the operation, unless its output folder stands as the same run made it.

    An output that the same operation made of the same input is replaced when the input or a parameter changed;
    one that somebody changed since is replaced only with `force`.
    """
    given = dict(arguments)
    if op.takes_run:
        given["run"] = run
    out = next((given.get(s.name) for s in op.params if s.name == "out" and s.param.writes == "folder"), None)
    if out is None or given.get("dry_run"):
        return op(**given)
    key = key_of(op, arguments)
    earlier = read_snapshot(out)
    if earlier and not given.get("force"):
        changes = changed(earlier.files, list_files(out), under=out)
        if earlier.key == key and not changes:
            return Kept(out, earlier.answer, earlier.problems)
        if changes and earlier.same_source(op, arguments):
            raise UsageError(
                f"{out}: {changes[0]} and {len(changes) - 1} more changed since it was made (--force replaces it)"
                if len(changes) > 1
                else f"{out}: {changes[0]} was changed since it was made (--force replaces it)"
            )
        given["force"] = earlier.same_source(op, arguments)
    result = announced(op, arguments, key, given)
    write_snapshot(
        out, Snapshot(key, op.name, sources(op, arguments), list_files(out), result.to_json(), result.problems)
    )
    return result


def announced(op: Op[..., Result], arguments: Mapping[str, Any], key: str, given: Mapping[str, Any]) -> Result:
    """Run the operation with its record announced to whatever makes its output."""
    from datatools.io import lineage

    record = {
        "datatools": datatools.__version__,
        "op": op.name,
        "version": op.version,
        "parameters": parameters(op, arguments),
        "key": key,
    }
    with lineage.announced(record):
        return op(**given)


@dataclass(frozen=True)
class Snapshot:
    """What a finished output looked like, and the answer of the run that made it."""

    key: str
    op: str
    sources: tuple[str, ...]
    files: dict[str, Stat]
    answer: dict[str, Any]
    problems: int

    def same_source(self, op: Op[..., Result], arguments: Mapping[str, Any]) -> bool:
        """Whether the same operation on the same paths made it."""
        return self.op == op.name and self.sources == sources(op, arguments)


def sources(op: Op[..., Result], arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The absolute paths of the inputs."""
    return tuple(os.path.abspath(path) for path in input_paths(op, arguments))


def input_paths(op: Op[..., Result], arguments: Mapping[str, Any]) -> list[Path]:
    """The files and folders that the operation reads, as its parameters name them.

    A text parameter of the form `word:FILE` names a file that is read, where there is one.
    """
    paths = []
    for spec in op.params:
        value = arguments.get(spec.name)
        for one in value if isinstance(value, list | tuple) else (value,):
            if spec.type is Path and not spec.param.writes and one is not None:
                paths.append(Path(one))
            elif spec.type is str and isinstance(one, str) and ":" in one:
                path = Path(one.partition(":")[2])
                if path.is_file():
                    paths.append(path)
    return paths


def parameters(op: Op[..., Result], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the result: all parameters with their values, defaults included, but not where it is written to."""
    deciding = (s for s in op.params if not s.param.writes and s.name not in ("force", "dry_run"))
    return {s.name: plain(arguments.get(s.name, s.default)) for s in deciding}


def key_of(op: Op[..., Result], arguments: Mapping[str, Any], inputs: Mapping[Path, str] | None = None) -> str:
    """The digest of everything that decides the result.

    inputs: digests that are known already (a stage's key stands for its output); others are computed from the bytes.
    """
    import xxhash

    known = inputs or {}
    digests = [known.get(path) or tree_digest(path) for path in input_paths(op, arguments)]
    described = [op.name, op.version, parameters(op, arguments), digests]
    return xxhash.xxh3_128_hexdigest(json.dumps(described, sort_keys=True).encode())


def tree_digest(path: Path) -> str:
    """The digest of a file, or of the names and contents of all files below a folder."""
    import xxhash

    from datatools.io import files

    if not path.is_dir():
        return files.digest(path) if path.is_file() else "absent"
    state = xxhash.xxh3_128()
    for folder, _, names in files.walk(path):
        for name in names:
            relative = folder / name
            state.update(os.fsencode(str(relative)) + b"\0" + files.digest(path / relative).encode() + b"\0")
    return state.hexdigest()


def list_files(out: Path) -> dict[str, Stat]:
    """Size and time of every file of an output: of the file itself, or of all below the folder."""
    from datatools.io import files

    if out.is_file():
        return {out.name: _stat(out)}
    found: dict[str, Stat] = {}
    if out.is_dir():
        for folder, _, names in files.walk(out):
            for name in names:
                found[str(folder / name)] = _stat(out / folder / name)
    return found


def changed(before: Mapping[str, Stat], now: Mapping[str, Stat], under: Path, ignore: Iterable[Path] = ()) -> list[str]:
    """The names of files that are not as they were: gone, other, or new."""
    ignored = {os.path.abspath(path) for path in ignore}
    names = sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))
    return [n for n in names if os.path.abspath(under / n) not in ignored]


def read_snapshot(out: Path) -> Snapshot | None:
    """The snapshot of a finished output; None where there is none that can be read."""
    try:
        data = json.loads((out / SNAPSHOT).read_bytes())
        files = {str(name): (int(size), int(time)) for name, (size, time) in data["files"].items()}
        return Snapshot(data["key"], data["op"], tuple(data["sources"]), files, data["answer"], data["problems"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no snapshot, or not one of ours: the output is treated as somebody else's


def write_snapshot(out: Path, snapshot: Snapshot) -> None:
    """Keep the snapshot inside the output."""
    from datatools.io import atomic

    atomic.write_bytes(out / SNAPSHOT, json.dumps(vars(snapshot)).encode())


def _stat(path: Path) -> Stat:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
