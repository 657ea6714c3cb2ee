"""ShuffleNet (Zhang, Zhou, Lin, Sun: CVPR 2018), for ImageNet and in the form that small pictures are tried with."""

import torch
from torch import Tensor, nn

from datatools.zoo.layers import ChannelShuffle, ConvNormAct, Pool
from datatools.zoo.network import Network

REPEATS = (4, 8, 4)
WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Channels of the first stage by number of groups (the paper's table 1); each later stage has twice as many."""

STEM = 24
STEMS = {0.25: 6, 0.5: 12, 1.0: 24, 1.5: 24, 2.0: 48}
"""Channels of the stem by scale: the paper gives those of scale 1, its authors' code the others (but for 0.25)."""


class Unit(nn.Module):
    """Grouped 1x1 convolutions around a filter for each channel; a channel shuffle lets the groups see each other.

    At stride 2 the shortcut is an average, concatenated: before the rest, or after it with shortcut_last.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        *,
        inside: int,
        groups: int,
        first_groups: int,
        shuffle: int,
        middle_act: bool = False,
        shortcut_last: bool = False,
    ) -> None:
        super().__init__()
        made = outputs - inputs if stride == 2 else outputs
        layers: list[nn.Module] = [ConvNormAct(inputs, inside, 1, groups=first_groups)]
        if shuffle > 1:
            layers.append(ChannelShuffle(shuffle))
        middle = ConvNormAct(inside, inside, 3, stride, groups=inside, act=None)
        if middle_act:
            middle.append(nn.ReLU(inplace=True))
        self.body = nn.Sequential(*layers, middle, ConvNormAct(inside, made, 1, groups=groups, act=None))
        self.shortcut = nn.AvgPool2d(3, 2, 1) if stride == 2 else nn.Identity()
        self.joined = stride == 2
        self.shortcut_last = shortcut_last
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        made, kept = self.body(x), self.shortcut(x)
        if not self.joined:
            out: Tensor = self.act(made + kept)
        elif self.shortcut_last:
            out = self.act(torch.cat((made, kept), 1))
        else:
            out = self.act(torch.cat((kept, made), 1))
        return out


def shufflenet_v1(
    *, groups: int, scale: float = 1.0, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a ShuffleNet. Maps: the stem at stride 4, then strides 8, 16, 32.

    Scaled widths are rounded up to what the groups divide, the stem's up to what leaves its shortcut room.
    """
    unit = 4 * groups
    first = -(-int(WIDTHS[groups] * scale) // unit) * unit
    stem = next(c for c in range(STEMS[scale], first) if (first - c) % groups == 0)
    stages = [nn.Sequential(ConvNormAct(in_channels, stem, 3, 2), nn.MaxPool2d(3, 2, 1))]
    channels, taps = stem, [stem]
    for stage, repeats in enumerate(REPEATS):
        outputs = first * 2**stage
        units = nn.Sequential()
        for index in range(repeats):
            # the very first convolution sees too few channels to be grouped
            alone = stage == 0 and index == 0
            made = Unit(
                channels,
                outputs,
                2 if index == 0 else 1,
                inside=outputs // 4,
                groups=groups,
                first_groups=1 if alone else groups,
                shuffle=groups,
            )
            units.append(made)
            channels = outputs
        stages.append(units)
        taps.append(channels)
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network(stages, taps, head)


def shufflenet_v1_cifar(
    *, groups: int, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a ShuffleNet for pictures of 32 x 32. Maps: stage outputs at strides 2, 4, 8.

    No pooling and no stride in the stem; what a unit of stride 2 is made of follows the channels that it adds; there is
    no shuffle in the first unit, and ReLU after each channel's filter. Pictures of any size are taken, as the end is a
    mean over the whole map.
    """
    channels, stages, taps = STEM, [], []
    for stage, repeats in enumerate(REPEATS):
        outputs = WIDTHS[groups] * 2**stage
        units = nn.Sequential(ConvNormAct(in_channels, STEM, 1)) if stage == 0 else nn.Sequential()
        for index in range(repeats):
            alone = stage == 0 and index == 0
            unit = Unit(
                channels,
                outputs,
                2 if index == 0 else 1,
                inside=(outputs - channels if index == 0 else outputs) // 4,
                groups=groups,
                first_groups=1 if alone else groups,
                shuffle=1 if alone else groups,
                middle_act=True,
                shortcut_last=True,
            )
            units.append(unit)
            channels = outputs
        stages.append(units)
        taps.append(channels)
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network(stages, taps, head)
