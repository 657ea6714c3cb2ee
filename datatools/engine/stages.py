"""Running a checked pipeline: each stage once, and not again while nothing that it depends on changed.

What a stage was made of (its key) and what it left behind (size and time of each file) is remembered in a state file
under `.datatools/` of the working directory. A stage is kept when its key is the same and its files are untouched;
files that a later stage rewrote, as `voc.split` does with the lists inside the set that it is given, are that stage's.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

from datatools.core.errors import DatatoolsError, UsageError
from datatools.core.result import Result, Table
from datatools.core.types import Run
from datatools.engine import runner
from datatools.engine.pipeline import Pipeline, Stage, near

SHOWN_LINES = 30
"""How much of a stage's own report is shown; the stage's command prints all of it."""


@dataclass(frozen=True)
class StageReport(Result):
    """What became of a stage.

    state: `ran`, `kept` (nothing changed), `would run` (dry run), `skipped` (not selected), `waits` (a stage that it
    needs failed), `failed`. why: what made it run. outputs: the files and folders that it made.
    """

    id: str
    uses: str
    state: Literal["ran", "kept", "would run", "skipped", "waits", "failed"]
    why: str
    outputs: tuple[str, ...] = ()
    seconds: float = 0.0
    found: int = 0
    answer: dict[str, Any] | None = None
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class PipelineRun(Result):
    """What became of every stage, in the order in which they were taken."""

    pipeline: Path
    stages: tuple[StageReport, ...]

    @property
    def problems(self) -> int:
        """The problems that the stages found in the data."""
        return sum(s.found for s in self.stages)

    @property
    def failed(self) -> StageReport | None:
        """The first stage that failed."""
        return next((s for s in self.stages if s.state == "failed"), None)

    def lines(self) -> Iterator[str | Table]:
        """A table of the stages, then what to do next."""
        rows = tuple(
            (s.id, s.uses, s.state, round(s.seconds, 2), s.found, " ".join(s.outputs) or "-") for s in self.stages
        )
        yield Table(("stage", "operation", "state", "s", "problems", "output"), rows, str(self.pipeline), digits=2)
        ran = sum(s.state == "ran" for s in self.stages)
        if any(s.state == "would run" for s in self.stages):
            for s in self.stages:
                yield f"{s.id}: {s.state}{': ' + s.why if s.why else ''}"
        elif self.failed:
            yield "the stages before it stand; the same command goes on from there"
        elif not ran:
            yield "nothing changed: nothing was run and nothing written"
        elif self.problems:
            yield f"done, and {self.problems} problems are left in the data: they are listed above, stage by stage"
        else:
            yield "done, without a problem in the data"


@dataclass
class _Memory:
    """What is remembered of a stage."""

    key: str
    parts: dict[str, Any]
    files: dict[str, runner.Stat]
    answer: dict[str, Any]
    problems: int


class State:
    """The memory of a pipeline's stages, in one file.

    A stage is remembered under its id, inputs and outputs: the same file run on two sets has two memories.
    """

    def __init__(self, pipeline: Path) -> None:
        import xxhash

        name = xxhash.xxh3_64_hexdigest(os.fsencode(os.path.abspath(pipeline)))
        self.path = Path(".datatools") / f"{pipeline.stem}-{name}.json"
        self._memories: dict[str, _Memory] = {}
        try:
            for name, entry in json.loads(self.path.read_bytes()).items():
                entry["files"] = {file: (int(size), int(t)) for file, (size, t) in entry["files"].items()}
                self._memories[name] = _Memory(**entry)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self._memories = {}  # the memory is a convenience: without it, everything runs again

    def get(self, stage: Stage) -> _Memory | None:
        """What is remembered of the stage."""
        return self._memories.get(self._name(stage))

    def remember(self, stage: Stage, memory: _Memory) -> None:
        """Write the file anew, whole, with this stage's memory in it."""
        from datatools.io import atomic

        self._memories[self._name(stage)] = memory
        atomic.write_bytes(self.path, json.dumps({k: vars(v) for k, v in self._memories.items()}).encode())

    @staticmethod
    def _name(stage: Stage) -> str:
        return " ".join([stage.id, *map(str, stage.inputs), "->", *map(str, _made(stage))])


