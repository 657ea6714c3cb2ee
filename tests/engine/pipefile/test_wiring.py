"""What stages read of each other: order, missing things, circles, and what does not fit."""

from collections.abc import Callable

import pytest

from datatools.engine.pipeline import Pipeline

Load = Callable[..., Pipeline]
Errors = Callable[..., list[str]]

SETS = """
vars: {to: yolo}
stages:
  - {id: fixed, uses: voc.fix, in: raw, out: w/fixed}
  - {id: lists, uses: voc.split, in: fixed}
  - {id: other, uses: voc.convert, in: lists, out: w/other, with: {to: "${to}"}}
  - {id: anchors, uses: anchors.kmeans, in: lists, out: w/anchors.json}
  - {id: clear, uses: haze.remove, in: lists, out: w/clear}
  - {id: gone, uses: haze.remove, in: w/other, out: w/gone}
"""


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (
            "uses: voc.lint, in: other",
            "voc.lint reads a Pascal VOC set, and 'other' is a YOLO set; did you mean lists?",
        ),
        ("uses: voc.lint, in: w/other", "voc.lint reads a Pascal VOC set, and 'w/other' is a YOLO set"),
        ("uses: voc.lint, in: gone", "and 'gone' is a YOLO set"),  # pictures keep the form of their set
        ("uses: voc.lint, in: anchors", "and 'anchors' is an anchors file; did you mean lists?"),
        ("uses: voc.merge, in: [fixed, other], out: m", "and 'other' is a YOLO set"),
        (
            "uses: anchors.check, in: fixed, with: {anchors: w/fixed}",
            "`anchors` reads an anchors file, and 'w/fixed' is",
        ),
        (
            "uses: voc.convert, in: fixed, out: o, with: {from: coco, to: voc}",
            "voc.convert reads a COCO set, and 'fixed'",
        ),
        (
            "uses: haze.remove, in: anchors, out: o",
            "haze.remove reads videos or pictures, and 'anchors' is an anchors file",
        ),
    ],
)
def test_what_does_not_fit_is_told(errors: Errors, stage: str, words: str) -> None:
    told = errors(f"{SETS}  - {{id: x, {stage}}}\n")
    assert len(told) == 1
    assert told[0].startswith("p.yaml:11:")
    assert words in told[0]


@pytest.mark.parametrize(
    "stage",
    [
        "uses: voc.lint, in: clear",
        "uses: voc.lint, in: ./w/clear",
        "uses: haze.remove, in: other, out: o",
        "uses: voc.convert, in: other, out: o, with: {from: yolo, to: voc}",
        "uses: anchors.check, in: clear, with: {anchors: w/anchors.json}",
        "uses: voc.lint, in: w/fixed/part",  # what lies inside is not known
    ],
)
def test_what_fits_is_taken(load: Load, stage: str) -> None:
    assert load(f"{SETS}  - {{id: x, {stage}}}\n").stages[-1].id == "x"


def test_a_variable_decides_what_an_output_is(load: Load) -> None:
    text = SETS + "  - {id: x, uses: voc.lint, in: other}\n"
    assert load(text, to="voc").stages


def test_files_that_stages_make_are_waited_for(load: Load) -> None:
    text = """
stages:
  - {id: check, uses: anchors.check, in: raw, with: {anchors: ./w/a.json}}
  - {id: inside, uses: voc.lint, in: w/set/part}
  - {id: page, uses: voc.stats, in: raw, with: {html: w/set/page.html}}
  - {id: grouped, uses: voc.split, in: raw, out: lists, with: {group: "csv:w/classes.txt"}}
  - {id: a, uses: anchors.kmeans, in: raw, out: w/a.json}
  - {id: set, uses: voc.fix, in: raw, out: w/set}
  - {id: names, uses: voc.stats, in: raw, with: {classes: w/classes.txt}}
"""
    loaded = load(text)
    needs = {s.id: s.needs for s in loaded.stages if s.needs}
    assert needs == {"check": ("a",), "inside": ("set",), "page": ("set",), "grouped": ("names",)}
    assert [s.id for s in loaded.stages] == ["a", "check", "set", "inside", "page", "names", "grouped"]
    assert {s.id: s.sources for s in loaded.stages}["inside"] == ()


def test_missing_things_are_told(errors: Errors) -> None:
    text = """
stages:
  - {id: a, uses: anchors.check, in: raw, with: {anchors: none.json}}
  - {id: b, uses: voc.lint, in: rw}
  - {id: c, uses: voc.lint, in: [B]}
  - {id: d, uses: voc.rename, in: raw, out: d, with: {map_file: none.txt}}
"""
    assert errors(text) == [
        "p.yaml:4:50: stages[0].with.anchors: there is no none.json, and no stage makes it",
        "p.yaml:5:29: stages[1].in: rw is neither a stage nor a path that exists",
        "p.yaml:6:34: stages[2].in[0]: B is neither a stage nor a path that exists",
        "p.yaml:7:55: stages[3].with.map_file: there is no none.txt, and no stage makes it",
    ]


@pytest.mark.parametrize(
    ("stages", "circle"),
    [
        ("{id: a, uses: voc.lint, in: a}", "a -> a"),
        ("{id: a, uses: voc.fix, in: w, out: w}", "a -> a"),
        (
            "{id: c, uses: voc.lint, in: raw}, {id: b, uses: voc.lint, in: a}, {id: a, uses: voc.lint, in: b}",
            "b -> a -> b",
        ),
        (
            "{id: a, uses: anchors.check, in: raw, with: {anchors: x}}, {id: b, uses: voc.lint, in: a}, "
            "{id: c, uses: anchors.kmeans, in: b, out: x}",
            "a -> c -> b -> a",
        ),
    ],
)
def test_circles_are_told(errors: Errors, stages: str, circle: str) -> None:
    told = errors(f"stages: [{stages}]")
    assert told[0].endswith(f"the stages need each other: {circle}")
    assert ".in: " in told[0]


def test_all_problems_of_all_sorts_at_once(errors: Errors) -> None:
    text = """
stages:
  - {id: a, uses: voc.lnit, in: raw}
  - {id: b, uses: anchors.kmeans, in: a, with: {k: 0}}
  - {id: c, use: voc.lint, in: b}
  - {id: d, uses: voc.lint, inn: b}
  - {id: e, uses: voc.convert, in: a, with: {tp: yolo}}
  - {id: f, uses: voc.fx, in: raw, out: w/f}
  - {id: g, uses: voc.lint, in: w/f/part}
"""
    assert errors(text) == [
        "p.yaml:4:13: stages[0].uses: there is no operation 'voc.lnit'; did you mean voc.lint?",
        "p.yaml:5:49: stages[1].with.k: must be at least 1 (got 0)",
        "p.yaml:6:13: stages[2].use: there is no such key; did you mean uses?",
        "p.yaml:7:29: stages[3].inn: there is no such key; did you mean in?",
        "p.yaml:8:5: stages[4]: voc.convert needs an `out`",
        "p.yaml:8:39: stages[4].with: voc.convert needs the parameter to",
        "p.yaml:8:46: stages[4].with.tp: voc.convert has no such parameter",
        "p.yaml:9:13: stages[5].uses: there is no operation 'voc.fx'; did you mean voc.fix?",
    ]
