"""`matrix`: a stage that is repeated over values, every combination once.

    matrix: {k: [5, 9], size: [416, 608]}

makes four stages, `anchors[k=5,size=416]` to `anchors[k=9,size=608]`, in which ${matrix.k} and ${matrix.size} stand
for the values. The first name changes slowest.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from datatools.core.errors import escape
from datatools.engine.pipefile.problems import Problems, Spot
from datatools.engine.pipefile.variables import Scalar, Scope, spell

MAX_REPEATS = 256
_MAX_TEXT = 64


def combinations(
    matrix: Mapping[str, Sequence[Any]], scope: Scope, at: Spot, problems: Problems
) -> list[dict[str, Scalar]]:
    """The values of each repeat. A stage without a matrix has one, without values."""
    if math.prod(map(len, matrix.values())) > MAX_REPEATS:
        problems.add(at, f"more than {MAX_REPEATS} combinations")
        return []
    axes = []
    for name, values in matrix.items():
        kept: dict[str, Scalar] = {}
        for i, value in enumerate(values):
            spot = at.at(name, i)
            filled = scope.fill(value, spot)
            if (wrong := _wrong(filled)) or spell(filled) in kept:
                problems.add(spot, wrong or f"{escape(spell(filled))} stands in the list twice")
            else:
                kept[spell(filled)] = filled
        axes.append(kept.values())
    return [dict(zip(matrix, chosen, strict=True)) for chosen in itertools.product(*axes)]


def label(values: Mapping[str, Scalar]) -> str:
    """What the id of a repeat ends with.

    >>> label({"k": 5, "size": 416}), label({})
    ('[k=5,size=416]', '')
    """
    return f"[{','.join(f'{name}={spell(value)}' for name, value in values.items())}]" if values else ""


def _wrong(value: Any) -> str:
    """What is wrong with a value; it becomes a part of the stage's id."""
    if not isinstance(value, Scalar):
        return "must be text, a number, true or false"
    if isinstance(value, str) and (
        not value.isprintable()
        or value != value.strip()
        or not value
        or len(value) > _MAX_TEXT
        or set(value) & set(",=[]")
    ):
        return f"a text here has 1 to {_MAX_TEXT} characters, no line end, comma, = or bracket among them"
    return ""
