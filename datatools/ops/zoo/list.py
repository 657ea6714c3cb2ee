"""`datatools zoo list`: the networks that there are."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from datatools.core.census import count_of
from datatools.core.errors import UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table


@dataclass(frozen=True, slots=True)
class Listed:
    """A network. params, macs: with 1000 classes. input: channels, height, width. source: who and when, or code."""

    name: str
    params: int
    macs: int
    input: tuple[int, int, int]
    source: str


@dataclass(frozen=True)
class Listing(Result):
    """The networks whose names match."""

    pattern: str
    networks: tuple[Listed, ...]

    def lines(self) -> Iterator[str | Table]:
        """A row a network."""
        rows = tuple(
            (n.name, n.params / 1e6, n.macs / 1e6, "x".join(map(str, n.input)), n.source) for n in self.networks
        )
        yield Table(("network", "params (M)", "MACs (M)", "input", "source"), rows)
        yield f"{count_of(len(rows), 'network')}; next: datatools zoo summary {self.networks[0].name}"


@op("zoo.list", version=1)
def list(
    pattern: Annotated[str, Param("names like this: mobilenet, resnet*, *_x0_5", metavar="[GLOB]")] = "*",
) -> Listing:
    """List the networks.

    A pattern without * or ? finds the names that contain it. Parameters and multiply-accumulates (MACs: of convolutions
    and linear layers) are those of 1000 classes. A width of 1 (_x1_0) may be said or left out in a name.
    """
    from datatools.zoo import figures, registry

    glob = pattern if any(c in pattern for c in "*?[") else f"*{pattern}*"
    stored = figures.stored()
    found = tuple(
        Listed(name, stored[name].params, stored[name].macs, each.input_chw, each.source)
        for name, each in registry.ENTRIES.items()
        if fnmatch.fnmatchcase(name, glob)
    )
    if not found:
        near = registry.near(pattern.strip("*?"))
        raise UsageError(f"no network is called like {escape(pattern)!r}{near}")
    return Listing(pattern, found)
