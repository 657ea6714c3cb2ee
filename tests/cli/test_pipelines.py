"""The commands that only look at a pipeline file: graph and schema."""

import json
from pathlib import Path

import pytest

from datatools.cli.app import main

FILE = """version: 1
vars: {more: false}
stages:
  - {id: a, uses: voc.fix, in: raw, out: out}
  - {id: b, uses: voc.lint, in: a, when: "${more}"}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("p.yaml").write_text(FILE)


def test_graph_prints_or_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "p.yaml"]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")
    assert main(["graph", "p.yaml", "--format", "svg", "-o", "p.svg", "--set", "more=true"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "wrote p.svg\n")
    drawn = Path("p.svg").read_text()
    assert drawn.startswith("<svg ")
    assert "skipped" not in drawn


def test_schema_prints_or_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["title"] == "datatools pipeline"
    assert main(["schema", "-o", "schema.json"]) == 0
    assert Path("schema.json").read_text() == printed


@pytest.mark.parametrize("command", ["run", "graph", "status", "clean"])
def test_a_wrong_file_is_exit_2_and_touches_nothing(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(FILE.replace("voc.fix", "voc.fx"))
    assert main([command, "p.yaml"]) == 2
    told = capsys.readouterr().err
    assert told == "datatools: p.yaml:4:13: stages[0].uses: there is no operation 'voc.fx'; did you mean voc.fix?\n"
    assert {p.name for p in Path().iterdir()} == {"raw", "p.yaml"}