@dataclass(frozen=True)
class Selection:
    """Which stages a run may take. only: one stage. start: that stage and all behind it. force: whatever changed."""

    only: str = ""
    start: str = ""
    force: bool = False

    def check(self, pipeline: Pipeline) -> None:
        """Raise UsageError where a name is no stage's."""
        ids = [s.id for s in pipeline.stages]
        for name in (self.only, self.start):
            if name and name not in ids:
                raise UsageError(f"{pipeline.path}: there is no stage {name!r}{near(name, ids)}")

    def takes(self, stage: Stage, pipeline: Pipeline) -> bool:
        """Whether the stage belongs to the selection."""
        if self.only:
            return stage.id == self.only
        return not self.start or stage.id == self.start or self.start in pipeline.upstream(stage.id)


def run_pipeline(
    pipeline: Pipeline, run: Run, selection: Selection = Selection(), *, dry_run: bool = False, show: Any = None
) -> PipelineRun:
    """Run what changed, stage after stage. A stage that fails stops those that need it; the others go on.

    show: called with (stage, result) after every stage that ran.
    """
    selection.check(pipeline)
    state = State(pipeline.path)
    keys: dict[str, str] = {}
    unfinished: set[str] = set()
    reports = []
    for stage in pipeline.stages:
        keys[stage.id], parts = _key(stage, keys)
        memory = state.get(stage)
        why = _why(stage, keys[stage.id], parts, memory, state, pipeline)
        if selection.force and not why:
            why = "forced"
        report: StageReport
        if not selection.takes(stage, pipeline):
            report = _report(stage, "skipped", "not selected", memory)
        elif unfinished & set(stage.needs):
            report = _report(stage, "waits", "a stage that it needs failed", None)
        elif not why:
            report = _report(stage, "kept", "", memory)
        elif dry_run:
            report = _report(stage, "would run", why, None)
        else:
            report = _run(stage, keys[stage.id], parts, why, state, pipeline, run, selection.force, show)
        if report.state in ("failed", "waits"):
            unfinished.add(stage.id)
        reports.append(report)
    return PipelineRun(pipeline.path, tuple(reports))


def _run(
    stage: Stage,
    key: str,
    parts: dict[str, Any],
    why: str,
    state: State,
    pipeline: Pipeline,
    run: Run,
    force: bool,
    show: Any,
) -> StageReport:
    arguments = dict(stage.arguments)
    memory = state.get(stage)
    if any(s.name == "force" for s in stage.op.params):
        arguments["force"] = force or _is_ours(stage, key, memory, state, pipeline)
    given = arguments | ({"run": run} if stage.op.takes_run else {})
    started = time.perf_counter()
    try:
        result: Result = runner.announced(stage.op, arguments, key, given)
    except DatatoolsError as error:
        seconds = time.perf_counter() - started
        return StageReport(
            stage.id, stage.op.name, "failed", why, seconds=seconds, error=str(error), exit_code=error.exit_code
        )
    seconds = time.perf_counter() - started
    state.remember(stage, _Memory(key, parts, _files(stage, result), result.to_json(), result.problems))
    if show:
        show(stage, result)
    return _report(stage, "ran", why, state.get(stage), seconds)


def _report(
    stage: Stage,
    became: Literal["ran", "kept", "would run", "skipped", "waits", "failed"],
    why: str,
    memory: _Memory | None,
    seconds: float = 0.0,
) -> StageReport:
    return StageReport(
        id=stage.id,
        uses=stage.op.name,
        state=became,
        why=why,
        outputs=tuple(str(path) for path in _made(stage)),
        seconds=round(seconds, 3),
        found=memory.problems if memory and became in ("ran", "kept") else 0,
        answer=memory.answer if memory and became in ("ran", "kept") else None,
    )


