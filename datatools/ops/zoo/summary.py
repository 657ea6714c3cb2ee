"""`datatools zoo summary`: what a network costs, block by block, beside another one where one is named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.ops.zoo import choices
from datatools.ops.zoo import costs as shown

if TYPE_CHECKING:
    from datatools.zoo.loading import Loaded
    from datatools.zoo.network import Network as Model
    from datatools.zoo.profile import Cost, Profile

MOST_COMPARED = 8


@dataclass(frozen=True, slots=True)
class Network:
    """A network's costs. costs: datatools.zoo.profile.Profile. stages: its blocks added up by stage, then the head."""

    name: str
    costs: "Profile"
    stages: "tuple[Cost, ...]"


@dataclass(frozen=True)
class Summary(Result):
    """The costs of a network, and of those that it is compared with.

    input: channels, height, width. classes: of the head. loaded: what became of the checkpoint's tensors.
    """

    networks: tuple[Network, ...]
    input: tuple[int, int, int]
    classes: int
    loaded: "Loaded | None" = None
    written: tuple[Path, ...] = ()
    layers: bool = field(default=False, repr=False)

    def lines(self) -> Iterator[str | Table]:
        """A row a block (or a layer) and the totals; compared networks side by side."""
        yield f"input {shown.shape_text(self.input)}, {self.classes} classes"
        first, *others = self.networks
        if others:
            yield shown.stage_table([n.name for n in self.networks], [n.stages for n in self.networks])
        else:
            yield shown.layer_table(first.costs) if self.layers else shown.block_table(first.costs)
        yield from (shown.totals(n.name, n.costs) for n in self.networks)
        yield from (shown.ratio_line(first.name, first.costs, n.name, n.costs) for n in others)
        if self.loaded:
            yield from shown.loaded_lines(self.loaded)
        yield from (f"wrote {escape(path)}" for path in self.written)
        if others:
            yield f"next: datatools zoo summary {first.name} --layers shows where its cost lies"
        elif not self.layers:
            yield "next: --layers shows every layer, --compare NAME another network beside it"


@op("zoo.summary", version=1)
def summary(
    name: Annotated[str, Param("the network, as `datatools zoo list` names it", metavar="NAME")],
    *,
    input: Annotated[
        str | None, Param("channels, height, width; those of the network's source where left out", metavar="C,H,W")
    ] = None,
    classes: Annotated[
        int | None, Param("classes of the head; the checkpoint's, else 1000, where left out", ge=1, le=10**6)
    ] = None,
    layers: Annotated[bool, Param("a row a layer instead of a row a block")] = False,
    compare: Annotated[tuple[str, ...], Param("another network to put beside it", metavar="NAME")] = (),
    checkpoint: Annotated[
        Path | None, Param("load weights (safetensors or torch's), say what was found", metavar="FILE")
    ] = None,
    partial: Annotated[bool, Param("load the tensors whose name and shape agree, leave the others")] = False,
    plot: Annotated[Path | None, Param("draw the costs as bars (SVG)", metavar="FILE", writes="file")] = None,
) -> Summary:
    """Show what a network costs: shapes, parameters, multiply-accumulates and memory, block by block.

    MACs are the multiplications of convolutions and linear layers for one picture. Maps are what the outputs of all
    layers take as float32, which is what training keeps. Only shapes are computed, so large inputs take no longer.
    """
    choices.require()
    from datatools.io import atomic
    from datatools.zoo import registry

    names = [registry.full_name(each) for each in (name, *compare)]
    if checkpoint and not checkpoint.is_file():
        raise UsageError(f"--checkpoint: {escape(checkpoint)}: no such file")
    if partial and not checkpoint:
        raise UsageError("--partial needs --checkpoint FILE")
    if len(names) > MOST_COMPARED:
        raise UsageError(f"--compare takes {MOST_COMPARED - 1} networks at most")
    if plot and plot.suffix.lower() != ".svg":
        raise UsageError(f"--plot: {escape(plot)}: the name of the drawing must end in .svg")
    size = _size(input) if input else registry.entry(names[0]).input_chw
    taken = None
    if checkpoint:
        from datatools.zoo import loading

        taken = loading.take(names[0], checkpoint, classes=classes, channels=size[0], partial=partial)
        classes = taken.classes
    networks = [_network(each, size, classes or 1000) for each in names]
    if taken:
        networks[0] = _measured(names[0], taken.model, size)
    if plot:
        from datatools.report import zoo_costs

        atomic.write_bytes(plot, zoo_costs.costs_svg([(n.name, n.costs) for n in networks]))
    loaded = taken.loaded if taken else None
    return Summary(tuple(networks), size, classes or 1000, loaded, (plot,) if plot else (), layers)


def _size(text: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"([0-9]{1,4})[,x]([0-9]{1,5})[,x]([0-9]{1,5})", text, re.ASCII)
    if match:
        channels, height, width = map(int, match.groups())
        if channels and height and width:
            return channels, height, width
    raise UsageError(f"--input wants channels, height and width, as 3,224,224 (got {escape(text)!r})")


def _network(name: str, size: tuple[int, int, int], classes: int) -> Network:
    import torch

    from datatools.zoo import registry

    with torch.device("meta"):
        return _measured(name, registry.create(name, num_classes=classes, in_channels=size[0]), size)


def _measured(name: str, model: "Model", size: tuple[int, int, int]) -> Network:
    from datatools.zoo import profile

    try:
        costs = profile.measure(model, size)
    except (RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise UsageError(f"{name} cannot take an input of {shown.shape_text(size)} ({first})") from None
    return Network(name, costs, profile.stages(costs))
