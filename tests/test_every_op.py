"""The contract of every operation, whatever it does."""

import inspect
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from datatools.cli import command
from datatools.cli.app import main
from datatools.core import op
from datatools.core.errors import DatatoolsError
from datatools.engine import executors, schema
from datatools.engine.executors import LocalRun
from datatools.engine.runner import execute

SMALL = {"model": "mobilenet_v1_x0_25", "size": "16"}
"""A network that is quickly trained."""

CASES: dict[str, dict[str, Any]] = {
    "voc.lint": {"deep": True},
    "voc.fix": {"out": Path("out")},
    "voc.undo": {},
    "voc.stats": {"html": Path("out/page.html"), "classes": Path("out/classes.txt")},
    "voc.classes": {},
    "voc.split": {"out": Path("out"), "per_class": True},
    "voc.convert": {"out": Path("out"), "to": "coco"},
    "voc.preview": {"out": Path("out/sheet.png")},
    "voc.filter": {"out": Path("out"), "keep": ("car",)},
    "voc.rename": {"out": Path("out"), "map": ("car=auto",)},
    "voc.merge": {"out": Path("out")},
    "anchors.kmeans": {"out": Path("out/anchors.json"), "k": 3, "plot": Path("out/plot.svg")},
    "anchors.sweep": {"k": "1..3", "plot": Path("out/plot.svg")},
    "anchors.check": {"anchors": Path("anchors.txt")},
    "haze.remove": {"out": Path("out")},
    "zoo.train": {"out": Path("out"), "epochs": 1, "batch": 64, **SMALL},
    "zoo.evaluate": {"checkpoint": Path("small.safetensors"), "out": Path("out")},
    "zoo.predict": {"checkpoint": Path("small.safetensors"), "out": Path("out/all.csv"), "plot": Path("out/some.jpg")},
    "zoo.check": {"steps": 1, "batch": 8, **SMALL},
    "zoo.compare": {"val": Path("other"), "runs": 2, "steps": 1, "batch": 8, **SMALL},
    "zoo.list": {},
    "zoo.summary": {"classes": 6, "input": "3,16,16", "plot": Path("out/costs.svg")},
    "zoo.compress.quantize": {"out": Path("out/few.safetensors"), "scheme": "kmeans", "data": Path("raw")},
    "zoo.compress.prune": {"out": Path("out/few.safetensors"), "ratio": 0.5, "data": Path("raw")},
    "zoo.compress.pact": {"out": Path("out/few.safetensors"), "data": Path("raw"), "epochs": 1},
}
"""What each operation is called with here, beside its input; the test below finds one that is missing."""

