"""ResNet-18 (He et al.: CVPR 2016) and its kin: -vd (He et al.: CVPR 2019), SE (Hu et al.: CVPR 2018), ResNeXt-50.

ResNeXt: Xie et al., CVPR 2017.
"""

from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool, SqueezeExcite, relu
from datatools.zoo.network import Network

WIDTHS = (64, 128, 256, 512)
SQUEEZE = 16
"""Channels over channels inside of squeeze-and-excitation."""

GROUPS, GROUP_WIDTH = 32, 4
"""Of ResNeXt-50 32x4d; the second is that of the first stage and doubles with each."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    project: the shortcut has a 1x1 convolution. average: it halves the map by a mean before that, not by a stride.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, *, project: bool, average: bool = False, squeeze: bool = False
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNormAct(inputs, outputs, 3, stride),
            ConvNormAct(outputs, outputs, 3, act=None),
        )
        if squeeze:
            self.body.append(SqueezeExcite(outputs, outputs // SQUEEZE, nn.Sigmoid))
        self.shortcut = _shortcut(inputs, outputs, stride, average) if project else nn.Identity()
        self.act = relu()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.act(self.body(x) + self.shortcut(x))
        return out


class Bottleneck(nn.Module):
    """A grouped 3x3 convolution between two 1x1 convolutions, beside a shortcut."""

    def __init__(self, inputs: int, inside: int, outputs: int, stride: int, groups: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNormAct(inputs, inside, 1),
            ConvNormAct(inside, inside, 3, stride, groups=groups),
            ConvNormAct(inside, outputs, 1, act=None),
        )
        self.shortcut = nn.Identity() if inputs == outputs else _shortcut(inputs, outputs, stride)
        self.act = relu()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.act(self.body(x) + self.shortcut(x))
        return out


def _shortcut(inputs: int, outputs: int, stride: int, average: bool = False) -> nn.Module:
    if average and stride == 2:
        return nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True), ConvNormAct(inputs, outputs, 1, act=None))
    return ConvNormAct(inputs, outputs, 1, stride, act=None)


def resnet18(
    *,
    vd: bool = False,
    squeeze: bool = False,
    project_first: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a ResNet-18. Maps: strides 4, 8, 16, 32.

    vd: three 3x3 convolutions in the stem, and shortcuts that average before they project. squeeze: with
    squeeze-and-excitation. project_first: a 1x1 convolution in the first shortcut, too, as PaddleClas has it.
    """
    channels = WIDTHS[0]
    stem: list[nn.Module] = [ConvNormAct(in_channels, channels, 7, 2)]
    if vd:
        stem = [ConvNormAct(in_channels, 32, 3, 2), ConvNormAct(32, 32, 3), ConvNormAct(32, channels, 3)]
    stages = []
    for index, width in enumerate(WIDTHS):
        project = index > 0 or vd or project_first
        stride = 2 if index else 1
        first = BasicBlock(channels, width, stride, project=project, average=vd, squeeze=squeeze)
        second = BasicBlock(width, width, 1, project=False, squeeze=squeeze)
        before = [] if index else [*stem, nn.MaxPool2d(3, 2, 1)]
        stages.append(nn.Sequential(*before, first, second))
        channels = width
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network(stages, WIDTHS, head)


def resnext50(*, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> Network:
    """Build a ResNeXt-50 32x4d. Maps: strides 4, 8, 16, 32."""
    channels, stages = WIDTHS[0], []
    for index, (width, repeats) in enumerate(zip(WIDTHS, (3, 4, 6, 3), strict=True)):
        blocks = nn.Sequential()
        if index == 0:
            blocks = nn.Sequential(ConvNormAct(in_channels, channels, 7, 2), nn.MaxPool2d(3, 2, 1))
        for number in range(repeats):
            stride = 2 if index and number == 0 else 1
            blocks.append(Bottleneck(channels, GROUPS * GROUP_WIDTH * 2**index, 4 * width, stride, GROUPS))
            channels = 4 * width
        stages.append(blocks)
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(channels, num_classes))
    return Network(stages, [4 * width for width in WIDTHS], head)
