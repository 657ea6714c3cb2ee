"""Forward passes against figures that other implementations gave.

Weights and inputs are made by a hash of their indices, so that every framework makes the same ones. The figures were
taken from the official implementations (PaddleOCR 2.4, PaddleClas 2.3, torchvision 0.28, huawei-noah GhostNet).
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datatools import zoo


def uniform(index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers in [0, 1), each a hash of its index."""
    v = (index % 2**32).astype(np.uint64)
    for _ in range(2):
        v ^= v >> np.uint64(16)
        v = v * np.uint64(0x45D9F3B) % np.uint64(2**32)
    v ^= v >> np.uint64(16)
    return v / 2.0**32


def picture(*shape: int) -> Tensor:
    return torch.from_numpy(uniform(np.arange(np.prod(shape)) + 99).reshape(shape)).float()


def fill(model: nn.Module, gain: float = 1.0) -> nn.Module:
    """Give every weight its number; return the model in evaluation mode."""
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, nn.Conv2d | nn.Linear) and weight is not None:
            o, i, *k = np.ogrid[tuple(slice(n) for n in weight.shape)]
            ky, kx = k or (0, 0)
            inside = weight[0].numel()
            values = (2 * uniform(o * 1000003 + i * 10007 + ky * 101 + kx * 11 + 17) - 1) * np.sqrt(6 / inside)
            scaled = values * (gain if k else 1.0)
            weight.data.copy_(torch.from_numpy(scaled))
        if getattr(module, "bias", None) is not None and not isinstance(module, nn.BatchNorm2d):
            module.bias.data.copy_(0.01 * (torch.arange(len(module.bias)) % 3))
    return model.eval()


def check(maps: Tensor, shape: Sequence[int], mean: float, std: float, first: Sequence[float], last: float) -> None:
    values = maps.double().flatten()
    assert maps.shape == tuple(shape)
    assert float(values.std(correction=0)) == pytest.approx(std, rel=1e-3)
    assert float(values.mean()) == pytest.approx(mean, rel=1e-3, abs=1e-3 * std)
    assert values[:3].tolist() == pytest.approx(list(first), rel=1e-3, abs=1e-3 * std)
    assert float(values[-1]) == pytest.approx(last, rel=1e-3, abs=1e-3 * std)


def test_the_hash_is_the_one_that_the_figures_were_made_with() -> None:
    assert uniform(np.array([0, 1, 2, 17, 100])) == pytest.approx(
        [0, 0.19197247, 0.40099446, 0.00969868, 0.36093515], abs=5e-9
    )
    assert picture(1, 3).tolist()[0] == pytest.approx([0.6113298, 0.36093515, 0.6931666], abs=5e-8)


LOGITS = {
    # name: classes, gain, mean, std, first three, last; for 64 x 64 pictures, two of them
    "shufflenet_v2_x1_0": (1000, 1, -0.236329, 27.7184, (-40.2348, 21.5427, -30.1659), -18.7578),
    "shufflenet_v2_x0_5": (1000, 1, -0.210837, 13.3463, (-13.9583, -5.85034, -10.288), 22.7969),
    "mobilenet_v3_large": (1000, 1, -3.15956, 207.898, (59.2271, 204.055, -99.2924), -21.1629),
    "mobilenet_v3_small": (1000, 1, 0.0204947, 0.19211, (0.0208383, 0.262851, -0.397909), 0.0199259),
    "resnet18": (3, 1, -9.39263, 15.2767, (11.9647, -15.0051, -24.9307), -24.6542),
}


@pytest.mark.parametrize("name", LOGITS)
def test_logits_are_those_of_the_official_implementation(name: str) -> None:
    classes, gain, mean, std, first, last = LOGITS[name]
    model = fill(zoo.create(name, num_classes=classes), gain)
    with torch.no_grad():
        check(model(picture(2, 3, 64, 64)), (2, classes), mean, std, first, last)
