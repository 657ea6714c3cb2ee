"""MobileNet (Howard et al.: arXiv 1704.04861, 2017) and its form for text, MobileNetV1Enhance (Du et al. 2021)."""

from torch import nn

from datatools.zoo.layers import Activation, ConvNormAct, HalvingPool, Pool, SqueezeExcite, hardswish, relu
from datatools.zoo.network import Network

STEM = 32
ROWS = (
    ((64, 1), (128, 2), (128, 1)),
    ((256, 2), (256, 1)),
    ((512, 2), *((512, 1),) * 5),
    ((1024, 2), (1024, 1)),
)
"""(channels, stride) of the blocks that end at strides 4, 8, 16, 32."""

ENHANCE_ROWS = (
    (3, 64, 1, False),
    (3, 128, 1, False),
    (3, 128, 1, False),
    (3, 256, (2, 1), False),
    (3, 256, 1, False),
    (3, 512, (2, 1), False),
    *((5, 512, 1, False),) * 5,
    (5, 1024, (2, 1), True),
    (5, 1024, 1, True),
)
"""(kernel, channels, stride, squeeze-and-excitation)."""


class Separable(nn.Sequential):
    """A filter for each channel, then a 1x1 convolution over all channels."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int | tuple[int, int],
        act: Activation,
        squeeze: bool = False,
    ) -> None:
        layers: list[nn.Module] = [ConvNormAct(inputs, inputs, kernel, stride, groups=inputs, act=act)]
        if squeeze:
            layers.append(SqueezeExcite(inputs, inputs // 4, nn.Hardsigmoid))
        super().__init__(*layers, ConvNormAct(inputs, outputs, 1, act=act))


def mobilenet_v1(
    *, scale: float = 1.0, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a MobileNet. Maps: strides 4, 8, 16, 32."""
    channels = int(STEM * scale)
    stages = [nn.Sequential(ConvNormAct(in_channels, channels, 3, 2))]
    taps: list[int] = []
    for rows in ROWS:
        if taps:
            stages.append(nn.Sequential())
        for outputs, stride in rows:
            stages[-1].append(Separable(channels, int(outputs * scale), 3, stride, relu))
            channels = int(outputs * scale)
        taps.append(channels)
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network(stages, taps, head)


def mobilenet_v1_enhance(
    *, scale: float = 0.5, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False
) -> Network:
    """Build a MobileNetV1Enhance: only the stem and the end halve the width. One map, 1 high for lines 32 high.

    The head, means and one linear layer, is ours: PP-OCRv2 reads the map as a sequence.
    """
    channels = int(STEM * scale)
    body = nn.Sequential(ConvNormAct(in_channels, channels, 3, 2, act=hardswish))
    for kernel, outputs, stride, squeeze in ENHANCE_ROWS:
        body.append(Separable(channels, int(outputs * scale), kernel, stride, hardswish, squeeze))
        channels = int(outputs * scale)
    body.append(HalvingPool())
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network([body], (channels,), head)
