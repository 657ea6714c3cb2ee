"""Stages that run under a condition, and what becomes of those that need them."""

from collections.abc import Callable
from pathlib import Path

from datatools.engine.pipeline import Pipeline

Load = Callable[..., Pipeline]
Errors = Callable[..., list[str]]

TWO_WAYS = """
vars: {fast: true}
stages:
  - {id: quick, uses: voc.fix, in: raw, out: work/set, when: "${fast}", with: {rule: size}}
  - {id: slow, uses: voc.fix, in: raw, out: work/set, when: "not ${fast}"}
  - {id: lint, uses: voc.lint, in: work/set}
  - {id: more, uses: voc.stats, in: slow}
"""


def test_what_needs_a_skipped_stage_is_skipped(load: Load) -> None:
    skipped = {s.id: s.skipped_because for s in load(TWO_WAYS).stages}
    assert skipped == {
        "quick": "",
        "slow": "when not ${fast} (fast is true)",
        "lint": "",
        "more": "needs slow, which is skipped",
    }
    assert {s.id: s.when for s in load(TWO_WAYS).stages if s.when} == {"quick": "${fast}", "slow": "not ${fast}"}


def test_two_ways_to_one_output(load: Load, errors: Errors) -> None:
    by_id = {s.id: s for s in load(TWO_WAYS, fast="false").stages}
    assert by_id["lint"].needs == ("slow",)
    assert [i for i, s in by_id.items() if s.skipped_because] == ["quick"]
    told = errors(TWO_WAYS.replace(', when: "not ${fast}"', ""))
    assert "'quick' writes there, too" in told[0]


def test_the_word_may_be_true_or_false_itself(load: Load) -> None:
    text = (
        "stages:\n  - {id: a, uses: voc.lint, in: raw, when: true}\n  - {id: b, uses: voc.lint, in: raw, when: false}\n"
    )
    assert [s.skipped_because for s in load(text).stages] == ["", "when false"]


def test_some_repeats_are_enough_for_what_reads_all(load: Load) -> None:
    text = """
vars: {least: 1}
stages:
  - id: small
    uses: voc.filter
    in: raw
    matrix: {area: [1, 2, 3]}
    when: ${matrix.area} != ${least}
    out: w/${matrix.area}
  - {id: m, uses: voc.merge, in: [raw, small], out: m}
"""
    stages = load(text).stages
    assert [s.id for s in stages if s.skipped_because] == ["small[area=1]"]
    assert stages[-1].inputs == (Path("raw"), Path("w/2"), Path("w/3"))
    assert stages[-1].needs == ("small[area=2]", "small[area=3]")
    none = load(text.replace("!=", "in [0] and 1 =="), least="1").stages
    assert none[-1].skipped_because == "needs small[area=1], which is skipped"


def test_a_skipped_stage_need_not_have_its_input(load: Load, errors: Errors) -> None:
    text = "vars: {extra: ''}\nstages: [{id: a, uses: voc.lint, in: '${extra}', when: \"${extra} != ''\"}]"
    assert load(text).stages[0].skipped_because
    assert errors(text, extra="none")[0].endswith("none is neither a stage nor a path that exists")


def test_a_skipped_stage_is_checked_all_the_same(errors: Errors) -> None:
    told = errors("stages: [{id: a, uses: anchors.kmeans, in: raw, when: false, with: {k: 0}}]")
    assert told == ["p.yaml:2:69: stages[0].with.k: must be at least 1 (got 0)"]


def test_wrong_conditions_have_a_place(errors: Errors) -> None:
    text = "vars: {a: x}\nstages:\n"
    for i, condition in enumerate(["'${b}'", "'${a}'", "''", "3", "[true]", "~"]):
        text += f"  - {{id: s{i}, uses: voc.lint, in: raw, when: {condition}}}\n"
    assert errors(text) == [
        "p.yaml:4:39: stages[0].when: there is no variable 'b'",
        "p.yaml:5:39: stages[1].when: 'x' is neither true nor false; compare it: == 'value'",
        *(
            f"p.yaml:{i}:39: stages[{i - 4}].when: must be a condition, as \"${{name}} == 'value'\""
            for i in (6, 7, 8, 9)
        ),
    ]
