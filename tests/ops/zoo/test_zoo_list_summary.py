"""`datatools zoo list` and `datatools zoo summary` as commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from datatools.cli.app import main

NAME = "mobilenet_v3_small_x0_35"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["zoo", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert main(["zoo", *words]) == code
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize(
    ("pattern", "some", "count"),
    [("ghostnet", "ghostnet_paddle_x1_3", 6), ("pp_lcnet_x?_0", "pp_lcnet_x2_0", 2), ("igcv3", "igcv3", 1)],
)
def test_list_takes_words_and_patterns(capsys: pytest.CaptureFixture[str], pattern: str, some: str, count: int) -> None:
    found = answer(capsys, "list", pattern)["networks"]
    assert len(found) == count
    assert some in [n["name"] for n in found]
    assert all(n["params"] > 0 and n["macs"] > 0 and len(n["input"]) == 3 for n in found)


def test_list_without_a_pattern_shows_all_and_needs_no_torch() -> None:
    code = "import sys; from datatools.cli.app import main; main(['zoo', 'list'])\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "False"
    assert len(lines) > 120


def test_list_suggests_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean resnet18" in refusal(capsys, "list", "resnet81")


def test_summary_counts_blocks_that_add_up_to_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "summary", NAME, "--classes", "10", "--input", "1,48,192")
    (network,) = told["networks"]
    costs = network["costs"]
    for part in ("params", "macs", "map_bytes"):
        assert sum(b[part] for b in costs["blocks"]) == costs[part]
        assert sum(b[part] for b in network["stages"]) == costs[part]
        assert sum(layer[part] for layer in costs["layers"]) == costs[part]
    assert costs["layers"][0]["output"] == [8, 24, 96]
    assert costs["layers"][-1]["output"] == [10]
    assert costs["weight_bytes"] > 4 * costs["params"]


def test_summary_with_layers_has_a_row_a_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "summary", "squeezenet1_1", "--layers"]) == 0
    told = capsys.readouterr().out
    assert "Conv2d 3x3 /2" in told
    assert "head.1" in told


@pytest.mark.parametrize("words", [["--compare", "igcv3", NAME], [NAME, "--compare", "igcv3"]])
def test_compare_puts_two_side_by_side(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert {n["name"] for n in answer(capsys, "summary", *words)["networks"]} == {NAME, "igcv3"}
    assert main(["zoo", "summary", *words]) == 0
    told = capsys.readouterr().out
    assert "A: output" in told
    assert "B: output" in told
    assert "times the parameters" in told


@pytest.mark.parametrize("more", [[], ["--compare", "squeezenet1_1"]])
def test_plot_draws_bars(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    import lxml.etree as etree

    assert main(["zoo", "summary", NAME, "--plot", "costs.svg", *more]) == 0
    assert "wrote costs.svg" in capsys.readouterr().out
    text = Path("costs.svg").read_bytes()
    root = etree.fromstring(text)
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == 3
    assert b"MACs" in text


def test_checkpoint_says_what_was_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from datatools import zoo
    from datatools.zoo import weights

    model = zoo.create(NAME, num_classes=4)
    weights.write(Path("ours.safetensors"), model, {"model": NAME, "num_classes": 4})
    told = answer(capsys, "summary", NAME, "--checkpoint", "ours.safetensors")
    assert told["classes"] == 4, "our files say how many classes they have"
    assert not told["loaded"]["missing"] + told["loaded"]["unused"] + told["loaded"]["skipped"]

    state = {name: tensor for name, tensor in model.state_dict().items() if name != "stages.0.0.1.bias"}
    torch.save({"state_dict": state | {"odd": torch.ones(1)}}, "theirs.pt")
    words = ["summary", NAME, "--checkpoint", "theirs.pt"]
    assert "E-WEIGHTS-MISMATCH" in refusal(capsys, *words, code=1)
    told = answer(capsys, *words, "--partial")["loaded"]
    assert told["missing"] == ["stages.0.0.1.bias"]
    assert told["unused"] == ["odd"]
    assert [name for name, *_ in told["skipped"]] == ["head.4.weight", "head.4.bias"]
    assert main(["zoo", *words, "--partial"]) == 0
    assert "skipped, of another shape: 2: head.4.weight (4x360, not 1000x360)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["summary", "resnet19"],
        ["summary", NAME, "--compare", "nothing"],
        ["summary", NAME, "--input", "3,224"],
        ["summary", NAME, "--input", "3,0,224"],
        ["summary", NAME, "--input", "\uff13,224,224"],
        ["summary", NAME, "--input", "-3,224,224"],
        ["summary", "inception_v3", "--input", "3,16,16"],
        ["summary", NAME, "--partial"],
        ["summary", NAME, "--plot", "costs.png"],
        ["summary", NAME, "--classes", "0"],
    ],
)
def test_bad_words_are_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["zoo", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nothing", b"\x80\x02.", b"x" * 100])
def test_files_that_are_no_checkpoint_are_refused(capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    Path("x.pt").write_bytes(data)
    assert "x.pt: E-CHECKPOINT" in refusal(capsys, "summary", NAME, "--checkpoint", "x.pt", code=1)


def test_a_folder_or_nothing_as_a_checkpoint_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refusal(capsys, "summary", NAME, "--checkpoint", ".")
    assert "no such file" in refusal(capsys, "summary", NAME, "--checkpoint", "absent.pt")
    Path("linked.pt").symlink_to("/etc/hostname")
    assert "E-FILE-READ" in refusal(capsys, "summary", NAME, "--checkpoint", "linked.pt", code=1)
