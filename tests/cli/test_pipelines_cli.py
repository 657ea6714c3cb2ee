"""The commands of pipeline files, end to end: run and its policies, --dry-run, status, clean."""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from datatools.cli.app import main
from datatools.engine.executors import LocalRun
from datatools.io import folders
from tests.engine.faulty import picture
from tests.engine.test_items import Here

FILE = """version: 1
vars: {patch: 3}
stages:
  - {id: clear, uses: haze.remove, in: raw, out: work/clear, with: {patch: "${patch}", radius: 4}}
  - {id: hazy, uses: haze.remove, in: clear, out: work/hazy, with: {patch: 5, radius: 4}}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with six pictures in raw/ and a pipeline of two stages on items."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LocalRun, "stream", Here.stream)
    for number in range(6):
        picture(Path(f"raw/{number}.png"), level=30 * number + 10)
    Path("p.yaml").write_text(FILE)
    return tmp_path


def run(*words: str, code: int = 0) -> None:
    assert main(["run", "p.yaml", "-j", "1", *words]) == code


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    """The stages of a run's JSON answer, by id."""
    capsys.readouterr()
    run("--json", *words, code=code)
    return {stage["id"]: stage for stage in json.loads(capsys.readouterr().out)["stages"]}


def spoil(*names: str) -> None:
    for name in names:
        Path(f"raw/{name}.png").write_bytes(b"no picture")


def files(root: str = ".") -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(Path(root).rglob("*")) if p.is_file() and "lock" not in p.name[-5:]}


def counts(stage: dict[str, Any]) -> tuple[int, int, int]:
    return stage["plan"]["run"], stage["plan"]["keep"], stage["plan"]["remove"]


def test_dry_run_counts_and_says_why_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = files()
    plan = told(capsys, "--dry-run")
    assert counts(plan["clear"]) == (6, 0, 0)
    assert plan["clear"]["why"] == "6 new"
    assert (plan["hazy"]["state"], plan["hazy"]["why"]) == ("would run", "stage clear runs first")
    assert files() == before
    run()
    assert {stage["state"] for stage in told(capsys, "--dry-run").values()} == {"kept"}
    picture(Path("raw/0.png"), level=200)
    picture(Path("raw/9.png"), level=90)
    Path("raw/1.png").unlink()
    before = files()
    plan = told(capsys, "--dry-run")
    assert counts(plan["clear"]) == (2, 4, 1)
    assert plan["clear"]["plan"]["reasons"] == {"input changed": 1, "new": 1}
    plan = told(capsys, "--dry-run", "--set", "patch=5")
    assert plan["clear"]["plan"]["reasons"]["parameter `patch` 3 -> 5"] == 5
    assert files() == before
    capsys.readouterr()
    run("--dry-run")
    shown = capsys.readouterr().out.splitlines()
    assert "1 input changed, 1 new" in shown[2]
    assert shown[-1] == "next: datatools run p.yaml"


