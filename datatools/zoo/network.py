"""The form that all networks share: a row of stages, and a classifier behind the last."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Network(nn.Module):
    """Stages one after another, then a head.

    stages: each takes the output of the one before. tap_channels: the channels of each stage's output, as
    `features_only` gives them. head: turns the last map into logits (N, num_classes).

    Input is (N, in_channels, H, W), float. With a head the output is its; without one a list with the output of every
    stage, finest first.
    """

    def __init__(self, stages: Sequence[nn.Module], tap_channels: Sequence[int], head: nn.Module | None) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.tap_channels = tuple(tap_channels)
        self.head = head

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Logits (N, num_classes), or the maps (N, C, h, w) of all stages."""
        if self.head is None:
            return self._maps(x)
        for stage in self.stages:
            x = stage(x)
        logits: Tensor = self.head(x)
        return logits

    def _maps(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Undrawn(TorchFunctionMode):
    """Inside of it, layers are made without first weights: `initialize` draws others, and twice takes twice as long."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, unless it draws weights."""
        given = kwargs or {}
        if func in (nn.init.kaiming_uniform_, nn.init.uniform_):
            return args[0] if args else given["tensor"]
        return func(*args, **given)


@torch.no_grad()
def initialize(model: nn.Module) -> None:
    """Draw weights after He et al. (ICCV 2015), fan out, from torch's global generator; biases 0, norms 1 and 0."""
    if any(parameter.is_meta for parameter in model.parameters()):
        return  # shapes without numbers
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
