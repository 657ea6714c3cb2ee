"""Weights into a network: all of them, or layer by layer where name and shape agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import torch
from torch import Tensor, nn

from datatools.core.errors import DataError
from datatools.zoo import cadene, pact, registry, slimming, weights
from datatools.zoo.network import Network

MOST_OUTPUTS = 10**6
"""A file that claims more classes or channels is not believed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Names of tensors. loaded: were copied. skipped: are in both, with shapes that differ (name, file's, network's).

    missing: are only in the network and kept their values. unused: are only in the file.
    """

    loaded: tuple[str, ...]
    skipped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether file and network have the same names and shapes."""
        return not (self.skipped or self.missing or self.unused)


def match(model: nn.Module, tensors: Mapping[str, Tensor]) -> Loaded:
    """Compare names and shapes; nothing is copied."""
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    both = [name for name in own if name in tensors]
    return Loaded(
        loaded=tuple(name for name in both if tuple(tensors[name].shape) == own[name]),
        skipped=tuple(
            (name, tuple(tensors[name].shape), own[name]) for name in both if tuple(tensors[name].shape) != own[name]
        ),
        missing=tuple(name for name in own if name not in tensors),
        unused=tuple(name for name in tensors if name not in own),
    )


def load(
    model: nn.Module, tensors: Mapping[str, Tensor], path: str | Path = "weights", *, partial: bool = False
) -> Loaded:
    """Copy tensors into a network.

    partial: copy those whose name and shape agree, leave the rest as it is. Without it everything has to agree.

    Raises DataError E-WEIGHTS-MISMATCH, before anything is copied, where it does not, or where nothing agrees.
    """
    found = match(model, tensors)
    if not found.loaded:
        raise DataError(path, 0, "E-WEIGHTS-MISMATCH", "no name and shape agrees with the network's")
    if not partial and not found.complete:
        raise DataError(path, 0, "E-WEIGHTS-MISMATCH", _difference(found), "--partial loads what agrees")
    own = model.state_dict()
    with torch.no_grad():
        for name in found.loaded:
            own[name].copy_(tensors[name])
    return found


def fitting(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that the network of that name has: Cadène's Xception is renamed, others are not."""
    if registry.entry(name).builder.startswith("aligned_xception.") and cadene.recognized(tensors):
        return cadene.renamed(tensors)
    return tensors


def restore(path: Path) -> tuple[Network, weights.Checkpoint]:
    """Build the network that a checkpoint of ours holds, with its weights, in evaluation mode.

    Raises what `weights.read`, `built` and `load` do.
    """
    checkpoint = weights.read(path)
    model = built(checkpoint, path)
    load(model, checkpoint.tensors, path)
    return model.eval(), checkpoint


def built(checkpoint: weights.Checkpoint, path: Path) -> Network:
    """The network that a checkpoint of ours is for, with fresh weights: pruned and with its clips, where it says so.

    Raises DataError E-CHECKPOINT where it does not say what network that is.
    """
    note = checkpoint.note
    name, classes, channels, bits = (note.get(key) for key in ("model", "num_classes", "in_channels", "pact"))
    if name not in registry.ENTRIES or not _is_count(classes) or not (channels is None or _is_count(channels)):
        remedy = "`datatools zoo summary NAME --checkpoint FILE` tells whether a network of that name takes it"
        raise DataError(path, 0, "E-CHECKPOINT", "it does not say what network it belongs to", remedy)
    model = registry.create(name, num_classes=classes, in_channels=channels or 3)
    if type(bits) is int and 2 <= bits <= 8:
        model = pact.insert(model, bits)
    if note.get("pruned"):
        slimming.resize(model, checkpoint.tensors)
    return model


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MOST_OUTPUTS


def _difference(found: Loaded) -> str:
    parts = []
    if found.skipped:
        name, theirs, own = found.skipped[0]
        parts.append(f"{len(found.skipped)} of other shapes ({name} is {_shape(theirs)}, not {_shape(own)})")
    if found.missing:
        parts.append(f"{len(found.missing)} missing ({found.missing[0]})")
    if found.unused:
        parts.append(f"{len(found.unused)} that the network does not have ({found.unused[0]})")
    return "the weights are not this network's: " + ", ".join(parts)


def _shape(sides: tuple[int, ...]) -> str:
    return "x".join(map(str, sides)) or "one number"
