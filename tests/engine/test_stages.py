"""Stages run once, and again only when something that they depend on changed."""

import json
import re
import shutil
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.core.types import SERIAL
from datatools.engine import pipeline, stages
from datatools.engine.executors import LocalRun
from datatools.engine.stages import PipelineRun, Selection, run_pipeline
from tests.engine import faulty

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
    assert result.failed.error == "work/fixed: notes.txt was changed since it was made (--force replaces it)"
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
        "fixed": "skipped", "lists": "ran", "names": "ran", "anchors": "ran",
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


def test_the_same_bytes_and_answers_of_stages_side_by_side() -> None:
    told, made = [], []
    for spread in (SERIAL, LocalRun(2, bars=False)):
        result = run_pipeline(pipeline.load(Path("p.yaml")), spread)
        told.append([(s.id, s.state, s.why, s.plan, s.found, s.answer) for s in result.stages])
        made.append(contents())
        assert set(states(run()).values()) == {"kept"}
        shutil.rmtree("work")
        shutil.rmtree(".datatools")
    assert made[0] == made[1]
    assert told[0] == told[1]


def test_what_is_written_into_a_set_is_there_before_others_look_at_it() -> None:
    """Wherever the stages stand in the file: `names` counts the splits that `lists` makes."""
    lines = TEXT.strip().splitlines()
    Path("p.yaml").write_text("\n".join([*lines[:3], *reversed(lines[3:])]) + "\n")
    first = {s.id: s for s in run().stages}
    assert first["names"].answer["classes"][0]["splits"], "the splits are counted"
    Path("p.yaml").write_text(TEXT.replace("in: fixed}", "in: fixed, with: {train: 0.5, val: 0.5, test: 0}}"))
    second = {s.id: s for s in run().stages}
    assert (second["names"].state, second["names"].why) == ("ran", "stage lists changed")
    assert second["names"].answer != first["names"].answer


def test_a_stage_whose_process_dies_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2])
    with monkeypatch.context() as patched:
        patched.setattr(stages, "do_stage", faulty.dying_stage)
        text = TEXT + "  - {id: seen, uses: voc.lint, in: names}\n"
        Path("p.yaml").write_text(text)
        result = run_pipeline(pipeline.load(Path("p.yaml")), LocalRun(2, bars=False))
    assert states(result) == {"fixed": "ran", "lists": "ran", "names": "failed", "anchors": "ran", "seen": "waits"}
    assert result.failed
    assert (result.failed.id, result.failed.exit_code) == ("names", 1)
    assert result.failed.error.startswith("its process died, each time (out of memory, or a crash)")
    again = run()
    assert states(again) == {"fixed": "kept", "lists": "kept", "names": "ran", "anchors": "kept", "seen": "ran"}


def test_a_stage_that_makes_the_same_bytes_again_changes_nothing_behind_it() -> None:
    xml = Path("raw/Annotations/street_a_0001.xml")
    sound = xml.read_text()
    for outside in (9998, 9999):  # `voc.fix` clips both to the picture
        xml.write_text(re.sub("<xmax>[0-9]+<", f"<xmax>{outside}<", sound, count=1))
        result = run()
    assert [s.why for s in result.stages][:2] == [
        "input changed",
        "output changed: work/fixed/ImageSets/Main/train.txt",
    ]
    assert states(result) == {"fixed": "ran", "lists": "ran", "names": "kept", "anchors": "kept"}
    made = contents()
    shutil.rmtree("work")
    shutil.rmtree(".datatools")
    run()
    assert contents() == made
    assert set(states(run()).values()) == {"kept"}


def test_each_input_of_a_stage_is_recorded_by_its_own_bytes() -> None:
    shutil.copytree("raw", "more")
    picture = next(Path("more/JPEGImages").iterdir())
    picture.write_bytes(picture.read_bytes() + b"\0")
    Path("p.yaml").write_text("""
version: 1
stages:
  - {id: one, uses: voc.fix, in: raw, out: work/one}
  - {id: lists, uses: voc.split, in: one}
  - {id: two, uses: voc.fix, in: more, out: work/two}
  - {id: all, uses: voc.merge, in: [lists, raw, two], out: work/all}
""")
    assert not run().failed
    one, two, made = (json.loads(Path(f"work/{name}/run.json").read_text()) for name in ("one", "two", "all"))
    assert made["inputs"]["raw"] == one["inputs"]["raw"] != two["inputs"]["more"]
    assert made["inputs"]["work/two"] == two["outputs"]["digest"]
    assert len(set(made["inputs"].values())) == 3
