"""Other items of the set, drawn at random: what mixing and pasting take from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from datatools.core.errors import DataError
from datatools.core.values import Donors, Source

if TYPE_CHECKING:
    import numpy as np

TRIES = 8
"""So many partners are tried where one after another cannot be read."""


def draw(rng: "np.random.Generator", donors: Donors, among: Sequence[int] | None = None) -> tuple[Source, Any] | None:
    """Draw an item and read it; another where it is bad, which is listed as failed by itself. None where none is left.

    among: places in donors.sources; all where it is left out.
    """
    count = len(donors.sources) if among is None else len(among)
    if not count:
        return None
    for place in rng.integers(0, count, TRIES).tolist():
        source = donors.sources[place if among is None else among[place]]
        try:
            return source, donors.read(source)
        except DataError:
            continue
    return None
