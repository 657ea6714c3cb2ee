"""Aligned Xception, the backbone of DeepLabv3+ (Chen et al.: ECCV 2018; Chollet: CVPR 2017; Dai et al.: ICCV 2017)."""

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool
from datatools.zoo.network import Network

MIDDLE_BLOCKS = range(4, 20)
DILATIONS = {16: (1, 1, 2), 8: (2, 2, 4)}
"""Of the middle flow, of block 20 and of the last three convolutions, by output stride."""


class SeparableConv(nn.Sequential):
    """A filter for each channel, a norm, then a 1x1 convolution over all channels."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            OrderedDict(
                depthwise=nn.Conv2d(inputs, inputs, 3, stride, dilation, dilation, inputs, bias=False),
                norm=nn.BatchNorm2d(inputs),
                pointwise=nn.Conv2d(inputs, outputs, 1, bias=False),
            )
        )


class XceptionBlock(nn.Module):
    """Separable convolutions beside a shortcut. ReLU stands before each, but for the first where start_relu is off.

    The first ReLU makes a new map: overwriting its input would change what the shortcut adds.
    """

    def __init__(
        self, inputs: int, widths: tuple[int, ...], stride: int = 1, dilation: int = 1, *, start_relu: bool = True
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = inputs
        for index, width in enumerate(widths):
            if index or start_relu:
                layers.append(nn.ReLU(inplace=index > 0))
            # the last of three is the one that takes the place of a pooling
            end = index == 2 and inputs != widths[-1]
            layers.append(SeparableConv(channels, width, stride if end else 1, 1 if end else dilation))
            layers.append(nn.BatchNorm2d(width))
            channels = width
        self.body = nn.Sequential(*layers)
        plain = stride == 1 and inputs == channels
        self.shortcut = nn.Identity() if plain else ConvNormAct(inputs, channels, 1, stride, act=None)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, widths[-1], H / stride, W / stride)."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def _end(inputs: int, outputs: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=SeparableConv(inputs, outputs, 1, dilation), norm=nn.BatchNorm2d(outputs), act=nn.ReLU(inplace=True)
        )
    )


def aligned_xception(
    *,
    output_stride: Literal[8, 16] = 16,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build an Aligned Xception. Maps: 128 low-level channels at stride 4, 2048 at the output stride.

    The head, means and one linear layer, is that of Xception.
    """
    middle, exit_block, exit_end = DILATIONS[output_stride]
    low = OrderedDict[str, nn.Module](
        conv1=ConvNormAct(in_channels, 32, 3, 2),
        conv2=ConvNormAct(32, 64, 3),
        block1=XceptionBlock(64, (128, 128, 128), 2, start_relu=False),
        act=nn.ReLU(inplace=True),
    )
    high = OrderedDict[str, nn.Module](
        block2=XceptionBlock(128, (256, 256, 256), 2, start_relu=False),
        block3=XceptionBlock(256, (728, 728, 728), 2 if output_stride == 16 else 1),
    )
    for number in MIDDLE_BLOCKS:
        high[f"block{number}"] = XceptionBlock(728, (728, 728, 728), 1, middle)
    high["block20"] = XceptionBlock(728, (728, 1024, 1024), 1, exit_block)
    high["act"] = nn.ReLU(inplace=True)
    high["conv3"] = _end(1024, 1536, exit_end)
    high["conv4"] = _end(1536, 1536, exit_end)
    high["conv5"] = _end(1536, 2048, exit_end)
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(2048, num_classes))
    return Network([nn.Sequential(low), nn.Sequential(high)], (128, 2048), head)
