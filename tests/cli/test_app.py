"""The command line: exit codes, one-line errors, plain output for programs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from datatools.cli.app import main
from datatools.cli.overview import overview
from datatools.cli.render import plain_table
from datatools.core import op
from datatools.core.result import Table


def datatools(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "datatools", *words], capture_output=True, text=True, **more)  # type: ignore[call-overload,no-any-return]


def test_overview_lists_every_group_and_command() -> None:
    shown = datatools("--help").stdout
    assert shown == overview() + "\n"
    for name in op.names():
        assert name.partition(".")[0] in shown
    assert "run" in shown
    assert datatools("--version").stdout.startswith("datatools 0.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vco"], "Did you mean 'voc'"),
        (["voc", "lnit"], "Did you mean 'lint'"),
        (["voc", "lint"], "Missing argument"),
        (["voc", "lint", "absent"], "absent"),
        (["anchors", "kmeans", ".", "-k", "0"], "'-k'"),
        (["run", "absent.yaml"], "absent.yaml"),
        (["run", "p.yaml", "--set", "x"], "NAME=VALUE"),
    ],
)
def test_wrong_words_are_exit_2_and_say_what_was_meant(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_bug_of_ours_is_one_line_and_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from datatools.engine import runner

    def broken(*args: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(runner, "execute", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert main(["voc", "classes", str(tmp_path)]) == 70
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    report = Path(told.rsplit(" ", 1)[1].strip())
    assert "Traceback" in report.read_text()


def test_a_bug_of_ours_is_one_line_where_no_report_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("datatools.engine.runner.execute", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert main(["voc", "classes", str(tmp_path)]) == 70
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert re.search(r"please report test_app.py:\d+ \(no report could be kept: No such file", told)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["voc", "fix", "--help"], ["voc", "classes", "SET"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_an_answer_that_cannot_be_written_is_exit_4_and_one_line(
    words: list[str], buffered: str, fixture_voc: Path
) -> None:
    line = [sys.executable, "-m", "datatools", *(str(fixture_voc) if w == "SET" else w for w in words)]
    env = {**os.environ, "PYTHONUNBUFFERED": buffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=env)
        assert done.returncode == 4
        assert re.fullmatch(r"datatools: [a-z ]+: No space left on device\n", done.stderr)
        done = subprocess.run([*line[:3], "voc", "stats", "nowhere"], stdout=subprocess.PIPE, stderr=full)
        assert (done.returncode, done.stdout) == (2, b"")


def test_a_reader_that_leaves_early_is_no_error(fixture_voc: Path) -> None:
    line = f"{sys.executable} -m datatools voc classes {fixture_voc} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    assert done.stderr == ""


def test_json_is_one_object_and_nothing_else(fixture_voc: Path) -> None:
    done = datatools("voc", "classes", str(fixture_voc), "--json")
    assert json.loads(done.stdout)["classes"]
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_tables_are_aligned_plain_text_off_a_terminal() -> None:
    table = Table(("class", "n", "share"), (("car", 10, 0.5), ("bus", 2, float("nan"))), "Classes", digits=1)
    assert list(plain_table(table)) == ["Classes", "  class   n  share", "  car    10    0.5", "  bus     2      -"]


def test_pipeline_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    (tmp_path / "p.yaml").write_text(
        "version: 1\nstages:\n  - {id: names, uses: voc.classes, in: set}\n  - {id: more, uses: voc.lint, in: names}\n"
    )
    assert main(["graph", "p.yaml"]) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("flowchart LR")
    assert "n1 --> n2" in drawn
    assert main(["graph", "p.yaml", "--format", "svg", "-o", "g.svg"]) == 0
    assert Path("g.svg").read_text().startswith("<svg")
    assert main(["schema", "-o", "schema.json"]) == 0
    schema = json.loads(Path("schema.json").read_text())
    assert schema["$defs"]["voc.lint"]["additionalProperties"] is False
    capsys.readouterr()
    assert main(["run", "p.yaml", "--dry-run", "--json"]) == 0
    assert [s["state"] for s in json.loads(capsys.readouterr().out)["stages"]] == ["would run", "would run"]
