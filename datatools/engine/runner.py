"""One run of one operation: not done again when nothing changed, and told by its output what made it.

The key of a run is a digest of the operation's name and version, its parameters and the bytes of its inputs; equal keys
make equal bytes. An output folder holds the key (run.json) and how its files were when it appeared, and afterwards the
answer, so that the same command finds out that there is nothing to do, and a changed output is not taken for ours.
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

ANSWER = ".datatools/result.json"
"""The file in an output folder that holds the answer of the run that made it."""

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
    if op.items:
        from datatools.engine.executors import LocalRun
        from datatools.engine.items import run_items

        return run_items(op, arguments, run if isinstance(run, LocalRun) else LocalRun(1))
    given = dict(arguments)
    if op.takes_run:
        given["run"] = run
    out = next((given.get(s.name) for s in op.params if s.name == "out" and s.param.writes == "folder"), None)
    if out is None or given.get("dry_run"):
        return op(**given)
    key = key_of(op, arguments)
    made = read_made(out)
    if made and not given.get("force"):
        changes = changed(made.files, list_files(out))
        ours = made.same_source(op, arguments)
        if made.key == key and not changes and made.answer is not None:
            return Kept(out, made.answer, made.problems)
        if changes and ours:
            more = f" and {len(changes) - 1} more files were" if len(changes) > 1 else " was"
            raise UsageError(f"{out}: {changes[0]}{more} changed since it was made (--force replaces it)")
        given["force"] = ours
    result = announced(op, arguments, key, given)
    _remember(out, result)
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
class Made:
    """What stands in a finished output folder about itself.

    files: as they were when it appeared. answer: of the run that made it; None where that was killed before it could
    be written down.
    """

    key: str
    op: str
    parameters: dict[str, Any]
    files: dict[str, Stat]
    answer: dict[str, Any] | None
    problems: int

    def same_source(self, op: Op[..., Result], arguments: Mapping[str, Any]) -> bool:
        """Whether the same operation made it of inputs that were named the same."""
        now = parameters(op, arguments)
        return self.op == op.name and all(
            self.parameters.get(s.name) == now[s.name] for s in op.params if s.name in now and s.positional
        )


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
    deciding = (s for s in op.params if not s.param.writes and not s.param.steers)
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

    if out.is_dir():
        return files.listing(out)
    return {out.name: stat_of(out)} if out.is_file() else {}


def changed(before: Mapping[str, Stat], now: Mapping[str, Stat], ignore: Iterable[str] = ()) -> list[str]:
    """The names of files that are not as they were: gone, other, or new."""
    ignored = set(ignore)
    return sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n) and n not in ignored)


def read_made(out: Path) -> Made | None:
    """What a finished output folder says about itself; None where it is not one of ours."""
    from datatools.io.folders import MADE, RECORD

    try:
        record = json.loads((out / RECORD).read_bytes())
        listed = json.loads((out / MADE).read_bytes())
        files = {str(name): (int(size), int(time)) for name, (size, time) in listed.items()}
        key, op, given = str(record["key"]), str(record["op"]), dict(record["parameters"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    try:
        told = json.loads((out / ANSWER).read_bytes())
        return Made(key, op, given, files, dict(told["answer"]), int(told["problems"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Made(key, op, given, files, None, 0)


def _remember(out: Path, result: Result) -> None:
    from datatools.io import atomic

    answer = {"answer": result.to_json(), "problems": result.problems}
    atomic.write_bytes(out / ANSWER, json.dumps(answer).encode())


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two records of a run, in words: operation, version, or the first parameter."""
    for name in ("op", "version"):
        if before.get(name) != now[name]:
            return f"{'operation' if name == 'op' else name} {before.get(name)} -> {now[name]}"
    old = before.get("parameters", {})
    for name, value in now["parameters"].items():
        if old.get(name) != value:
            return f"parameter `{name}` {old.get(name)} -> {value}"
    return "input changed"


def stat_of(path: Path) -> Stat:
    """Size and time of one file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
