"""A stage that is repeated: its ids, its values, who may read it, and where it writes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.engine.pipeline import Pipeline

Load = Callable[..., Pipeline]
Errors = Callable[..., list[str]]

ANCHORS = """
vars: {small: 416}
stages:
  - id: anchors
    uses: anchors.kmeans
    in: raw
    matrix: {k: [5, 9], size: ["${small}", 608x608]}
    out: work/${matrix.k}-${matrix.size}.json
    with: {k: "${matrix.k}", size: "${matrix.size}"}
"""
SMALL = """
stages:
  - {id: small, uses: voc.filter, in: raw, matrix: {area: [1, 2]}, out: "w/${matrix.area}"}
"""


def test_every_combination_is_a_stage(load: Load) -> None:
    stages = load(ANCHORS).stages
    assert [s.id for s in stages] == [
        "anchors[k=5,size=416]", "anchors[k=5,size=608x608]", "anchors[k=9,size=416]", "anchors[k=9,size=608x608]",
    ]  # fmt: skip
    assert [s.arguments["k"] for s in stages] == [5, 5, 9, 9]
    assert [str(s.out) for s in stages] == [f"work/{k}-{size}.json" for k in (5, 9) for size in ("416", "608x608")]
    assert len({s.place for s in stages}) == 1


def test_many_inputs_get_all_of_them(load: Load) -> None:
    merged = load(SMALL + "  - {id: m, uses: voc.merge, in: [raw, small], out: m}\n").stages[-1]
    assert merged.inputs == (Path("raw"), Path("w/1"), Path("w/2"))
    assert merged.arguments["srcs"] == merged.inputs
    assert merged.sources == (Path("raw"),)
    assert merged.needs == ("small[area=1]", "small[area=2]")


def test_one_input_gets_one_of_them(load: Load, errors: Errors) -> None:
    told = errors(SMALL + "  - {id: lint, uses: voc.lint, in: small}\n")
    assert told == [
        "p.yaml:5:32: stages[1].in: small is repeated 2 times and voc.lint takes one input: name one of them "
        "(small[area=1]), or repeat this stage, too, with the values of its matrix in the name"
    ]
    assert load(SMALL + "  - {id: lint, uses: voc.lint, in: 'small[area=2]'}\n").stages[-1].inputs == (Path("w/2"),)
    told = errors(SMALL + "  - {id: lint, uses: voc.lint, in: 'small[area=3]'}\n")
    assert "did you mean small[area=2]?" in told[0]


def test_repeats_are_chained_by_their_values(load: Load) -> None:
    text = SMALL + "  - {id: lint, uses: voc.lint, matrix: {area: [1, 2]}, in: 'small[area=${matrix.area}]'}\n"
    by_id = {s.id: s for s in load(text).stages}
    assert by_id["lint[area=1]"].needs == ("small[area=1]",)
    assert by_id["lint[area=2]"].inputs == (Path("w/2"),)


def test_a_file_that_a_repeat_makes_is_waited_for(load: Load) -> None:
    text = ANCHORS + "  - {id: c, uses: anchors.check, in: raw, with: {anchors: work/9-416.json}}\n"
    check = load(text).stages[-1]
    assert (check.id, check.needs) == ("c", ("anchors[k=9,size=416]",))


def test_selection_by_the_bare_id(load: Load) -> None:
    loaded = load(ANCHORS)
    assert len(loaded.select("anchors")) == 4
    assert loaded.select("anchors[k=5,size=416]") == {"anchors[k=5,size=416]"}


def test_outputs_must_differ(errors: Errors) -> None:
    told = errors(ANCHORS.replace("${matrix.k}-", ""))
    assert told == ["p.yaml:9:5: stages[0].out: every repeat of 'anchors' would write there: put ${matrix.k} into it"]
    told = errors(ANCHORS.replace("out: work/${matrix.k}-${matrix.size}.json\n", "out: a.json\n"))
    assert len(told) == 1
    told = errors(SMALL.replace("w/${matrix.area}", "w"))
    assert "every repeat of 'small' would write there: put ${matrix.area} into it" in told[0]
    told = errors("stages:\n  - {id: s, uses: voc.stats, in: raw, matrix: {k: [1, 2]}, with: {html: a.html}}\n")
    assert told == ["p.yaml:3:67: stages[0].with.html: every repeat of 's' would write there: put ${matrix.k} into it"]


def test_repeats_may_not_change_one_folder(errors: Errors, load: Load) -> None:
    stage = "{id: s, uses: voc.split, in: raw, matrix: {seed: [1, 2]}, with: {seed: '${matrix.seed}'}}"
    assert errors(f"stages: [{stage}]") == [
        "p.yaml:2:44: stages[0].matrix: every repeat of 's' would change the folder that it is given: it needs an `out`"
    ]
    chained = SMALL + "  - {id: s, uses: voc.split, matrix: {area: [1, 2]}, in: 'small[area=${matrix.area}]'}\n"
    assert len(load(chained).stages) == 4


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ("{k: 5}", "stages[0].matrix.k: must be a list of values"),
        ("{k: []}", "stages[0].matrix.k: must be a list of values"),
        ("[5]", "stages[0].matrix: must be names with lists of values"),
        ("{a-b: [5]}", "a name here is letters, digits and _"),
        ("{k: [[5]]}", "stages[0].matrix.k[0]: must be text, a number, true or false"),
        ("{k: [5, 5]}", "stages[0].matrix.k[1]: 5 stands in the list twice"),
        ("{k: ['5', 5]}", "stages[0].matrix.k[1]: 5 stands in the list twice"),
        ("{k: ['a]b']}", "no line end, comma, = or bracket"),
        ("{k: ['']}", "a text here has 1 to 64 characters"),
        ("{k: ['${none}']}", "there is no variable 'none'"),
        ("{a: &x [1]}", "anchors and aliases are not taken here"),
    ],
)
def test_wrong_values_are_told(errors: Errors, matrix: str, words: str) -> None:
    told = errors(f"stages: [{{id: s, uses: voc.lint, in: raw, matrix: {matrix}}}]")
    assert words in told[0]
    assert told[0].startswith("p.yaml:2:")


def test_there_are_limits(errors: Errors) -> None:
    values = f"[{','.join(map(str, range(17)))}]"
    told = errors(f"stages: [{{id: s, uses: voc.lint, in: raw, matrix: {{a: {values}, b: {values}}}}}]")
    assert told == ["p.yaml:2:43: stages[0].matrix: more than 256 combinations"]
    stages = "".join(f"  - {{id: s{i}, uses: voc.lint, in: raw}}\n" for i in range(1001))
    assert errors(f"stages:\n{stages}") == ["p.yaml:1003:5: stages[1000]: more than 1000 stages in one pipeline"]


def test_a_wrong_parameter_is_told_once_for_all_repeats(errors: Errors) -> None:
    told = errors(ANCHORS.replace('size: "${matrix.size}"', "restarts: 0"))
    assert told == ["p.yaml:10:30: stages[0].with.restarts: must be at least 1 (got 0)"]
