"""Checkpoints: ours come back exactly, those of others are taken or refused in one line."""

import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from datatools import zoo
from datatools.core.errors import DataError, UsageError
from datatools.zoo import cadene, coding, loading, weights

NAME = "shufflenet_v2_x0_5"


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return zoo.create(NAME, num_classes=10).eval()


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        weights.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "x.pt"
    torch.save(value, path)
    return path


def test_ours_come_back_exactly_with_their_note(model: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights.write(path, model, {"model": NAME, "num_classes": 10, "classes": ["a", "图"]})
    restored, checkpoint = loading.restore(path)
    assert checkpoint.note["classes"] == ["a", "图"]
    for name, tensor in model.state_dict().items():
        assert torch.equal(restored.state_dict()[name], tensor), name
    assert not restored.training


def test_the_same_weights_give_the_same_bytes(model: torch.nn.Module) -> None:
    note = {"b": 1, "a": 2}
    assert weights.encode(model.state_dict(), note) == weights.encode(model.state_dict(), dict(reversed(note.items())))


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_torchs_own_files_are_read_with_and_without_a_wrapper(model: torch.nn.Module, tmp_path: Path, wrap) -> None:
    state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    found = weights.read(zipped(tmp_path, wrap(state)))
    assert found.note == {}
    assert loading.match(model, found.tensors).complete


class Evil:
    def __reduce__(self):
        return (print, ("owned",))


def test_code_in_a_pickle_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "E-CHECKPOINT" in refused(zipped(tmp_path, {"w": Evil()}))
    assert "owned" not in capsys.readouterr().out


def test_the_switch_that_lets_checkpoints_run_code_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path, {"w": torch.ones(2)})
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(UsageError, match="unset it"):
        weights.read(path)


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"w": torch.zeros(1000)})
    data = bytearray(path.read_bytes())
    data[data.index(b"\0" * 2000) + 1000] = 1
    path.write_bytes(data)
    assert torch.load(path, weights_only=True)["w"].any(), "torch itself does not notice"
    assert "damaged" in refused(path)


def test_a_flipped_bit_in_a_file_of_ours_is_found(tmp_path: Path) -> None:
    whole = weights.encode({"w": torch.zeros(1000), "n": torch.tensor(3), "h": torch.ones(2).half()}, {"model": "x"})
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole)
    assert weights.read(path).note == {"model": "x"}
    for at in (-1, -2000, -4005):
        data = bytearray(whole)
        data[at] ^= 4
        path.write_bytes(data)
        assert "damaged" in refused(path)


def test_a_small_file_cannot_claim_terabytes(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"w": torch.as_strided(torch.zeros(1), (10**12,), (0,))})
    assert path.stat().st_size < 2000
    assert "more than there are" in refused(path)


def test_packed_members_are_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path, {"w": torch.zeros(10**6)})
    path = tmp_path / "packed.pt"
    with zipfile.ZipFile(inner) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    assert "packed" in refused(path)


@pytest.mark.parametrize("name", ["archive/code/__torch__.py", "archive/constants.pkl", "../x", "archive\\x"])
def test_programs_and_odd_members_are_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path, {"w": torch.zeros(2)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    assert "E-CHECKPOINT" in refused(path)


@pytest.mark.parametrize("value", [{"w": 1}, [torch.ones(2)], {"w": {"v": torch.ones(1)}}, {}, {1: torch.ones(1)}])
def test_what_is_not_named_tensors_is_refused(tmp_path: Path, value: object) -> None:
    refused(zipped(tmp_path, value))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_in_both_forms(tmp_path: Path, bad: float) -> None:
    state = {"w": torch.tensor([1.0, bad])}
    assert "not finite" in refused(zipped(tmp_path, state))
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors.torch.save(state))
    assert "not finite" in refused(path)


