"""Included files, repeats and conditions as they run."""

import shutil
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.core.types import SERIAL
from datatools.engine import pipeline
from datatools.engine.stages import PipelineRun, Selection, run_pipeline

PREP = """version: 1
vars: {root: nowhere}
stages:
  - {id: fixed, uses: voc.fix, in: "${root}", out: work/fixed}
  - {id: lists, uses: voc.split, in: fixed}
"""
ALL = """version: 1
vars: {check: true}
stages:
  - {id: prep, include: prep.yaml, with: {root: raw}}
  - {id: more, uses: anchors.kmeans, in: prep.lists, matrix: {k: [2, 4]}, out: "work/${matrix.k}.json",
     with: {k: "${matrix.k}"}}
  - {id: lint, uses: voc.lint, in: prep.fixed, when: "${check}"}
  - {id: again, uses: voc.stats, in: lint}
"""


WHOLE = Selection()


@pytest.fixture(autouse=True)
def files(place: Path, fixture_voc: Path) -> None:
    Path("raw").rmdir()
    shutil.copytree(fixture_voc, "raw")
    Path("prep.yaml").write_text(PREP)
    Path("all.yaml").write_text(ALL)


def run(selection: Selection = WHOLE, *, dry_run: bool = False, **settings: str) -> PipelineRun:
    return run_pipeline(pipeline.load(Path("all.yaml"), settings), SERIAL, selection, dry_run=dry_run)


def states(result: PipelineRun) -> dict[str, str]:
    return {s.id: s.state for s in result.stages}


def test_all_of_it_runs_and_is_kept() -> None:
    result = run(check="false")
    assert {i: s for i, s in states(result).items() if s != "ran"} == {"lint": "skipped", "again": "skipped"}
    assert {p.name for p in Path("work").iterdir()} == {"fixed", "2.json", "4.json"}
    told = [str(line) for line in result.lines()]
    assert "lint: skipped: when ${check} (check is false)" in told
    assert "again: skipped: needs lint, which is skipped" in told
    assert set(states(run(check="false")).values()) == {"kept", "skipped"}
    assert [i for i, s in states(run()).items() if s == "ran"] == ["lint", "again"]


def test_a_plan_says_what_is_skipped_and_why() -> None:
    plan = run(check="false", dry_run=True)
    assert {s.id: s.why for s in plan.stages if s.state == "skipped"} == {
        "lint": "when ${check} (check is false)",
        "again": "needs lint, which is skipped",
    }
    assert any(line.endswith("skipped: when ${check} (check is false)") for line in plan.glance())


def test_a_changed_value_runs_its_repeat_alone() -> None:
    run()
    Path("all.yaml").write_text(ALL.replace("[2, 4]", "[2, 3]"))
    assert [i for i, s in states(run()).items() if s == "ran"] == ["more[k=3]"]


@pytest.mark.parametrize(
    ("selection", "ran"),
    [
        (Selection(only="prep"), {"prep.fixed", "prep.lists"}),
        (Selection(only="prep.fixed"), {"prep.fixed"}),
        (Selection(only="more"), {"more[k=2]", "more[k=4]"}),
        (Selection(only="more[k=4]"), {"more[k=4]"}),
        (Selection(start="more"), {"more[k=2]", "more[k=4]"}),
        (Selection(start="lint"), {"lint", "again"}),
    ],
)
def test_parts_are_selected_by_their_names(selection: Selection, ran: set[str]) -> None:
    plan = run(selection, dry_run=True)
    assert {i for i, s in states(plan).items() if s != "skipped"} == ran


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match=r"there is no stage 'more\[k=5\]'; did you mean more\[k=4\]\?"):
        run(Selection(only="more[k=5]"))
