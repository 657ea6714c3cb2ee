"""ShuffleNet V2 (Ma, Zhang, Zheng, Sun: ECCV 2018)."""

import torch
from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool, SqueezeExcite
from datatools.zoo.network import Network

STEM = 24
REPEATS = (4, 8, 4)
WIDTHS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
"""Channels of the three stages and of the last convolution, by scale (the paper's table 5)."""

PADDLE_FIRST = {2.0: 224}
"""Where PaddleClas has other channels in the first stage."""

SQUEEZE = 16
"""Channels over channels inside of squeeze-and-excitation."""


def _interleave(a: Tensor, b: Tensor) -> Tensor:
    """Concatenate two maps and shuffle their channels in two groups, in one copy: a0 b0 a1 b1 ..."""
    return torch.stack((a, b), 2).flatten(1, 2)


class Unit(nn.Module):
    """Half of the channels pass, the other half is worked on.

    squeeze: weigh the channels of the half that is worked on. residual: add what it was before, after a linear end.
    deal_first: the halves are the even and the odd channels, and the result is not shuffled (the authors' code).
    """

    def __init__(self, channels: int, *, squeeze: bool, residual: bool, deal_first: bool) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            ConvNormAct(half, half, 1),
            ConvNormAct(half, half, 3, groups=half, act=None),
            ConvNormAct(half, half, 1, act=None) if residual else ConvNormAct(half, half, 1),
        )
        if squeeze:
            self.branch.append(SqueezeExcite(half, half // SQUEEZE, nn.Sigmoid))
        self.residual = residual
        self.deal_first = deal_first

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        passed, worked = (x[:, ::2], x[:, 1::2]) if self.deal_first else x.chunk(2, 1)
        made = self.branch(worked)
        if self.residual:
            made = made + worked
        return torch.cat((passed, made), 1) if self.deal_first else _interleave(passed, made)


class DownUnit(nn.Module):
    """Both branches see all channels and halve the size.

    Each makes half of the output; with keep_inputs, as in the authors' code, the shortcut keeps the channels that came
    in and the branch makes the others.
    """

    def __init__(self, inputs: int, outputs: int, *, keep_inputs: bool) -> None:
        super().__init__()
        half = outputs // 2
        kept = inputs if keep_inputs else half
        self.shortcut = nn.Sequential(
            ConvNormAct(inputs, inputs, 3, 2, groups=inputs, act=None),
            ConvNormAct(inputs, kept, 1),
        )
        self.branch = nn.Sequential(
            ConvNormAct(inputs, half, 1),
            ConvNormAct(half, half, 3, 2, groups=half, act=None),
            ConvNormAct(half, outputs - kept, 1),
        )
        self.even = not keep_inputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / 2, W / 2)."""
        kept, made = self.shortcut(x), self.branch(x)
        return _interleave(kept, made) if self.even else torch.cat((kept, made), 1)


def shufflenet_v2(
    *,
    scale: float = 1.0,
    squeeze: bool = False,
    residual: bool = False,
    paddle: bool = False,
    megvii: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a ShuffleNet V2. Maps: the stem at stride 4, then strides 8, 16, 32, the last after the 1x1 convolution.

    squeeze, residual: in the units that keep the size. paddle: with the widths of PaddleClas.
    megvii: as the authors' code has it, which their weights need.
    """
    first, *widths, last = WIDTHS[scale]
    widths = [PADDLE_FIRST.get(scale, first) if paddle else first, *widths]
    stages = [nn.Sequential(ConvNormAct(in_channels, STEM, 3, 2), nn.MaxPool2d(3, 2, 1))]
    channels = STEM
    for width, repeats in zip(widths, REPEATS, strict=True):
        units = nn.Sequential(DownUnit(channels, width, keep_inputs=megvii))
        for _ in range(repeats - 1):
            units.append(Unit(width, squeeze=squeeze, residual=residual, deal_first=megvii))
        stages.append(units)
        channels = width
    stages[-1].append(ConvNormAct(channels, last, 1))
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(last, num_classes, bias=not megvii))
    return Network(stages, (STEM, *widths[:-1], last), head)
