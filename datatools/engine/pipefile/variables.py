"""`vars`, `--set` and ${name}: what a name stands for, and putting it in its place.

A value keeps its type: where a text is one variable alone, `k: ${n}`, the parameter gets the number, not its digits.
"""

import re
from collections.abc import Mapping
from typing import Any

from datatools.core.errors import UsageError
from datatools.engine.pipefile.problems import Problems, Spot
from datatools.engine.pipeline import near

Scalar = str | int | float | bool

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VARIABLE = re.compile(r"\$\{((?:matrix\.)?[A-Za-z_][A-Za-z0-9_]*)\}")


class Scope:
    """What ${name} and ${matrix.name} stand for in one file, or in one stage of it."""

    def __init__(self, values: Mapping[str, Scalar], problems: Problems) -> None:
        self.values = dict(values)
        self.problems = problems

    def inside(self, matrix: Mapping[str, Scalar]) -> "Scope":
        """The same with the values of one repeat of a stage."""
        return Scope(self.values | {f"matrix.{name}": value for name, value in matrix.items()}, self.problems)

    def fill(self, value: Any, spot: Spot) -> Any:
        """Replace the variables of a text, or of the texts of a list."""
        if isinstance(value, list):
            return [self.fill(one, spot) for one in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        if "${" in VARIABLE.sub("", value):
            self.problems.add(spot, "`${` begins a variable: ${name}, or ${matrix.name} in a stage with a matrix")
            return value
        for name in VARIABLE.findall(value):
            if name not in self.values:
                self.problems.add(spot, f"there is no variable {name!r}{near(name, self.values)}")
                return value
        if alone := VARIABLE.fullmatch(value):
            return self.values[alone[1]]
        return VARIABLE.sub(lambda match: spell(self.values[match[1]]), value)

    def fill_text(self, value: str, spot: Spot) -> str:
        """The same for a path or a name, which is text whatever the variable is."""
        return spell(self.fill(value, spot))


def spell(value: Scalar) -> str:
    """The value as YAML writes it.

    >>> [spell(value) for value in (True, 5, 0.5, "a")]
    ['true', '5', '0.5', 'a']
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def top_scope(declared: Mapping[str, Scalar], settings: Mapping[str, str], at: Spot, problems: Problems) -> Scope:
    """The variables of the file that is run. settings: texts of the command line that override them.

    A setting is read as YAML reads it, but stays text where the file's own value is text.
    """
    for name in settings.keys() - declared.keys():
        problems.add_setting(name, f"the file has no such variable{near(name, declared)}")
    scope = Scope({}, problems)
    for name, value in declared.items():
        if name in settings and isinstance(value, str) and "${" not in value:
            scope.values[name] = settings[name]
        elif name in settings:
            scope.values[name] = _read(settings[name])
        else:
            scope.values[name] = scope.fill(value, at.at(name))
    return scope


def included_scope(
    declared: Mapping[str, Scalar], at: Spot, given: Mapping[str, Any], given_at: Spot, problems: Problems
) -> Scope:
    """The variables of a file that is included. given: what the include hands over, its own variables filled in."""
    scope = Scope({}, problems)
    for name, value in given.items():
        if name not in declared:
            hint = near(name, declared) or f"; it has {', '.join(declared) or 'none'}"
            problems.add(given_at.at(name), f"the included file has no such variable{hint}")
        elif not isinstance(value, Scalar):
            problems.add(given_at.at(name), "a variable is text, a number, true or false")
    for name, value in declared.items():
        handed = given.get(name)
        scope.values[name] = handed if isinstance(handed, Scalar) else scope.fill(value, at.at(name))
    return scope


def _read(text: str) -> Scalar:
    from datatools.io import config

    try:
        value = config.load_yaml(text.encode("utf-8", "surrogateescape"), "--set")
    except UsageError:
        return text
    return value if isinstance(value, int | float | bool) else text
