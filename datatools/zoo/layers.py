"""The few blocks that most networks are made of. All maps are (N, C, H, W)."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Callable[[], nn.Module]


def relu() -> nn.Module:
    """ReLU that overwrites its input: only for what nobody else reads, as the output of a norm."""
    return nn.ReLU(inplace=True)


def relu6() -> nn.Module:
    """min(max(x, 0), 6), overwriting its input."""
    return nn.ReLU6(inplace=True)


def hardswish() -> nn.Module:
    """x * relu6(x + 3) / 6, overwriting its input."""
    return nn.Hardswish(inplace=True)


def divisible(value: float, divisor: int = 8) -> int:
    """The number of channels nearest to `value` that `divisor` divides, at least 90 % of it (MobileNet's rule).

    >>> divisible(16 * 0.35), divisible(960 * 0.5), divisible(20)
    (8, 480, 24)
    """
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch norm, activation. kernel, stride: one number, or height and width.

    pad: "same" keeps the size at stride 1, "valid" adds nothing.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        *,
        groups: int = 1,
        dilation: int = 1,
        pad: Literal["same", "valid"] = "same",
        act: Activation | None = relu,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        around = (dilation * (sides[0] // 2), dilation * (sides[1] // 2)) if pad == "same" else (0, 0)
        layers = [
            nn.Conv2d(inputs, outputs, sides, stride, around, dilation, groups, bias=False),
            nn.BatchNorm2d(outputs, eps=eps, momentum=momentum),
        ]
        super().__init__(*layers, *([act()] if act else []))


class Pool(nn.Module):
    """Global average pooling: (N, C, H, W) to (N, C), or to (N, C, 1, 1) with keep_map."""

    def __init__(self, keep_map: bool = False) -> None:
        super().__init__()
        self.keep_map = keep_map

    def forward(self, x: Tensor) -> Tensor:
        """The mean over height and width."""
        return x.mean((2, 3), keepdim=self.keep_map)


class SqueezeExcite(nn.Module):
    """Scale each channel by what a small network makes of all channels' means (Hu, Shen, Sun: CVPR 2018).

    squeezed: channels between its two 1x1 convolutions. gate: turns its output into factors.
    """

    def __init__(self, channels: int, squeezed: int, gate: Activation) -> None:
        super().__init__()
        self.pool = Pool(keep_map=True)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.act = nn.ReLU(inplace=True)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        """The map, each channel scaled."""
        factors: Tensor = self.gate(self.expand(self.act(self.reduce(self.pool(x)))))
        return x * factors


class ChannelShuffle(nn.Module):
    """Deal the channels of each group out to all groups (ShuffleNet, figure 1).

    >>> ChannelShuffle(2)(torch.arange(6.0).view(1, 6, 1, 1)).flatten().tolist()
    [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """The map, its channels in another order."""
        n, c, h, w = x.shape
        return x.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class HalvingPool(nn.Module):
    """2 x 2 maximum; a map that is one line high stays so."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, max(1, H // 2), W // 2)."""
        return nn.functional.max_pool2d(x, (min(2, x.shape[2]), 2))


class SteepSigmoid(nn.Module):
    """clip(0.2 x + 0.5, 0, 1): Paddle's hard sigmoid, where torch's has slope 1/6."""

    def forward(self, x: Tensor) -> Tensor:
        """Factors between 0 and 1."""
        return torch.clamp(x * 0.2 + 0.5, 0, 1)


class ShrinkDropout(nn.Module):
    """Dropout as first published (Srivastava et al., JMLR 2014): zeros while training, scales by 1 - p afterwards.

    torch's scales by 1 / (1 - p) while training instead. Weights that were trained with one need the same one.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """The features, some of them zeroed, or all of them scaled."""
        if self.training:
            return x * torch.empty_like(x).bernoulli_(1 - self.p)
        return x * (1 - self.p)
