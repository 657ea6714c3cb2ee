"""Which channels of a network belong together: taking one away takes all that are tied to it.

The network is traced once and walked with channel numbers in place of maps. A convolution makes new numbers; norms,
activations and filters of single channels hand them on; what is added or multiplied channel by channel ties two numbers
together; what reads them is noted. Groups must stay of one size: the channels at the same place of all groups of a
convolution, or of a shuffle, are tied, too. Channels whose places matter to anything else, as to a split in halves, are
fixed: they cannot go.
"""

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import fx, nn

from datatools.zoo import layers
from datatools.zoo.network import Network
from datatools.zoo.pact import Pact

Numbers = NDArray[np.int64]

_LEAVES = (Pact, layers.ChannelShuffle, layers.HalvingPool, layers.Pool, layers.ShrinkDropout, layers.SteepSigmoid)
_KEEPING = (
    Pact,
    layers.HalvingPool,
    layers.Pool,
    layers.ShrinkDropout,
    layers.SteepSigmoid,
    nn.AvgPool2d,
    nn.Dropout,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Identity,
    nn.MaxPool2d,
    nn.ReLU,
    nn.ReLU6,
    nn.Sigmoid,
)
_TYING = (operator.add, operator.mul, torch.add, torch.mul)


@dataclass(frozen=True, slots=True)
class Group:
    """Channels that are made by the same layers and can go one by one; with groups, one of each of them at a time.

    makers: names of the convolutions and linear layers that make them, each as often as it has filters that go
    together. rows: a row a maker, (M, C): where in the maker's output each channel stands. roots: (C,) the numbers.
    """

    makers: tuple[str, ...]
    rows: Numbers
    roots: Numbers


@dataclass(frozen=True)
class Channels:
    """What is known after the walk. groups: what can go. reads, makes: the channel numbers of a layer's input and
    output, by its name, tied numbers being equal."""

    groups: tuple[Group, ...]
    reads: dict[str, Numbers]
    makes: dict[str, Numbers]


class _Other:
    """A value whose channels are not followed."""


_OTHER = _Other()


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, _LEAVES) or super().is_leaf_module(m, module_qualified_name)


def trace(model: Network) -> Channels:
    """Follow the channels of a network through all of its layers."""
    graph = _Tracer().trace(model)
    walk = _Walk(dict(model.named_modules()))
    values: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        arguments = fx.map_arg(node.args, values.__getitem__)
        if node.op == "call_module":
            values[node] = walk.module(str(node.target), arguments[0])
        elif node.op in ("call_function", "call_method"):
            values[node] = walk.function(node.target, arguments)
        elif node.op == "output":
            walk.fix(arguments)
        else:
            values[node] = _OTHER
    return walk.result()


class _Walk:
    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self._modules = modules
        self._parent: list[int] = []
        self._fixed: list[int] = []
        self._reads: dict[str, Numbers] = {}
        self._makes: dict[str, Numbers] = {}
        self._makers: list[str] = []

    def module(self, name: str, value: Any) -> Any:
        """The channels that a layer gives, given those that it takes."""
        module = self._modules[name]
        if isinstance(module, nn.Conv2d | nn.Linear):
            return self._layer(name, module, value)
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            numbers = self._numbers(value, module.num_features)
            self._reads[name] = self._makes[name] = numbers
            return numbers
        if isinstance(module, _KEEPING):
            return value
        if isinstance(module, layers.ChannelShuffle) and isinstance(value, np.ndarray):
            self._tie_groups(value, module.groups)
            return value.reshape(module.groups, -1).T.reshape(-1)
        self.fix(value)
        return _OTHER

    def function(self, target: Any, arguments: Sequence[Any]) -> Any:
        """The channels that an operation gives."""
        if target in _TYING and all(isinstance(a, np.ndarray) for a in arguments[:2]):
            return self._tied(arguments[0], arguments[1])
        if target is torch.cat and arguments[1:] == (1,) and all(isinstance(a, np.ndarray) for a in arguments[0]):
            return np.concatenate(arguments[0])
        self.fix(arguments)
        return _OTHER

    def fix(self, value: Any) -> None:
        """Whatever channels there are in it cannot go."""
        if isinstance(value, np.ndarray):
            self._fixed.extend(value.tolist())
        elif isinstance(value, list | tuple):
            for one in value:
                self.fix(one)

    def result(self) -> Channels:
        """What the walk found."""
        roots = np.array([self._find(i) for i in range(len(self._parent))], np.int64)
        fixed = {int(roots[i]) for i in self._fixed}
        reads = {name: roots[numbers] for name, numbers in self._reads.items()}
        makes = {name: roots[numbers] for name, numbers in self._makes.items()}
        return Channels(tuple(self._groups(makes, fixed)), reads, makes)

    def _groups(self, makes: dict[str, Numbers], fixed: set[int]) -> Iterable[Group]:
        made_by: dict[int, list[tuple[str, int]]] = {}
        for name in self._makers:
            for row, root in enumerate(makes[name].tolist()):
                made_by.setdefault(root, []).append((name, row))
        together: dict[tuple[str, ...], list[int]] = {}
        for root, places in made_by.items():
            if root not in fixed:
                together.setdefault(tuple(name for name, _ in places), []).append(root)
        for makers, roots in together.items():
            if len(roots) == 1 and len(set(makers)) < len(makers):  # all of a layer that has groups
                continue
            rows = np.array([[made_by[root][m][1] for root in roots] for m in range(len(makers))], np.int64)
            yield Group(makers, rows, np.array(roots, np.int64))

    def _layer(self, name: str, module: nn.Conv2d | nn.Linear, value: Any) -> Numbers:
        inputs = module.in_channels if isinstance(module, nn.Conv2d) else module.in_features
        outputs = module.out_channels if isinstance(module, nn.Conv2d) else module.out_features
        groups = module.groups if isinstance(module, nn.Conv2d) else 1
        taken = self._numbers(value, inputs)
        if groups == inputs == outputs and groups > 1:
            self._reads[name] = self._makes[name] = taken
            return taken
        made = self._new(outputs)
        if groups > 1:
            self._tie_groups(taken, groups)
            self._tie_groups(made, groups)
        self._reads[name], self._makes[name] = taken, made
        self._makers.append(name)
        return made

    def _numbers(self, value: Any, count: int) -> Numbers:
        if isinstance(value, np.ndarray):
            found: Numbers = value
            return found
        made = self._new(count)
        self.fix(made)
        return made

    def _new(self, count: int) -> Numbers:
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    def _tie_groups(self, numbers: Numbers, groups: int) -> None:
        """Let only as many channels of one group go as of another, from the same places."""
        first, *others = numbers.reshape(groups, -1)
        for other in others:
            self._tied(first, other)

    def _tied(self, one: Numbers, other: Numbers) -> Numbers:
        for a, b in zip(one.tolist(), other.tolist(), strict=True):
            a, b = self._find(a), self._find(b)
            self._parent[max(a, b)] = min(a, b)
        return one

    def _find(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number
