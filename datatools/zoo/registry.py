"""The names of all networks, and how each is made. Only making one imports torch."""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datatools.core.errors import UsageError, escape

if TYPE_CHECKING:
    from datatools.zoo.network import Network


@dataclass(frozen=True, slots=True)
class Entry:
    """One network. module: of datatools.zoo.backbones. builder: the function in it. options: what it is called with.

    input_chw: the input that the paper counts for.
    """

    module: str
    builder: str
    paper: str
    options: Mapping[str, Any] = field(default_factory=dict)
    input_chw: tuple[int, int, int] = (3, 224, 224)


def _entries() -> Iterator[tuple[str, Entry]]:
    for size in ("large", "small"):
        yield f"mobilenet_v3_{size}", Entry("mobilenet_v3", "mobilenet_v3", "ICCV 2019", {"size": size})
    for scale in (0.5, 1.0, 1.5, 2.0):
        name = f"shufflenet_v2_{suffix(scale)}"
        yield name, Entry("shufflenet_v2", "shufflenet_v2", "ECCV 2018", {"scale": scale})
    yield "resnet18", Entry("resnet", "resnet18", "CVPR 2016")


def suffix(scale: float) -> str:
    """How a name says a width.

    >>> suffix(0.35), suffix(1)
    ('x0_35', 'x1_0')
    """
    return "x" + str(float(scale)).replace(".", "_")


ENTRIES: dict[str, Entry] = dict(_entries())


def names() -> tuple[str, ...]:
    """All names, family by family."""
    return tuple(ENTRIES)


def entry(name: str) -> Entry:
    """What is known of a network. Raises UsageError, with the nearest names, where there is none of that name."""
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`datatools zoo list` names all"
        raise UsageError(f"there is no network {escape(name)!r}; {hint}")
    return ENTRIES[name]


def create(name: str, *, num_classes: int = 1000, in_channels: int = 3, features_only: bool = False) -> "Network":
    """Build a network with fresh weights, drawn from torch's global generator.

    features_only: give the maps of all stages instead of logits; `tap_channels` has their channels.

    Raises UsageError for an unknown name or counts below 1.
    """
    found = entry(name)
    if num_classes < 1 or in_channels < 1:
        raise UsageError("a network needs at least one class and one channel")
    build = getattr(importlib.import_module(f"datatools.zoo.backbones.{found.module}"), found.builder)
    model: Network = build(
        **found.options, num_classes=num_classes, in_channels=in_channels, features_only=features_only
    )
    return model
