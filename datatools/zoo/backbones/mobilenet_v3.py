"""MobileNetV3 (Howard et al.: ICCV 2019), as its authors have it and as Paddle's OCR networks have it."""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from datatools.zoo.layers import (
    Activation,
    ConvNormAct,
    HalvingPool,
    Pool,
    ShrinkDropout,
    SqueezeExcite,
    SteepSigmoid,
    divisible,
    hardswish,
    relu,
)
from datatools.zoo.network import Network

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
LAST: dict[Size, int] = {"large": 960, "small": 576}
HEAD: dict[Size, int] = {"large": 1280, "small": 1024}
PADDLE_HEAD = 1280
FIRST_MAP: dict[Size, int] = {"large": 2, "small": 0}
"""The block up to which the first stage always goes; each later stage starts at a block of stride 2."""


class Form(NamedTuple):
    """What implementations disagree on.

    squeezed: channels inside of squeeze-and-excitation, given those around it. widen_always: the 1x1 convolution that
    widens is there even where it widens nothing.
    """

    conv: Callable[..., ConvNormAct]
    squeezed: Callable[[int], int]
    gate: Activation
    widen_always: bool


AUTHORS = Form(partial(ConvNormAct, eps=1e-3, momentum=0.01), lambda wide: divisible(wide // 4), nn.Hardsigmoid, False)
PADDLE = Form(ConvNormAct, lambda wide: wide // 4, SteepSigmoid, True)


class InvertedResidual(nn.Module):
    """Inverted residual: widen, filter each channel, weigh the channels, narrow."""

    def __init__(self, inputs: int, row: Row, scale: float, form: Form, stride: int | tuple[int, int]) -> None:
        super().__init__()
        act = hardswish if row.swish else relu
        wide, outputs = divisible(row.expanded * scale), divisible(row.outputs * scale)
        layers: list[nn.Module] = []
        if wide != inputs or form.widen_always:
            layers.append(form.conv(inputs, wide, 1, act=act))
        layers.append(form.conv(wide, wide, row.kernel, stride, groups=wide, act=act))
        if row.squeeze:
            layers.append(SqueezeExcite(wide, form.squeezed(wide), form.gate))
        layers.append(form.conv(wide, outputs, 1, act=None))
        self.body = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out: Tensor = self.body(x)
        return x + out if self.skip else out


def mobilenet_v3(
    size: Size,
    *,
    scale: float = 1.0,
    paddle: bool = False,
    squeeze: bool = True,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build a MobileNetV3. Maps: strides 4, 8, 16, 32, the last after the final 1x1 convolution.

    paddle: as PaddleClas has it; its maps are the backbone of PP-OCR's detector. squeeze: with squeeze-and-excitation.
    """
    form = PADDLE if paddle else AUTHORS
    channels = divisible(STEM * scale)
    stages = [nn.Sequential(form.conv(in_channels, channels, 3, 2, act=hardswish))]
    taps = []
    for index, row in enumerate(ROWS[size]):
        if row.stride == 2 and index > FIRST_MAP[size]:
            taps.append(channels)
            stages.append(nn.Sequential())
        block = row._replace(squeeze=row.squeeze and squeeze)
        stages[-1].append(InvertedResidual(channels, block, scale, form, row.stride))
        channels = divisible(row.outputs * scale)
    last = divisible(LAST[size] * scale) if paddle else 6 * channels
    stages[-1].append(form.conv(channels, last, 1, act=hardswish))
    head: nn.Module
    if paddle:
        wide = PADDLE_HEAD
        widen: nn.Module = nn.Linear(last, wide, bias=False)
        drop: nn.Module = ShrinkDropout(0.2)
    else:
        wide = divisible(HEAD[size] * scale)
        widen, drop = nn.Linear(last, wide), nn.Dropout(0.2, inplace=True)
    head = nn.Sequential(Pool(), widen, hardswish(), drop, nn.Linear(wide, num_classes))
    return Network(stages, (*taps, last), None if features_only else head)


def mobilenet_v3_text(
    size: Size,
    *,
    strides: tuple[int, int, int, int],
    scale: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
) -> Network:
    """Build the MobileNetV3 of text lines in PP-OCR (Du et al. 2020): only the stem and the end halve the width.

    strides: vertical ones of the four blocks that halve the size elsewhere. One map, 1 high and a quarter as wide for
    lines 32 high. The head is PP-OCR's for the direction of lines: means, then one linear layer.
    """
    channels = divisible(STEM * scale)
    body = nn.Sequential(ConvNormAct(in_channels, channels, 3, 2, act=hardswish))
    left = iter(strides)
    for row in ROWS[size]:
        stride = (next(left), 1) if row.stride == 2 else 1  # Paddle gives the former no shortcut whatever they are
        body.append(InvertedResidual(channels, row, scale, PADDLE, stride))
        channels = divisible(row.outputs * scale)
    last = divisible(LAST[size] * scale)
    body.append(ConvNormAct(channels, last, 1, act=hardswish))
    body.append(HalvingPool())
    head = None if features_only else nn.Sequential(Pool(), nn.Linear(last, num_classes))
    return Network([body], (last,), head)
