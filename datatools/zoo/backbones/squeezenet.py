"""SqueezeNet 1.1 (Iandola et al.: arXiv 1602.07360, 2016)."""

import torch
from torch import Tensor, nn

from datatools.zoo.layers import Pool
from datatools.zoo.network import Network

STEM = 64
STAGES = (((16, 64), (16, 64)), ((32, 128), (32, 128)), ((48, 192), (48, 192), (64, 256), (64, 256)))
"""(channels inside, half of the output) of the fire modules that end at strides 4, 8, 16."""


class Fire(nn.Module):
    """Squeeze by a 1x1 convolution, expand by one of 1x1 and one of 3x3 side by side."""

    def __init__(self, inputs: int, inside: int, half: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, inside, 1)
        self.point = nn.Conv2d(inside, half, 1)
        self.square = nn.Conv2d(inside, half, 3, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, 2 * half, H, W)."""
        x = self.act(self.squeeze(x))
        out: Tensor = self.act(torch.cat((self.point(x), self.square(x)), 1))
        return out


def squeezenet(*, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> Network:
    """Build a SqueezeNet 1.1. Maps: strides 4, 8, 16."""
    stages = [nn.Sequential(nn.Conv2d(in_channels, STEM, 3, 2), nn.ReLU(inplace=True))]
    taps: list[int] = []
    channels = STEM
    for fires in STAGES:
        if taps:
            stages.append(nn.Sequential())
        stages[-1].append(nn.MaxPool2d(3, 2, ceil_mode=True))
        for inside, half in fires:
            stages[-1].append(Fire(channels, inside, half))
            channels = 2 * half
        taps.append(channels)
    # every place of the map has logits of its own; the answer is their mean
    head = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(channels, num_classes, 1), nn.ReLU(inplace=True), Pool())
    return Network(stages, taps, None if features_only else head)
