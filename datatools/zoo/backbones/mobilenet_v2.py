"""MobileNetV2 (Sandler et al.: CVPR 2018), and IGCV3 (Sun et al.: BMVC 2018), which groups its convolutions."""

from torch import Tensor, nn

from datatools.zoo.layers import ChannelShuffle, ConvNormAct, Pool, divisible, relu6
from datatools.zoo.network import Network

STEM = 32
HEAD = 1280
ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""(expansion, channels, repeats, stride) of the paper's table 2."""

IGCV3_REPEATS = (1, 4, 6, 8, 6, 6, 1)


class InvertedResidual(nn.Module):
    """Inverted residual with a linear end."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, widen_always: bool) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [ConvNormAct(inputs, wide, 1, act=relu6)] if expansion > 1 or widen_always else []
        layers.append(ConvNormAct(wide, wide, 3, stride, groups=wide, act=relu6))
        layers.append(ConvNormAct(wide, outputs, 1, act=None))
        self.body = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.body(x)
        return x + out if self.skip else out


class InterleavedBlock(nn.Module):
    """The same with 1x1 convolutions in two groups: what each has is dealt out to the other and taken back."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(
            ConvNormAct(inputs, wide, 1, groups=2, act=None),
            ChannelShuffle(2),
            ConvNormAct(wide, wide, 3, stride, groups=wide, act=relu6),
            ConvNormAct(wide, outputs, 1, groups=2, act=None),
            ChannelShuffle(outputs // 2),
        )
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.body(x)
        return x + out if self.skip else out


def mobilenet_v2(
    *,
    scale: float = 1.0,
    paddle: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a MobileNetV2. Maps: strides 4, 8, 16, 32, the last after the final 1x1 convolution.

    paddle: as PaddleClas has it: widths cut to whole numbers instead of multiples of 8, and a 1x1 convolution in the
    first block, too, where it widens nothing.
    """

    def width(channels: int) -> int:
        return int(channels * scale) if paddle else divisible(channels * scale)

    channels = width(STEM)
    stages, taps = [nn.Sequential(ConvNormAct(in_channels, channels, 3, 2, act=relu6))], []
    for expansion, row_width, repeats, stride in ROWS:
        if stride == 2 and row_width > 24:
            taps.append(channels)
            stages.append(nn.Sequential())
        for index in range(repeats):
            block = InvertedResidual(channels, width(row_width), stride if index == 0 else 1, expansion, paddle)
            stages[-1].append(block)
            channels = width(row_width)
    last = max(HEAD, width(HEAD))
    stages[-1].append(ConvNormAct(channels, last, 1, act=relu6))
    drop = [] if paddle else [nn.Dropout(0.2)]
    head = None if features_only else nn.Sequential(Pool(), *drop, nn.Linear(last, num_classes))
    return Network(stages, (*taps, last), head)


def igcv3(*, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> Network:
    """Build an IGCV3-D, which has the widths of MobileNetV2 and nearly twice its blocks. Maps: strides 4, 8, 16, 32."""
    channels = STEM
    stages, taps = [nn.Sequential(ConvNormAct(in_channels, channels, 3, 2, act=relu6))], []
    for (expansion, width, _, stride), repeats in zip(ROWS, IGCV3_REPEATS, strict=True):
        if stride == 2 and width > 24:
            taps.append(channels)
            stages.append(nn.Sequential())
        for index in range(repeats):
            stages[-1].append(InterleavedBlock(channels, width, stride if index == 0 else 1, expansion))
            channels = width
    stages[-1].append(ConvNormAct(channels, HEAD, 1, act=relu6))
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(HEAD, num_classes))
    return Network(stages, (*taps, HEAD), head)