EVERY = pytest.mark.parametrize("name", CASES)
READERS = pytest.mark.parametrize("name", [n for n in CASES if n != "voc.undo"])
"""All but the one whose work is to change its input: tests/ops/voc/test_voc_fix.py undoes what was fixed."""
ITEMS = [n for n in CASES if op.find(n).items]
"""Those that run once an item."""
FOLDERS = [n for n, case in CASES.items() if case.get("out") == Path("out")]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_voc: Path, small_classifier: Path) -> Path:
    """A working directory with the set in raw/, once more in other/, an anchors file and the weights of a network."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_voc, "raw")
    shutil.copytree(fixture_voc, "other")
    Path("anchors.txt").write_text("10,13,  16,30,  33,23\n")
    shutil.copy(small_classifier, "small.safetensors")
    return tmp_path


NO_SETS: dict[str, Any] = {
    "zoo.list": "mobilenet_v1*",
    "zoo.summary": "mobilenet_v1_x0_25",
    "zoo.compress.quantize": Path("small.safetensors"),
    "zoo.compress.prune": Path("small.safetensors"),
    "zoo.compress.pact": Path("small.safetensors"),
}
"""What stands in the place of the set where an operation takes something else."""


def arguments(name: str, source: str = "raw") -> dict[str, Any]:
    first = op.find(name).params[0]
    if name in NO_SETS:
        given = NO_SETS[name] if source == "raw" else type(NO_SETS[name])(source)
        return {first.name: given, **CASES[name]}
    return {first.name: (Path(source), Path("other")) if first.many else Path(source), **CASES[name]}


def contents(root: Path) -> dict[str, bytes]:
    """The bytes of all files that readers see: dot files hold what a folder remembers about itself, and its lock."""
    files = {p.relative_to(root): p for p in sorted(root.rglob("*")) if p.is_file()}
    return {str(n): p.read_bytes() for n, p in files.items() if not any(part.startswith(".") for part in n.parts)}


def times(root: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in sorted(root.rglob("*")) if p.is_file()}


def words(name: str, given: Mapping[str, Any]) -> list[str]:
    """The same call as the words of a command line."""
    said = name.replace("_", "-").split(".")
    for spec in op.find(name).params:
        if spec.name not in given:
            continue
        value = given[spec.name]
        for one in value if spec.many else (value,):
            if spec.positional:
                said.append(str(one))
            elif spec.type is bool:
                said.append(spec.flag if one else "--no-" + spec.flag.removeprefix("--"))
            else:
                said += [spec.flag, str(one)]
    return said


def test_no_operation_is_without_a_case() -> None:
    assert set(op.names()) == set(CASES)


@EVERY
def test_it_pickles_as_its_name(name: str) -> None:
    found = op.find(name)
    assert pickle.loads(pickle.dumps(found)) is found


@EVERY
def test_signature_command_and_schema_agree(name: str) -> None:
    found = op.find(name)
    specs = {s.name: s for s in found.params}
    assert found.summary.endswith("."), "the first line of the docstring is a sentence"
    for spec in specs.values():
        assert spec.positional or spec.param.help, f"{spec.name} has no help"
    built = inspect.signature(command.callback(found)).parameters
    assert set(built) - {"json", "jobs", "engine", "address"} == set(specs)
    properties = schema.model(name).model_json_schema()["properties"] if schema.stage_params(found) else {}
    assert set(properties) == {s.name for s in schema.stage_params(found)}
    for key, shown in properties.items():
        default = specs[key].default
        if not specs[key].required:
            assert shown.get("default") == (list(default) if isinstance(default, tuple) else default)


@READERS
def test_one_process_and_two_give_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for jobs in (1, 2):
        monkeypatch.setattr(executors, "PARALLEL_WORTH_S", -1.0)
        monkeypatch.setattr(executors, "TRIAL_S", -1.0)
        shutil.rmtree("out", ignore_errors=True)
        result = execute(op.find(name), arguments(name), LocalRun(jobs))
        answers.append((result.to_json(), contents(Path("out"))))
    assert answers[0] == answers[1]


@READERS
def test_the_input_is_not_touched(name: str) -> None:
    before, stamps = contents(Path("raw")), times(Path("raw"))
    execute(op.find(name), arguments(name), LocalRun(1))
    assert contents(Path("raw")) == before
    assert times(Path("raw")) == stamps


@EVERY
def test_an_empty_set_works_or_is_refused_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(words(name, arguments(name, "empty"))) in (0, 1, 2)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "a bug of ours" not in told


@EVERY
def test_a_missing_set_is_a_usage_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(name, arguments(name, "absent"))) == 2
    assert "absent" in capsys.readouterr().err


@READERS
def test_the_command_prints_what_the_function_returns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    code = main([*words(name, arguments(name)), "--json"])
    printed = json.loads(capsys.readouterr().out)
    shutil.rmtree("out", ignore_errors=True)
    found = op.find(name)
    result = execute(found, arguments(name), LocalRun(1)) if found.items else found(**arguments(name))
    assert printed == json.loads(json.dumps(result.to_json()))
    assert code == (1 if result.problems else 0)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_second_run_writes_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = words(name, arguments(name))
    first = main(said)
    capsys.readouterr()
    before = times(Path("out"))
    assert main(said) == first
    assert times(Path("out")) == before
    assert "nothing" in capsys.readouterr().out


@pytest.mark.parametrize("name", FOLDERS)
def test_a_killed_run_leaves_all_or_nothing_and_is_continued(name: str) -> None:
    result = execute(op.find(name), arguments(name), LocalRun(1))
    assert result
    whole = contents(Path("out"))
    for delay_s in (0.15, 0.3, 0.45, 0.6):
        shutil.rmtree("out")
        process = subprocess.Popen(
            [sys.executable, "-m", "datatools", *words(name, arguments(name))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if Path("out").exists() and name != "voc.split":  # whose lists appear one by one, each whole
            assert contents(Path("out")) == whole
        try:
            execute(op.find(name), arguments(name), LocalRun(1))
        except DatatoolsError as error:
            pytest.fail(f"the same command does not go on: {error}")
        assert contents(Path("out")) == whole
        assert not list(Path().glob("*.partial"))
