"""Pipeline files are checked in full before anything runs; every problem has its line and column."""

from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.engine import pipeline


def load(tmp_path: Path, text: str, **settings: str) -> pipeline.Pipeline:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    (tmp_path / "set").mkdir(exist_ok=True)
    return pipeline.load(path, settings)


def errors(tmp_path: Path, text: str, **settings: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text, **settings)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


def test_order_comes_from_the_names(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        f"""
version: 1
seed: 7
vars: {{root: {tmp_path}/set, n: 5}}
stages:
  - {{id: anchors, uses: anchors.kmeans, in: lists, with: {{k: "${{n}}"}}}}
  - {{id: lists, uses: voc.split, in: fixed}}
  - {{id: fixed, uses: voc.fix, in: "${{root}}", out: work/fixed}}
  - {{id: again, uses: voc.lint, in: work/fixed}}
""",
    )
    assert [s.id for s in loaded.stages] == ["fixed", "lists", "anchors", "again"]
    by_id = {s.id: s for s in loaded.stages}
    assert by_id["anchors"].inputs == (Path("work/fixed"),)  # the folder in which its input works
    assert by_id["anchors"].arguments["k"] == 5
    assert by_id["lists"].arguments["seed"] == 7
    # a stage's output, named as a path, and the stage that writes into it
    assert by_id["again"].needs == ("fixed", "lists")
    assert loaded.upstream("anchors") == {"lists", "fixed"}


def test_the_file_of_another_stage_is_waited_for(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        f"""
version: 1
stages:
  - {{id: check, uses: anchors.check, in: {tmp_path}/set, with: {{anchors: a.json}}}}
  - {{id: made, uses: anchors.kmeans, in: {tmp_path}/set, out: a.json}}
""",
    )
    assert [s.id for s in loaded.stages] == ["made", "check"]


def test_every_problem_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    told = errors(
        tmp_path,
        """version: 2
seeds: 3
stages:
  - {id: a, uses: voc.lnit, in: set}
  - {id: 1, uses: voc.lint, in: set}
  - {id: b, uses: voc.lint, in: []}
""",
    )
    assert told == [
        "p.yaml:1:1: version: must be 1 (got 2)",
        "p.yaml:2:1: seeds: there is no such key; did you mean seed?",
        "p.yaml:4:13: stages[0].uses: there is no operation 'voc.lnit'; did you mean voc.lint?",
        "p.yaml:5:6: stages[1].id: every stage needs an id: a letter, then letters, digits, - and _",
        "p.yaml:6:29: stages[2].in: names a stage or a path, or several in a list",
    ]


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("uses: anchors.kmeans, in: SET, with: {k: 0}", "with.k: must be at least 1 (got 0)"),
        ("uses: anchors.kmeans, in: SET, with: {k: '9'}", "with.k: must be a valid integer (got '9')"),
        ("uses: anchors.kmeans, in: SET, with: {k: true}", "with.k: must be a valid integer (got True)"),
        ("uses: anchors.kmeans, in: SET, with: {kk: 9}", "has no such parameter"),
        ("uses: anchors.kmeans, in: SET, with: {center: medain}", "with.center: must be 'median' or 'mean'"),
        ("uses: voc.split, in: SET, with: {train: .inf}", "with.train: must be a valid number"),
        ("uses: voc.lint, in: absent", "neither a stage nor a path that exists"),
        ("uses: voc.lint, in: x", "the stages need each other: x -> x"),
        ("uses: voc.lint, in: SET, out: o", "voc.lint makes no output of its own"),
        ("uses: voc.convert, in: SET, with: {to: yolo}", "voc.convert needs an `out`"),
        ("uses: voc.lint, in: [SET, SET]", "voc.lint takes one input (got 2)"),
        ("uses: voc.lint, in: '${rot}'", "there is no variable 'rot'; did you mean root?"),
    ],
)
def test_a_wrong_stage_is_refused(tmp_path: Path, stage: str, words: str) -> None:
    stage = stage.replace("SET", str(tmp_path / "set"))
    told = errors(tmp_path, f"version: 1\nvars: {{root: a}}\nstages:\n  - {{id: x, {stage}}}\n")
    assert words in told[0], told
    assert told[0].startswith("p.yaml:4:")


def test_structure_between_stages_is_checked(tmp_path: Path) -> None:
    stage = f"uses: voc.fix, in: {tmp_path}/set, out: o"
    told = errors(tmp_path, f"version: 1\nstages:\n  - {{id: a, {stage}}}\n  - {{id: b, {stage}}}\n")
    assert told == ["p.yaml:4:81: stages[1].out: 'a' writes there, too".replace("81", told[0].split(":")[2])]
    assert (
        "is the id of an earlier stage"
        in errors(tmp_path, "version: 1\nstages:\n" + f"  - {{id: a, {stage}}}\n" * 2)[0]
    )


def test_settings_must_be_known(tmp_path: Path) -> None:
    told = errors(tmp_path, "version: 1\nvars: {root: a}\nstages: []\n", rot="b")
    assert "--set rot: the file has no such variable; did you mean root?" in told


@pytest.mark.parametrize("text", ["", "[]", "version: 1", "version: 1\nstages: 3", "version: 1\nstages: [3]"])
def test_what_is_no_pipeline_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    assert errors(tmp_path, text)


def test_options_may_be_spelled_as_on_the_command_line_and_numbers_stand_for_text(tmp_path: Path) -> None:
    here = f"in: {tmp_path}/set"
    loaded = load(
        tmp_path,
        f"""
version: 1
stages:
  - {{id: a, uses: voc.split, {here}, with: {{per-class: true}}}}
  - {{id: b, uses: voc.convert, {here}, out: b, with: {{from: coco, to: voc}}}}
  - {{id: c, uses: anchors.kmeans, {here}, with: {{size: 416}}}}
  - {{id: d, uses: voc.fix, {here}, out: d, with: {{rule: size}}}}
""",
    )
    given = {s.id: s.arguments for s in loaded.stages}
    assert given["a"]["per_class"] is True
    assert given["b"]["source_format"] == "coco"
    assert given["c"]["size"] == "416"
    assert given["d"]["rule"] == ("size",)
