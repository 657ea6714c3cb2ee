"""datatools.engine.run: the result comes back, nothing is printed, progress is told, and it can be stopped."""

import shutil
import threading
from pathlib import Path

import pytest

from datatools import engine
from datatools.core import op
from datatools.core.errors import Cancelled, UsageError
from datatools.engine.executors import LocalRun
from datatools.engine.item_result import ItemsRun
from datatools.engine.stage_report import PipelineRun
from tests.engine.faulty import picture
from tests.engine.test_items import Here

FILE = """version: 1
vars: {patch: 3}
stages:
  - {id: clear, uses: haze.remove, in: raw, out: work/clear, with: {patch: "${patch}", radius: 4}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_voc: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LocalRun, "stream", Here.stream)
    for number in range(5):
        picture(Path(f"raw/{number}.png"), level=30 * number + 10)
    shutil.copytree(fixture_voc, "set")
    Path("p.yaml").write_text(FILE)


def test_the_result_comes_back_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    result = engine.run("haze.remove", src="raw", out="clear", patch=3)
    assert isinstance(result, ItemsRun)
    assert (result.items, result.made, result.problems) == (5, 5, 0)
    again = engine.run("haze.remove", src=Path("raw"), out=Path("clear"), patch=3, jobs=2)
    assert isinstance(again, ItemsRun)
    assert again.up_to_date
    fixed = engine.run(op.find("voc.fix"), src="set", out="fixed")
    assert fixed.problems == 0
    assert isinstance(engine.run("p.yaml"), PipelineRun)
    assert capfd.readouterr() == ("", "")


def test_bad_items_are_in_the_result_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Path("raw/2.png").write_bytes(b"no picture")
    result = engine.run("haze.remove", src="raw", out="clear")
    assert isinstance(result, ItemsRun)
    assert (result.made, result.failed, result.problems) == (4, 1, 1)
    pipeline = engine.run("p.yaml", on_error="stop")
    assert isinstance(pipeline, PipelineRun)
    assert pipeline.failed
    assert "E-IMAGE" in pipeline.failed.error
    assert capfd.readouterr() == ("", "")


def test_progress_is_told_from_nothing_to_all() -> None:
    seen: list[tuple[int, int]] = []
    engine.run("haze.remove", src="raw", out="clear", progress=lambda what, done, total: seen.append((done, total)))
    assert seen == [(done, 5) for done in range(6)]


def test_a_run_that_is_cancelled_goes_on_later() -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        engine.run(
            "haze.remove", src="raw", out="clear", cancel=cancel,
            progress=lambda what, done, total: done == 2 and cancel.set(),
        )  # fmt: skip
    assert not Path("clear").exists()
    with pytest.raises(Cancelled):
        engine.run("haze.remove", src="raw", out="clear", cancel=cancel)
    cancel.clear()
    result = engine.run("haze.remove", src="raw", out="clear", cancel=cancel)
    assert isinstance(result, ItemsRun)
    assert result.kept >= 1
    assert result.kept + result.made == 5


def test_a_pipeline_that_is_cancelled_raises_too() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        engine.run("p.yaml", cancel=cancel)
    cancel.clear()
    assert isinstance(engine.run("p.yaml", cancel=cancel), PipelineRun)


def test_wrong_parameters_are_type_errors_and_nothing_is_written() -> None:
    before = sorted(Path().rglob("*"))
    with pytest.raises(TypeError, match=r"haze\.remove has no parameter 'pach'; it has src, out, "):
        engine.run("haze.remove", src="raw", out="clear", pach=3)
    with pytest.raises(TypeError, match=r"haze\.remove needs out"):
        engine.run("haze.remove", src="raw")
    with pytest.raises(TypeError, match=r"haze\.remove needs src, out"):
        engine.run("haze.remove")
    with pytest.raises(TypeError, match="a pipeline takes no colour"):
        engine.run("p.yaml", colour="red")
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("what", ["haze.remov", "haze", "", "absent.yaml"])
def test_what_is_not_there_is_a_usage_error(what: str) -> None:
    with pytest.raises(UsageError):
        engine.run(what, src="raw", out="clear") if not what.endswith("yaml") else engine.run(what)


def test_bounds_hold_as_on_the_command_line() -> None:
    with pytest.raises(UsageError, match="--patch must be at least 1"):
        engine.run("haze.remove", src="raw", out="clear", patch=0)
    with pytest.raises(UsageError, match="--address"):
        engine.run("haze.remove", src="raw", out="clear", address="auto")
    assert not Path("clear").exists()


def test_a_pipeline_takes_settings_a_selection_and_a_policy() -> None:
    plan = engine.run(Path("p.yaml"), settings={"patch": "5"}, dry_run=True)
    assert isinstance(plan, PipelineRun)
    assert plan.stages[0].state == "would run"
    assert not Path("work").exists()
    first = engine.run("p.yaml", settings={"patch": "5"}, only="clear", max_failures=0.0)
    assert isinstance(first, PipelineRun)
    assert first.stages[0].state == "ran"
    again = engine.run("p.yaml", settings={"patch": "7"}, dry_run=True)
    assert isinstance(again, PipelineRun)
    assert again.stages[0].plan
    assert again.stages[0].plan.reasons == {"parameter `patch` 5 -> 7": 5}
    with pytest.raises(UsageError, match="did you mean patch"):
        engine.run("p.yaml", settings={"pach": "5"})