def _broken(whole: bytes) -> dict[str, bytes]:
    (size,) = struct.unpack_from("<Q", whole)
    header = json.loads(whole[8 : 8 + size])
    header["w"]["shape"] = [10**12]
    longer = json.dumps(header).encode()
    return {
        "empty": b"",
        "short": whole[:7],
        "cut header": whole[:20],
        "cut data": whole[:-1],
        "more data": whole + b"\0",
        "huge header": struct.pack("<Q", 2**62) + whole[8:],
        "claims terabytes": struct.pack("<Q", len(longer)) + longer + whole[8 + size :],
        "not JSON": struct.pack("<Q", 4) + b"{..}" + whole[8 + size :],
        "old pickle": b"\x80\x02}q\x00.",
        "zip of nothing": b"PK\x03\x04" + bytes(100),
        "text": b"these are no weights, but they are long enough to be something",
    }


@pytest.mark.parametrize("case", _broken(safetensors.torch.save({"w": torch.ones(3)})))
def test_broken_files_are_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(_broken(safetensors.torch.save({"w": torch.ones(3)}))[case])
    assert "E-CHECKPOINT" in refused(path)


def test_no_length_of_the_header_is_taken_for_another_format(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    firsts = set()
    for length in range(1, 260, 8):
        path.write_bytes(weights.encode({"w" * length: torch.ones(2)}, {"model": "x"}))
        firsts.add(path.read_bytes()[0])
        assert weights.read(path).note == {"model": "x"}
    assert 0x80 in firsts, "as a pickle begins"


def test_every_flip_of_a_small_file_is_taken_or_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path, {"w": torch.ones(3), "b": torch.zeros(2)}).read_bytes()
    other = safetensors.torch.save({"w": torch.ones(3)}, metadata={"datatools": '{"model": "resnet18"}'})
    path = tmp_path / "mutant"
    for data in (whole, other):
        for at in range(0, len(data), 7):
            mutant = bytearray(data)
            mutant[at] ^= 1 << at % 8
            path.write_bytes(mutant)
            try:
                weights.read(path)
            except DataError as error:
                assert "\n" not in str(error)


def mutants(base: bytes, count: int) -> Iterator[bytes]:
    """The bytes with some changed, gone, added, repeated, or cut off."""
    rng = random.Random(1)
    for _ in range(count):
        data = bytearray(base)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data) + 1)
            kind = rng.randrange(5)
            if kind == 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            elif kind == 1:
                del data[at : at + rng.randint(1, 30)]
            elif kind == 2:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
            elif kind == 3:
                data[at:at] = data[at : at + rng.randint(1, 60)]
            elif rng.random() < 0.3:
                del data[at:]
        yield bytes(data)


@pytest.mark.parametrize("form", ["safetensors", "coded", "zip"])
def test_mutated_files_are_taken_or_refused(tmp_path: Path, form: str) -> None:
    state = {"a.weight": torch.rand(4, 3, 2, 2), "a.bias": torch.zeros(4)}
    coded = coding.encode(state, "kmeans", 4, per_channel=False)
    bases = {
        "safetensors": weights.encode(state, {"model": "x"}),
        "coded": weights.encode(coded.tensors, {"coding": coded.coding}),
        "zip": zipped(tmp_path, {"state_dict": state, "epoch": 1}).read_bytes(),
    }
    path = tmp_path / "mutant"
    refusals = 0
    for data in mutants(bases[form], 700):
        path.write_bytes(data)
        try:
            weights.read(path)
        except DataError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > 500


def test_all_must_agree_unless_partial(model: torch.nn.Module) -> None:
    other = zoo.create(NAME, num_classes=3)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    tensors: dict[str, Tensor] = {**model.state_dict(), "extra": torch.ones(1)}
    del tensors["stages.0.0.0.weight"]
    with pytest.raises(DataError, match=r"E-WEIGHTS-MISMATCH.*2 of other shapes.*1 missing.*1 that the network"):
        loading.load(other, tensors)
    assert all(torch.equal(before[name], tensor) for name, tensor in other.state_dict().items()), "nothing was copied"
    found = loading.load(other, tensors, partial=True)
    assert [name for name, *_ in found.skipped] == ["head.1.weight", "head.1.bias"]
    assert found.missing == ("stages.0.0.0.weight",)
    assert found.unused == ("extra",)
    assert len(found.loaded) == len(before) - 3
    after = other.state_dict()
    assert all(torch.equal(after[name], tensors[name]) for name in found.loaded)
    assert torch.equal(after["head.1.weight"], before["head.1.weight"])


