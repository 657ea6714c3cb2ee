"""What a pipeline file may say: models made from the signatures of the operations, and their JSON Schema."""

import functools
import types
from typing import Annotated, Any, Literal

from datatools.core import op
from datatools.core.op import Op, ParamSpecOf


def stage_params(operation: Op[..., Any]) -> list[ParamSpecOf]:
    """The parameters that stand under `with:`. What steers the work belongs to the whole run, not to a stage."""
    return [s for s in operation.params if not s.positional and s.name != "out" and not s.param.steers]


@functools.cache
def model(name: str) -> Any:
    """The pydantic model of an operation's `with:`: exact types, bounds, nothing unknown."""
    from pydantic import BaseModel, ConfigDict, Field, create_model

    operation = op.find(name)
    fields: dict[str, Any] = {}
    for spec in stage_params(operation):
        kind: Any = _type(spec)
        if spec.many:
            kind = types.GenericAlias(list, kind)
        if spec.optional:
            kind = kind | None
        default = list(spec.default or ()) if spec.many else spec.default
        fields[spec.name] = (kind, Field(... if spec.required else default, description=spec.param.help))
    made: type[BaseModel] = create_model(
        operation.name, __config__=ConfigDict(extra="forbid", strict=True), __doc__=operation.summary, **fields
    )
    return made


def _type(spec: ParamSpecOf) -> Any:
    """The type of one value of the parameter, with its bounds."""
    from pydantic import Field

    if spec.choices:
        return Literal[spec.choices]
    if spec.type is bool:
        return bool
    if spec.type not in (int, float):
        # YAML reads `size: 416` as a number; the operation wants the text
        either: dict[str, Any] = {"type": ["string", "number"]}
        return Annotated[str, Field(strict=False, coerce_numbers_to_str=True, json_schema_extra=either)]
    bounds = {k: getattr(spec.param, k) for k in ("ge", "le", "gt", "lt") if getattr(spec.param, k) is not None}
    if spec.type is float:
        bounds["allow_inf_nan"] = False
    return Annotated[spec.type, Field(**bounds)]


_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = rf"\$\{{(matrix\.)?{_NAME}\}}"
_SCALAR = {"type": ["string", "number", "boolean"]}
_TEXT = {"type": "string", "minLength": 1}


def pipeline_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of pipeline files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "datatools pipeline",
        "type": "object",
        "required": ["version", "stages"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": 1, "description": "the version of this format"},
            "seed": {
                "type": "integer",
                "minimum": 0,
                "maximum": 2**32 - 1,
                "description": "for stages that draw",
            },
            "vars": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": f"^{_NAME}$"},
                "additionalProperties": _SCALAR,
                "description": "values for ${name}; `datatools run --set name=value` overrides them, and so does an "
                "include",
            },
            "stages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "if": {"required": ["include"]},
                    "then": {"$ref": "#/$defs/include"},
                    "else": {"$ref": "#/$defs/stage"},
                },
            },
        },
        "$defs": {"stage": _stage(), "include": _include(), **{name: _with(name) for name in op.names()}},
    }


def _stage() -> dict[str, Any]:
    """An entry that names an operation; which one decides what may stand under `with`."""
    return {
        "type": "object",
        "required": ["id", "uses", "in"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$", "description": "the stage's name"},
            "uses": {"enum": list(op.names()), "description": "the operation"},
            "in": {
                "anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}],
                "description": "a stage (lists; of an include prep.lists; of a matrix anchors[k=5]) or a path",
            },
            "out": {**_TEXT, "description": "the file or folder that the stage makes"},
            "with": {"type": ["object", "null"], "description": "parameters of the operation"},
            **_whether_and_how_often(),
        },
        "allOf": [
            {
                "if": {"properties": {"uses": {"const": name}}, "required": ["uses"]},
                "then": {"properties": {"with": {"$ref": f"#/$defs/{name}"}}, **_needs_parameters(name)},
            }
            for name in op.names()
        ],
    }


def _include() -> dict[str, Any]:
    """An entry that names another pipeline file."""
    return {
        "type": "object",
        "required": ["id", "include"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[A-Za-z][A-Za-z0-9_-]*$",
                "description": "stands before the ids of its stages: prep.lists",
            },
            "include": {**_TEXT, "description": "another pipeline file, relative to this one"},
            "with": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": f"^{_NAME}$"},
                "additionalProperties": _SCALAR,
                "description": "values for the `vars` of that file",
            },
            **_whether_and_how_often(),
        },
    }


def _whether_and_how_often() -> dict[str, Any]:
    return {
        "when": {
            "type": ["string", "boolean"],
            "minLength": 1,
            "description": "run only where this holds: \"${format} in ['yolo', 'coco'] and not ${quick}\"",
        },
        "matrix": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": f"^{_NAME}$"},
            "additionalProperties": {"type": "array", "items": _SCALAR, "minItems": 1, "uniqueItems": True},
            "description": "repeat for every combination of these values; ${matrix.name} stands for them",
        },
    }


def _needs_parameters(name: str) -> dict[str, Any]:
    """Whether `with` and `out` may be left out."""
    operation = op.find(name)
    required = ["with"] if any(s.required for s in stage_params(operation)) else []
    required += [s.name for s in operation.params if s.name == "out" and s.required]
    return {"required": required} if required else {}


def _with(name: str) -> dict[str, Any]:
    """What may stand under `with`. Every value may also be a variable; options keep the command line's spelling."""
    operation = op.find(name)
    given = model(name).model_json_schema().get("properties", {})
    properties: dict[str, Any] = {}
    required: list[str] = []
    either: list[dict[str, Any]] = []
    for spec in stage_params(operation):
        value = dict(given[spec.name])
        said = {k: value.pop(k) for k in ("description", "default") if k in value}
        value.pop("title", None)
        spelled = {spec.name, spec.flag.removeprefix("--")}
        for key in sorted(spelled):
            properties[key] = {"anyOf": _choices(spec, value), **said}
        if spec.required and len(spelled) == 1:
            required.append(spec.name)
        elif spec.required:
            either.append({"anyOf": [{"required": [key]} for key in sorted(spelled)]})
    kind = "object" if required or either else ["object", "null"]
    made = {"type": kind, "additionalProperties": False, "properties": properties, "required": required}
    return made | ({"allOf": either} if either else {})


def _choices(spec: ParamSpecOf, value: dict[str, Any]) -> list[dict[str, Any]]:
    """The forms that a value may have. Numbers and truths are a variable alone; texts may contain some."""
    alone = spec.type in (bool, int, float)
    variable = {"type": "string", "pattern": f"^{_VARIABLE}$" if alone else _VARIABLE}
    if not spec.many:
        return [value, variable]
    one = value["items"]
    return [{**value, "items": {"anyOf": [one, variable]}}, one, variable]  # a list of one needs no brackets
