"""Networks with fewer channels: filters are chosen, taken out, and the network is really smaller."""

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from datatools.kernels import pruning
from datatools.zoo import profile
from datatools.zoo.channels import Channels, Group
from datatools.zoo.network import Network

Method = Literal["fpgm", "l1"]
Removed = set[int]
"""Channel numbers, as datatools.zoo.channels counts them."""


def choose(model: Network, groups: Sequence[Group], ratios: Sequence[float], method: Method) -> Removed:
    """Choose the channels of each group to take away: a ratio of them, those of the lowest scores.

    fpgm: sums of distances between the filters of a layer (geometric median). l1: sums of magnitudes. Where several
    layers make the same channels, their scores are added, each layer's as shares of its mean.
    """
    scorers = {"fpgm": pruning.geometric_median_scores, "l1": pruning.norm_scores}
    removed: Removed = set()
    scored: dict[str, NDArray[np.float64]] = {}
    for group, ratio in zip(groups, ratios, strict=True):
        count = pruning.pruned_count(len(group.roots), ratio)
        if count:
            scores = np.zeros(len(group.roots))
            for maker, rows in zip(group.makers, group.rows, strict=True):
                if maker not in scored:  # its filters may stand in several groups, and several times in one
                    weight = _weight(model.get_submodule(maker)).detach().cpu().numpy()
                    scored[maker] = scorers[method](weight)
                found = scored[maker][rows]
                scores += found / found.mean() if len(group.makers) > 1 and found.any() else found
            removed |= set(group.roots[pruning.lowest(scores, count)].tolist())
    return removed


def without(model: Network, channels: Channels, removed: Removed) -> Network:
    """A copy of the network without the channels, and without whatever read or made them. `recount` comes after it."""
    made = copy.deepcopy(model)
    gone = np.array(sorted(removed), np.int64)
    for name in channels.makes:
        module = made.get_submodule(name)
        reads = np.flatnonzero(~np.isin(_of_one_group(channels.reads[name], module), gone))
        makes = np.flatnonzero(~np.isin(channels.makes[name], gone))
        state = {key: _cut(value, module, key, reads, makes) for key, value in module.state_dict().items()}
        _resize_one(module, state)
        module.load_state_dict(state)
    return made


@contextlib.contextmanager
def silenced(model: Network, channels: Channels, removed: Removed) -> Iterator[None]:
    """Let nothing read the channels inside the block: the same answers as `without` gives, in a moment."""
    gone = np.array(sorted(removed), np.int64)
    kept: list[tuple[Tensor, Tensor]] = []
    try:
        with torch.no_grad():
            for name, numbers in channels.reads.items():
                weight = _weight(model.get_submodule(name))
                numbers = _of_one_group(numbers, model.get_submodule(name))
                silent = np.isin(numbers, gone)
                if weight.dim() > 1 and weight.shape[1] == len(numbers) and silent.any():
                    kept.append((weight, weight.clone()))
                    weight[:, torch.from_numpy(silent)] = 0
        yield
    finally:
        with torch.no_grad():
            for weight, before in kept:
                weight.copy_(before)


def resize(model: Network, tensors: Mapping[str, Tensor]) -> None:
    """Give every layer the size that its tensors have; the numbers are loaded afterwards.

    Only fewer channels are possible: a tensor that is larger, or of another kernel, leaves its layer as it is, and
    loading then tells.
    """
    for name, module in model.named_modules():
        state = {key: tensors[f"{name}.{key}"] for key in module.state_dict() if f"{name}.{key}" in tensors}
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d | nn.BatchNorm1d) and _is_smaller(module, state):
            _resize_one(module, state)
    recount(model)


def recount(model: Network) -> None:
    """Set `tap_channels` to what the stages give now, found with a picture that every network takes."""
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    costs = profile.measure(model, (first.in_channels, 224, 224))
    model.tap_channels = tuple(stage.output[0] for stage in profile.stages(costs)[: len(model.stages)])


def _is_smaller(module: nn.Module, state: Mapping[str, Tensor]) -> bool:
    old, new = _weight(module).shape, state["weight"].shape if "weight" in state else ()
    if len(old) != len(new) or 0 in new or any(n > o for n, o in zip(new, old, strict=True)):
        return False
    return old[2:] == new[2:]


def _cut(value: Tensor, module: nn.Module, key: str, reads: NDArray[np.int64], makes: NDArray[np.int64]) -> Tensor:
    """The part of a layer's tensor that is left."""
    if value.dim() == 0:
        return value
    value = value[torch.from_numpy(makes)]
    return value[:, torch.from_numpy(reads)] if key == "weight" and value.dim() > 1 and not _is_alone(module) else value


def _is_alone(module: nn.Module) -> bool:
    """Whether each channel has a filter of its own, which sees no other."""
    return isinstance(module, nn.Conv2d) and module.groups == module.in_channels == module.out_channels > 1


def _of_one_group(numbers: NDArray[np.int64], module: nn.Module) -> NDArray[np.int64]:
    """What the filters of one group read: those of the others see channels that go and stay with these."""
    if isinstance(module, nn.Conv2d) and module.groups > 1 and not _is_alone(module):
        return numbers[: len(numbers) // module.groups]
    return numbers


def _resize_one(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a layer the size of its new tensors."""
    outputs = len(state["weight"])
    if isinstance(module, nn.Conv2d):
        module.groups = outputs if _is_alone(module) else module.groups
        module.in_channels, module.out_channels = state["weight"].shape[1] * module.groups, outputs
    elif isinstance(module, nn.Linear):
        module.in_features, module.out_features = state["weight"].shape[1], outputs
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
        module.num_features = outputs
    for key, value in state.items():
        if key in dict(module.named_parameters(recurse=False)):
            setattr(module, key, nn.Parameter(torch.empty_like(value)))
        else:
            setattr(module, key, torch.empty_like(value))


def _weight(module: nn.Module) -> Tensor:
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight
