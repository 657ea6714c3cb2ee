"""`datatools zoo compress` as commands: smaller files that other commands read, and what that costs."""

import json
from pathlib import Path

import numpy as np
import pytest

from datatools.cli.app import main

NAME = "mobilenet_v1_x0_25"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set of three easy classes, and a network that was trained a little on it."""
    import torch

    from datatools.io import atomic, images
    from datatools.zoo import devices, weights
    from datatools.zoo.training import Recipe, Trainer

    root = tmp_path_factory.mktemp("compress")
    rng = np.random.default_rng(4)
    rgb, label = np.zeros((60, 32, 32, 3), np.uint8), np.arange(60) % 3
    for number, one in enumerate(rgb):
        one[:] = rng.integers(0, 60, one.shape)
        one[:, :, label[number]] += 150
        name = f"set/{'abc'[label[number]]}/{number:02}.png"
        atomic.write_bytes(root / name, images.encode_png(one))
    device = devices.choose("cpu")
    with devices.settled(device):
        trainer = Trainer(Recipe(NAME, 3, steps=50, batch=20, lr=0.01), rgb, label, device)
        for _ in range(50):
            trainer.advance()
        model = trainer.evaluated()
    note = {"model": NAME, "num_classes": 3, "classes": ["a", "b", "c"], "size": [32, 32]}
    weights.write(root / "net.safetensors", model, note)
    assert torch.get_num_threads() >= 1
    return root


@pytest.fixture(autouse=True)
def inside(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("set").symlink_to(place / "set")
    Path("net.safetensors").write_bytes((place / "net.safetensors").read_bytes())


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["zoo", "compress", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def evaluated(capsys: pytest.CaptureFixture[str], checkpoint: str) -> float:
    assert main(["zoo", "evaluate", "set", "--checkpoint", checkpoint, "--json", "-j", "1"]) == 0
    return json.loads(capsys.readouterr().out)["accuracy"]


@pytest.mark.parametrize(
    ("words", "bits"),
    [
        ([], 8),
        (["--per", "tensor"], 8),
        (["--scheme", "affine", "--bits", "6"], 6),
        (["--scheme", "kmeans"], 4),
        (["--scheme", "binary"], 1),
    ],
)
def test_quantize_writes_a_file_of_that_size_that_evaluate_reads(
    capsys: pytest.CaptureFixture[str], words: list[str], bits: int
) -> None:
    told = answer(capsys, "quantize", "net.safetensors", "-o", "small.safetensors", "--data", "set", *words)
    assert told["bits"] == bits
    assert told["after"]["bytes"] == Path("small.safetensors").stat().st_size < told["before"]["bytes"]
    assert told["after"]["macs"] == told["before"]["macs"]
    assert bits <= told["bits_a_weight"] < bits + 1.5
    assert told["before"]["accuracy"] > 0.9, "the network knows the set, so that a loss would be seen"
    assert evaluated(capsys, "small.safetensors") == pytest.approx(told["after"]["accuracy"], abs=0.35)
    if bits == 8:
        assert abs(told["after"]["accuracy"] - told["before"]["accuracy"]) < 0.1, "of 12 pictures one may change"


def test_the_same_command_writes_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        answer(capsys, "quantize", "net.safetensors", "-o", f"{name}.safetensors", "--scheme", "kmeans")
        answer(capsys, "prune", "net.safetensors", "-o", f"{name}p.safetensors", "--data", "set", "--epochs", "1")
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()
    assert Path("ap.safetensors").read_bytes() == Path("bp.safetensors").read_bytes()


@pytest.mark.parametrize("method", ["fpgm", "l1"])
def test_prune_makes_the_network_really_smaller(capsys: pytest.CaptureFixture[str], method: str) -> None:
    words = ["prune", "net.safetensors", "-o", "small.safetensors", "--method", method, "--ratio", "0.5"]
    told = answer(capsys, *words, "--data", "set")
    before, after = told["before"], told["after"]
    assert after["bytes"] == Path("small.safetensors").stat().st_size < before["bytes"]
    assert after["params"] < 0.6 * before["params"]
    assert after["macs"] < 0.6 * before["macs"]
    assert all(g["gone"] == round(g["channels"] * 0.5) for g in told["groups"])
    evaluated(capsys, "small.safetensors")
    assert main(["zoo", "summary", NAME, "--checkpoint", "small.safetensors", "--input", "3,32,32", "--json"]) == 0
    (network,) = json.loads(capsys.readouterr().out)["networks"]
    assert network["costs"]["macs"] == after["macs"], "the summary shows the pruned network"


def test_training_gives_back_what_pruning_took(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prune", "net.safetensors", "--ratio", "0.5", "--data", "set"]
    rough, trained = answer(capsys, *words), answer(capsys, *words, "--epochs", "10", "--batch", "16", "--lr", "0.01")
    assert trained["after"]["macs"] == rough["after"]["macs"]
    assert trained["after"]["accuracy"] >= max(0.9, rough["after"]["accuracy"])


def test_sensitivity_finds_ratios_that_cost_no_more_than_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "prune", "net.safetensors", "--sensitivity", "--max-loss", "0.1", "--data", "set")
    assert any(group["losses"][-1] > 0.1 for group in told["groups"])
    ratios = [g["ratio"] for g in told["groups"]]
    assert len(set(ratios)) > 1, "groups differ"
    for group in told["groups"]:
        kept = [loss for loss in group["losses"] if loss <= 0.1]
        assert group["ratio"] == pytest.approx(0.1 * len(kept))
        assert len(group["losses"]) - len(kept) <= 1, "it stops at the first that costs too much"


def test_pact_trains_with_few_bits_and_the_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["pact", "net.safetensors", "--data", "set", "-o", "small.safetensors", "--epochs", "3"]
    told = answer(capsys, *words)
    assert told["after"]["accuracy"] > 0.9
    assert told["after"]["bytes"] == Path("small.safetensors").stat().st_size < told["before"]["bytes"] / 2
    assert all(0 < alpha < 20.1 for _, alpha in told["alphas"])
    assert evaluated(capsys, "small.safetensors") > 0.9
    assert main(["zoo", "compress", "pact", "small.safetensors", "--data", "set"]) == 2
    assert "already" in capsys.readouterr().err


def test_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "prune", "net.safetensors", "-o", "1.safetensors", "--ratio", "0.2")
    answer(capsys, "pact", "1.safetensors", "-o", "2.safetensors", "--data", "set", "--epochs", "1", "--bits", "6")
    answer(capsys, "prune", "2.safetensors", "-o", "3.safetensors", "--ratio", "0.2")
    told = answer(capsys, "quantize", "3.safetensors", "-o", "4.safetensors", "--bits", "4")
    sizes = [Path(f"{n}.safetensors").stat().st_size for n in (1, 3, 4)]
    assert sizes == sorted(sizes, reverse=True)
    assert told["after"]["params"] < told["before"]["params"] + 1
    evaluated(capsys, "4.safetensors")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["quantize", "net.safetensors", "--bits", "1"], "--bits"),
        (["quantize", "net.safetensors", "--scheme", "binary", "--bits", "4"], "one bit"),
        (["prune", "net.safetensors", "--sensitivity"], "--data"),
        (["prune", "net.safetensors", "--epochs", "2"], "--data"),
        (["prune", "net.safetensors", "--ratio", "1.5"], "--ratio"),
        (["prune", "net.safetensors", "-o", "."], "is a folder"),
        (["pact", "net.safetensors"], "--data"),
        (["quantize"], "Missing argument"),
        (["shrink", "net.safetensors"], "shrink"),
    ],
)
def test_bad_words_are_refused(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["zoo", "compress", *words]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_set_of_other_classes_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from datatools.io import atomic, images

    for name in ("a", "z"):
        for number in range(4):
            picture = np.full((32, 32, 3), number, np.uint8)
            atomic.write_bytes(Path(f"other/{name}/{number}.png"), images.encode_png(picture))
    assert main(["zoo", "compress", "quantize", "net.safetensors", "--data", "other"]) == 2
    assert "other classes" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["quantize", "prune"])
def test_a_file_that_is_no_checkpoint_of_ours_is_refused(capsys: pytest.CaptureFixture[str], command: str) -> None:
    Path("junk.safetensors").write_bytes(b"junk" * 10)
    assert main(["zoo", "compress", command, "junk.safetensors"]) == 1
    assert "E-CHECKPOINT" in capsys.readouterr().err
    assert main(["zoo", "compress", command, "absent.safetensors"]) == 2
    assert "absent.safetensors: no such file" in capsys.readouterr().err


def test_a_network_without_free_channels_is_not_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    from datatools import zoo
    from datatools.zoo import weights

    name = "shufflenet_v1_g8_x0_25"
    weights.write(Path("x.safetensors"), zoo.create(name, num_classes=2), {"model": name, "num_classes": 2})
    assert main(["zoo", "compress", "prune", "x.safetensors"]) == 2
    assert "none of its channels can go" in capsys.readouterr().err


def test_help_of_the_group_inside_the_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "compress", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("quantize", "prune", "pact"))
    assert main(["zoo", "compress", "prune", "--help"]) == 0
    assert "datatools zoo compress prune [OPTIONS] FILE" in capsys.readouterr().out
