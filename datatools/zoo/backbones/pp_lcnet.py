"""PP-LCNet (Cui et al.: arXiv 2109.15099, 2021)."""

from torch import nn

from datatools.zoo.backbones.mobilenet_v1 import Separable
from datatools.zoo.layers import ConvNormAct, Pool, ShrinkDropout, divisible, hardswish
from datatools.zoo.network import Network

STEM = 16
HEAD = 1280
ROWS = (
    ((3, 32, 1, False), (3, 64, 2, False), (3, 64, 1, False)),
    ((3, 128, 2, False), (3, 128, 1, False)),
    ((3, 256, 2, False), *((5, 256, 1, False),) * 5),
    ((5, 512, 2, True), (5, 512, 1, True)),
)
"""(kernel, channels, stride, squeeze-and-excitation) of the blocks that end at strides 4, 8, 16, 32."""


def pp_lcnet(
    *, scale: float = 1.0, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a PP-LCNet. Maps: strides 4, 8, 16, 32."""
    channels = divisible(STEM * scale)
    stages = [nn.Sequential(ConvNormAct(in_channels, channels, 3, 2, act=hardswish))]
    taps: list[int] = []
    for rows in ROWS:
        if taps:
            stages.append(nn.Sequential())
        for kernel, width, stride, squeeze in rows:
            outputs = divisible(width * scale)
            stages[-1].append(Separable(channels, outputs, kernel, stride, hardswish, squeeze))
            channels = outputs
        taps.append(channels)
    head = nn.Sequential(
        Pool(), nn.Linear(channels, HEAD, bias=False), hardswish(), ShrinkDropout(0.2), nn.Linear(HEAD, num_classes)
    )
    return Network(stages, taps, None if features_only else head)
