"""`with`: the parameters of a stage against the signature of its operation."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datatools.core.errors import escape
from datatools.core.op import Op, ParamSpecOf
from datatools.engine import schema
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.problems import Problems
from datatools.engine.pipeline import near


def check(draft: Draft, operation: Op[..., Any], problems: Problems) -> dict[str, Any]:
    """The arguments that `with` and the seed give, as the function wants them.

    Where something is wrong, that is noted, and only what names files is returned, for the checks that follow.
    """
    specs = {s.name: s for s in schema.stage_params(operation)}
    given = _named(draft.parameters, specs)
    if "seed" in specs:
        given.setdefault("seed", draft.seed)
    if _exact(given, specs):
        return {name: _typed(value, specs[name]) for name, value in given.items()}
    import pydantic

    try:
        checked = schema.model(operation.name).model_validate(given)
    except pydantic.ValidationError as error:
        for problem in error.errors():
            _note(draft, operation, problem, specs, problems)
        paths = {k: v for k, v in given.items() if k in specs and specs[k].type is Path}
        return {k: _typed(v, specs[k]) for k, v in paths.items() if isinstance(v, str | list)}
    return {name: _typed(getattr(checked, name), specs[name]) for name in checked.model_fields_set}


def _exact(given: Mapping[str, Any], specs: Mapping[str, ParamSpecOf]) -> bool:
    """Whether nothing is missing and every value is of the very type that is wanted, within its bounds.

    So it is nearly always; what else can be taken, and what is wrong with the rest, pydantic knows, which takes as long
    to load as all of our own code.
    """
    if not given.keys() >= {spec.name for spec in specs.values() if spec.required} or not given.keys() <= specs.keys():
        return False
    for name, value in given.items():
        spec = specs[name]
        wanted = str if spec.type is Path else spec.type
        for one in value if spec.many else (value,):
            if type(one) is not wanted or (spec.choices and one not in spec.choices):
                return False
            if isinstance(one, int | float) and (not math.isfinite(one) or spec.param.bound_error(one)):
                return False
    return True


def _named(parameters: Mapping[str, Any], specs: Mapping[str, ParamSpecOf]) -> dict[str, Any]:
    """The parameters under their own names: options may be spelled as on the command line, a list of one without []."""
    aliases = _aliases(specs)
    named = {aliases.get(k, k): v for k, v in parameters.items()}
    return {k: [v] if k in specs and specs[k].many and not isinstance(v, list) else v for k, v in named.items()}


def _aliases(specs: Mapping[str, ParamSpecOf]) -> dict[str, str]:
    """The options of the command line, and the parameters that they are."""
    return {s.flag.removeprefix("--"): s.name for s in specs.values()}


def _typed(value: Any, spec: ParamSpecOf) -> Any:
    if value is None:
        return None
    if spec.type is Path:
        value = [Path(str(v)) for v in value] if isinstance(value, list) else Path(value)
    return tuple(value) if spec.many else value


def _note(
    draft: Draft, operation: Op[..., Any], problem: Any, specs: Mapping[str, ParamSpecOf], problems: Problems
) -> None:
    name = str(problem["loc"][0])
    aliases = _aliases(specs)
    name_at = next((k for k in draft.parameters if aliases.get(k, k) == name), name)  # as the file spells it
    at = draft.spot.at("with", name_at)
    if problem["type"] == "extra_forbidden":
        problems.add(at, f"{operation.name} has no such parameter{near(name, specs)}")
        return
    if problem["type"] == "missing":
        problems.add(draft.spot.at("with"), f"{operation.name} needs the parameter {name_at}")
        return
    got = problem.get("input")
    bound = specs[name].param.bound_error(got) if isinstance(got, int | float) and name in specs else ""
    message = bound or problem["msg"].replace("Input should", "must", 1)
    problems.add(at, f"{message} (got {escape(repr(got)[:60])})")
