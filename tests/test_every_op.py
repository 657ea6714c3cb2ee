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
from datatools.core.result import plain
from datatools.engine import executors, schema
from datatools.engine.executors import LocalRun
from datatools.engine.runner import execute
from datatools.engine.verify import verify

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
    "haze.add": {"out": Path("out"), "beta": "0.6..1.8", "copies": 2},
    "haze.score": {"reference": Path("other")},
    "video.info": {},
    "video.frames": {"out": Path("out"), "scene": True},
    "video.foreground": {"out": Path("out"), "boxes": "voc", "overlay": True, "keep_every": 25},
    "video.score": {"groundtruth": Path("video")},
    "ocr.lint": {},
    "ocr.split": {"out": Path("out")},
    "ocr.crop": {"out": Path("out")},
    "ocr.dict": {"out": Path("out/dict.txt"), "coverage": Path("other")},
    "ocr.stats": {"html": Path("out/page.html")},
    "ocr.cls_set": {"out": Path("out"), "both": True},
    "ocr.preview": {"out": Path("out/sheet.png")},
    "ocr.convert": {"out": Path("out"), "to": "icdar"},
    "augment.copy_paste": {"out": Path("out"), "copies": 2, "keep_originals": True},
    "augment.tia.distort": {"out": Path("out")},
    "augment.tia.stretch": {"out": Path("out")},
    "augment.tia.perspective": {"out": Path("out")},
    "augment.randaugment": {"out": Path("out")},
    "augment.autoaugment": {"out": Path("out")},
    "augment.cutout": {"out": Path("out")},
    "augment.random_erasing": {"out": Path("out")},
    "augment.hide_and_seek": {"out": Path("out")},
    "augment.gridmask": {"out": Path("out")},
    "augment.mixup": {"out": Path("out")},
    "augment.cutmix": {"out": Path("out")},
    "augment.mosaic": {"out": Path("out")},
    "augment.bda": {"out": Path("out")},
    "augment.pp_det": {"out": Path("out"), "size": 128},
    "augment.shrink_map": {"out": Path("out")},
    "augment.border_map": {"out": Path("out")},
    "augment.imgaug": {"out": Path("out"), "pipeline": Path("flip.yaml")},
    "augment.preview": {"out": Path("out/sheet.png"), "op": "copy-paste", "n": 2, "draws": 1},
    "zoo.train": {"out": Path("out"), "epochs": 1, "batch": 64, **SMALL},
    "zoo.evaluate": {"checkpoint": Path("small.safetensors"), "out": Path("out")},
    "zoo.predict": {"checkpoint": Path("small.safetensors"), "out": Path("out/all.csv"), "plot": Path("out/some.jpg")},
    "zoo.check": {"steps": 1, "batch": 8, **SMALL},
    "zoo.compare": {"val": Path("other"), "runs": 2, "steps": 1, "batch": 8, **SMALL},
    "audio.slice": {"out": Path("out"), "vad": "energy", "manifest": ("csv", "lhotse"), "plot": "svg", "scores": True},
    "audio.vad": {"out": Path("out"), "manifest": ("rttm", "textgrid"), "vad": "energy"},
    "audio.score": {"ref": Path("reference.rttm")},
    "audio.features": {"out": Path("out"), "to": "npz", "cmvn": "global", "deltas": 2},
    "audio.info": {},
    "audio.plot": {"out": Path("out"), "to": "png", "kind": "waveform"},
    "audio.convert": {"out": Path("out"), "rate": 16000, "peak": -3.0},
    "audio.augment": {"out": Path("out"), "gain": 6.0, "speed": "0.9,1.1", "copies": 2},
    "zoo.list": {},
    "zoo.summary": {"classes": 6, "input": "3,16,16", "plot": Path("out/costs.svg")},
    "zoo.compress.quantize": {"out": Path("out/few.safetensors"), "scheme": "kmeans", "data": Path("raw")},
    "zoo.compress.prune": {"out": Path("out/few.safetensors"), "ratio": 0.5, "data": Path("raw")},
    "zoo.compress.pact": {"out": Path("out/few.safetensors"), "data": Path("raw"), "epochs": 1},
}
"""What each operation is called with here, beside its input; the test below finds one that is missing."""

