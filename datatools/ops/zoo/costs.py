"""What people see of a network's costs, and of weights that were loaded."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from datatools.core.result import Table

if TYPE_CHECKING:
    from datatools.zoo.loading import Loaded
    from datatools.zoo.profile import Cost, Profile

MIB = 2**20
SHOWN_NAMES = 6
"""So many names of tensors are shown in a line; JSON has all."""


def shape_text(sides: Sequence[int]) -> str:
    """A shape as people write it.

    >>> shape_text((3, 224, 224)), shape_text(())
    ('3x224x224', '1')
    """
    return "x".join(map(str, sides)) or "1"


def totals(name: str, costs: "Profile") -> str:
    """One line: what the whole network costs."""
    return (
        f"{name}: {costs.params:,} parameters, {costs.macs / 1e6:,.1f} million MACs, weights "
        f"{costs.weight_bytes / MIB:,.1f} MiB, maps {costs.map_bytes / MIB:,.1f} MiB "
        f"(the largest {costs.largest_map_bytes / MIB:,.1f})"
    )


def block_table(costs: "Profile") -> Table:
    """A row a block, with its share of the whole."""
    rows = tuple(
        (*_row(c), 100 * c.params / (costs.params or 1), 100 * c.macs / (costs.macs or 1)) for c in costs.blocks
    )
    header = ("block", "kind", "output", "params", "MACs (M)", "maps (MiB)", "params %", "MACs %")
    return Table(header, rows, digits=2)


def layer_table(costs: "Profile") -> Table:
    """A row a layer."""
    rows = tuple(map(_row, costs.layers))
    return Table(("layer", "kind", "output", "params", "MACs (M)", "maps (MiB)"), rows, digits=3)


def _row(cost: "Cost") -> tuple[str, str, str, int, float, float]:
    return cost.name, cost.kind, shape_text(cost.output), cost.params, cost.macs / 1e6, cost.map_bytes / MIB


def stage_table(names: Sequence[str], stages: Sequence[Sequence["Cost"]]) -> Table:
    """Networks side by side, a row a stage; those with fewer stages leave cells empty."""
    rows = []
    for index in range(max(len(own) - 1 for own in stages)):
        cells: list[object] = [f"stage {index + 1}"]
        for own in stages:
            cells += _stage_cells(own[index]) if index < len(own) - 1 else (None, None, None)
        rows.append(tuple(cells))
    rows.append(("head", *(cell for own in stages for cell in _stage_cells(own[-1]))))
    header = ["part"]
    for letter in "ABCDEFGH"[: len(names)]:
        header += [f"{letter}: output", "params", "MACs (M)"]
    title = ", ".join(f"{letter}: {name}" for letter, name in zip("ABCDEFGH", names, strict=False))
    return Table(tuple(header), tuple(rows), title, digits=2)


def _stage_cells(cost: "Cost") -> tuple[str, int, float]:
    return shape_text(cost.output), cost.params, cost.macs / 1e6


def ratio_line(name: str, costs: "Profile", other: str, others: "Profile") -> str:
    """How the second compares with the first."""
    parts = ((others.params, costs.params), (others.macs, costs.macs), (others.map_bytes, costs.map_bytes))
    params, macs, maps = (b / a for b, a in parts)
    return (
        f"{other} has {params:.2f} times the parameters, {macs:.2f} times the MACs, {maps:.2f} times the maps of {name}"
    )


def loaded_lines(loaded: "Loaded") -> Iterator[str]:
    """What became of a checkpoint's tensors."""
    total = len(loaded.loaded) + len(loaded.skipped) + len(loaded.missing)
    yield f"loaded {len(loaded.loaded)} of the network's {total} tensors"
    skipped = [f"{name} ({shape_text(theirs)}, not {shape_text(own)})" for name, theirs, own in loaded.skipped]
    for what, names in (
        ("skipped, of another shape", skipped),
        ("missing in the file", list(loaded.missing)),
        ("not in the network", list(loaded.unused)),
    ):
        if names:
            more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
            yield f"{what}: {len(names)}: {', '.join(names[:SHOWN_NAMES])}{more}"
