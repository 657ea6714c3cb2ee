"""Pruned networks are smaller and compute what the whole ones do without those channels."""

import numpy as np
import pytest
import torch
from torch import nn

from datatools import zoo
from datatools.kernels import pruning
from datatools.zoo import channels, loading, profile, slimming, weights
from datatools.zoo.network import Network

NETWORKS = (
    "se_resnet18", "mobilenet_v1_x0_25", "mobilenet_v2_x0_35", "mobilenet_v3_small_x0_35",
    "mobilenet_v3_small_text_cls_x0_35", "mobilenet_v1_enhance_x0_25", "shufflenet_v2_se_x0_5",
    "shufflenet_v2_residual_x0_5", "shufflenet_v2_megvii_x0_5", "shufflenet_v1_g1_x0_25", "ghostnet_x0_5",
    "ghostnet_paddle_x0_5", "pp_lcnet_x0_25", "squeezenet1_1", "shufflenet_v1_g2_x0_25", "shufflenet_v1_g3_x0_25",
    "shufflenet_v1_g4_x0_25", "shufflenet_v1_g8", "shufflenet_v1_cifar_g2", "shufflenet_v1_cifar_g3", "igcv3",
)  # fmt: skip


def lively(name: str) -> Network:
    """A network whose norms do something, too."""
    torch.manual_seed(2)
    model = zoo.create(name, num_classes=5).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_taking_channels_out_is_the_same_as_silencing_them(name: str) -> None:
    model = lively(name)
    found = channels.trace(model)
    removed = slimming.choose(model, found.groups, [0.5] * len(found.groups), "fpgm")
    assert removed
    picture = torch.rand(2, 3, 32, 64)
    small = slimming.without(model, found, removed)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        with slimming.silenced(model, found, removed):
            expected = model(picture)
        torch.testing.assert_close(small(picture), expected, rtol=1e-3, atol=1e-4)
        assert not torch.equal(expected, model(picture))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    size = (3, 64, 64)
    whole, less = profile.measure(model, size), profile.measure(small, size)
    assert less.params < whole.params
    assert less.macs < whole.macs


def test_groups_lose_the_same_places() -> None:
    model = lively("shufflenet_v1_g2_x0_25")
    found = channels.trace(model)
    removed = slimming.choose(model, found.groups, [0.5] * len(found.groups), "l1")
    small = slimming.without(model, found, removed)
    pairs = zip(model.modules(), small.modules(), strict=True)
    grouped = [(a, b) for a, b in pairs if isinstance(a, nn.Conv2d) and 1 < a.groups < a.in_channels]
    assert grouped
    assert any(b.out_channels < a.out_channels for a, b in grouped)
    for before, after in grouped:
        assert after.groups == before.groups
        assert after.in_channels == after.weight.shape[1] * after.groups
        assert after.out_channels % after.groups == 0


def test_where_every_place_matters_nothing_can_go() -> None:
    with torch.device("meta"):
        assert channels.trace(zoo.create("shufflenet_v1_g8_x0_25")).groups == ()


def test_the_input_is_not_changed() -> None:
    model = lively("mobilenet_v3_small_x0_35")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = channels.trace(model)
    slimming.without(model, found, slimming.choose(model, found.groups, [0.3] * len(found.groups), "l1"))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_filters_of_one_maker_go_in_the_order_of_their_scores() -> None:
    model = lively("mobilenet_v1_x0_25")
    found = channels.trace(model)
    group = found.groups[2]
    (maker,) = group.makers
    removed = slimming.choose(model, [group], [0.25], "fpgm")
    filters = model.get_submodule(maker).weight.detach().numpy()
    count = pruning.pruned_count(len(filters), 0.25)
    expected = pruning.lowest(pruning.geometric_median_scores(filters), count)
    assert [group.roots.tolist().index(number) for number in sorted(removed)] == expected.tolist()


def test_a_ratio_of_one_leaves_a_channel_everywhere() -> None:
    model = lively("mobilenet_v3_small_x0_35")
    found = channels.trace(model)
    small = slimming.without(model, found, slimming.choose(model, found.groups, [1.0] * len(found.groups), "l1"))
    slimming.recount(small)
    with torch.no_grad():
        assert small(torch.rand(1, 3, 32, 32)).shape == (1, 5)
    assert small.tap_channels == (1, 1, 1, 1)


def test_makers_of_the_same_channels_are_counted_with_the_same_weight() -> None:
    model = lively("resnet18")
    (group,) = [g for g in channels.trace(model).groups if len(g.makers) == 3 and len(g.roots) == 64]
    first, *_ = group.makers
    model.get_submodule(first).weight.data *= 1000
    loud = slimming.choose(model, [group], [0.3], "l1")
    model.get_submodule(first).weight.data /= 1000
    assert slimming.choose(model, [group], [0.3], "l1") == loud


@pytest.mark.parametrize("name", ["mobilenet_v3_small_x0_35", "shufflenet_v2_se_x0_5"])
def test_a_pruned_network_is_restored_from_its_file(name: str, tmp_path) -> None:
    model = lively(name)
    found = channels.trace(model)
    small = slimming.without(model, found, slimming.choose(model, found.groups, [0.4] * len(found.groups), "fpgm"))
    slimming.recount(small)
    path = tmp_path / "w.safetensors"
    weights.write(path, small, {"model": name, "num_classes": 5, "pruned": True})
    restored, _ = loading.restore(path)
    picture = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        assert torch.equal(restored(picture), small(picture))
    assert restored.tap_channels == small.tap_channels
    assert profile.measure(restored, (3, 64, 64)) == profile.measure(small, (3, 64, 64))


def test_every_number_of_the_walk_is_read_where_it_is_made() -> None:
    model = lively("ghostnet_x0_5")
    found = channels.trace(model)
    for name, numbers in found.makes.items():
        module = model.get_submodule(name)
        assert len(numbers) == len(module.weight)
    assert np.unique(np.concatenate([g.roots for g in found.groups])).size == sum(len(g.roots) for g in found.groups)
