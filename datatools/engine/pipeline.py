"""Pipeline files: read, checked in full before anything runs, put in order.

    version: 1
    seed: 7
    vars: {root: my/set}
    stages:
      - {id: fixed, uses: voc.fix, in: "${root}", out: work/fixed}
      - {id: lists, uses: voc.split, in: fixed, with: {train: 0.8, val: 0.1, test: 0.1}}

`in` names a stage or a path; order comes from that. A stage without `out` whose input is a stage works in that stage's
output. Every error carries file, line and column.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datatools.core import op
from datatools.core.errors import UsageError, escape
from datatools.core.op import Op

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Stage:
    """One operation with its parameters.

    inputs: paths as given, or the folder of the stage that makes them; sources: those that no stage makes.
    needs: ids of the stages that come first.
    out: None where the operation makes nothing of its own. arguments: everything that the operation is called with.
    """

    id: str
    op: Op[..., Any]
    inputs: tuple[Path, ...]
    sources: tuple[Path, ...]
    needs: tuple[str, ...]
    out: Path | None
    arguments: dict[str, Any]
    place: str


@dataclass(frozen=True)
class Pipeline:
    """A checked pipeline: stages in an order in which each comes after those it needs."""

    path: Path
    stages: tuple[Stage, ...]

    def upstream(self, stage_id: str) -> set[str]:
        """The ids of all stages that the stage depends on."""
        by_id = {s.id: s for s in self.stages}
        found: set[str] = set()
        waiting = list(by_id[stage_id].needs)
        while waiting:
            need = waiting.pop()
            if need not in found:
                found.add(need)
                waiting.extend(by_id[need].needs)
        return found


@dataclass
class _Raw:
    """A stage as the file has it, before its names are resolved."""

    index: int
    id: str
    uses: Op[..., Any]
    inputs: list[str]
    out: str | None
    parameters: dict[str, Any] = field(default_factory=dict)

    def needs(self, by_id: Mapping[str, "_Raw"]) -> tuple[str, ...]:
        """The stages whose output it reads: as its input, or as a file that a parameter names."""
        makers = {s.out: s.id for s in by_id.values() if s.out is not None and s.id != self.id}
        read = [makers[v] for v in self.parameters.values() if isinstance(v, str) and v in makers]
        return tuple(dict.fromkeys([i for i in self.inputs if i in by_id] + read))


def load(path: Path, settings: Mapping[str, str] | None = None) -> Pipeline:
    """Read and check a pipeline file. settings: values that override the file's `vars`.

    Raises UsageError with every problem of the file, a line each.
    """
    from datatools.io import config, files

    if not path.is_file():
        raise UsageError(f"{escape(path)}: there is no such pipeline file")
    document = config.load_marked(files.read_bytes(path, limit=config.MAX_BYTES), str(path))
    return _Loader(path, document, dict(settings or {})).load()


class _Loader:
    def __init__(self, path: Path, document: Any, settings: dict[str, str]) -> None:
        self.path = path
        self.document = document
        self.settings = settings
        self.errors: list[str] = []

    def load(self) -> Pipeline:
        top = self.document.value
        if not isinstance(top, dict):
            raise UsageError(f"{self.document.where(())}: a pipeline has the keys version and stages")
        self.known(top, (), ("version", "seed", "vars", "stages"))
        if top.get("version") != 1:
            self.error(("version",), f"must be 1 (got {top.get('version')!r})")
        seed = top.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
            self.error(("seed",), f"must be a whole number from 0 to 4294967295 (got {seed!r})")
        self.variables = self.read_variables(top.get("vars") or {})
        listed = top.get("stages")
        if not isinstance(listed, list) or not listed:
            self.error(("stages",), "must be a list with at least one stage")
            listed = []
        raw = [stage for i, entry in enumerate(listed) if (stage := self.read_stage(i, entry))]
        self.give_up_on_errors()
        stages = self.resolve(raw, seed)
        self.give_up_on_errors()
        return Pipeline(self.path, tuple(in_order(stages)))

    def read_variables(self, declared: Any) -> dict[str, str]:
        if not isinstance(declared, dict):
            self.error(("vars",), "must be names with values")
            declared = {}
        for name, value in declared.items():
            if not isinstance(value, str | int | float | bool):
                self.error(("vars", name), "must be text or a number")
        for name in self.settings.keys() - declared.keys():
            self.errors.append(f"--set {escape(name)}: the file has no such variable{near(name, declared)}")
        return {k: str(v) for k, v in (declared | self.settings).items()}

    def read_stage(self, index: int, entry: Any) -> _Raw | None:
        at = ("stages", index)
        if not isinstance(entry, dict):
            self.error(at, "a stage has the keys id, uses, in, out, with")
            return None
        self.known(entry, at, ("id", "uses", "in", "out", "with"))
        name = entry.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self.error((*at, "id"), "every stage needs an id: a letter, then letters, digits, - and _")
            return None
        try:
            operation = op.find(str(entry.get("uses")))
        except UsageError as error:
            self.error((*at, "uses"), str(error))
            return None
        given = entry.get("in")
        inputs = [given] if isinstance(given, str) else given
        if not isinstance(inputs, list) or not inputs or not all(isinstance(i, str) and i for i in inputs):
            self.error((*at, "in"), "names a stage or a path, or several in a list")
            inputs = []
        out = entry.get("out")
        if out is not None and (not isinstance(out, str) or not out):
            self.error((*at, "out"), "must be a path")
            out = None
        parameters = entry.get("with") or {}
        if not isinstance(parameters, dict):
            self.error((*at, "with"), "must be parameters with values")
            parameters = {}
        return _Raw(
            index=index,
            id=name,
            uses=operation,
            inputs=[self.substitute(i, (*at, "in")) for i in inputs],
            out=None if out is None else self.substitute(out, (*at, "out")),
            parameters={k: self.substitute(v, (*at, "with", k)) for k, v in parameters.items()},
        )

    def substitute(self, value: Any, at: tuple[str | int, ...]) -> Any:
        """Replace ${name}. A text that is one variable alone becomes the number that it spells, where it does."""
        if isinstance(value, list):
            return [self.substitute(one, at) for one in value]
        if not isinstance(value, str):
            return value
        for name in _VARIABLE.findall(value):
            if name not in self.variables:
                self.error(at, f"there is no variable {name!r}{near(name, self.variables)}")
                return value
        filled = _VARIABLE.sub(lambda m: self.variables[m[1]], value)
        if _VARIABLE.fullmatch(value):
            from datatools.io import config

            try:
                read = config.load_yaml(filled.encode(), str(self.path))
            except UsageError:
                return filled
            return read if isinstance(read, int | float | bool) else filled
        return filled

    def resolve(self, raw: list[_Raw], seed: int) -> list[Stage]:
        """Turn names into paths and check the parameters of every stage."""
        by_id: dict[str, _Raw] = {}
        for stage in raw:
            if stage.id in by_id:
                self.error(("stages", stage.index, "id"), f"{stage.id!r} is the id of an earlier stage, too")
            by_id[stage.id] = stage
        makers = {Path(s.out): s.id for s in raw if s.out is not None}
        for stage in raw:  # the path that a stage makes stands for the stage
            stage.inputs = [i if i in by_id else makers.get(Path(i), i) for i in stage.inputs]
        self.refuse_cycles(raw, by_id)
        self.give_up_on_errors()
        self.refuse_shared_outputs(raw)
        return [self.resolve_one(stage, by_id, seed) for stage in raw]

    def resolve_one(self, stage: _Raw, by_id: dict[str, _Raw], seed: int) -> Stage:
        at = ("stages", stage.index)
        out_spec = next((s for s in stage.uses.params if s.name == "out"), None)
        if stage.out is not None and out_spec is None:
            self.error((*at, "out"), f"{stage.uses.name} makes no output of its own")
        if stage.out is None and out_spec is not None and out_spec.required:
            self.error(at, f"{stage.uses.name} needs an `out`")
        inputs = tuple(self.folder_of(name, by_id, (*at, "in")) for name in map(str, stage.inputs))
        for name, path in zip(stage.inputs, inputs, strict=True):
            if name not in by_id and not path.exists():
                hint = near(name, by_id)
                self.error((*at, "in"), f"{escape(name)} is neither a stage nor a path that exists{hint}")
        arguments: dict[str, Any] = self.check_parameters(stage, seed)
        positional = [s for s in stage.uses.params if s.positional]
        if positional and positional[0].many:
            arguments[positional[0].name] = inputs
        elif len(inputs) == 1:
            arguments[positional[0].name] = inputs[0]
        else:
            self.error((*at, "in"), f"{stage.uses.name} takes one input (got {len(inputs)})")
        out = None if stage.out is None else Path(stage.out)
        if out is not None:
            arguments["out"] = out
        sources = tuple(path for name, path in zip(stage.inputs, inputs, strict=True) if name not in by_id)
        needs = stage.needs(by_id)
        return Stage(stage.id, stage.uses, inputs, sources, needs, out, arguments, self.document.where(at))

    def folder_of(self, name: str, by_id: dict[str, _Raw], at: tuple[str | int, ...]) -> Path:
        """The path of an input: a stage's output, or that of the stage in whose output it works."""
        seen = by_id.get(name)
        if seen is None:
            return Path(name)
        if seen.out is not None:
            spec = next(s for s in seen.uses.params if s.name == "out")
            if spec.param.writes == "folder":
                return Path(seen.out)
        if len(seen.inputs) != 1:
            self.error(at, f"the stage {name!r} makes no folder that another can read")
            return Path(name)
        return self.folder_of(seen.inputs[0], by_id, at)

    def check_parameters(self, stage: _Raw, seed: int) -> dict[str, Any]:
        import pydantic

        from datatools.engine import schema

        given = dict(stage.parameters)
        specs = {s.name: s for s in schema.stage_params(stage.uses)}
        if "seed" in specs:
            given.setdefault("seed", seed)
        # a list of one may be written without brackets; `-` in a name is `_`, as on the command line
        aliases = {s.flag.removeprefix("--"): s.name for s in specs.values()}
        named = {aliases.get(k, k): v for k, v in given.items()}
        named = {k: [v] if k in specs and specs[k].many and not isinstance(v, list) else v for k, v in named.items()}
        try:
            checked = schema.model(stage.uses.name)(**named)
        except pydantic.ValidationError as error:
            for problem in error.errors():
                self.parameter_error(stage, problem, specs)
            return {}
        except TypeError as error:  # a key that is no identifier
            self.error(("stages", stage.index, "with"), str(error))
            return {}
        values: dict[str, Any] = {}
        for name in checked.model_fields_set:
            value = getattr(checked, name)
            if specs[name].type is Path and value is not None:
                value = [Path(v) for v in value] if specs[name].many else Path(value)
            values[name] = tuple(value) if specs[name].many and value is not None else value
        return values

    def parameter_error(self, stage: _Raw, problem: Any, specs: Mapping[str, Any]) -> None:
        name = str(problem["loc"][0])
        at = ("stages", stage.index, "with", name)
        if problem["type"] == "extra_forbidden":
            self.error(at, f"{stage.uses.name} has no such parameter{near(name, specs)}", name)
            return
        got = problem.get("input")
        bound = specs[name].param.bound_error(got) if isinstance(got, int | float) and name in specs else ""
        message = bound or problem["msg"].replace("Input should", "must", 1)
        shown = f" (got {escape(repr(got)[:60])})" if problem["type"] != "missing" else ""
        self.error(at, f"{message}{shown}", name)

    def refuse_cycles(self, raw: list[_Raw], by_id: dict[str, _Raw]) -> None:
        state: dict[str, int] = {}

        def visit(name: str, trail: tuple[str, ...]) -> None:
            if state.get(name) == 1:
                circle = " -> ".join((*trail[trail.index(name) :], name))
                self.error(("stages", by_id[name].index, "in"), f"the stages need each other: {circle}")
            elif name not in state:
                state[name] = 1
                for need in by_id[name].needs(by_id):
                    visit(need, (*trail, name))
            state[name] = 2

        for stage in raw:
            visit(stage.id, ())

    def refuse_shared_outputs(self, raw: list[_Raw]) -> None:
        owners: dict[Path, str] = {}
        for stage in raw:
            if stage.out is None:
                continue
            path = Path(stage.out).absolute()
            if path in owners:
                self.error(("stages", stage.index, "out"), f"{owners[path]!r} writes there, too")
            owners[path] = stage.id

    def known(self, entries: dict[str, Any], at: tuple[str | int, ...], keys: tuple[str, ...]) -> None:
        for key in entries:
            if key not in keys:
                self.error((*at, key), f"there is no such key{near(key, keys)}", key)

    def error(self, at: tuple[str | int, ...], message: str, key: str = "") -> None:
        dotted = ""
        for part in at:
            dotted += f"[{part}]" if isinstance(part, int) else f".{escape(part)}"
        self.errors.append(f"{self.document.where(at)}: {dotted.lstrip('.')}: {message}")

    def give_up_on_errors(self) -> None:
        if self.errors:
            raise UsageError("\n".join(self.errors))


def in_order(stages: list[Stage]) -> Iterator[Stage]:
    """The stages in the order of the file, each moved behind those that it needs."""
    left = {s.id: s for s in stages}
    while left:
        ready = next(s for s in left.values() if not any(need in left for need in s.needs))
        yield left.pop(ready.id)


def near(name: str, known: Any) -> str:
    """A did-you-mean where one of the known names is close."""
    import difflib

    found = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f"; did you mean {found[0]}?" if found else ""
