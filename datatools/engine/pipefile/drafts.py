"""All stages of a pipeline one by one: files included, stages repeated, variables and conditions filled in.

What is left to do is to look up the names of stages and paths, and to check the parameters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datatools.core.op import Op
from datatools.engine.pipefile import conditions, matrix
from datatools.engine.pipefile.entries import Entry, PipelineFile
from datatools.engine.pipefile.includes import Files
from datatools.engine.pipefile.problems import Problems, Spot
from datatools.engine.pipefile.variables import Scalar, Scope, included_scope, spell, top_scope

MAX_STAGES = 1000
"""How many stages a pipeline may have, repeats counted."""


@dataclass(frozen=True)
class Draft:
    """A stage whose values are filled in.

    id: with the ids of the includes around it and the values of the matrix: `prep.tiles[k=5]`. prefix: `prep.`, before
    which the names of its own file are looked up. uses: None where the operation or the file to include is not there.
    """

    id: str
    prefix: str
    spot: Spot
    uses: Op[..., Any] | None
    inputs: tuple[tuple[str, Spot], ...]
    out: str | None
    parameters: dict[str, Any]
    seed: int
    when: str
    skipped_because: str


@dataclass(frozen=True)
class _Around:
    """What holds for all stages of a file because of where it is included."""

    trail: tuple[Path, ...]
    prefix: str = ""
    via: str = ""
    seed: int = 0
    when: str = ""
    skipped_because: str = ""


def gather(path: Path, settings: Mapping[str, str], problems: Problems) -> list[Draft]:
    """Every stage of the file and of those that it includes, in their order. settings: values that override `vars`."""
    files = Files(path, problems)
    file = files.top(path)
    scope = top_scope(file.variables, settings, file.spot.at("vars"), problems)
    return list(_Walk(files, problems).stages(file, scope, _Around(trail=(path,))))


class _Walk:
    def __init__(self, files: Files, problems: Problems) -> None:
        self.files = files
        self.problems = problems
        self.count = 0

    def stages(self, file: PipelineFile, scope: Scope, around: _Around) -> Iterator[Draft]:
        if file.seed is not None:
            around = replace(around, seed=file.seed)
        for written in file.entries:
            entry = replace(written, spot=replace(written.spot, via=around.via))
            for values in matrix.combinations(entry.matrix, scope, entry.spot.at("matrix"), self.problems):
                if self.count > MAX_STAGES:
                    return
                yield from self.repeat(entry, values, scope.inside(values), around)

    def repeat(self, entry: Entry, values: Mapping[str, Scalar], scope: Scope, around: _Around) -> Iterator[Draft]:
        name = f"{around.prefix}{entry.id}{matrix.label(values)}"
        here = self.condition(entry, scope, around)
        at = entry.spot.at("include")
        file = self.files.included(entry.include, around.trail, at) if entry.include else None
        if file is not None:
            yield from self.included(file, entry, name, scope, here)
        elif self.has_room(entry):
            yield self.stage(entry, name, scope, here)

    def stage(self, entry: Entry, name: str, scope: Scope, around: _Around) -> Draft:
        at = entry.spot
        places = [(given, replace(spot, via=at.via)) for given, spot in entry.inputs]
        inputs = tuple((scope.fill_text(given, spot), spot) for given, spot in places)
        out = None if entry.out is None else scope.fill_text(entry.out, at.at("out"))
        for text, spot in (*inputs, (out, at.at("out"))):
            if text == "" and not around.skipped_because:  # `when` may ask whether there is a value
                self.problems.add(spot, "is empty once its variables are filled in")
        return Draft(
            id=name,
            prefix=around.prefix,
            spot=at,
            uses=entry.uses,
            inputs=inputs,
            out=out,
            parameters=self.parameters(entry, scope),
            seed=around.seed,
            when=around.when,
            skipped_because=around.skipped_because,
        )

    def included(self, file: PipelineFile, entry: Entry, name: str, scope: Scope, around: _Around) -> Iterator[Draft]:
        at = entry.spot
        via = f" (as {name}, included at {at.where})"
        given = self.parameters(entry, scope)
        vars_at = replace(file.spot.at("vars"), via=via)
        inner = included_scope(file.variables, vars_at, given, at.at("with"), self.problems)
        trail = (*around.trail, file.path)
        yield from self.stages(file, inner, replace(around, trail=trail, prefix=f"{name}.", via=via))

    def parameters(self, entry: Entry, scope: Scope) -> dict[str, Any]:
        return {k: scope.fill(v, entry.spot.at("with", k)) for k, v in entry.parameters.items()}

    def condition(self, entry: Entry, scope: Scope, around: _Around) -> _Around:
        """What holds around the stage, its own `when` added. What is skipped already stays so for the first reason."""
        if entry.when is True:
            return around
        text = spell(entry.when)
        try:
            holds = conditions.holds(text, scope.values)
        except conditions.ConditionError as error:
            self.problems.add(entry.spot.at("when"), str(error))
            return around
        because = "" if holds else f"when {conditions.explain(text, scope.values)}"
        both = f"{around.when} and {text}" if around.when else text
        return replace(around, when=both, skipped_because=around.skipped_because or because)

    def has_room(self, entry: Entry) -> bool:
        self.count += 1
        if self.count == MAX_STAGES + 1:
            self.problems.add(entry.spot, f"more than {MAX_STAGES} stages in one pipeline")
        return self.count <= MAX_STAGES
