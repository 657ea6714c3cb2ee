"""JSON from strangers, read strictly: what the standard reader lets through quietly is an error here.

NaN and Infinity, numbers that overflow, a key that stands twice (the last one would win), lone surrogates (they crash
whoever writes them again), nesting that ends in a RecursionError, and whatever is not UTF-8.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from datatools.core.errors import DataError

MAX_DEPTH = 64

_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]')
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def load(data: bytes, name: str) -> Any:
    r"""Return the value of a JSON text.

    data: UTF-8, with or without a byte order mark. name: the file's name for messages.
    Raises DataError E-JSON-BROKEN (with the line where there is one) or E-JSON-LIMIT.

    >>> load(b'{"a": [1, 2.5]}', "x.json")
    {'a': [1, 2.5]}
    >>> load(b'{"a": 1, "a": 2}', "x.json")
    Traceback (most recent call last):
    datatools.core.errors.DataError: x.json: E-JSON-BROKEN: the key 'a' stands twice in one object
    """
    if too_deep(data):
        raise DataError(name, 0, "E-JSON-LIMIT", f"nested deeper than {MAX_DEPTH} levels")
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_constant, parse_float=_finite, object_pairs_hook=_unique)
        if _SURROGATE.search(data):
            _check_surrogates(value)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(name, line, "E-JSON-BROKEN", f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise DataError(name, error.lineno, "E-JSON-BROKEN", f"{error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise DataError(name, 0, "E-JSON-BROKEN", str(error)) from None
    return value


def too_deep(data: bytes) -> bool:
    """Whether brackets nest deeper than MAX_DEPTH, found without recursion.

    >>> too_deep(b"[" * 1000 + b"]" * 1000), too_deep(b'{"a": "[[["}')
    (True, False)
    """
    # innermost pairs vanish round by round; what stays is deep, or has brackets inside strings and is counted exactly
    brackets = data.translate(None, delete=_NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    depth = 0
    for token in _TOKENS.finditer(data):
        first = data[token.start()]
        if first != 0x22:
            depth += 1 if first in b"[{" else -1
            if depth > MAX_DEPTH:
                return True
    return False


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return made


def _check_surrogates(value: Any) -> None:
    """Raise ValueError (UnicodeEncodeError is one) where a text has half of a surrogate pair."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str) and not value.isascii():
            if any("\ud800" <= c <= "\udfff" for c in value):
                raise ValueError("a text holds a lone surrogate, which is no character")
        elif isinstance(value, dict):
            left += value
            left += value.values()
        elif isinstance(value, list):
            left += value
