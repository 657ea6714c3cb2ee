"""Depthwise convolutions whose weights learn fast on small maps, on a CPU.

torch computes the gradient of the weights of a depthwise convolution with oneDNN, which takes 5 to 30 ms where the map
has a few pixels and many channels: in MobileNetV3 at 64 x 64 pixels that is over half of a training step. The same
sums as products of shifted maps take 0.2 to 1 ms. The results differ by the order of addition only.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALL_MAP = 16
"""Pixels of the output up to which a 5 x 5 or larger kernel gains."""
TINY_MAP = 4
"""Up to so many, 3 x 3 gains too."""


class _Depthwise(torch.autograd.Function):
    """functional.conv2d with groups as many as channels; another way to the gradient of the weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: list[int], padding: list[int]) -> Tensor:
        """The output of the convolution."""
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, None, stride, padding, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the input and of the weights."""
        (out,) = gradients
        x, weight = ctx.saved_tensors
        sides = ctx.stride, ctx.padding, [1, 1], False, [0, 0], weight.shape[0]
        of_input = None
        if ctx.needs_input_grad[0]:
            mask = [True, False, False]
            of_input = torch.ops.aten.convolution_backward(out, x, weight, None, *sides, mask)[0]
        return of_input, weight_gradient(x, out, weight.shape[2:], ctx.stride, ctx.padding), None, None


class FastDepthwise(nn.Conv2d):
    """A depthwise convolution without bias and dilation that trains with the faster gradient where that is faster."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = [int(p) for p in self.padding]
        sides = zip(x.shape[2:], padding, self.kernel_size, self.stride, strict=True)
        pixels = math.prod((side + 2 * pad - kernel) // stride + 1 for side, pad, kernel, stride in sides)
        limit = SMALL_MAP if min(self.kernel_size) >= 5 else TINY_MAP
        if pixels > limit or not torch.is_grad_enabled() or torch.is_autocast_enabled(x.device.type):
            plain: Tensor = super()._conv_forward(x, weight, bias)
            return plain
        made: Tensor = _Depthwise.apply(x, weight, list(self.stride), padding)  # type: ignore[no-untyped-call]
        return made


def speed_up(model: nn.Module) -> nn.Module:
    """Let the depthwise convolutions of a network on a CPU train faster; returns the network, changed in place."""
    for module in model.modules():
        if type(module) is nn.Conv2d and _fits(module):
            module.__class__ = FastDepthwise
    return model


def _fits(conv: nn.Conv2d) -> bool:
    depthwise = 1 < conv.groups == conv.in_channels == conv.out_channels
    return depthwise and conv.bias is None and conv.dilation == (1, 1) and not isinstance(conv.padding, str)


def weight_gradient(
    x: Tensor, out: Tensor, kernel: torch.Size | tuple[int, int], stride: list[int], padding: list[int]
) -> Tensor:
    """Return the gradient of a depthwise convolution's weights, (C, 1, kernel height, kernel width).

    x: (B, C, H, W), the input. out: (B, C, h, w), the gradient of the output.
    """
    down, right = padding
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, right, right, down, down)).contiguous()
    g = out.permute(0, 2, 3, 1).contiguous().unsqueeze(3)
    batch, height, width, _, channels = g.shape
    picture, row, column, _ = padded.stride()
    # all shifts along a row at once: a view in which they are an axis before the channels, so that what is added up
    # lies one behind the other; one buffer for all rows spares the allocator as many fresh pages
    shape = (batch, height, width, kernel[1], channels)
    strides = (picture, row * stride[0], column * stride[1], column, 1)
    products = padded.new_empty(shape)
    made = []
    for i in range(kernel[0]):
        torch.mul(padded.as_strided(shape, strides, padded.storage_offset() + i * row), g, out=products)
        made.append(products.flatten(0, 2).sum(0))
    return torch.stack(made).permute(2, 0, 1).unsqueeze(1)