EVERY = pytest.mark.parametrize("name", CASES)
ALIKE = {n for n in CASES if n.startswith("augment.") and op.find(n).items} - {
    "augment.copy_paste",
    "augment.shrink_map",
}
"""Differ from one of the others in their function alone: no processes are started for them here, and
tests/ops/augment/test_every_augmentation.py holds their functions to the same."""
READERS = pytest.mark.parametrize("name", [n for n in CASES if n not in ALIKE | {"voc.undo"}])
"""All but the one whose work is to change its input: tests/ops/voc/test_voc_fix.py undoes what was fixed."""
ITEMS = [n for n in CASES if op.find(n).items]
"""Those that run once an item."""
FOLDERS = [n for n, case in CASES.items() if case.get("out") == Path("out") and n not in ALIKE]


SETS = {"ocr": "ocr", "augment.shrink_map": "ocr", "augment.border_map": "ocr"}
"""The folder of fixtures/ that a group or an operation reads, where it is not the street scenes."""


@pytest.fixture(autouse=True)
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fixture_voc: Path,
    fixture_video: Path,
    small_classifier: Path,
) -> Path:
    """A working directory with the set in raw/, once more in other/, and what single groups read beside it."""
    monkeypatch.chdir(tmp_path)
    called = getattr(request.node, "callspec", None)
    name = called.params.get("name", "") if called else ""
    source = fixture_voc.with_name(SETS.get(name) or SETS.get(name.partition(".")[0], "voc"))
    shutil.copytree(source, "raw")
    shutil.copytree(source, "other")
    shutil.copytree(fixture_video / "truth", "video/truth")
    shutil.copy(fixture_video / "scenes.mp4", "video")
    Path("anchors.txt").write_text("10,13,  16,30,  33,23\n")
    Path("flip.yaml").write_text("- Fliplr: {p: 1.0}\n")
    shutil.copy(small_classifier, "small.safetensors")
    Path("sounds").mkdir()
    for sound in ("phone.wav", "studio.flac", "reference.rttm"):
        shutil.copy(fixture_voc.parent / "audio" / sound, "sounds")
    shutil.copy("sounds/reference.rttm", ".")
    return tmp_path


PLACES = {"video": "video", "audio": "sounds"}
"""The folder of a group that reads something else than raw/."""

NO_SETS: dict[str, Any] = {
    "zoo.list": "mobilenet_v1*",
    "zoo.summary": "mobilenet_v1_x0_25",
    "zoo.compress.quantize": Path("small.safetensors"),
    "zoo.compress.prune": Path("small.safetensors"),
    "zoo.compress.pact": Path("small.safetensors"),
}
"""What stands in the place of the set where an operation takes something else."""


def arguments(name: str, source: str = "") -> dict[str, Any]:
    first = op.find(name).params[0]
    if name in NO_SETS:
        given = type(NO_SETS[name])(source) if source else NO_SETS[name]
        return {first.name: given, **CASES[name]}
    source = source or PLACES.get(op.find(name).group, "raw")
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
    assert set(built) - {"json", "jobs", "run_engine", "address"} == set(specs)
    properties = schema.model(name).model_json_schema()["properties"] if schema.stage_params(found) else {}
    assert set(properties) == {s.name for s in schema.stage_params(found)}
    for key, shown in properties.items():
        default = specs[key].default
        if not specs[key].required:
            assert shown.get("default") == plain(default)


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
    source = Path(PLACES.get(op.find(name).group, "raw"))
    before, stamps = contents(source), times(source)
    execute(op.find(name), arguments(name), LocalRun(1))
    assert contents(source) == before
    assert times(source) == stamps


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
    if name != "voc.split":  # which writes its lists into a folder that may be the user's
        assert verify(Path("out")).damaged == ()


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
