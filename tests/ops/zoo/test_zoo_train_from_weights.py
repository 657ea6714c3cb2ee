"""`datatools zoo train --checkpoint`: training goes on from weights, of which those that fit are taken."""

import json
from pathlib import Path

import pytest
import torch

from datatools.cli.app import main

ROOT = Path(__file__).resolve().parents[3]
SIGNS = ROOT / "fixtures" / "signs" / "few"
NAME = "mobilenet_v1_x0_25"
WORDS = ["zoo", "train", str(SIGNS), "--model", NAME, "--size", "16", "--epochs", "1", "-j", "1"]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main([*WORDS, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def tensors(path: str) -> dict[str, torch.Tensor]:
    from datatools.zoo import weights

    return weights.read(Path(path)).tensors


def test_training_begins_with_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "-o", "first")["loaded"] is None
    told = answer(capsys, "-o", "more", "--checkpoint", "first/last.safetensors", "--lr", "1e-9")
    assert not told["loaded"]["missing"]
    first, more = tensors("first/last.safetensors"), tensors("more/last.safetensors")
    name = "stages.0.0.0.weight"
    torch.testing.assert_close(more[name], first[name], rtol=0, atol=1e-6)


def test_other_classes_take_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    from datatools import zoo
    from datatools.zoo import weights

    weights.write(Path("w.safetensors"), zoo.create(NAME), {"model": NAME, "num_classes": 1000})
    words = ["-o", "out", "--checkpoint", "w.safetensors"]
    assert main([*WORDS, *words]) == 1
    assert "E-WEIGHTS-MISMATCH" in capsys.readouterr().err
    assert not Path("out").exists()
    told = answer(capsys, *words, "--partial")["loaded"]
    assert [name for name, *_ in told["skipped"]] == ["head.1.weight", "head.1.bias"]
    once = Path("out/last.safetensors").read_bytes()
    assert main([*WORDS, "-o", "again", *words[2:], "--partial"]) == 0
    assert Path("again/last.safetensors").read_bytes() == once, "what the file lacks is drawn the same way"


def test_a_pruned_network_stays_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "-o", "whole")
    words = ["prune", "whole/best.safetensors", "-o", "small.safetensors", "--ratio", "0.5"]
    assert main(["zoo", "compress", *words]) == 0
    capsys.readouterr()
    answer(capsys, "-o", "tuned", "--checkpoint", "small.safetensors")
    small, tuned = tensors("small.safetensors"), tensors("tuned/best.safetensors")
    assert {n: t.shape for n, t in tuned.items()} == {n: t.shape for n, t in small.items()}
    assert main(["zoo", "evaluate", str(SIGNS), "--checkpoint", "tuned/best.safetensors", "-j", "1"]) == 0


@pytest.mark.parametrize("words", [["--partial"], ["--checkpoint", "absent.safetensors"]])
def test_bad_words_are_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main([*WORDS, "-o", "out", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
