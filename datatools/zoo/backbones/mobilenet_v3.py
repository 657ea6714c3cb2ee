"""MobileNetV3 (Howard et al.: ICCV 2019)."""

from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from datatools.zoo.layers import ConvNormAct, Pool, SqueezeExcite, divisible, hardswish, relu
from datatools.zoo.network import Network, initialize

Size = Literal["large", "small"]


class Row(NamedTuple):
    """A block of the paper's tables 1 and 2."""

    kernel: int
    expanded: int
    outputs: int
    squeeze: bool
    swish: bool
    stride: int


ROWS: dict[Size, tuple[Row, ...]] = {
    "large": (
        Row(3, 16, 16, False, False, 1),
        Row(3, 64, 24, False, False, 2),
        Row(3, 72, 24, False, False, 1),
        Row(5, 72, 40, True, False, 2),
        Row(5, 120, 40, True, False, 1),
        Row(5, 120, 40, True, False, 1),
        Row(3, 240, 80, False, True, 2),
        Row(3, 200, 80, False, True, 1),
        Row(3, 184, 80, False, True, 1),
        Row(3, 184, 80, False, True, 1),
        Row(3, 480, 112, True, True, 1),
        Row(3, 672, 112, True, True, 1),
        Row(5, 672, 160, True, True, 2),
        Row(5, 960, 160, True, True, 1),
        Row(5, 960, 160, True, True, 1),
    ),
    "small": (
        Row(3, 16, 16, True, False, 2),
        Row(3, 72, 24, False, False, 2),
        Row(3, 88, 24, False, False, 1),
        Row(5, 96, 40, True, True, 2),
        Row(5, 240, 40, True, True, 1),
        Row(5, 240, 40, True, True, 1),
        Row(5, 120, 48, True, True, 1),
        Row(5, 144, 48, True, True, 1),
        Row(5, 288, 96, True, True, 2),
        Row(5, 576, 96, True, True, 1),
        Row(5, 576, 96, True, True, 1),
    ),
}
STEM = 16
HEAD: dict[Size, int] = {"large": 1280, "small": 1024}
FIRST_MAP: dict[Size, int] = {"large": 2, "small": 0}
"""The block that ends the first stage; each later one starts at a block of stride 2."""

Conv = partial(ConvNormAct, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Inverted residual: widen, filter each channel, weigh the channels, narrow."""

    def __init__(self, inputs: int, row: Row, scale: float) -> None:
        super().__init__()
        act = hardswish if row.swish else relu
        wide, outputs = divisible(row.expanded * scale), divisible(row.outputs * scale)
        layers: list[nn.Module] = [] if wide == inputs else [Conv(inputs, wide, 1, act=act)]
        layers.append(Conv(wide, wide, row.kernel, row.stride, groups=wide, act=act))
        if row.squeeze:
            layers.append(SqueezeExcite(wide, divisible(wide // 4), nn.Hardsigmoid))
        layers.append(Conv(wide, outputs, 1, act=None))
        self.body = nn.Sequential(*layers)
        self.skip = row.stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.body(x)
        return x + out if self.skip else out


def mobilenet_v3(
    size: Size,
    *,
    scale: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a MobileNetV3. Maps: strides 4, 8, 16, 32."""
    channels = divisible(STEM * scale)
    stages = [nn.Sequential(Conv(in_channels, channels, 3, 2, act=hardswish))]
    taps = []
    for index, row in enumerate(ROWS[size]):
        if row.stride == 2 and index > FIRST_MAP[size]:
            taps.append(channels)
            stages.append(nn.Sequential())
        stages[-1].append(Block(channels, row, scale))
        channels = divisible(row.outputs * scale)
    last = 6 * channels
    stages[-1].append(Conv(channels, last, 1, act=hardswish))
    wide = divisible(HEAD[size] * scale)
    head = nn.Sequential(
        Pool(), nn.Linear(last, wide), hardswish(), nn.Dropout(0.2, inplace=True), nn.Linear(wide, num_classes)
    )
    model = Network(stages, (*taps, last), None if features_only else head)
    initialize(model)
    return model
