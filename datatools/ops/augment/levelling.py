"""Levelling the long tail of classes: which objects are wanted, and where they are found."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.errors import DataError, UsageError
from datatools.core.values import Donors, Source

if TYPE_CHECKING:
    import numpy as np

PLACES = 200
"""Of so many items at most it is remembered that they have a class."""


def census(root: Path, sources: Iterator[Source], other: Path | None, allow_leak: bool) -> dict[str, Any]:
    """Count the boxes of each class in what is augmented.

    Returns plain data: `counts` of each class, `items` that are augmented, and `places`: ids of items that have the
    class, of the other set where there is one. Raises UsageError where the sets have no classes.
    """
    group_of = {one.id: one.group for one in sources if one.kind != "carried"}
    counts, places = _classes(root, group_of, allow_leak=False)
    if other is not None:
        _, places = _classes(other, None, allow_leak=allow_leak)
    elif allow_leak:
        _, places = _classes(root, group_of, allow_leak=True)
    items = sum(group not in ("val", "test") for group in group_of.values())
    return {"counts": counts, "items": items, "places": places}


def _classes(
    root: Path, group_of: dict[str, str] | None, *, allow_leak: bool
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """How many boxes each class has in the items that are no judges, and some items that have it."""
    from datatools.core.values import Labelled
    from datatools.io.codecs import codec_of
    from datatools.io.voc.layout import open_set
    from datatools.io.voc.scan import read_table

    codec = codec_of(Labelled)
    if not codec.recognises(root):
        raise UsageError("--target-per-class is for boxes with classes; texts have none")
    groups = group_of or {one.id: one.group for one in codec.find(root) if one.kind != "carried"}
    voc_set = open_set(root)
    table = read_table(voc_set)
    keys = [voc_set.key(item) for item in table.items]
    usable = [allow_leak or groups.get(key, "") not in ("val", "test") for key in keys]
    counts = dict.fromkeys(table.classes, 0)
    places: dict[str, list[str]] = {name: [] for name in table.classes}
    pairs = zip(table.box_item.tolist(), table.box_class.tolist(), table.difficult.tolist(), strict=True)
    for item, number, difficult in pairs:
        if usable[item] and not difficult:
            name = table.classes[number]
            counts[name] += 1
            if not places[name] or places[name][-1] != keys[item]:
                places[name].append(keys[item])
    return counts, {name: _some(where) for name, where in places.items()}


def _some(where: list[str]) -> list[str]:
    """At most PLACES of them, from everywhere in the list."""
    if len(where) <= PLACES:
        return where
    return [where[i * len(where) // PLACES] for i in range(PLACES)]


def draw(
    rng: "np.random.Generator", prepared: dict[str, Any], donors: Donors, at_most: int, target: int
) -> list[tuple[Source, Any, list[str]]]:
    """Draw which classes an item gets, and read items that have them.

    What a class lacks is spread over all items: each gets its part, rounded up or down at random. Returns donors with
    the classes to be taken from each.
    """
    wanted: list[str] = []
    for name, count in prepared["counts"].items():
        part = max(0, target - count) / max(prepared["items"], 1)
        wanted += [name] * (int(part) + (rng.random() < part % 1))
    order = rng.permutation(len(wanted)).tolist()
    found: dict[str, list[str]] = {}
    for name in (wanted[i] for i in order[:at_most]):
        if where := prepared["places"].get(name):
            found.setdefault(where[int(rng.integers(len(where)))], []).append(name)
    by_id = {one.id: one for one in donors.sources if one.id in found}
    pairs = []
    for key, classes in found.items():
        if key in by_id:  # it may be the item itself
            try:
                pairs.append((by_id[key], donors.read(by_id[key]), classes))
            except DataError:
                continue
    return pairs