def test_status_tells_at_a_glance(capsys: pytest.CaptureFixture[str]) -> None:
    def glance() -> list[str]:
        capsys.readouterr()
        assert main(["status", "p.yaml"]) == 0
        return capsys.readouterr().out.splitlines()

    assert glance() == ["clear  would run: 6 of 6, 6 new", "hazy   would run: up to 6, stage clear runs first"]
    spoil("2")
    run(code=1)
    assert glance() == ["clear  up to date, 6 kept, 1 failed (--retry-failed)", "hazy   up to date, 5 kept"]
    picture(Path("raw/2.png"), level=5)
    assert glance()[0] == "clear  would run: 1 of 6, input changed"
    before = files()
    assert main(["status", "p.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True
    assert files() == before


def test_a_bad_item_is_listed_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    spoil("2")
    stages = told(capsys, code=1)
    assert (stages["clear"]["bad_items"], stages["hazy"]["state"]) == (1, "ran")
    assert len(Path("work/clear/failures.jsonl").read_text().splitlines()) == 1
    assert not Path("work/hazy/2.png").exists()
    again = told(capsys, code=1)
    assert {stage["state"] for stage in again.values()} == {"kept"}
    assert again["clear"]["bad_items"] == 1


def test_retry_failed_tries_them_alone(capsys: pytest.CaptureFixture[str]) -> None:
    spoil("2")
    run(code=1)
    plan = told(capsys, "--retry-failed", "--dry-run")
    assert counts(plan["clear"]) == (1, 5, 0)
    stages = told(capsys, "--retry-failed", code=1)
    assert (counts(stages["clear"]), stages["clear"]["bad_items"]) == ((0, 5, 0), 1)
    assert stages["hazy"]["state"] == "kept", "what it is made of has not changed"


def test_on_error_stop_ends_with_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    spoil("2")
    stages = told(capsys, "--on-error", "stop", code=1)
    assert (stages["clear"]["state"], stages["hazy"]["state"]) == ("failed", "waits")
    assert "2.png: E-IMAGE" in stages["clear"]["error"]
    assert not Path("work/clear").exists()
    capsys.readouterr()
    run("--on-error", "stop", code=1)
    assert capsys.readouterr().err.startswith("datatools: stage clear: 2.png: E-IMAGE")
    picture(Path("raw/2.png"), level=5)
    assert {stage["state"] for stage in told(capsys, "--on-error", "stop").values()} == {"ran"}


def test_too_many_failures_end_the_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    spoil("1", "2", "3")
    stages = told(capsys, "--max-failures", "0.3", code=1)
    assert (stages["clear"]["state"], stages["hazy"]["state"]) == ("failed", "waits")
    assert "E-TOO-MANY-FAILURES" in stages["clear"]["error"]
    assert told(capsys, "--max-failures", "0.5", code=1)["hazy"]["state"] == "ran"


def test_the_policy_holds_for_what_failed_in_a_run_before(capsys: pytest.CaptureFixture[str]) -> None:
    spoil("1", "2", "3")
    run(code=1)
    before = files("work")
    for change in (lambda: None, lambda: picture(Path("raw/8.png"), level=77)):  # all is done, or there is more to do
        change()
        stages = told(capsys, "--max-failures", "0.3", code=1)
        assert (stages["clear"]["state"], stages["hazy"]["state"]) == ("failed", "waits")
        assert "more than --max-failures 0.3 (--retry-failed tries them again)" in stages["clear"]["error"]
        stages = told(capsys, "--on-error", "stop", code=1)
        assert (stages["clear"]["state"], stages["hazy"]["state"]) == ("failed", "waits")
        assert "1.png: E-IMAGE" in stages["clear"]["error"]
        assert files("work/clear") == {n: data for n, data in before.items() if n.startswith("work/clear/")}
    assert told(capsys, "--max-failures", "0.5", code=1)["clear"]["state"] == "ran"
    assert told(capsys, "--max-failures", "0.5", code=1)["clear"]["state"] == "kept"
    for name in "123":
        picture(Path(f"raw/{name}.png"), level=5)
    assert {s["state"] for s in told(capsys, "--max-failures", "0", "--on-error", "stop").values()} == {"ran"}
    assert {s["state"] for s in told(capsys, "--max-failures", "0", "--on-error", "stop").values()} == {"kept"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "absent.yaml"], "absent.yaml: there is no such pipeline file"),
        (["run", "p.yaml", "--set", "patch"], "--set takes NAME=VALUE (got 'patch')"),
        (["run", "p.yaml", "--set", "=3"], "--set takes NAME=VALUE (got '=3')"),
        (["run", "p.yaml", "--set", "pach=3"], "did you mean patch"),
        (["run", "p.yaml", "--set", "patch=many"], "patch"),
        (["run", "p.yaml", "--only", "claer"], "did you mean clear"),
        (["run", "p.yaml", "--from", "x"], "there is no stage 'x'"),
        (["run", "p.yaml", "--address", "auto"], "--address is for --engine ray"),
        (["status", "absent.yaml"], "absent.yaml: there is no such pipeline file"),
        (["clean", "absent.yaml"], "absent.yaml: there is no such pipeline file"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = files()
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("datatools: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert files() == before


def test_clean_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    before = files()
    capsys.readouterr()
    assert main(["clean", "p.yaml"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"
    assert files() == before


def leave_everything() -> dict[str, tuple[str, int]]:
    """One leftover of each kind; returns why each is one, and its bytes."""
    dead = 2**22 + 1  # no process has this number
    for name in ("work/clear.partial", "work/hazy.old"):
        Path(name).mkdir()
        Path(name, ".dt-lock").write_text("")
        Path(name, "half.png").write_bytes(b"x" * 100)
    Path("work/hazy.old/run.json").write_text("{}")
    Path(f"work/clear/.dt-tmp-{dead}-0").write_bytes(b"x" * 10)
    Path(f"work/clear/.dt-tmp-{dead}-1").mkdir()
    Path(f"work/clear/.dt-tmp-{dead}-1/deep").write_bytes(b"x" * 7)
    return {
        "work/clear.partial": ("a run was cut off", 100),
        f"work/clear/.dt-tmp-{dead}-0": ("a writer was killed", 10),
        f"work/clear/.dt-tmp-{dead}-1": ("a writer was killed", 7),
        "work/hazy.old": ("a replacement was cut off", 102),
    }


def test_clean_removes_each_kind_of_leftover_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    for name in ("work/clear", "work/other.partial", "work/mine.old"):
        Path(name).mkdir(exist_ok=True)
    Path("work/other.partial/mine").write_text("mine")
    before = files()
    left = leave_everything()
    Path(f"work/clear/.dt-tmp-{os.getppid()}-0").write_text("a living process's")
    everything = files()
    said = "\n".join(f"{path}: {why}, {size} bytes" for path, (why, size) in left.items())
    total = sum(size for _, size in left.values())
    capsys.readouterr()
    assert main(["clean", "p.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{said}\nwould remove 4 leftovers, {total} bytes\n"
    assert files() == everything
    for lock in Path("work").rglob(".dt-lock"):
        lock.write_text("")  # it says who had it last
    assert main(["clean", "p.yaml"]) == 0
    assert capsys.readouterr().out == f"{said}\nremoved 4 leftovers, {total} bytes\n"
    Path(f"work/clear/.dt-tmp-{os.getppid()}-0").unlink()
    assert files() == before
    assert main(["clean", "p.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == []


def test_clean_leaves_what_is_not_ours_although_it_has_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    Path("work/clear.partial").mkdir()
    Path("work/clear.partial/mine").write_text("mine")
    capsys.readouterr()
    assert main(["clean", "p.yaml"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"
    assert Path("work/clear.partial/mine").exists()


def test_clean_leaves_a_busy_one_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    leave_everything()
    with ExitStack() as held:
        folders.hold("work/clear.partial", held)
        capsys.readouterr()
        for words in (["--dry-run"], []):
            assert main(["clean", "p.yaml", *words]) == 0
            lines = capsys.readouterr().out.splitlines()
            assert "work/clear.partial: left alone, a run is using it" in lines
            assert " 3 leftovers" in lines[-1]
            assert Path("work/clear.partial/half.png").exists()
    assert main(["clean", "p.yaml"]) == 0
    assert not Path("work/clear.partial").exists()


def test_clean_removes_what_no_stage_makes_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    Path("p.yaml").write_text("\n".join(FILE.splitlines()[:-1]) + "\n")
    capsys.readouterr()
    assert main(["clean", "p.yaml", "--dry-run"]) == 0
    assert "work/hazy: no stage of the file makes it any more" in capsys.readouterr().out
    assert not Path("work/hazy/.dt-lock").exists()
    Path("work/hazy/mine.txt").write_text("mine")
    assert main(["clean", "p.yaml"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n", "somebody put something of his own there"
    Path("work/hazy/mine.txt").unlink()
    assert main(["clean", "p.yaml"]) == 0
    assert not Path("work/hazy").exists()
    assert main(["clean", "p.yaml"]) == 0
    run()


def test_clean_while_the_pipeline_runs_is_exit_5(capsys: pytest.CaptureFixture[str]) -> None:
    from datatools.engine import pipeline
    from datatools.engine.stage_memory import State

    run()
    capsys.readouterr()
    with State(pipeline.load(Path("p.yaml")).path).locked():
        assert main(["clean", "p.yaml"]) == 5
        assert main(["run", "p.yaml"]) == 5
    assert capsys.readouterr().err.count("\n") == 2


def test_clean_after_the_outputs_are_gone(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    shutil.rmtree("work")
    Path("p.yaml").write_text("\n".join(FILE.splitlines()[:-1]) + "\n")
    capsys.readouterr()
    assert main(["clean", "p.yaml"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"


def test_a_word_that_is_a_parameters_default_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(
        FILE.replace("uses: haze.remove, in: clear", "uses: haze.add, in: clear").replace(
            "{patch: 5, radius: 4}", "{depth: gradient}"
        )
    )
    assert told(capsys)["hazy"]["state"] == "ran"
    Path("p.yaml").write_text(Path("p.yaml").read_text().replace("gradient", "gradiant"))
    run(code=2)
    assert "there is no gradiant" in capsys.readouterr().err


def test_what_a_later_stage_wrote_into_an_output_is_known(
    fixture_voc: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(fixture_voc, "set")
    Path("p.yaml").write_text(
        "version: 1\nstages:\n  - {id: fixed, uses: voc.fix, in: set, out: work/fixed}\n"
        "  - {id: lists, uses: voc.split, in: fixed, with: {train: 0.5, val: 0.5, test: 0}}\n"
    )
    run()
    monkeypatch.chdir("work")
    capsys.readouterr()
    assert main(["verify", "fixed"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("files were written there by voc.split later, and look as it left them")
    assert told[1].endswith("all others are what voc.fix made")
    lists = "fixed/ImageSets/Main/train.txt"
    assert main(["why", lists, "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [(s["file"], s["op"], s["sources"]) for s in steps] == [
        (lists, "voc.split", ["fixed"]),
        ("fixed", "voc.fix", ["../set"]),
    ]
    assert steps[0]["parameters"]["train"] == 0.5
    Path(lists).write_text("mine")
    Path("fixed/notes.txt").write_text("mine")
    assert main(["verify", "fixed", "--json"]) == 1
    damaged = json.loads(capsys.readouterr().out)["damaged"]
    assert [(one["file"], one["what"]) for one in damaged] == [
        ("ImageSets/Main/train.txt", "extra"),
        ("notes.txt", "extra"),
    ]
    assert main(["why", "fixed/notes.txt"]) == 2
    xml = Path("fixed/Annotations/street_a_0001.xml")
    status = xml.stat()
    xml.write_bytes(xml.read_bytes().replace(b"car", b"bus", 1))
    os.utime(xml, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert main(["verify", "fixed"]) == 1
    assert "street_a_0001.xml: changed" in capsys.readouterr().out
