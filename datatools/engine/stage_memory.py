"""What is remembered of the stages of a pipeline between two runs, in `.datatools/` of the working directory."""

import json
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from datatools.core.errors import StorageError
from datatools.core.result import Result
from datatools.engine import runner
from datatools.engine.pipeline import Stage

HOME = Path(".datatools")


@dataclass
class Memory:
    """What is remembered of a stage. key: of what it was made. parts: the same under names that a user knows.

    files: size and time of what it left behind. answer: of its operation. problems: found in the data. bad_items: that
    failed. outs: what its parameters name as made.
    """

    key: str
    parts: dict[str, Any]
    files: dict[str, runner.Stat]
    answer: dict[str, Any]
    problems: int
    bad_items: int = 0
    outs: tuple[str, ...] = ()


class State:
    """The memory of a pipeline's stages, in one file.

    A stage is remembered under its id, inputs and outputs: the same file run on two sets has two memories.
    """

    def __init__(self, pipeline: Path) -> None:
        import xxhash

        name = xxhash.xxh3_64_hexdigest(os.fsencode(os.path.abspath(pipeline)))
        self._pipeline = pipeline
        self.path = HOME / f"{pipeline.stem}-{name}.json"
        self._memories: dict[str, Memory] = {}
        try:
            for stage, entry in json.loads(self.path.read_bytes()).items():
                entry["files"] = {file: (int(size), int(t)) for file, (size, t) in entry["files"].items()}
                self._memories[stage] = Memory(**entry)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self._memories = {}  # the memory is a convenience: without it, everything is looked at again

    def locked(self) -> AbstractContextManager[object]:
        """Hold the memory for one run. Raises InUse, naming who has it, and StorageError."""
        from datatools.io import locks, temporary

        held = ExitStack()
        try:
            os.makedirs(HOME, exist_ok=True)
            locks.hold(str(self.path.with_suffix(".lock")), held, f"{self._pipeline} (a run of this pipeline)")
            temporary.sweep(HOME)  # what a killed run left
        except OSError as error:
            held.close()
            raise StorageError(f"cannot write {HOME}: {error.strerror}") from None
        except BaseException:
            held.close()
            raise
        return held

    def get(self, stage: Stage) -> Memory | None:
        """What is remembered of the stage."""
        return self._memories.get(self._name(stage))

    def remember(self, stage: Stage, memory: Memory) -> None:
        """Write the file anew, whole, with this stage's memory in it."""
        memory.outs = tuple(map(str, made_paths(stage)))
        self._memories[self._name(stage)] = memory
        self._save()

    def outs(self) -> set[Path]:
        """What all remembered stages made, also those that the pipeline no longer has."""
        return {Path(out) for memory in self._memories.values() for out in memory.outs}

    def forget(self, gone: set[Path]) -> None:
        """Forget the stages that made one of these."""
        before = len(self._memories)
        self._memories = {k: m for k, m in self._memories.items() if not gone & set(map(Path, m.outs))}
        if len(self._memories) < before:
            self._save()

    def _save(self) -> None:
        from datatools.io import atomic

        atomic.write_bytes(self.path, json.dumps({k: vars(v) for k, v in self._memories.items()}).encode())

    def files_of(self, stages: Iterable[Stage]) -> set[str]:
        """The names of the files that the stages left behind."""
        return {name for stage in stages if (memory := self.get(stage)) for name in memory.files}

    @staticmethod
    def _name(stage: Stage) -> str:
        return " ".join([stage.id, *map(str, stage.inputs), "->", *map(str, made_paths(stage))])


def left_by(file: str, home: str, origin: str) -> dict[str, Any] | None:
    """What a stage that wrote a file into the output of another one was made of (`Memory.parts`); None where none did.

    file: as the stage left it, by size and time. home: the output. origin: the working directory of the pipeline.
    """
    name, owner = (os.path.relpath(os.path.realpath(path), os.path.realpath(origin)) for path in (file, home))
    seen = stat_of(file)
    for path in sorted(Path(origin, HOME).glob("*.json")):
        try:
            for entry in json.loads(path.read_bytes()).values():
                if owner not in map(os.path.normpath, entry["outs"]) and tuple(entry["files"].get(name, ())) == seen:
                    return dict(entry["parts"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return None


def tree_cache(path: Path) -> Path:
    """The file that remembers the digests of a folder's files."""
    import xxhash

    return HOME / "trees" / f"{xxhash.xxh3_64_hexdigest(os.fsencode(os.path.abspath(path)))}.jsonl"


def made_paths(stage: Stage) -> list[Path]:
    """The outputs that the stage's parameters name."""
    values = [(stage.arguments.get(s.name), s) for s in stage.op.params if s.param.writes]
    return [value for value, _ in values if value is not None]


def left_behind(stage: Stage, result: Result) -> dict[str, runner.Stat]:
    """Size and time of every file that a stage on a whole set left behind."""
    found: dict[str, runner.Stat] = {}
    for path in made_paths(stage):  # files inside a folder that was there already are told by the result
        if path.is_dir() and path == stage.out and owns(stage):
            found |= {file_name(path / name): stat for name, stat in runner.list_files(path).items()}
        elif path.is_file() and (stat := stat_of(path)) is not None:
            found[file_name(path)] = stat
    for written in result.written:
        if (stat := stat_of(written)) is not None:
            found[file_name(written)] = stat
    return found


def owns(stage: Stage) -> bool:
    """Whether the stage makes its output folder whole."""
    return any(s.name == "out" and s.param.writes == "folder" for s in stage.op.params)


def file_name(path: PurePath) -> str:
    """The name under which a file is remembered: relative to the working directory, as the pipeline's paths are."""
    return os.path.relpath(path)


def stat_of(name: str | PurePath) -> runner.Stat | None:
    """Size and time of a file; None where there is none."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
