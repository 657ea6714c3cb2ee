"""Stages run once, and again only when something that they depend on changed."""

import shutil
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.core.types import SERIAL
from datatools.engine import pipeline
from datatools.engine.stages import PipelineRun, Selection, run_pipeline

TEXT = """
version: 1
vars: {k: 3}
stages:
  - {id: fixed, uses: voc.fix, in: raw, out: work/fixed}
  - {id: lists, uses: voc.split, in: fixed}
  - {id: names, uses: voc.stats, in: fixed, with: {classes: work/classes.txt}}
  - {id: anchors, uses: anchors.kmeans, in: lists, out: work/anchors.json, with: {k: "${k}", split: train}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_voc: Path) -> Path:
    """A working directory with a messy set in raw/ and a pipeline."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_voc, "raw")
    Path("p.yaml").write_text(TEXT)
    return tmp_path


ALL = Selection()


def run(selection: Selection = ALL, dry_run: bool = False, **settings: str) -> PipelineRun:
    return run_pipeline(pipeline.load(Path("p.yaml"), settings), SERIAL, selection, dry_run=dry_run)


def states(result: PipelineRun) -> dict[str, str]:
    return {s.id: s.state for s in result.stages}


def contents(root: Path = Path("work")) -> dict[str, bytes]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file() and ".datatools" not in p.parts)
    return {str(p): p.read_bytes() for p in files}


def test_a_second_run_writes_nothing_and_says_so() -> None:
    assert set(states(run()).values()) == {"ran"}
    before = {p: p.stat().st_mtime_ns for p in Path("work").rglob("*")}
    result = run()
    assert set(states(result).values()) == {"kept"}
    assert {p: p.stat().st_mtime_ns for p in Path("work").rglob("*")} == before
    assert "nothing changed" in str(list(result.lines())[-1])


def test_a_changed_parameter_runs_its_stage_alone() -> None:
    run()
    plan = run(k="4", dry_run=True)
    assert states(plan)["anchors"] == "would run"
    assert plan.stages[-1].why == "parameter `k` 3 -> 4"
    assert states(run(k="4")) == {"fixed": "kept", "lists": "kept", "names": "kept", "anchors": "ran"}


def test_a_changed_input_runs_all_that_depends_on_it() -> None:
    run()
    xml = Path("raw/Annotations/street_a_0001.xml")
    xml.write_bytes(xml.read_bytes().replace(b"<name>car</name>", b"<name>bus</name>", 1))
    assert set(states(run()).values()) == {"ran"}


def test_a_lost_output_is_made_again() -> None:
    first = run()
    before = contents()
    Path("work/anchors.json").unlink()
    result = run()
    assert states(result) == {"fixed": "kept", "lists": "kept", "names": "kept", "anchors": "ran"}
    assert result.stages[-1].why.startswith("output changed: work/anchors.json")
    assert contents() == before
    assert first.problems == result.problems


def test_an_output_that_somebody_changed_is_not_thrown_away() -> None:
    run()
    Path("work/fixed/notes.txt").write_text("mine")
    xml = Path("raw/Annotations/street_a_0001.xml")
    xml.write_bytes(xml.read_bytes().replace(b"<name>car</name>", b"<name>bus</name>", 1))
    result = run()
    assert states(result)["fixed"] == "failed"
    assert states(result)["anchors"] == "waits"
    assert result.failed
    assert result.failed.exit_code == 2
    assert Path("work/fixed/notes.txt").read_text() == "mine"


def test_a_run_killed_between_output_and_memory_goes_on() -> None:
    run(Selection(only="fixed"))
    before = contents()
    shutil.rmtree(".datatools")
    assert set(states(run()).values()) == {"ran"}
    assert before.items() <= contents().items()


def test_a_memory_that_was_lost_does_not_make_other_peoples_files_ours() -> None:
    run(Selection(only="fixed"))
    shutil.rmtree(".datatools")
    Path("work/fixed/notes.txt").write_text("mine")
    assert states(run())["fixed"] == "failed"
    assert Path("work/fixed/notes.txt").read_text() == "mine"


def test_part_of_a_pipeline_can_be_chosen() -> None:
    assert states(run(Selection(only="fixed")))["lists"] == "skipped"
    assert states(run(Selection(start="lists"))) == {
        "fixed": "skipped", "lists": "ran", "names": "skipped", "anchors": "ran",
    }  # fmt: skip
    assert states(run(Selection(force=True), dry_run=True))["names"] == "would run"
    with pytest.raises(UsageError, match="did you mean anchors"):
        run(Selection(only="anchor"))


def test_the_same_bytes_whatever_the_order_of_the_stages(tmp_path: Path) -> None:
    run()
    first = contents()
    shutil.rmtree("work")
    shutil.rmtree(".datatools")
    lines = TEXT.strip().splitlines()
    Path("p.yaml").write_text("\n".join([*lines[:3], *reversed(lines[3:])]) + "\n")
    run()
    second = contents()
    assert first == second
