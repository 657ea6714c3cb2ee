"""What a network costs, layer by layer and block by block: shapes, parameters, multiplications, memory."""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from datatools.zoo import layers
from datatools.zoo.network import Network
from datatools.zoo.pact import Pact

FLOAT_BYTES = 4

LARGE = 3 * 1024 * 1024
"""Inputs of more numbers than these are not made."""

_SHAPE_KEEPING = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.Dropout,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.ReLU,
    nn.ReLU6,
    nn.Sigmoid,
    Pact,
    layers.ShrinkDropout,
    layers.SteepSigmoid,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """A layer, or a block of layers, for one picture.

    name: dotted path in the network. kind: what it is. output: (C, H, W) of what it makes, or (C,). params: trained
    numbers. macs: multiply-accumulate operations of convolutions and linear layers; biases, norms, activations,
    poolings and element-wise work count 0. map_bytes: what the outputs of its layers take as float32; a layer that
    overwrites its input takes nothing.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    params: int
    macs: int
    map_bytes: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A network's costs. layers: all that hold no others, in the order of the forward pass. blocks: the parts of each
    stage, then the head. buffers: numbers that are kept but not trained, as the running means of norms. weight_bytes:
    parameters and buffers as they are stored.
    """

    layers: tuple[Cost, ...]
    blocks: tuple[Cost, ...]
    params: int
    buffers: int
    macs: int
    weight_bytes: int
    map_bytes: int
    largest_map_bytes: int


def measure(model: Network, input_chw: tuple[int, int, int]) -> Profile:
    """Profile a network for an input of channels, height, width. Layers do not compute, they only make room.

    Raises ValueError or torch's RuntimeError where the network cannot take such an input.
    """
    costs: list[Cost] = []
    outputs: dict[str, tuple[int, ...]] = {}
    blocks = dict(_blocks(model))
    with contextlib.ExitStack() as undone:
        undone.callback(model.train, model.training)
        model.eval()
        for name, module in model.named_modules():
            if next(module.children(), None) is None:
                undone.callback(module.register_forward_hook(_recorder(name, costs)).remove)
            elif name in blocks:
                undone.callback(module.register_forward_hook(_shape_keeper(name, outputs)).remove)
            if (shape_only := _shape_only(module)) is not None:
                module.forward = shape_only
                undone.callback(delattr, module, "forward")
        # maps without numbers are free, but the first one costs torch two seconds of imports
        device = "meta" if math.prod(input_chw) > LARGE else "cpu"
        with torch.no_grad():
            model(torch.empty(1, *input_chw, device=device))
    outputs.update({cost.name: cost.output for cost in costs})
    return Profile(
        layers=tuple(costs),
        blocks=tuple(_sum(name, kind, outputs[name], costs) for name, kind in blocks.items()),
        params=sum(p.numel() for p in model.parameters()),
        buffers=sum(b.numel() for b in model.buffers()),
        macs=sum(cost.macs for cost in costs),
        weight_bytes=sum(t.numel() * t.element_size() for t in model.state_dict().values()),
        map_bytes=sum(cost.map_bytes for cost in costs),
        largest_map_bytes=max((cost.map_bytes for cost in costs), default=0),
    )


def stages(profile: Profile) -> tuple[Cost, ...]:
    """The blocks added up by stage, then the head. The output of a stage is that of its last block."""
    parts: dict[str, list[Cost]] = {}
    for block in profile.blocks:
        parts.setdefault(block.name.rpartition(".")[0] or block.name, []).append(block)
    return tuple(_sum(name, "Head" if name == "head" else "Stage", own[-1].output, own) for name, own in parts.items())


def _blocks(model: Network) -> Iterator[tuple[str, str]]:
    """Name and kind of the parts that people think in: the children of the stages, and the head."""
    for index, stage in enumerate(model.stages):
        for name, child in stage.named_children():
            yield f"stages.{index}.{name}", type(child).__name__
    if model.head is not None:
        yield "head", "Head"


def _shape_only(module: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """What a layer does to shapes, where torch's own way to find out would need its weights or be slow."""
    if isinstance(module, nn.Conv2d):
        return functools.partial(_convolved, module)
    if isinstance(module, nn.Linear):
        return lambda x: x.new_empty(*x.shape[:-1], module.out_features)
    if isinstance(module, layers.Pool):
        return lambda x: x.new_empty(*x.shape[:2], *((1, 1) if module.keep_map else ()))
    return (lambda x: x) if isinstance(module, _SHAPE_KEEPING) else None


def _convolved(module: nn.Conv2d, x: Tensor) -> Tensor:
    pads = module.padding
    assert not isinstance(pads, str)
    sides = []
    for side, kernel, stride, pad, dilation in zip(
        x.shape[2:], module.kernel_size, module.stride, pads, module.dilation, strict=True
    ):
        left = side + 2 * pad - dilation * (kernel - 1)
        if left < 1:
            raise ValueError(f"a convolution {kernel} wide comes upon a map {side} wide")
        sides.append((left - 1) // stride + 1)
    return x.new_empty(x.shape[0], module.out_channels, *sides)


def _recorder(name: str, costs: list[Cost]) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        params = sum(p.numel() for p in module.parameters(recurse=False))
        kept = 0 if getattr(module, "inplace", False) else output.numel() * FLOAT_BYTES
        costs.append(Cost(name, _kind(module), tuple(output.shape[1:]), params, _macs(module, output), kept))

    return hook


def _shape_keeper(name: str, outputs: dict[str, tuple[int, ...]]) -> Callable[[nn.Module, Any, Tensor], None]:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        outputs[name] = tuple(output.shape[1:])

    return hook


def _sum(name: str, kind: str, output: tuple[int, ...], costs: list[Cost]) -> Cost:
    own = [cost for cost in costs if cost.name == name or cost.name.startswith(f"{name}.")]
    params, macs, map_bytes = (sum(getattr(cost, part) for cost in own) for part in ("params", "macs", "map_bytes"))
    return Cost(name, kind, output, params, macs, map_bytes)


def _macs(module: nn.Module, output: Tensor) -> int:
    """Multiplications of one layer for a batch of one."""
    if isinstance(module, nn.Conv2d):
        return output.numel() * module.weight[0].numel()
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    return 0


def _kind(module: nn.Module) -> str:
    if not isinstance(module, nn.Conv2d):
        return type(module).__name__
    (kh, kw), (sh, sw), (dilation, _) = module.kernel_size, module.stride, module.dilation
    said = f"Conv2d {kh}x{kw}"
    if (sh, sw) != (1, 1):
        said += f" /{sh}" if sh == sw else f" /{sh}x{sw}"
    if dilation > 1:
        said += f" dilation {dilation}"
    if module.groups == module.in_channels and module.groups > 1:
        return said + " depthwise"
    return said + (f" {module.groups} groups" if module.groups > 1 else "")
