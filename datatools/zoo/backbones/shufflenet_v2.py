"""ShuffleNet V2 (Ma, Zhang, Zheng, Sun: ECCV 2018)."""

import torch
from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool
from datatools.zoo.network import Network, initialize

STEM = 24
REPEATS = (4, 8, 4)
WIDTHS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
"""Channels of the three stages and of the last convolution, by scale (the paper's table 5)."""


def _interleave(a: Tensor, b: Tensor) -> Tensor:
    """Concatenate two maps and shuffle their channels in two groups, in one copy: a0 b0 a1 b1 ..."""
    return torch.stack((a, b), 2).flatten(1, 2)


class Unit(nn.Module):
    """Half of the channels pass, the other half is worked on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            ConvNormAct(half, half, 1),
            ConvNormAct(half, half, 3, groups=half, act=None),
            ConvNormAct(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        passed, worked = x.chunk(2, 1)
        return _interleave(passed, self.branch(worked))


class DownUnit(nn.Module):
    """Both branches see all channels, halve the size and make half of the output."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.shortcut = nn.Sequential(
            ConvNormAct(inputs, inputs, 3, 2, groups=inputs, act=None),
            ConvNormAct(inputs, half, 1),
        )
        self.branch = nn.Sequential(
            ConvNormAct(inputs, half, 1),
            ConvNormAct(half, half, 3, 2, groups=half, act=None),
            ConvNormAct(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / 2, W / 2)."""
        return _interleave(self.shortcut(x), self.branch(x))


def shufflenet_v2(
    *, scale: float = 1.0, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a ShuffleNet V2. Maps: the stem at stride 4, then strides 8, 16, 32."""
    *widths, last = WIDTHS[scale]
    stages = [nn.Sequential(ConvNormAct(in_channels, STEM, 3, 2), nn.MaxPool2d(3, 2, 1))]
    channels = STEM
    for width, repeats in zip(widths, REPEATS, strict=True):
        stages.append(nn.Sequential(DownUnit(channels, width), *(Unit(width) for _ in range(repeats - 1))))
        channels = width
    stages[-1].append(ConvNormAct(channels, last, 1))
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(last, num_classes))
    model = Network(stages, (STEM, *widths[:-1], last), head)
    initialize(model)
    return model
