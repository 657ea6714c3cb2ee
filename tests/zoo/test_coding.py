"""Coded weights come back within their error, are as small as they should be, and broken files are refused."""

from pathlib import Path

import pytest
import torch

from datatools import zoo
from datatools.core.errors import DataError
from datatools.kernels import quantization
from datatools.zoo import coding, loading, weights

NAME = "mobilenet_v1_x0_25"
SCHEMES = [
    ("symmetric", 8, True), ("symmetric", 8, False), ("symmetric", 4, True), ("symmetric", 2, False),
    ("affine", 8, True), ("affine", 5, False), ("kmeans", 4, False), ("kmeans", 8, False), ("binary", 1, True),
]  # fmt: skip


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return zoo.create(NAME, num_classes=5).eval().state_dict()


@pytest.fixture(scope="module")
def clustered(state: dict[str, torch.Tensor]) -> coding.Coded:
    return coding.encode(state, "kmeans", 4, per_channel=False)


@pytest.mark.parametrize(("scheme", "bits", "per_channel"), SCHEMES)
def test_a_coded_network_is_restored_from_its_file(
    state: dict[str, torch.Tensor], tmp_path: Path, scheme: coding.Scheme, bits: int, per_channel: bool
) -> None:
    coded = coding.encode(state, scheme, bits, per_channel=per_channel)
    path = tmp_path / "w.safetensors"
    note = {"model": NAME, "num_classes": 5, "coding": coded.coding}
    path.write_bytes(weights.encode(coded.tensors, note))
    model, checkpoint = loading.restore(path)
    assert checkpoint.note["coding"]["scheme"] == scheme
    restored = model.state_dict()
    for row in coded.rows:
        error = float((restored[row.name] - state[row.name]).abs().max())
        assert error == pytest.approx(row.greatest)
        if bits == 8 and scheme != "kmeans":
            assert error <= float(state[row.name].abs().max()) / 127 * 1.01
    kept = [name for name in state if name not in coded.coding["shapes"]]
    assert kept
    assert all(torch.equal(restored[name], state[name]) for name in kept)
    numbers = sum(row.numbers for row in coded.rows)
    channels = sum(shape[0] for shape in coded.coding["shapes"].values())
    tables = {"kmeans": 4 * 2**bits * len(coded.rows)}.get(scheme, 8 * channels)
    coded_bytes = sum(t.numel() * t.element_size() for n, t in coded.tensors.items() if n not in kept)
    assert numbers * bits / 8 <= coded_bytes <= numbers * bits / 8 + tables + len(coded.rows)


def test_eight_bits_are_int8_in_the_shape_of_the_weights(state: dict[str, torch.Tensor]) -> None:
    coded = coding.encode(state, "symmetric", 8, per_channel=True)
    name = "stages.0.0.0.weight"
    assert coded.tensors[name].dtype == torch.int8
    assert coded.tensors[name].shape == state[name].shape
    expected = quantization.symmetric(state[name].numpy(), 8, per_channel=True)
    assert (coded.tensors[name].numpy() == expected.codes).all()


def test_more_bits_and_a_scale_a_channel_lose_less(state: dict[str, torch.Tensor]) -> None:
    def loss(scheme: coding.Scheme, bits: int, per_channel: bool = False) -> float:
        rows = coding.encode(state, scheme, bits, per_channel=per_channel).rows
        return sum(row.mse * row.numbers for row in rows)

    assert loss("symmetric", 8) < loss("symmetric", 6) < loss("symmetric", 4) < loss("symmetric", 2)
    assert loss("symmetric", 4, True) < loss("symmetric", 4)
    assert loss("kmeans", 4) < loss("affine", 4)


def breakings(coded: coding.Coded) -> dict[str, tuple[dict, dict]]:
    name = "stages.0.0.0.weight"
    tensors, note = coded.tensors, coded.coding
    shapes = note["shapes"]
    return {
        "scheme": (tensors, note | {"scheme": "magic"}),
        "bits": (tensors, note | {"bits": 9}),
        "bits of another kind": (tensors, note | {"bits": "4"}),
        "shapes": (tensors, note | {"shapes": [1]}),
        "no such tensor": (tensors, note | {"shapes": shapes | {"x": [2, 2]}}),
        "huge": (tensors, note | {"shapes": shapes | {name: [2**23, 2**23]}}),
        "negative": (tensors, note | {"shapes": shapes | {name: [-4, -4]}}),
        "no numbers": (tensors, note | {"shapes": shapes | {name: ["a", "b"]}}),
        "short codes": (tensors | {name: tensors[name][:-1]}, note),
        "float codes": (tensors | {name: tensors[name].float()}, note),
        "no centres": ({n: t for n, t in tensors.items() if n != f"{name}.centres"}, note),
        "few centres": (tensors | {f"{name}.centres": torch.ones(3)}, note),
    }


CASES = list(breakings(coding.Coded({"stages.0.0.0.weight": torch.ones(1)}, {"shapes": {}}, ())))


@pytest.mark.parametrize("case", CASES)
def test_a_note_that_does_not_fit_is_refused(clustered: coding.Coded, tmp_path: Path, case: str) -> None:
    tensors, note = breakings(clustered)[case]
    path = tmp_path / "w.safetensors"
    path.write_bytes(weights.encode(tensors, {"model": NAME, "num_classes": 5, "coding": note}))
    with pytest.raises(DataError, match="E-CHECKPOINT"):
        weights.read(path)


def test_values_that_overflow_float32_are_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    coded = coding.encode(state, "symmetric", 8, per_channel=False)
    name = "stages.0.0.0.weight.scale"
    path = tmp_path / "w.safetensors"
    tensors = coded.tensors | {name: torch.full_like(coded.tensors[name], 3e38)}
    path.write_bytes(weights.encode(tensors, {"coding": coded.coding}))
    with pytest.raises(DataError, match="not finite"):
        weights.read(path)
