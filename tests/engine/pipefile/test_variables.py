"""Variables: what overrides what, and that values keep their types."""

from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.engine.pipeline import Pipeline

Load = Callable[..., Pipeline]
Errors = Callable[..., list[str]]

FIX = "stages: [{id: a, uses: voc.fix, in: raw, out: o, with: {keep_float_boxes: '${v}'}}]"


def test_values_keep_their_types(load: Load) -> None:
    text = """
vars: {k: 9, size: "0416", share: 0.5, on: true, where: work}
stages:
  - {id: a, uses: anchors.kmeans, in: raw, out: "${where}/${k}-${on}.json",
     with: {k: "${k}", size: "${size}", polish: "${on}"}}
  - {id: s, uses: voc.split, in: raw, out: s, with: {train: "${share}", val: 0.5, test: 0.0}}
"""
    a, s = load(text).stages
    assert (a.arguments["k"], a.arguments["size"], a.arguments["polish"]) == (9, "0416", True)
    assert a.out == Path("work/9-true.json")
    assert s.arguments["train"] == 0.5


@pytest.mark.parametrize(("setting", "value"), [("false", False), ("true", True), ("False", False)])
def test_a_setting_is_read_as_yaml_reads_it(load: Load, setting: str, value: bool) -> None:
    assert load(f"vars: {{v: true}}\n{FIX}", v=setting).stages[0].arguments["keep_float_boxes"] is value


def test_a_setting_of_a_text_stays_text(load: Load) -> None:
    stages = load("vars: {root: raw}\nstages: [{id: a, uses: voc.lint, in: '${root}'}]", root=".").stages
    assert stages[0].inputs == (Path("."),)
    Path("2007").mkdir()
    stages = load("vars: {root: raw}\nstages: [{id: a, uses: voc.lint, in: '${root}'}]", root="2007").stages
    assert stages[0].inputs == (Path("2007"),)


def test_a_wrong_setting_is_told_where_it_is_used(errors: Errors) -> None:
    told = errors(f"vars: {{v: true}}\n{FIX}", v="yes")
    assert told == ["p.yaml:3:57: stages[0].with.keep_float_boxes: must be a valid boolean (got 'yes')"]


def test_a_variable_may_use_those_above_it(load: Load, errors: Errors) -> None:
    text = "stages: [{id: a, uses: voc.fix, in: raw, out: '${deep}/x'}]"
    assert load("vars: {work: w, deep: '${work}/d'}\n" + text).stages[0].out == Path("w/d/x")
    assert load("vars: {work: w, deep: '${work}/d'}\n" + text, work="v").stages[0].out == Path("v/d/x")
    told = errors("vars: {deep: '${work}/d', work: w}\n" + text)
    assert told[0] == "p.yaml:2:8: vars.deep: there is no variable 'work'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${roots}", "p.yaml:3:34: stages[0].in: there is no variable 'roots'; did you mean root?"),
        ("${root", "`${` begins a variable"),
        ("${a b}", "`${` begins a variable"),
        ("${matrix.k}", "there is no variable 'matrix.k'"),
        ("${empty}", "stages[0].in: is empty once its variables are filled in"),
    ],
)
def test_what_is_no_variable_is_told_once(errors: Errors, text: str, words: str) -> None:
    told = errors(f"vars: {{root: raw, empty: ''}}\nstages: [{{id: a, uses: voc.lint, in: '{text}'}}]")
    assert len(told) == 1
    assert words in told[0]


def test_names_and_values_are_checked(errors: Errors) -> None:
    told = errors("vars:\n  a-b: 1\n  c: [1]\n  d: ~\nstages: [{id: a, uses: voc.lint, in: raw}]")
    assert told == [
        "p.yaml:3:3: vars.a-b: a variable's name is letters, digits and _, no digit first",
        "p.yaml:4:3: vars.c: must be text, a number, true or false",
        "p.yaml:5:3: vars.d: must be text, a number, true or false",
    ]


def test_a_value_with_dollars_is_not_filled_in_twice(load: Load) -> None:
    Path("${root}").mkdir()
    stages = load("vars: {root: raw, name: x}\nstages: [{id: a, uses: voc.lint, in: '${name}'}]", name="${root}").stages
    assert stages[0].inputs == (Path("${root}"),)
