"""The training commands, from class folders to verdicts, on sets that are learnt in seconds."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datatools.cli.app import main
from datatools.core.errors import DatatoolsError
from datatools.io import images
from datatools.io.classified import opening

SMALL = ["--model", "mobilenet_v3_small_x0_35", "--size", "32", "--batch", "12"]


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in one process; returns its exit code and what it printed on stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["zoo", *map(str, words)])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return code, told.out, told.err

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `set`, three colours, and `run`, what training on it left."""
    import numpy as np

    root = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    for name, rgb in (("blue", (60, 80, 200)), ("green", (60, 180, 70)), ("red", (200, 60, 50))):
        (root / "set" / name).mkdir(parents=True)
        for i in range(8):
            pixels = np.clip(rng.normal(rgb, 15, (32, 32, 3)), 0, 255).astype(np.uint8)
            (root / "set" / name / f"{i}.png").write_bytes(images.encode_png(pixels))
    words = ["train", root / "set", "-o", root / "run", "--epochs", 6, "--jitter", 0.05, *SMALL]
    assert main(["zoo", *map(str, words), "-j", "1"]) == 0
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_training_leaves_weights_curves_and_a_log(trained: Path) -> None:
    run = trained / "run"
    assert {p.name for p in run.iterdir()} == {
        ".datatools", "accuracy.svg", "best.safetensors", "confusion.svg", "events.out.tfevents.0.datatools",
        "history.csv", "last.safetensors", "loss.svg", "run.json",
    }  # fmt: skip
    assert [p.name for p in (run / ".datatools").iterdir() if "state" in p.name or p.name == "base"] == []
    log = rows(run / "history.csv")
    assert [int(r["epoch"]) for r in log] == list(range(1, 7))
    assert float(log[-1]["loss"]) < float(log[0]["loss"])
    assert float(log[-1]["lr"]) < max(float(r["lr"]) for r in log) == pytest.approx(0.003, rel=0.05)
    assert not (trained / "run.partial").exists()


