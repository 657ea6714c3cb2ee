"""Other files as part of a pipeline: names, variables, places of errors, and what may not be included."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.engine.pipeline import Pipeline

Load = Callable[..., Pipeline]
Errors = Callable[..., list[str]]

PREP = """
vars: {root: nowhere, work: work/prep}
stages:
  - {id: fixed, uses: voc.fix, in: "${root}", out: "${work}/fixed"}
  - {id: lists, uses: voc.split, in: fixed}
"""
ONE = "stages: [{id: z, uses: voc.lint, in: raw}]"


def test_its_stages_bear_the_includes_name(load: Load) -> None:
    text = """
vars: {root: raw}
stages:
  - {id: prep, include: parts/prep.yaml, with: {root: "${root}"}}
  - {id: fixed, uses: voc.lint, in: prep.lists}
"""
    loaded = load(text, files={"parts/prep.yaml": PREP})
    assert [s.id for s in loaded.stages] == ["prep.fixed", "prep.lists", "fixed"]
    fixed, lists, lint = loaded.stages
    assert fixed.inputs == (Path("raw"),)
    assert lists.needs == ("prep.fixed",)  # names inside are looked up in its own file
    assert lint.inputs == (Path("work/prep/fixed"),)  # paths are relative to the working directory
    assert fixed.place == "parts/prep.yaml:5:5"
    assert loaded.select("prep") == {"prep.fixed", "prep.lists"}
    assert loaded.upstream("fixed") == {"prep.fixed", "prep.lists"}


def test_names_outside_are_not_seen_inside_but_paths_are(load: Load, errors: Errors) -> None:
    text = """
stages:
  - {id: first, uses: voc.fix, in: raw, out: work/first}
  - {id: prep, include: prep.yaml, with: {root: %s}}
"""
    told = errors(text % "first", files={"prep.yaml": PREP})
    assert told == [
        "prep.yaml:5:32: stages[0].in: first is neither a stage nor a path that exists; did you mean lists? "
        "(as prep, included at p.yaml:5:5)"
    ]
    assert load(text % "work/first", files={"prep.yaml": PREP}).stages[1].needs == ("first",)


def test_a_file_may_be_included_twice_and_repeated(load: Load) -> None:
    text = """
stages:
  - {id: a, include: prep.yaml, with: {root: raw, work: a}}
  - {id: b, include: prep.yaml, with: {root: raw, work: "b${matrix.n}"}, matrix: {n: [1, 2]}}
  - {id: m, uses: voc.merge, in: [a.lists, b.lists], out: m}
  - {id: one, uses: voc.lint, in: "b[n=2].lists"}
"""
    loaded = load(text, files={"prep.yaml": PREP})
    by_id = {s.id: s for s in loaded.stages}
    assert by_id["m"].inputs == (Path("a/fixed"), Path("b1/fixed"), Path("b2/fixed"))
    assert by_id["b[n=2].lists"].needs == ("b[n=2].fixed",)
    assert by_id["one"].needs == ("b[n=2].lists",)
    assert loaded.select("b") == {f"b[n={n}].{s}" for n in (1, 2) for s in ("fixed", "lists")}
    assert loaded.select("b.lists") == {"b[n=1].lists", "b[n=2].lists"}
    assert loaded.select("b[n=1]") == {"b[n=1].fixed", "b[n=1].lists"}


def test_includes_in_includes(load: Load) -> None:
    files = {
        "parts/middle.yaml": """
vars: {root: x}
stages:
  - {id: prep, include: deep/prep.yaml, with: {root: "${root}"}}
  - {id: l, uses: voc.lint, in: prep.lists}
""",
        "parts/deep/prep.yaml": PREP,
    }
    loaded = load("stages: [{id: all, include: parts/middle.yaml, with: {root: raw}}]", files=files)
    assert [s.id for s in loaded.stages] == ["all.prep.fixed", "all.prep.lists", "all.l"]


def test_the_seed_of_the_file_that_says_one(load: Load) -> None:
    split = "stages: [{id: s, uses: voc.split, in: raw, out: '%s'}]"
    files = {"own.yaml": "seed: 3\n" + split % "a", "none.yaml": split % "b"}
    text = "seed: 7\nstages: [{id: a, include: own.yaml}, {id: b, include: none.yaml}]"
    assert [s.arguments["seed"] for s in load(text, files=files).stages] == [3, 7]


def test_a_condition_holds_for_all_of_it(load: Load) -> None:
    text = """
vars: {more: false}
stages:
  - {id: prep, include: prep.yaml, with: {root: absent}, when: "${more}"}
  - {id: lint, uses: voc.lint, in: prep.lists}
"""
    stages = load(text, files={"prep.yaml": PREP}).stages
    assert [s.skipped_because for s in stages] == [
        "when ${more} (more is false)", "when ${more} (more is false)", "needs prep.lists, which is skipped",
    ]  # fmt: skip


def test_errors_bear_the_place_in_their_own_file(errors: Errors) -> None:
    text = """
stages:
  - {id: a, include: prep.yaml, with: {rot: raw, work: [1]}}
  - {id: b, include: wrong.yaml, with: {k: 0}}
  - {id: c, include: wrong.yaml, in: raw}
