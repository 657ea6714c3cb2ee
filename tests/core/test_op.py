"""An operation is read off its signature."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from datatools.core import op as ops
from datatools.core.errors import UsageError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table, plain
from datatools.core.types import SERIAL, Dataset, OutFolder, Run


@dataclass(frozen=True)
class Answer(Result):
    value: int


@op("test.measure", version=3)
def measure(
    src: Dataset,
    *,
    out: OutFolder | None = None,
    size: Annotated[int, Param("side", flags=("-s",), ge=1, le=9)] = 3,
    kind: Annotated[Literal["a", "b"], Param("kind")] = "a",
    rule: Annotated[tuple[str, ...], Param("rules")] = (),
    run: Run = SERIAL,
) -> Answer:
    """Measure a set.

    More words.
    """
    return Answer(size)


def test_parameters_are_read_off_the_signature() -> None:
    by_name = {s.name: s for s in measure.params}
    assert list(by_name) == ["src", "out", "size", "kind", "rule"]
    assert by_name["src"].positional
    assert by_name["src"].required
    assert by_name["src"].type is Path
    assert by_name["out"].optional
    assert by_name["out"].param.writes == "folder"
    assert by_name["kind"].choices == ("a", "b")
    assert by_name["rule"].many
    assert by_name["size"].flag == "--size"
    assert measure.takes_run
    assert (measure.group, measure.command, measure.summary) == ("test", "measure", "Measure a set.")


def test_it_is_the_function_with_its_bounds_checked() -> None:
    assert measure(Dataset(Path("x")), size=5).value == 5
    with pytest.raises(UsageError, match="--size must be at most 9"):
        measure(Dataset(Path("x")), size=10)


def test_it_pickles_as_its_name() -> None:
    assert pickle.loads(pickle.dumps(measure)) is measure


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        op("test.measure", version=1)(lambda: None)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(UsageError, match=r"did you mean voc\.lint"):
        ops.find("voc.lnit")


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (float("nan"), None),
        (Path("a/b"), "a/b"),
        ((1, 2.5, None, True), [1, 2.5, None, True]),
        ({1: "x"}, {"1": "x"}),
        (Answer(2), {"value": 2}),
        (Table(("a",), ((1,),)), {"header": ["a"], "rows": [[1]], "title": "", "digits": 3}),
        ("\udcff", "\\udcff"),
    ],
)
def test_results_become_plain_json(value: Any, json: Any) -> None:
    assert plain(value) == json