def _key(stage: Stage, keys: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The stage's key, and what went into it under names that a user knows.

    The key of the stage that an input comes from stands for its bytes: equal keys make equal bytes.
    """
    import xxhash

    made = set(stage.inputs) - set(stage.sources)
    read = [path for path in runner.input_paths(stage.op, stage.arguments) if path not in made]
    inputs = {str(path): runner.tree_digest(path) for path in read}
    parts = {
        "operation": stage.op.name,
        "version": stage.op.version,
        "parameters": runner.parameters(stage.op, stage.arguments),
        "inputs": inputs,
        "stages": {need: keys[need] for need in stage.needs},
    }
    return xxhash.xxh3_128_hexdigest(json.dumps(parts, sort_keys=True).encode()), parts


def _why(
    stage: Stage, key: str, parts: dict[str, Any], memory: _Memory | None, state: State, pipeline: Pipeline
) -> str:
    """Why the stage has to run; nothing when it can be kept."""
    if memory is None:
        return "new"
    if memory.key != key:
        return _difference(memory.parts, parts)
    touched = _touched(stage, memory, state, pipeline)
    return f"output changed: {touched[0]}" if touched else ""


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    if before.get("operation") != now["operation"]:
        return f"operation {before.get('operation')} -> {now['operation']}"
    if before.get("version") != now["version"]:
        return f"version {before.get('version')} -> {now['version']}"
    old = before.get("parameters", {})
    for name, value in now["parameters"].items():
        if old.get(name) != value:
            return f"parameter `{name}` {old.get(name)} -> {value}"
    for need, key in now["stages"].items():
        if before.get("stages", {}).get(need) != key:
            return f"stage {need} changed"
    return "input changed"


def _touched(stage: Stage, memory: _Memory, state: State, pipeline: Pipeline) -> list[str]:
    """Files of the stage that are not as it left them, and that no other stage wrote since."""
    others = _known_files(state, [other for other in pipeline.stages if other.id != stage.id])
    return [name for name, stat in memory.files.items() if name not in others and _stat(name) != stat]


def _known_files(state: State, stages: Iterable[Stage]) -> set[str]:
    return {name for stage in stages if (memory := state.get(stage)) for name in memory.files}


def _is_ours(stage: Stage, key: str, memory: _Memory | None, state: State, pipeline: Pipeline) -> bool:
    """Whether the output may be replaced: this stage made it, and only stages of this pipeline changed it since.

    What a run that was killed made, before it was remembered, is known by the record inside.
    """
    made = runner.read_made(stage.out) if stage.out is not None else None
    if stage.out is None or made is None:
        return False
    by_others = _known_files(state, [other for other in pipeline.stages if other.id != stage.id])
    changes = runner.changed(made.files, runner.list_files(stage.out))
    ours = memory is not None or made.key == key or made.same_source(stage.op, stage.arguments)
    return ours and all(_name(stage.out / name) in by_others for name in changes)


def _made(stage: Stage) -> list[Path]:
    """The outputs that the stage's parameters name."""
    values = [(stage.arguments.get(s.name), s) for s in stage.op.params if s.param.writes]
    return [value for value, _ in values if value is not None]


def _files(stage: Stage, result: Result) -> dict[str, runner.Stat]:
    """Size and time of every file that the stage left behind."""
    found: dict[str, runner.Stat] = {}
    for path in _made(stage):  # files inside a folder that was there already are told by the result
        if path.is_dir() and path == stage.out and _owns(stage):
            found |= {_name(path / name): stat for name, stat in runner.list_files(path).items()}
        elif path.is_file() and (stat := _stat(path)) is not None:
            found[_name(path)] = stat
    for written in result.written:
        if (stat := _stat(written)) is not None:
            found[_name(written)] = stat
    return found


def _owns(stage: Stage) -> bool:
    """Whether the stage makes its output folder whole."""
    return any(s.name == "out" and s.param.writes == "folder" for s in stage.op.params)


def _name(path: PurePath) -> str:
    """The name under which a file is remembered: relative to the working directory, as the pipeline's paths are."""
    return os.path.relpath(path)


def _stat(name: str | PurePath) -> runner.Stat | None:
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