def test_weights_of_which_nothing_agrees_are_refused_even_partially(model: torch.nn.Module) -> None:
    with pytest.raises(DataError, match="no name and shape"):
        loading.load(model, {"w": torch.ones(2)}, partial=True)


def test_a_file_that_does_not_say_its_network_is_refused_by_restore(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors.torch.save({"w": torch.ones(2)}))
    with pytest.raises(DataError, match="does not say what network"):
        loading.restore(path)


def cadenes_xception() -> dict[str, Tensor]:
    """A state dict with the names and shapes of his file of 2017; each tensor holds a number of its own."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (32, 3, 3, 3), "conv2.weight": (64, 32, 3, 3)}

    def norm(name: str, width: int) -> None:
        shapes.update({f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")})

    def separable(name: str, inputs: int, outputs: int) -> None:
        shapes[f"{name}.conv1.weight"] = (inputs, 1, 3, 3)
        shapes[f"{name}.pointwise.weight"] = (outputs, inputs)

    norm("bn1", 32)
    norm("bn2", 64)
    widths = [64, 128, 256, 728, *[728] * 8, 1024]
    for block in range(1, 13):
        inputs, outputs = widths[block - 1], widths[block]
        reps = 3 if 4 <= block <= 11 else 2
        channels = inputs
        for index in range(reps):
            made = inputs if block == 12 and index == 0 else outputs
            at = 3 * index + (0 if block == 1 else 1)
            separable(f"block{block}.rep.{at}", channels, made)
            norm(f"block{block}.rep.{at + 1}", made)
            channels = made
        if inputs != outputs:
            shapes[f"block{block}.skip.weight"] = (outputs, inputs, 1, 1)
            norm(f"block{block}.skipbn", outputs)
    separable("conv3", 1024, 1536)
    norm("bn3", 1536)
    separable("conv4", 1536, 2048)
    norm("bn4", 2048)
    shapes.update({"fc.weight": (1000, 2048), "fc.bias": (1000,)})
    return {name: torch.full(shape, 1.0 + index) for index, (name, shape) in enumerate(shapes.items())}


def test_cadenes_xception_finds_its_places(tmp_path: Path) -> None:
    theirs = cadenes_xception()
    path = tmp_path / "xception.safetensors"
    path.write_bytes(safetensors.torch.save(theirs))
    model = zoo.create("aligned_xception")
    tensors = loading.fitting("aligned_xception", weights.read(path).tensors)
    found = loading.load(model, tensors, path, partial=True)
    assert found.unused == ()
    assert found.skipped == ()
    own = model.state_dict()
    number = {name: float(tensor.flatten()[0]) for name, tensor in theirs.items()}

    def at(name: str) -> float:
        return float(own[name].flatten()[0])

    assert at("stages.0.conv2.1.running_var") == number["bn2.running_var"]
    assert at("stages.0.block1.body.3.pointwise.weight") == number["block1.rep.3.pointwise.weight"]
    assert at("stages.1.block2.body.0.depthwise.weight") == number["block2.rep.1.conv1.weight"]
    assert at("stages.1.block2.body.4.bias") == number["block2.rep.5.bias"]
    assert at("stages.1.block3.shortcut.1.weight") == number["block3.skipbn.weight"]
    for block in range(11, 20):
        assert at(f"stages.1.block{block}.body.7.depthwise.weight") == number["block11.rep.7.conv1.weight"]
    assert at("stages.1.block20.body.4.pointwise.weight") == number["block12.rep.4.pointwise.weight"]
    assert at("stages.1.conv3.norm.weight") == at("stages.1.conv4.norm.weight") == number["bn3.weight"]
    assert at("stages.1.conv5.conv.pointwise.weight") == number["conv4.pointwise.weight"]
    assert at("head.1.bias") == number["fc.bias"]
    fresh = {name for name in found.missing if not name.endswith("num_batches_tracked")}
    kinds = (".norm.", "body.6.", "body.7.", "body.8.", "conv4.conv.")
    assert all(any(kind in name for kind in kinds) for name in fresh), sorted(fresh)
    assert not any(name.startswith("stages.1.block5.body.7.depth") for name in fresh)


def test_only_that_xception_is_taken_for_it(model: torch.nn.Module) -> None:
    assert not cadene.recognized(model.state_dict())
