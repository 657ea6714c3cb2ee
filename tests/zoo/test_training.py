"""The training loop: what a step does, that it is the same twice, that a stopped training goes on as if it had not."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from datatools.core.errors import UsageError
from datatools.zoo import depthwise, devices, registry, training
from datatools.zoo.devices import Device
from datatools.zoo.training import Recipe, Trainer

SMALL = "mobilenet_v1_x0_25"
CPU = Device("cpu")


def data(count: int = 12, classes: int = 3, side: int = 32) -> tuple[Any, Any]:
    """Pictures of one grey each, the lighter the higher their class, with noise."""
    rng = np.random.default_rng(0)
    label = np.arange(count) % classes
    level = 60 + label * 120 / classes
    return np.clip(rng.normal(level[:, None, None, None], 20, (count, side, side, 3)), 0, 255).astype(np.uint8), label


def trained(done: int, device: Device = CPU, **changes: Any) -> tuple[Trainer, list[float]]:
    recipe = Recipe(SMALL, 3, **{"steps": 6, "batch": 4, "jitter": 0.1, **changes})
    with devices.settled(device):
        made = Trainer(recipe, *data(), device)
        return made, [float(made.advance()) for _ in range(done)]


def weights(made: Trainer) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in made.model.state_dict().items()}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_same_seed_gives_the_same_weights_and_another_one_others(optimizer: str) -> None:
    one, losses = trained(3, optimizer=optimizer)
    torch.rand(7)  # what others draw does not matter
    two, again = trained(3, optimizer=optimizer)
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(weights(one).values(), weights(two).values(), strict=True))
    assert trained(3, optimizer=optimizer, seed=1)[1] != losses


@pytest.mark.parametrize("changes", [{}, {"optimizer": "sgd"}, {"ema": 0.9}])
def test_a_stopped_training_goes_on_as_if_it_had_not(changes: dict[str, Any]) -> None:
    whole, losses = trained(6, **changes)
    half, _ = trained(3, **changes)
    state = {name: value.contiguous() for name, value in half.state().items()}  # as it comes out of a file
    other, _ = trained(1, **changes)  # whatever it did before
    with devices.settled(CPU):
        other.restore(state)
        rest = [float(other.advance()) for _ in range(3)]
    assert rest == losses[3:]
    for name, value in whole.state().items():
        assert torch.equal(value, other.state()[name]), name


def test_a_step_is_that_of_plain_torch() -> None:
    made, (loss,) = trained(1, jitter=0.0, smoothing=0.1, optimizer="sgd", lr=0.1)
    rgb, label = data()
    torch.manual_seed(training._number(0, -1))
    plain = registry.create(SMALL, num_classes=3).train()
    rows = np.random.default_rng([0, 0]).permutation(12)[:4]
    x = (torch.from_numpy(rgb[rows]).permute(0, 3, 1, 2) / 255 - torch.tensor(training.MEAN).view(3, 1, 1)) / (
        torch.tensor(training.DEVIATION).view(3, 1, 1)
    )
    expected = functional.cross_entropy(plain(x), torch.from_numpy(label[rows]), label_smoothing=0.1)
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, nesterov=True).zero_grad()
    expected.backward()
    for (name, value), ours in zip(plain.named_parameters(), made.model.parameters(), strict=True):
        moved = value - 0.1 * 1.9 * value.grad  # Nesterov's first step
        assert torch.allclose(ours, moved, rtol=1e-3, atol=1e-4), name


def test_shares_of_classes_are_learnt_as_such() -> None:
    rgb, label = data()
    whole = np.eye(3)[label]
    losses = []
    for taught in (label, whole, 0.5 * whole + 0.5 * np.eye(3)[(label + 1) % 3]):
        with devices.settled(CPU):
            losses.append(float(Trainer(Recipe(SMALL, 3, 6, batch=12, smoothing=0.1), rgb, taught, CPU).advance()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[2] != pytest.approx(losses[0], rel=1e-6)


def test_every_picture_is_seen_once_a_pass_whatever_the_batch() -> None:
    for batch in (1, 5, 12, 20):
        made, _ = trained(0, batch=batch)
        rows = np.concatenate([made._rows(step) for step in range(12)])
        passes = rows[: len(rows) // 12 * 12].reshape(-1, 12)
        assert (np.sort(passes, axis=1) == np.arange(12)).all()
        assert made.steps_a_pass == math.ceil(12 / batch)


def test_averaged_weights_follow_the_formula() -> None:
    made, _ = trained(0, ema=0.9)
    name = "head.1.weight" if "head.1.weight" in made.model.state_dict() else list(weights(made))[-2]
    average = weights(made)[name]
    with devices.settled(CPU):
        for step in range(1, 4):
            made.advance()
            kept = min(0.9, (1 + step) / (10 + step))
            average = kept * average + (1 - kept) * weights(made)[name]
    assert torch.allclose(made.evaluated().state_dict()[name], average, atol=1e-6)


def test_norms_are_measured_anew_before_an_evaluation() -> None:
    made, _ = trained(2, jitter=0.0, batch=12)
    rgb, _ = data()
    with devices.settled(CPU), torch.no_grad():
        model = made.evaluated()
        norm = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
        first = next(m for m in model.modules() if isinstance(m, torch.nn.Conv2d))
        seen = first(training.as_input(rgb, CPU))
    assert torch.allclose(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(norm.running_var, seen.var((0, 2, 3)), rtol=1e-3, atol=1e-4)


def test_a_small_set_is_learnt() -> None:
    made, losses = trained(30, lr=0.003, jitter=0.0, batch=12, steps=30)
    rgb, label = data()
    with devices.settled(CPU):
        p = training.probabilities(made.evaluated(), rgb, CPU)
    assert (p.argmax(axis=1) == label).all()
    assert losses[-1] < losses[0] / 2


def test_a_loss_that_is_no_number_ends_it_in_one_line() -> None:
    made, losses = trained(3, lr=1e30, optimizer="sgd")
    with pytest.raises(UsageError, match="choose a smaller --lr"):
        training.mean_loss([torch.tensor(loss) for loss in losses], made.step)


def test_jitter_moves_and_scales_and_is_nothing_at_nothing() -> None:
    x = torch.rand(5, 3, 32, 48)
    assert training.jittered(x, 0.0, np.random.default_rng(0)) is x
    flat = training.jittered(torch.full((5, 3, 32, 48), 0.5), 0.3, np.random.default_rng(0))
    assert torch.allclose(flat, torch.tensor(0.5))  # the edge is repeated: no dark borders
    ramp = torch.linspace(0, 1, 48).expand(5, 3, 32, 48).contiguous()
    moved = training.jittered(ramp, 0.1, np.random.default_rng(1))
    middle = moved[:, 0, 16, 24] - ramp[:, 0, 16, 24]
    assert 0 < middle.abs().max() <= 0.1 + 0.1 / 2 + 1 / 48
    assert (moved.diff(dim=3) >= -1e-6).all()
    assert torch.equal(moved, training.jittered(ramp, 0.1, np.random.default_rng(1)))


def test_probabilities_of_nothing_have_their_classes() -> None:
    made, _ = trained(0)
    assert training.probabilities(made.evaluated(), data()[0][:0], CPU).shape == (0, 3)


def test_half_precision_trains_and_stays_near() -> None:
    half, losses = trained(2, Device("cpu", torch.bfloat16))  # a CPU can, too; only a GPU gains from it
    _, full = trained(2)
    assert losses == [pytest.approx(full[0], rel=0.05), pytest.approx(full[1], rel=0.15)]
    assert losses != full
    assert all(v.dtype != torch.bfloat16 for v in half.state().values())


@pytest.mark.parametrize(("kernel", "stride", "side"), [(5, 1, 4), (5, 2, 8), (3, 1, 2), (3, 2, 3), (7, 1, 4)])
def test_the_gradient_of_depthwise_weights_is_torchs(kernel: int, stride: int, side: int) -> None:
    torch.manual_seed(0)
    plain = torch.nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=False)
    fast = torch.nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=False)
    fast.load_state_dict(plain.state_dict())
    assert type(depthwise.speed_up(fast)) is depthwise.FastDepthwise
    x = torch.randn(3, 6, side, side).to(memory_format=torch.channels_last)
    inputs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
    for conv, own in ((plain, inputs[0]), (fast, inputs[1])):
        (conv(own) ** 2).sum().backward()
    assert type(fast(x).grad_fn).__name__ == "_DepthwiseBackward"
    assert torch.allclose(fast.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-4)
    assert torch.allclose(inputs[1].grad, inputs[0].grad, rtol=1e-4, atol=1e-4)


def test_other_convolutions_stay_as_they_are() -> None:
    model = torch.nn.Sequential(
        torch.nn.Conv2d(4, 4, 3, groups=2, bias=False), torch.nn.Conv2d(4, 4, 3, groups=4), torch.nn.Conv2d(1, 1, 3)
    )
    depthwise.speed_up(model)
    assert all(type(m) is torch.nn.Conv2d for m in model)
    large = depthwise.speed_up(torch.nn.Conv2d(4, 4, 5, padding=2, groups=4, bias=False))
    assert type(large(torch.rand(1, 4, 9, 9)).grad_fn).__name__ == "ConvolutionBackward0"


def test_the_device_is_picked_by_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.choose() == devices.choose("cpu") == Device("cpu")
    with pytest.raises(UsageError, match="no GPU"):
        devices.choose("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert devices.choose() == devices.choose("cuda") == Device("cuda", torch.bfloat16)
    assert devices.choose("cuda", mixed=False).half is None
    assert devices.choose("cpu").half is None
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert devices.choose().scales_loss


def test_torch_is_left_as_it_was_found() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    with devices.settled(Device("cpu", threads=2)):
        assert torch.get_num_threads() == 2
        torch.rand(100)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), expected)
