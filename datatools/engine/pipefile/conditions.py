"""`when`: a condition on variables. A small language of its own; nothing is ever evaluated as code.

    condition  = both ("or" both)*
    both       = one ("and" one)*
    one        = "not" one | "(" condition ")" | value [("==" | "!=") value | ["not"] "in" "[" value ("," value)* "]"]
    value      = ${name} | 'text' | "text" | number | true | false

Texts, numbers and truths are compared among themselves only: a misspelt value is an error, not a quiet `false`.
"""

import re
from collections.abc import Mapping
from typing import NoReturn

from datatools.core.errors import escape
from datatools.engine.pipefile.variables import VARIABLE, Scalar, spell
from datatools.engine.pipeline import near

MAX_LENGTH = 500
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"""\s*(?:(?P<variable>\$\{[^}]*\})|(?P<text>'[^']*'|"[^"]*")|(?P<number>-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?![\w.]))"""
    r"""|(?P<word>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|[()\[\],]))"""
)
_MEANT = {"=": "==", "&": "and", "|": "or", "!": "not", "<": "== or in", ">": "== or in"}


class ConditionError(ValueError):
    """The condition cannot be read, or compares what cannot be compared."""


def holds(text: str, values: Mapping[str, Scalar]) -> bool:
    """Whether the condition is true. values: of the variables.

    >>> holds("${k} in [5, 9] and not ${fast}", {"k": 9, "fast": False})
    True
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition has at most {MAX_LENGTH} characters")
    return _Parser(text, values).whole()


def explain(text: str, values: Mapping[str, Scalar]) -> str:
    """The condition with the values of its variables, for a reader who wonders.

    >>> explain("${split} == true", {"split": False})
    '${split} == true (split is false)'
    """
    named = dict.fromkeys(name for name in VARIABLE.findall(text) if name in values)
    told = ", ".join(f"{name} is {escape(spell(values[name]))}" for name in named)
    return f"{escape(text)} ({told})" if told else escape(text)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            hint = f"; did you mean {_MEANT[rest[0]]}?" if rest[0] in _MEANT else ""
            raise ConditionError(f"cannot be read from here: {escape(rest[:20])}{hint}")
        kind = match.lastgroup or ""
        tokens.append((kind, match[kind]))
        place = match.end()
    return [*tokens, ("end", "the end")]


class _Parser:
    """Reads and evaluates at once: every value is known, and both sides are always looked at."""

    def __init__(self, text: str, values: Mapping[str, Scalar]) -> None:
        self.values = values
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    def whole(self) -> bool:
        result = self.condition()
        if self.tokens[self.place][0] != "end":
            self.refuse("`and`, `or` or the end")
        return result

    def condition(self) -> bool:
        result = self.both()
        while self.take("or"):
            right = self.both()
            result = result or right
        return result

    def both(self) -> bool:
        result = self.one()
        while self.take("and"):
            right = self.one()
            result = result and right
        return result

    def one(self) -> bool:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(f"nested deeper than {MAX_DEPTH} levels")
        if self.take("not"):
            result = not self.one()
        elif self.take("("):
            result = self.condition()
            self.expect(")")
        else:
            result = self.comparison()
        self.depth -= 1
        return result

    def comparison(self) -> bool:
        left = self.value()
        if self.take("=="):
            return self.equal(left, self.value())
        if self.take("!="):
            return not self.equal(left, self.value())
        denied = self.take("not")
        if denied or self.tokens[self.place][1] == "in":
            self.expect("in")
            return self.one_of(left) is not denied
        if not isinstance(left, bool):
            raise ConditionError(f"{_shown(left)} is neither true nor false; compare it: == 'value'")
        return left

    def one_of(self, left: Scalar) -> bool:
        self.expect("[")
        found = [self.equal(left, self.value())]
        while self.take(","):
            found.append(self.equal(left, self.value()))
        self.expect("]")
        return any(found)

    def equal(self, left: Scalar, right: Scalar) -> bool:
        if _sort(left) != _sort(right):
            raise ConditionError(f"compares {_sort(left)} with {_sort(right)}: {_shown(left)}, {_shown(right)}")
        return left == right

    def value(self) -> Scalar:
        kind, text = self.tokens[self.place]
        if kind == "variable":
            name = text[2:-1]
            if name not in self.values:
                raise ConditionError(f"there is no variable {escape(repr(name))}{near(name, self.values)}")
            self.place += 1
            return self.values[name]
        if kind == "text":
            self.place += 1
            return text[1:-1]
        if kind == "number":
            self.place += 1
            return float(text) if "." in text else int(text)
        if text in ("true", "false"):
            self.place += 1
            return text == "true"
        if kind == "word" and text not in ("and", "or", "not", "in"):
            meant = f"${{{text}}}" if text in self.values else f"'{text}'"
            raise ConditionError(f"{text}: did you mean {meant}? Variables are written ${{name}}, texts in quotes")
        self.refuse("a value")

    def take(self, text: str) -> bool:
        """Go past the token if it is this one."""
        kind, found = self.tokens[self.place]
        if found != text or kind == "text":
            return False
        self.place += 1
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.refuse(f"`{text}`")

    def refuse(self, wanted: str) -> NoReturn:
        raise ConditionError(f"{wanted} is missing before {escape(self.tokens[self.place][1])}")


def _sort(value: Scalar) -> str:
    if isinstance(value, bool):
        return "a truth"
    return "a text" if isinstance(value, str) else "a number"


def _shown(value: Scalar) -> str:
    return escape(repr(value)) if isinstance(value, str) else spell(value)
