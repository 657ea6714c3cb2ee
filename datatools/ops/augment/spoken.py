"""An operation with its options as one text, `tia distort --strength 2`."""

import difflib
import shlex
from pathlib import Path
from typing import Any

from datatools.core import op as operations
from datatools.core.errors import UsageError, escape
from datatools.core.op import Op, ParamSpecOf


def understood(text: str) -> tuple[Op[..., Any], dict[str, Any]]:
    """The operation that makes new items, and its arguments, defaults included. UsageError says what is wrong."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--op: {escape(text)}: {error}") from None
    known = {one.command: one for one in map(operations.find, operations.names("augment")) if one.generates}
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in known:
            operation = known[name]
            return operation, _arguments(operation, words[count:])
    near = difflib.get_close_matches(" ".join(words[:2]), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise UsageError(f"--op: there is no augmentation {escape(' '.join(words[:1]))}; {hint}")


def _arguments(operation: Op[..., Any], words: list[str]) -> dict[str, Any]:
    specs = {flag: spec for spec in operation.own for flag in spec.flags}
    given: dict[str, Any] = {}
    rest = list(words)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        negated = flag.startswith("--no-") and flag not in specs
        spec = specs.get(f"--{flag[5:]}" if negated else flag)
        if spec is None:
            near = difflib.get_close_matches(flag, specs, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--op: {operation.command} has no option {escape(flag)}{hint}")
        if spec.type is bool:
            given[spec.name] = not negated
            continue
        if not equals:
            if not rest:
                raise UsageError(f"--op: {flag} needs a value")
            value = rest.pop(0)
        given[spec.name] = _value(spec, value)
    for spec in operation.own:
        if spec.required and spec.name not in given:
            raise UsageError(f"--op: {operation.command} needs {spec.flag}")
        given.setdefault(spec.name, spec.default)
        spec.check(given[spec.name])
    return given


def _value(spec: ParamSpecOf, text: str) -> Any:
    if spec.choices and text not in spec.choices:
        raise UsageError(f"--op: {spec.flag} is one of {', '.join(spec.choices)}")
    if spec.type is Path:
        return Path(text)
    try:
        return spec.type(text)
    except ValueError:
        raise UsageError(f"--op: {spec.flag} {escape(text)} is not a number") from None
