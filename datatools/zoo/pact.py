"""Activations that learn where to be clipped, so that few bits are enough for them (Choi et al.: PACT, 2018).

Training sees what the bits will do: activations and weights are rounded on the way forward, and the way back goes
through as if they were not (Bengio et al., arXiv 1308.3432, 2013). Weights have one scale a channel, activations the
range that they are clipped to.
"""

import copy
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from datatools.zoo.network import Network

FIRST_ALPHA = 20.0
Form = Literal["one-sided", "two-sided"]


class Pact(nn.Module):
    """Clip to [0, alpha] (one-sided, as published), or to [-alpha, alpha] for activations that go below 0, as hardswish.

    alpha is learnt: its gradient is 1 where the input is at or above alpha, and -1 below -alpha where there are two
    sides. bits: round to so many, 0 for no rounding: 2^bits - 1 steps from 0 to alpha, or 2^(bits - 1) - 1 on each side.
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
        return clipped + (torch.round(clipped.detach() / scale) * scale - clipped.detach())


class RoundedWeight(nn.Module):
    """Weights as so many bits give them: symmetric, one scale for each output channel. The way back sees no rounding."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, weight: Tensor) -> Tensor:
        """(O, ...) to the same."""
        most = 2 ** (self.bits - 1) - 1
        plain = weight.detach()
        scale = plain.abs().amax(dim=tuple(range(1, plain.dim())), keepdim=True).clamp(min=1e-12) / most
        return weight + (torch.round(plain / scale) * scale - plain)


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


def round_weights(model: Network, bits: int) -> None:
    """Round the weights of convolutions and linear layers on every way forward, until `settle`."""
    for module in list(model.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            parametrize.register_parametrization(module, "weight", RoundedWeight(bits))


def settle(model: Network) -> None:
    """End the rounding; the weights are the rounded ones."""
    for module in list(model.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
