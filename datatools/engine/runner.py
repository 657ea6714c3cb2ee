"""One run of one operation: not done again when nothing changed, and told by its output what made it.

The key of a run is a digest of the operation's name and version, its parameters and the bytes of its inputs; equal keys
make equal bytes. An output folder holds the key (run.json) and how its files were when it appeared, and afterwards the
answer, so that the same command finds out that there is nothing to do, and a changed output is not taken for ours.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    from datatools.io import folders

    given = dict(arguments)
    if op.takes_run:
        given["run"] = run
    out = next((given.get(s.name) for s in op.params if s.name == "out" and s.param.writes == "folder"), None)
    if out is None or given.get("dry_run"):
        return op(**given)
    inputs = Inputs(op, arguments, lambda path: out / ".datatools" / f"input-{_named(path)}.jsonl")
    key = inputs.key()
    made = read_made(out)
    if made and not given.get("force"):
        if made.key == key and made.answer is not None and (made.untouched(out) or not made.changes(out)):
            folders.clear_leftovers(out)
            return Kept(out, made.answer, made.problems)
        changes, ours = made.changes(out), made.same_source(op, arguments)
        if changes and ours:
            more = f" and {len(changes) - 1} more files were" if len(changes) > 1 else " was"
            raise UsageError(f"{out}: {changes[0]}{more} changed since it was made (--force replaces it)")
        given["force"] = ours
    result = announced(op, arguments, inputs, key, given)
    _remember(out, result)
    inputs.save()
    return result


class Inputs:
    """What an operation reads, by its bytes.

    cache: names the file that remembers a path's digests. made: what stands for the bytes of paths that a stage made.
    """

    def __init__(
        self,
        op: Op[..., Result],
        arguments: Mapping[str, Any],
        cache: Callable[[Path], Path],
        made: Mapping[Path, str] = {},
    ) -> None:
        from datatools.io import trees

        self._op = op
        self._arguments = arguments
        self._cache = cache
        self._made = made
        paths = [path for path in input_paths(op, arguments) if path not in made and path.exists()]
        self._trees = {path: trees.Tree(path, _existing(cache(path))) for path in paths}

    def key(self) -> str:
        """The digest of everything that decides the result."""
        import xxhash

        digests = [self._digest(path) for path in input_paths(self._op, self._arguments)]
        described = [self._op.name, self._op.version, parameters(self._op, self._arguments), digests]
        return xxhash.xxh3_128_hexdigest(json.dumps(described, sort_keys=True).encode())

    def told(self) -> dict[str, str]:
        """The inputs and their digests, for the record."""
        return {str(path): self._digest(path) for path in input_paths(self._op, self._arguments)}

    def by_inode(self) -> dict[tuple[int, int, int], str]:
        """The digests of all input files by inode, size and time."""
        known = {key: digest for tree in self._trees.values() for key, digest in tree.by_inode().items()}
        return known | {key: digest for path in self._made for key, digest in digests_in(path).items()}

    def save(self) -> None:
        """Remember the digests; links that were made to the files are no changes of them."""
        for path, tree in self._trees.items():
            tree.save(self._cache(path))

    def _digest(self, path: Path) -> str:
        return self._made.get(path) or (self._trees[path].digest if path in self._trees else "absent")


def digests_in(out: Path) -> dict[tuple[int, int, int], str]:
    """The digests of the files of an output of ours by inode, size and time, as its journal says."""
    from datatools.io import journal

    with journal.Journal(out / journal.JOURNAL) as rows:
        found = [one for row in rows.rows() for one in row.outputs]
    return {(one.inode, one.size, one.mtime_ns): one.digest for one in found}


def _named(path: Path) -> str:
    import xxhash

    return xxhash.xxh3_64_hexdigest(os.fsencode(path))


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def announced(
    op: Op[..., Result], arguments: Mapping[str, Any], inputs: Inputs, key: str, given: Mapping[str, Any]
) -> Result:
    """Run the operation with its record announced to whatever makes its output."""
    from datatools.io import lineage

    record = {
        "datatools": datatools.__version__,
        "op": op.name,
        "version": op.version,
        "parameters": parameters(op, arguments),
        "key": key,
        "packages": lineage.packages(),
        "inputs": inputs.told(),
    }
    with lineage.announced(record, inputs.by_inode()):
        return op(**given)


@dataclass(frozen=True)
class Made:
    """What stands in a finished output folder about itself.

    answer: of the run that made it; None where that was killed before it could be written down. seen: the fingerprint
    of the folder then.
    """

    key: str
    op: str
    parameters: dict[str, Any]
    answer: dict[str, Any] | None
    problems: int
    seen: str

    def untouched(self, out: Path) -> bool:
        """Whether no file was touched since."""
        from datatools.io import trees

        return bool(self.seen) and trees.fingerprint(out).digest == self.seen

    def changes(self, out: Path) -> list[str]:
        """The names of files that are not what was made: gone, other, or new.

        A file with a second name is passed over: it is a link to the input, and changes with it.
        """
        from datatools.io import files, journal

        with journal.Journal(out / journal.JOURNAL) as rows:
            made = {one.name: one for row in rows.rows() for one in row.outputs}
        names = changed({name: (one.size, one.mtime_ns) for name, one in made.items()}, list_files(out))
        return [
            name
            for name in names
            if not (path := out / name).is_file()
            or name not in made
            or not (path.stat().st_nlink > 1 or files.digest(path) == made[name].digest)
        ]

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


def tree_digest(path: Path, cache: Path | None = None) -> str:
    """The digest of a file, or of the names and contents of all files below a folder; `absent` where there is none."""
    from datatools.io import trees

    return trees.Tree(path, cache).digest if path.exists() else "absent"


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
    from datatools.io import folders, temporary

    record = folders.record_of(out)
    temporary.sweep(out / ".datatools", below=False)
    try:
        key, op, given = str(record["key"]), str(record["op"]), dict(record["parameters"])
    except (KeyError, TypeError, ValueError):
        return None
    try:
        told = json.loads((out / ANSWER).read_bytes())
        return Made(key, op, given, dict(told["answer"]), int(told["problems"]), str(told.get("seen") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Made(key, op, given, None, 0, "")


def _remember(out: Path, result: Result) -> None:
    from datatools.io import atomic, trees

    made = trees.settled(out)
    told = {"answer": result.to_json(), "problems": result.problems, "seen": made.digest if made.settled else ""}
    atomic.write_bytes(out / ANSWER, json.dumps(told).encode())


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