"""
    wrong = "vars: {k: 1}\nstages:\n  - {id: x, uses: anchors.kmeans, in: raw, with: {k: '${k}', kk: 1}}\n"
    assert errors(text, files={"prep.yaml": PREP, "wrong.yaml": wrong}) == [
        "p.yaml:4:40: stages[0].with.rot: the included file has no such variable; did you mean root?",
        "p.yaml:4:50: stages[0].with.work: a variable is text, a number, true or false",
        "p.yaml:6:34: stages[2].in: there is no such key; there are id, include, with, when, matrix",
        "prep.yaml:5:32: stages[0].in: nowhere is neither a stage nor a path that exists "
        "(as a, included at p.yaml:4:5)",
        "wrong.yaml:4:51: stages[0].with.k: must be at least 1 (got 0) (as b, included at p.yaml:5:5)",
        "wrong.yaml:4:62: stages[0].with.kk: anchors.kmeans has no such parameter; did you mean k? "
        "(as b, included at p.yaml:5:5)",
        "wrong.yaml:4:62: stages[0].with.kk: anchors.kmeans has no such parameter; did you mean k? "
        "(as c, included at p.yaml:6:5)",
    ]


def test_an_include_is_no_stage(errors: Errors) -> None:
    text = "stages:\n  - {id: prep, include: prep.yaml, with: {root: raw}}\n  - {id: l, uses: voc.lint, in: %s}\n"
    told = errors(text % "prep", files={"prep.yaml": PREP})
    assert told[0].endswith("prep is a file that is included: name one of its stages, prep.fixed, prep.lists")
    told = errors(text % "prep.lits", files={"prep.yaml": PREP})
    assert told[0].endswith("did you mean prep.lists?")


def test_two_includes_may_not_write_to_one_place(errors: Errors) -> None:
    text = "stages:" + "".join(f"\n  - {{id: {i}, include: prep.yaml, with: {{root: raw}}}}" for i in "ab")
    told = errors(text, files={"prep.yaml": PREP})
    assert told == [
        "prep.yaml:5:47: stages[0].out: 'a.fixed' and 'b.fixed' would both write there: give the file that is "
        "included its place in a variable (as b, included at p.yaml:4:5)"
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.yaml", "there is no file absent.yaml"),
        ("p.yaml", "the files include each other: p.yaml -> p.yaml"),
        ("other.yaml", "the files include each other: p.yaml -> other.yaml -> p.yaml"),
        ("../elsewhere.yaml", "lies outside the folder of the pipeline"),
        ("out/elsewhere.yaml", "lies outside the folder of the pipeline"),
        ("/etc/hostname", "is relative to the folder of this file"),
        ("${name}.yaml", "takes no variable"),
        ("link.yaml", "it is a symbolic link"),
        ("raw", "there is no file raw"),
        ("pipe.yaml", "there is no file pipe.yaml"),
        ("broken.yaml", "broken.yaml:3:1:"),
        ("list.yaml", "list.yaml:1:1: a pipeline has the keys version and stages"),
        ("latin.yaml", "latin.yaml: not UTF-8"),
        ("large.yaml", "more than 1000000"),
    ],
)
def test_what_may_not_be_included(place: Path, errors: Errors, name: str, words: str) -> None:
    (place.parent / "elsewhere.yaml").write_text("version: 1\n" + ONE)
    os.symlink("..", "out")
    Path("plain.yaml").write_text("version: 1\n" + ONE)
    os.symlink("plain.yaml", "link.yaml")
    os.mkfifo("pipe.yaml")
    Path("list.yaml").write_text("[]")
    Path("latin.yaml").write_bytes(b"version: 1 # \xe9")
    Path("large.yaml").write_bytes(b"#" * 1_000_001)
    files = {"other.yaml": "stages: [{id: b, include: p.yaml}]", "broken.yaml": "stages: [\n"}
    told = errors(f"stages:\n  - {{id: a, include: {name!r}}}\n  - {{id: l, uses: voc.lint, in: a.b.x}}\n", files=files)
    assert len(told) == 1  # that a.b.x cannot be found is no second problem
    assert words in told[0]
    assert told[0].startswith("p.yaml:3:13: " if name != "other.yaml" else "other.yaml:2:18: ")


def test_a_file_above_is_fine_inside_the_working_directory(load: Load) -> None:
    from datatools.engine import pipeline

    load(ONE, files={"common.yaml": ONE, "mine/run.yaml": "stages: [{id: a, include: ../common.yaml}]"})
    assert pipeline.load(Path("mine/run.yaml")).stages[0].id == "a.z"


def test_depth_and_number_are_limited(errors: Errors) -> None:
    files = {f"n{i}.yaml": f"stages: [{{id: a, include: n{i + 1}.yaml}}]" for i in range(9)} | {"n9.yaml": ONE}
    told = errors("stages: [{id: a, include: n0.yaml}]", files=files)
    assert told == [
        "n6.yaml:2:18: stages[0].include: more than 8 files include each other in a row "
        "(as a.a.a.a.a.a.a, included at n5.yaml:2:10)"
    ]
    both = "matrix: {x: [1, 2, 3, 4, 5, 6, 7, 8]}"
    files = {f"n{i}.yaml": f"stages: [{{id: a, include: n{i + 1}.yaml, {both}}}]" for i in range(6)} | {"n6.yaml": ONE}
    told = errors("stages: [{id: a, include: n0.yaml}]", files=files)
    assert ["more than 256 includes in one pipeline" in line for line in told] == [True]
