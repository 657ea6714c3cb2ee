"""What every network costs, kept as a table so that listing them needs no torch.

    python -m datatools.zoo.figures

writes figures.tsv anew from the networks themselves; a test compares the two.
"""

from dataclasses import dataclass
from pathlib import Path

from datatools.zoo import registry

TABLE = Path(__file__).with_name("figures.tsv")


@dataclass(frozen=True, slots=True)
class Figures:
    """Parameters and multiply-accumulates of a network with 1000 classes, at the input of its source."""

    params: int
    macs: int


def stored() -> dict[str, Figures]:
    """The table, by name."""
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:])
    return {name: Figures(int(params), int(macs)) for name, params, macs in rows}


def measured(name: str) -> Figures:
    """The same, from the network itself."""
    import torch

    from datatools.zoo import profile

    with torch.device("meta"):
        model = registry.create(name)
    costs = profile.measure(model, registry.entry(name).input_chw)
    return Figures(costs.params, costs.macs)


if __name__ == "__main__":
    lines = ["name\tparams\tmacs"]
    for each in registry.names():
        found = measured(each)
        lines.append(f"{each}\t{found.params}\t{found.macs}")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
