"""Activations that learn where to be clipped, so that few bits are enough for them (Choi et al.: PACT, 2018).

Training sees what the bits will do: activations and weights are rounded on the way forward, and the way back goes
through as if they were not (Bengio et al., arXiv 1308.3432, 2013). Weights have one scale a channel, activations the
range that they are clipped to.
"""

import copy
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from datatools.zoo.network import Network

FIRST_ALPHA = 20.0
DECAY = 2e-5
"""Penalty on the square of alpha while it is learnt."""

Form = Literal["one-sided", "two-sided"]


class Pact(nn.Module):
    """Clip to [0, alpha] (one-sided, as published), or to [-alpha, alpha] for what goes below 0, as hardswish does.

    alpha is learnt: its gradient is 1 where the input is at or above alpha, and -1 below -alpha where there are two
    sides. bits: round to so many: 2^bits - 1 steps from 0 to alpha, or 2^(bits - 1) - 1 on each side; 0 rounds nothing.
    """

    def __init__(self, form: Form = "one-sided", bits: int = 0) -> None:
        super().__init__()
        self.form = form
        self.bits = bits
        self.alpha = nn.Parameter(torch.tensor(FIRST_ALPHA))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        if self.form == "one-sided":
            clipped = torch.where(x >= self.alpha, self.alpha, x.clamp(min=0))
            steps = 2**self.bits - 1
        else:
            clipped = x - torch.relu(x - self.alpha) + torch.relu(-self.alpha - x)
            steps = 2 ** (self.bits - 1) - 1 if self.bits else 0
        if not self.bits:
            return clipped
        scale = self.alpha.detach().clamp(min=1e-6) / steps
        made: Tensor = clipped + (torch.round(clipped.detach() / scale) * scale - clipped.detach())
        return made


def rounded(weight: Tensor, bits: int) -> Tensor:
    """Weights (O, ...) as so many bits give them: symmetric, a scale for each O. The way back sees no rounding."""
    most = 2 ** (bits - 1) - 1
    plain = weight.detach()
    scale = plain.abs().amax(dim=tuple(range(1, plain.dim())), keepdim=True).clamp(min=1e-12) / most
    made: Tensor = weight + (torch.round(plain / scale) * scale - plain)
    return made


class Rounded(nn.Module):
    """A convolution or a linear layer that computes with rounded weights and learns the whole ones."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, bits: int) -> None:
        super().__init__()
        self.layer = layer
        self.bits = bits

    def forward(self, x: Tensor) -> Tensor:
        """As the layer does."""
        layer, weight = self.layer, rounded(self.layer.weight, self.bits)
        if isinstance(layer, nn.Linear):
            return functional.linear(x, weight, layer.bias)
        return functional.conv2d(x, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def insert(model: Network, bits: int) -> Network:
    """A copy of the network with PACT in place of each ReLU and ReLU6, and behind each hardswish."""
    made = copy.deepcopy(model)
    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU | nn.ReLU6):
                setattr(module, name, Pact("one-sided", bits))
            elif isinstance(child, nn.Hardswish):
                setattr(module, name, nn.Sequential(child, Pact("two-sided", bits)))
    return made


@torch.inference_mode()
def calibrate(model: Network, batches: Iterable[Tensor]) -> None:
    """Let each clip begin at the largest activation that it sees in some batches, where that is below its alpha.

    A range that nothing fills would leave few of the steps to what does.
    """
    clips = [module for module in model.modules() if isinstance(module, Pact)]
    seen = {clip: torch.zeros(()) for clip in clips}

    def look(clip: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(clip, Pact)
        x = inputs[0] if clip.form == "one-sided" else inputs[0].abs()
        seen[clip] = torch.maximum(seen[clip], x.amax())

    hooks = [clip.register_forward_pre_hook(look) for clip in clips]
    bits = [clip.bits for clip in clips]
    training = model.training
    model.eval()
    for clip in clips:
        clip.bits = 0
    for batch in batches:
        model(batch)
    model.train(training)
    for clip, hook, width in zip(clips, hooks, bits, strict=True):
        hook.remove()
        clip.bits = width
        if seen[clip] > 0:
            clip.alpha.clamp_(max=seen[clip])


def round_weights(model: Network, bits: int) -> None:
    """Round the weights of convolutions and linear layers on every way forward, until `settled`."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d | nn.Linear):
                setattr(module, name, Rounded(child, bits))


@torch.no_grad()
def settled(model: Network) -> Network:
    """A copy whose weights are the rounded ones, and stay as they are."""
    made = copy.deepcopy(model)
    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Rounded):
                child.layer.weight.copy_(rounded(child.layer.weight, child.bits))
                setattr(module, name, child.layer)
    return made
