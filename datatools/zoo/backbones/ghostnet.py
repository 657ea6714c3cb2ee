"""GhostNet (Han et al.: CVPR 2020), as its authors have it and as PaddleClas has it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from datatools.zoo.layers import Activation, ConvNormAct, Pool, SqueezeExcite, divisible, relu
from datatools.zoo.network import Network

STEM = 16
LAST = 960
HEAD = 1280


class Row(NamedTuple):
    """A bottleneck of the paper's table 1."""

    kernel: int
    expanded: int
    outputs: int
    squeeze: bool
    stride: int


STAGES = (
    (Row(3, 16, 16, False, 1), Row(3, 48, 24, False, 2), Row(3, 72, 24, False, 1)),
    (Row(5, 72, 40, True, 2), Row(5, 120, 40, True, 1)),
    (
        Row(3, 240, 80, False, 2),
        Row(3, 200, 80, False, 1),
        Row(3, 184, 80, False, 1),
        Row(3, 184, 80, False, 1),
        Row(3, 480, 112, True, 1),
        Row(3, 672, 112, True, 1),
    ),
    (
        Row(5, 672, 160, True, 2),
        Row(5, 960, 160, False, 1),
        Row(5, 960, 160, True, 1),
        Row(5, 960, 160, False, 1),
        Row(5, 960, 160, True, 1),
    ),
)


class ClippedGate(nn.Module):
    """clip(x, 0, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Factors between 0 and 1."""
        return x.clamp(0, 1)


class Ghost(nn.Module):
    """Make half of the channels (which are even) by a 1x1 convolution, the rest by a filter over each of those."""

    def __init__(self, inputs: int, outputs: int, act: Activation | None) -> None:
        super().__init__()
        made = outputs // 2
        self.primary = ConvNormAct(inputs, made, 1, act=act)
        self.cheap = ConvNormAct(made, made, 3, groups=made, act=act)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        made = self.primary(x)
        return torch.cat((made, self.cheap(made)), 1)


class Bottleneck(nn.Module):
    """Widen and narrow by ghost modules, beside a shortcut."""

    def __init__(self, inputs: int, row: Row, scale: float, paddle: bool) -> None:
        super().__init__()
        wide, outputs = divisible(row.expanded * scale, 4), divisible(row.outputs * scale, 4)
        layers: list[nn.Module] = [Ghost(inputs, wide, relu)]
        if row.stride == 2:
            layers.append(ConvNormAct(wide, wide, row.kernel, 2, groups=wide, act=None))
        if row.squeeze and paddle:
            layers.append(SqueezeExcite(wide, wide // 4, ClippedGate))
        elif row.squeeze:
            layers.append(SqueezeExcite(wide, divisible(wide * 0.25, 4), nn.Hardsigmoid))
        layers.append(Ghost(wide, outputs, None))
        self.body = nn.Sequential(*layers)
        self.shortcut: nn.Module = nn.Identity()
        if row.stride == 2 or inputs != outputs:
            self.shortcut = nn.Sequential(
                ConvNormAct(inputs, inputs, row.kernel, row.stride, groups=inputs, act=None),
                ConvNormAct(inputs, outputs, 1, act=None),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def ghostnet(
    *,
    scale: float = 1.0,
    paddle: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a GhostNet. Maps: strides 4, 8, 16, 32, the last after the final 1x1 convolution."""
    channels = divisible(STEM * scale, 4)
    stages = [nn.Sequential(ConvNormAct(in_channels, channels, 3, 2))]
    taps: list[int] = []
    for rows in STAGES:
        if taps:
            stages.append(nn.Sequential())
        for row in rows:
            stages[-1].append(Bottleneck(channels, row, scale, paddle))
            channels = divisible(row.outputs * scale, 4)
        taps.append(channels)
    last = divisible(LAST * scale, 4)
    stages[-1].append(ConvNormAct(channels, last, 1))
    taps[-1] = last
    widen = [nn.Linear(last, HEAD, bias=False), nn.BatchNorm1d(HEAD)] if paddle else [nn.Linear(last, HEAD)]
    head = nn.Sequential(Pool(), *widen, relu(), nn.Dropout(0.2), nn.Linear(HEAD, num_classes))
    return Network(stages, taps, None if features_only else head)
