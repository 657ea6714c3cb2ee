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


def _with_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an operation's `with:`: every value may also be a variable; options keep their spelling."""
    schema: dict[str, Any] = model(name).model_json_schema()
    variable = {"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"}
    spelled = {s.name: s.flag.lstrip("-") for s in stage_params(op.find(name))}
    properties = {}
    for key, value in schema.get("properties", {}).items():
        said = {k: value.pop(k) for k in ("description", "default") if k in value}
        value.pop("title", None)
        properties[key] = properties[spelled[key]] = {"anyOf": [value, variable], **said}
    # which of two spellings a required parameter has is checked when the file is read
    required = [key for key in schema.get("required", []) if spelled[key] == key]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def pipeline_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of pipeline files."""
    stages = []
    definitions: dict[str, Any] = {}
    for name in op.names():
        definitions[name] = _with_schema(name)
        stages.append(
            {
                "if": {"properties": {"uses": {"const": name}}},
                "then": {"properties": {"with": {"$ref": f"#/$defs/{name}"}}},
            }
        )
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "datatools pipeline",
        "type": "object",
        "required": ["version", "stages"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": 1, "description": "the version of this format"},
            "seed": {"type": "integer", "minimum": 0, "description": "for every stage that draws at random"},
            "vars": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
                "description": "values for ${name}; `datatools run --set name=value` overrides them",
            },
            "stages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["id", "uses", "in"],
                    "additionalProperties": False,
                    "properties": {
                        "id": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$"},
                        "uses": {"enum": list(op.names()), "description": "the operation"},
                        "in": {
                            "anyOf": [text, {"type": "array", "items": text, "minItems": 1}],
                            "description": "the id of a stage, or a path",
                        },
                        "out": {"type": "string", "description": "the file or folder that the stage makes"},
                        "with": {"type": "object", "description": "parameters of the operation"},
                    },
                    "allOf": stages,
                },
            },
        },
        "$defs": definitions,
    }
