"""Stages on items in a pipeline: what changed is followed item by item, through all stages."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from datatools.engine import pipeline
from datatools.engine.executors import LocalRun
from datatools.engine.stages import PipelineRun, Selection, StageReport, run_pipeline
from tests.engine.faulty import picture
from tests.engine.test_items import Here, stamps

TEXT = """version: 1
vars: {patch: 3}
stages:
  - {id: clear, uses: haze.remove, in: raw, out: work/clear, with: {patch: "${patch}", refine: none}}
  - {id: hazy, uses: haze.add, in: clear, out: work/hazy, with: {depth: gradient}}
  - {id: seen, uses: haze.score, in: hazy, with: {reference: real}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with six pictures in raw/, and a pipeline."""
    monkeypatch.chdir(tmp_path)
    for number in range(6):
        picture(Path(f"raw/{'ab'[number % 2]}/{number}.png"), level=30 * number + 10)
    shutil.copytree("raw", "real")
    Path("p.yaml").write_text(TEXT)
    return tmp_path


WHOLE = Selection()


def run(selection: Selection = WHOLE, *, dry_run: bool = False, **settings: str) -> dict[str, StageReport]:
    """The stages by id. The work is done in this process."""
    loaded = pipeline.load(Path("p.yaml"), settings)
    result: PipelineRun = run_pipeline(loaded, Here(1), selection, dry_run=dry_run)
    return {stage.id: stage for stage in result.stages}


def outputs(root: str = "work") -> dict[str, bytes]:
    files = (p for p in sorted(Path(root).rglob("*")) if p.is_file() and ".datatools" not in p.parts)
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def counts(stage: StageReport) -> tuple[int, int, int]:
    assert stage.plan
    return stage.plan.run, stage.plan.keep, stage.plan.remove


def states(stages: dict[str, StageReport]) -> dict[str, str]:
    return {name: stage.state for name, stage in stages.items()}


def written(root: Path, before: dict[str, tuple[int, int]]) -> set[str]:
    """The files below the folder that are not the same as before, but for its own books."""
    names = {name for name, stamp in stamps(root).items() if before.get(name) != stamp}
    return {os.path.relpath(name, root) for name in names if ".datatools" not in name}


def test_a_new_a_changed_and_a_deleted_item_touch_just_their_own_outputs_in_every_stage() -> None:
    run()
    clear, hazy = stamps(Path("work/clear")), stamps(Path("work/hazy"))
    picture(Path("raw/a/0.png"), level=200)
    picture(Path("raw/c/9.png"), level=90)
    Path("raw/b/1.png").unlink()
    stages = run()
    assert counts(stages["clear"]) == counts(stages["hazy"]) == (2, 4, 1)
    assert stages["hazy"].plan
    assert stages["hazy"].plan.reasons == {"input changed": 1, "new": 1}
    assert stages["seen"].why == "stage hazy changed"
    for root, before in ((Path("work/clear"), clear), (Path("work/hazy"), hazy)):
        assert written(root, before) == {"a/0.png", "c/9.png", "run.json"}
        assert not (root / "b/1.png").exists()
    made = outputs()
    for root in ("work", ".datatools"):
        os.rename(root, f"{root}.before")
    run()
    assert outputs() == made, "the same bytes as of a run from nothing"
    assert set(states(run()).values()) == {"kept"}


def test_a_changed_parameter_redoes_its_stage_and_of_the_next_what_it_changed() -> None:
    run()
    before = outputs("work/clear")
    plan = run(dry_run=True, patch="5")
    assert counts(plan["clear"]) == (6, 0, 0)
    assert plan["clear"].why == "6 parameter `patch` 3 -> 5"
    assert (plan["hazy"].state, plan["hazy"].why) == ("would run", "stage clear runs first")
    stages = run(patch="5")
    after = outputs("work/clear")
    other = sum(after[name] != before[name] for name in after if name.endswith(".png"))
    assert counts(stages["clear"]) == (6, 0, 0)
    assert counts(stages["hazy"]) == (other, 6 - other, 0)


def same_pixels_other_bytes(path: Path) -> None:
    """Write a picture anew so that all that is made of it stays as it is."""
    data = path.read_bytes()
    end = data.rindex(b"IEND") - 4
    text = b"tEXtComment\0another"
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    path.write_bytes(data[:end] + chunk + data[end:])


def test_a_stage_that_makes_the_same_bytes_again_changes_nothing_behind_it() -> None:
    run()
    hazy = stamps(Path("work/hazy"))
    same_pixels_other_bytes(Path("raw/a/2.png"))
    stages = run()
    assert states(stages) == {"clear": "ran", "hazy": "kept", "seen": "kept"}
    assert counts(stages["clear"]) == (1, 5, 0)
    assert written(Path("work/hazy"), hazy) == set()
    assert set(states(run()).values()) == {"kept"}


def test_part_of_a_pipeline_does_not_unsettle_the_rest() -> None:
    run()
    for selection in (Selection(only="seen"), Selection(start="hazy"), WHOLE):
        assert set(states(run(selection)).values()) <= {"kept", "skipped"}


def test_what_is_lost_of_a_stage_is_made_again_and_the_next_is_kept() -> None:
    run()
    before = outputs()
    Path("work/clear/a/0.png").unlink()
    stages = run()
    assert counts(stages["clear"]) == (1, 5, 0)
    assert stages["hazy"].state == "kept"
    assert outputs() == before


def test_stages_side_by_side_make_what_they_make_one_by_one() -> None:
    one = "{{id: {0}, uses: haze.add, in: raw, out: work/{0}, with: {{depth: gradient, beta: '0.5..2', copies: 2}}}}"
    Path("p.yaml").write_text(f"version: 1\nstages:\n  - {one.format('hazy')}\n  - {one.format('more')}\n")
    answers, made = [], []
    for spread in (Here(1), LocalRun(2, bars=False)):
        result = run_pipeline(pipeline.load(Path("p.yaml")), spread)
        answers.append([(s.id, s.state, s.plan, s.answer) for s in result.stages])
        made.append(outputs())
        assert set(states(run()).values()) == {"kept"}
        for root in ("work", ".datatools"):
            shutil.rmtree(root)
    assert made[0] == made[1]
    assert answers[0] == answers[1]