def test_a_stopped_command_goes_on_and_a_finished_one_is_kept(
    trained: Path, say: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from datatools.zoo import session

    monkeypatch.setattr(session, "SAVED_EVERY_S", 0.0)
    words = ("train", trained / "set", "-o", "run", "--epochs", 6, "--jitter", 0.05, *SMALL, "-j", 1)
    done = 0
    whole = session.Session._save

    def interrupted(self: Any, folder: Path) -> None:
        nonlocal done
        whole(self, folder)
        done += 1
        if done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(session.Session, "_save", interrupted)
    assert say(*words)[0] == 130
    assert not Path("run").exists()
    assert len(rows(Path("run.partial/history.csv"))) == 3
    steps = []
    monkeypatch.setattr(session.Session, "_save", whole)
    plain = session.Trainer.advance
    monkeypatch.setattr(session.Trainer, "advance", lambda self: steps.append(self.step) or plain(self))
    assert say(*words)[0] == 0
    assert steps == list(range(6, 12))  # two steps an epoch: the first three epochs are not done again
    for name in ("best.safetensors", "last.safetensors", "history.csv", "confusion.svg"):
        assert (Path("run") / name).read_bytes() == (trained / "run" / name).read_bytes()
    assert "nothing was written" in say(*words)[1]
    code, out, _ = say(*words, "--epochs", 1, "--seed", 1, "--json")
    assert (code, json.loads(out)["best"]["epoch"] > 0) == (0, True)  # another seed replaces our own output


def test_evaluation_counts_what_is_right(trained: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = say(
        "evaluate", trained / "set", "--checkpoint", trained / "run/best.safetensors", "-o", "ev", "--json"
    )
    told = json.loads(out)
    assert code == 0
    said = rows(Path("ev/predictions.csv"))
    right = sum(r["label"] == r["predicted"] for r in said)
    assert told["pictures"] == len(said) == 24
    assert told["accuracy"] == right / 24
    low, high = told["accuracy_interval"]
    assert low < right / 24 <= high
    assert [s["name"] for s in told["per_class"]] == ["blue", "green", "red"]
    assert len(told["mistakes"]) == 24 - right
    assert [r["class"] for r in rows(Path("ev/classes.csv"))] == ["blue", "green", "red"]
    assert Path("ev/worst.jpg").exists() == (right < 24)
    assert Path("ev/confusion.svg").read_bytes().startswith(b"<?xml")


def test_evaluation_of_a_split_and_of_strangers(trained: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    shutil.copytree(trained / "set", "set/train")
    shutil.copytree(trained / "set", "set/test")
    shutil.copytree("set/test/red", "set/test/violet")
    checkpoint = ("--checkpoint", trained / "run/best.safetensors")
    code, out, _ = say("evaluate", "set", *checkpoint, "--split", "test", "--json")
    told = json.loads(out)
    assert (code, told["pictures"]) == (1, 24)
    assert told["failures"][0]["code"] == "E-CLASS-UNKNOWN"
    code, _, err = say("evaluate", "set", *checkpoint, "--split", "val")
    assert code == 2
    assert "has no val (it has train, test)" in err


def test_predictions_in_both_forms(trained: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    words = ("predict", trained / "set" / "red", "--checkpoint", trained / "run/best.safetensors", "--top", 2)
    assert say(*words, "-o", "said.csv", "--plot", "some.png", "-n", 4)[0] == 0
    assert say(*words, "-o", "said.json")[0] == 0
    table, listed = rows(Path("said.csv")), json.loads(Path("said.json").read_text())
    assert [r["picture"] for r in table] == [f"{i}.png" for i in range(8)] == [one["picture"] for one in listed]
    for row, one in zip(table, listed, strict=True):
        assert (row["class"], float(row["probability"])) == tuple(one["choices"][0])
        assert one["choices"][0][1] >= one["choices"][1][1]
    assert images.decode(Path("some.png").read_bytes(), name="some.png").shape[2] == 3
    (Path("broken") / "x").mkdir(parents=True)
    (Path("broken") / "a.png").write_bytes(b"no picture")
    code, out, _ = say("predict", "broken", "--checkpoint", trained / "run/best.safetensors", "--json")
    assert (code, json.loads(out)["failures"][0]["code"]) == (1, "E-IMAGE-UNREADABLE")


def test_a_good_set_passes_and_a_turned_label_is_suspicious(
    colours: Callable[..., Path], say: Callable[..., tuple[int, str, str]]
) -> None:
    root = colours(Path("set"), per_class=10)
    (root / "red" / "000.png").rename(root / "blue" / "turned.png")
    words = ("check", root, "-o", "out", "--steps", 12, "--lr", 0.01, "--jitter", 0, *SMALL, "-j", 1)
    code, out, _ = say(*words, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["never"], told["contradictions"], told["few"]) == ([], [], 24)
    assert told["accuracy"] > 0.8
    assert told["gain_interval"][0] > 0
    ranked = rows(Path("out/labels.csv"))
    assert len(ranked) == 30
    assert ("blue/turned.png", "red") in [(r["picture"], r["predicted"]) for r in ranked[:3]]
    assert [r["picture"] for r in ranked if r["suspicious"] == "1"] == [s["key"] for s in told["suspicious"]]
    assert Path("out/suspicious.jpg").exists() == bool(told["suspicious"])
    assert "nothing was written" in say(*words)[1]


def test_a_set_without_a_rule_fails(colours: Callable[..., Path], say: Callable[..., tuple[int, str, str]]) -> None:
    root = colours(Path("set"), per_class=8, classes="one,two")  # both grey: there is nothing to learn
    shutil.copy(root / "one" / "000.png", root / "two" / "twin.png")
    code, out, _ = say("check", root, "--steps", 1, *SMALL, "-j", 1)
    assert code == 1
    assert "the same pixels with different labels: one/000.png (one), two/twin.png (two)" in out
    assert "set FAILS:" in out


def test_right_labels_help_beside_wrong_ones_and_leaks_are_told(
    colours: Callable[..., Path], say: Callable[..., tuple[int, str, str]]
) -> None:
    good, val, bad = colours(Path("good"), per_class=8), colours(Path("val"), per_class=8, seed=1), Path("bad")
    for old, new in (("red", "blue"), ("blue", "green"), ("green", "red")):
        shutil.copytree(good / old, bad / new)
    shutil.copy(val / "red" / "000.png", good / "red" / "leak.png")
    words = ("--val", val, "--runs", 2, "--jitter", 0, *SMALL, "-j", 1)
    code, out, _ = say("compare", bad, good, *words, "--steps", 8, "--lr", 0.01, "-o", "out", "--json")
    told = json.loads(out)
    assert (code, told["verdict"], told["b"]["leaked"], told["a"]["leaked"]) == (1, "helps", 1, 0)
    assert told["interval"][0] > 0
    assert told["difference"] == pytest.approx(told["b"]["mean"] - told["a"]["mean"])
    assert [c["name"] for c in told["per_class"]] == ["blue", "green", "red"]
    assert [float(r["b"]) for r in rows(Path("out/runs.csv"))] == told["b"]["accuracy"]
    code, out, _ = say("compare", bad, bad, *words, "--steps", 1)
    assert code == 0
    assert "difference +0.000 (+0.000 to +0.000)" in out  # the same set, weights and order: the same answers
    assert "verdict: bad makes no difference that can be told beside bad" in out


def test_a_leak_into_the_validation_is_told(
    colours: Callable[..., Path], say: Callable[..., tuple[int, str, str]]
) -> None:
    root, val = colours(Path("set"), per_class=3), colours(Path("val"), per_class=2, seed=1)
    shutil.copy(root / "red" / "000.png", val / "red" / "leak.png")
    code, out, _ = say("train", root, "--val", val, "-o", "run", "--epochs", 1, *SMALL, "-j", 1)
    assert code == 1
    assert "9 pictures to train on, 7 to validate on (val)" in out
    assert "leak: 1 of 7" in out


BAD: list[tuple[list[str], str]] = [
    (["train", "set", "--model", "mobilnet_v3_small"], "did you mean mobilenet_v3_small"),
    (["train", "set", "--size", "8"], "at least 16 px"),
    (["train", "set", "--size", "big"], "--size must be"),
    (["train", "set", "--model", "inception_v3", "--size", "32"], "cannot take 32 x 32 px"),
    (["train", "set", "--epochs", "0"], "epochs"),
    (["train", "set", "--ema", "1"], "--ema must be less than 1"),
    (["train", "set", "--lr", "0"], "--lr must be greater than 0"),
    (["train", "set", "--lr", "1e300"], "is not in the range"),
    (["train", "set", "--device", "cuda"], "no GPU"),
    (["train", "set", "--val", "absent"], "absent"),
    (["train", "one"], "has one class (a)"),
    (["train", "empty"], "holds no classified picture"),
    (["train", "set", "-o", "set/out"], "lies inside the input"),
    (["train", "set", "-o", "set"], "the output is the input"),
    (["train", "unreadable"], "no picture is left"),
    (["evaluate", "set", "--checkpoint", "absent.safetensors"], "no such file"),
    (["evaluate", "set", "--checkpoint", "text.safetensors"], "E-CHECKPOINT"),
    (["evaluate", "set", "--checkpoint", "foreign.safetensors"], "E-CHECKPOINT"),
    (["evaluate", "set", "--checkpoint", "nameless.safetensors"], "does not say what its classes are called"),
    (["predict", "set", "--checkpoint", "good.safetensors", "-o", "a.txt"], "must end in .csv or .json"),
    (["predict", "set", "--checkpoint", "good.safetensors", "--plot", "a.gif"], "must end in .jpg or .png"),
    (["predict", "empty", "--checkpoint", "good.safetensors"], "holds no picture"),
    (["check", "set"], "too few to judge"),
    (["check", "one"], "has one class"),
    (["check", "set", "-o", "set/out"], "lies inside the input"),
    (["evaluate", "set", "--checkpoint", "good.safetensors", "-o", "set"], "the output is the input"),
    # it would take a day if it were told at the end
    (["compare", "set", "set", "--val", "set", "-o", "empty/..", "--steps", "1000000"], "lies inside the output"),
    (["compare", "set", "--val", "set"], "takes two training sets (got 1)"),
    (["compare", "set", "set", "--val", "set", "--runs", "1"], "runs"),
    (["compare", "set", "set", "--val", "one"], "no picture is left to validate on"),
    (["compare", "set", "one", "--val", "empty"], "holds no classified picture"),
]


@pytest.fixture
def oddities(colours: Callable[..., Path], small_classifier: Path) -> None:
    import torch

    from datatools.zoo import weights

    colours(Path("set"), per_class=2)
    colours(Path("one"), per_class=2, classes="a")
    Path("empty").mkdir()
    for name in ("a", "b"):
        (Path("unreadable") / name).mkdir(parents=True)
        (Path("unreadable") / name / "1.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    shutil.copy(small_classifier, "good.safetensors")
    Path("text.safetensors").write_text("weights")
    Path("foreign.safetensors").write_bytes(weights.encode({"w": torch.zeros(3)}, {}))
    found = weights.read(small_classifier)
    note = {k: v for k, v in found.note.items() if k != "classes"}
    Path("nameless.safetensors").write_bytes(weights.encode(found.tensors, note))


@pytest.mark.parametrize(("words", "expected"), BAD, ids=lambda v: " ".join(v[:3]) if isinstance(v, list) else "")
@pytest.mark.usefixtures("oddities")
def test_bad_input_ends_in_one_line(say: Callable[..., tuple[int, str, str]], words: list[str], expected: str) -> None:
    code, out, err = say(*words, "-j", 1)
    assert code in (1, 2)
    assert expected in err
    assert out == ""
    assert "a bug of ours" not in err
    assert not Path("runs").exists()
    assert not list(Path().glob("*.partial"))


@pytest.mark.shared
def test_crops_of_a_real_set_can_be_told_apart(shared_voc: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    found = opening.open_set(shared_voc / "bccd")
    assert (found.splits, len(found.examples)) == (("train", "val", "test"), 1870)
    words = ("train", shared_voc / "bccd", "-o", "run", "--epochs", 1, "--size", 32, "--model", "mobilenet_v1_x0_25")
    code, out, _ = say(*words, "--json", "-j", 1)
    told = json.loads(out)
    assert code == 0
    assert told["trained_on"] + told["validated_on"] == len(found.part("train")) + len(found.part("val"))
    assert told["best"]["val_accuracy"] > 0.8


@pytest.mark.shared
def test_a_list_of_real_text_pages_is_refused(shared_voc: Path, say: Callable[..., tuple[int, str, str]]) -> None:
    pages = shared_voc.parent / "ocr" / "icdar2015_mini" / "train_data" / "icdar2015" / "text_localization"
    with pytest.raises(DatatoolsError, match="holds no classified picture"):
        opening.open_set(pages / "train_icdar2015_label.txt")
