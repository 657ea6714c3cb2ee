"""PACT clips, rounds and learns as published, and as PP-OCR has it for hardswish."""

import pytest
import torch
from torch import nn

from datatools import zoo
from datatools.zoo import coding, loading, pact, weights


def clip(form: pact.Form, alpha: float, bits: int = 0) -> pact.Pact:
    made = pact.Pact(form, bits)
    made.alpha.data.fill_(alpha)
    return made


@pytest.mark.parametrize(
    ("form", "alpha", "x", "y"),
    [
        ("one-sided", 20, (-30, -20, -5, 0, 5, 19.5, 20, 30), (0, 0, 0, 0, 5, 19.5, 20, 20)),
        ("two-sided", 20, (-30, -20, -5, 0, 5, 19.5, 20, 30), (-20, -20, -5, 0, 5, 19.5, 20, 20)),
        ("one-sided", 1.5, (-2, -1, 0.5, 1.5, 3), (0, 0, 0.5, 1.5, 1.5)),
        ("two-sided", 1.5, (-2, -1, 0.5, 1.5, 3), (-1.5, -1, 0.5, 1.5, 1.5)),
    ],
)
def test_worked_examples(form: pact.Form, alpha: float, x: tuple[float, ...], y: tuple[float, ...]) -> None:
    assert clip(form, alpha)(torch.tensor(x)).tolist() == pytest.approx(list(y))


def test_it_starts_at_20() -> None:
    assert pact.Pact().alpha.item() == 20


@pytest.mark.parametrize(
    ("form", "x", "slope"),
    [("one-sided", (-3, 1, 1.5, 4), (0, 0, 1, 1)), ("two-sided", (-3, -1, 1, 4), (-1, 0, 0, 1))],
)
def test_alpha_learns_from_what_is_clipped(form: pact.Form, x: tuple[float, ...], slope: tuple[float, ...]) -> None:
    for value, expected in zip(x, slope, strict=True):
        for bits in (0, 4):
            made = clip(form, 1.5, bits)
            made(torch.tensor([float(value)])).sum().backward()
            assert float(made.alpha.grad) == expected


@pytest.mark.parametrize("form", ["one-sided", "two-sided"])
def test_bits_round_to_even_steps_of_the_range(form: pact.Form) -> None:
    x = torch.linspace(-4, 4, 401)
    whole, rounded = clip(form, 3.0)(x), clip(form, 3.0, 4)(x)
    steps = 15 if form == "one-sided" else 7
    assert len(rounded.unique()) == (16 if form == "one-sided" else 15)
    assert torch.allclose(rounded * steps / 3, (rounded * steps / 3).round(), atol=1e-5)
    assert float((whole - rounded).detach().abs().max()) <= 3 / steps / 2 + 1e-5


def test_the_way_back_sees_no_rounding() -> None:
    x = torch.tensor([0.3, 1.2, -0.5, 9.0], requires_grad=True)
    clip("one-sided", 2.0, 3)(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]
    weight = torch.tensor([[0.3, -0.9], [5.0, 2.0]], requires_grad=True)
    rounded = pact.rounded(weight, 4)
    rounded.sum().backward()
    assert weight.grad.tolist() == [[1, 1], [1, 1]]
    assert rounded.detach().flatten().tolist() == pytest.approx([0.9 / 7 * 2, -0.9, 5.0, 5 / 7 * 3])


def test_every_relu_and_hardswish_gets_one_and_the_network_is_not_touched() -> None:
    model = zoo.create("mobilenet_v3_small_x0_35", num_classes=3)
    made = pact.insert(model, 8)
    forms = [m.form for m in made.modules() if isinstance(m, pact.Pact)]
    assert forms.count("two-sided") == sum(isinstance(m, nn.Hardswish) for m in model.modules())
    assert forms.count("one-sided") == sum(isinstance(m, nn.ReLU) for m in model.modules())
    assert not any(isinstance(m, nn.ReLU) for m in made.modules())
    assert not any(isinstance(m, pact.Pact) for m in model.modules())


def test_without_rounding_and_below_alpha_the_network_is_the_same() -> None:
    torch.manual_seed(0)
    model = zoo.create("mobilenet_v3_small_x0_35", num_classes=3).eval()
    picture = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(pact.insert(model, 0).eval()(picture), model(picture))


def test_weights_end_on_the_levels_that_int8_codes_keep_exactly(tmp_path) -> None:
    torch.manual_seed(0)
    name = "mobilenet_v3_small_x0_35"
    model = pact.insert(zoo.create(name, num_classes=3), 8)
    pact.round_weights(model, 8)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    loss = nn.functional.cross_entropy(model(torch.rand(4, 3, 32, 32)), torch.tensor([0, 1, 2, 0]))
    loss.backward()
    optimizer.step()
    model.eval()
    picture = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        before = model(picture)
        model = pact.settled(model)
        torch.testing.assert_close(model(picture), before, rtol=0, atol=0)
    coded = coding.encode(model.state_dict(), "symmetric", 8, per_channel=True)
    assert max(row.greatest for row in coded.rows) < 1e-6
    path = tmp_path / "w.safetensors"
    note = {"model": name, "num_classes": 3, "pact": 8, "coding": coded.coding}
    path.write_bytes(weights.encode(coded.tensors, note))
    restored, _ = loading.restore(path)
    with torch.no_grad():
        torch.testing.assert_close(restored(picture), before, rtol=1e-4, atol=1e-4)


def test_clips_begin_where_activations_end() -> None:
    torch.manual_seed(0)
    model = pact.insert(zoo.create("mobilenet_v3_small_x0_35", num_classes=3), 4)
    inputs: dict[nn.Module, float] = {}
    for module in model.modules():
        if isinstance(module, pact.Pact):
            module.register_forward_hook(lambda m, x, y: inputs.update({m: float(x[0].detach().abs().amax())}))
    batch = torch.rand(2, 3, 32, 32)
    pact.calibrate(model, [batch])
    assert model.training
    for module, largest in inputs.items():
        assert module.bits == 4
        if module.form == "two-sided":
            assert module.alpha.item() == pytest.approx(min(largest, 20))
    assert any(module.alpha.item() < 5 for module in inputs)


def test_alphas_are_penalised_and_nothing_else() -> None:
    from datatools.zoo.training import Recipe, _optimizer

    recipe = Recipe(model="", classes=3, steps=1)
    plain = zoo.create("mobilenet_v3_small_x0_35", num_classes=3)
    assert [g["weight_decay"] for g in _optimizer(recipe, plain).param_groups] == [0]
    groups = _optimizer(recipe, pact.insert(plain, 8)).param_groups
    assert [g["weight_decay"] for g in groups] == [0, 2e-5]
    assert all(p.dim() == 0 for p in groups[1]["params"])
