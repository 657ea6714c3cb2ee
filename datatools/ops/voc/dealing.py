"""From a set's boxes to a split of its items: what is fixed, what is dealt, and how well it came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datatools.ops.voc.split_report import ClassBalance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.io.voc.scan import BoxTable


@dataclass(frozen=True, slots=True)
class Dealt:
    """splits: the name of each item's split. sizes, wanted: items that each has and should have."""

    splits: tuple[str, ...]
    sizes: dict[str, int]
    wanted: dict[str, int]
    balance: tuple[ClassBalance, ...]


def deal(
    table: "BoxTable",
    rows: Sequence[int],
    units: Sequence[int],
    places: Mapping[int, Sequence[str]],
    shares: Mapping[str, float],
    seed: int,
    *,
    stratify: bool,
    grouped: bool,
) -> Dealt:
    """Give every item a split.

    rows: of the items in the table. units: items with the same number stay together.
    places: the splits that an item is in already, by its number; the first one counts, and the unit's other items join
    it. shares: of the splits, by name. grouped: units are groups that the user named, so that sizes may be off by half
    a group where the classes gain from it.
    """
    import numpy as np

    from datatools.kernels import split as kernel

    names = list(shares)
    item_unit, fixed = _with_places(units, [names.index(places[i][0]) if i in places else -1 for i in range(len(rows))])
    box_item, box_class = _boxes(table, rows)
    counted = kernel.tally(item_unit, box_item, box_class, len(table.classes))
    blind = kernel.tally(item_unit, box_item[:0], box_class[:0], 0)
    targets = kernel.share_out(len(rows), list(shares.values()))
    tolerance = int(np.median(counted.sizes)) // 2 if grouped and counted.sizes.size else 0
    rng = np.random.default_rng(seed)
    split = kernel.assign(counted if stratify else blind, targets, rng, fixed=fixed, tolerance=tolerance)
    of_item = split[item_unit]
    return Dealt(
        splits=tuple(names[s] for s in of_item.tolist()),
        sizes=dict(zip(names, np.bincount(of_item, minlength=len(names)).tolist(), strict=True)),
        wanted=dict(zip(names, targets.tolist(), strict=True)),
        balance=_balance(table.classes, of_item, box_item, box_class, targets),
    )


def _with_places(units: Sequence[int], places: Sequence[int]) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Cut units that lie in several splits already; return the unit of each item and the split of each unit, or -1."""
    import numpy as np

    home: dict[int, int] = {}
    for unit, place in zip(units, places, strict=True):
        if place >= 0:
            home.setdefault(unit, place)
    numbers: dict[tuple[int, int], int] = {}
    pieces = [(unit, place if place >= 0 else home.get(unit, -1)) for unit, place in zip(units, places, strict=True)]
    item_unit = [numbers.setdefault(piece, len(numbers)) for piece in pieces]
    return np.array(item_unit, dtype=np.int64), np.array([place for _, place in numbers], dtype=np.int64)


def _boxes(table: "BoxTable", rows: Sequence[int]) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """The item and the class of each box of the items."""
    import numpy as np

    number = np.full(len(table.items), -1, dtype=np.int64)
    number[list(rows)] = np.arange(len(rows))
    box_item = number[table.box_item]
    listed = box_item >= 0
    return box_item[listed], table.box_class[listed].astype(np.int64)


def _balance(
    classes: Sequence[str],
    split: "NDArray[np.int64]",
    box_item: "NDArray[np.int64]",
    box_class: "NDArray[np.int64]",
    targets: "NDArray[np.int64]",
) -> tuple[ClassBalance, ...]:
    import numpy as np

    from datatools.kernels import split as kernel

    n_splits, n_classes = targets.size, len(classes)
    objects = kernel.tally(np.arange(split.size), box_item, box_class, n_classes).objects(split, n_splits)
    present = np.unique(box_item * n_classes + box_class) if n_classes else box_item[:0]
    cells = split[present // max(n_classes, 1)] * n_classes + present % max(n_classes, 1)
    images = np.bincount(cells, minlength=n_splits * n_classes).reshape(n_splits, n_classes)
    errors = kernel.relative_errors(objects, targets)
    totals = objects.sum(axis=0)
    due = totals[None, :] * targets[:, None] >= max(int(targets.sum()), 1)
    return tuple(
        ClassBalance(
            name=classes[c],
            objects=tuple(objects[:, c].tolist()),
            images=tuple(images[:, c].tolist()),
            shares=tuple((objects[:, c] / max(int(totals[c]), 1)).tolist()),
            errors=tuple(float(e) if ok else None for e, ok in zip(errors[:, c], due[:, c], strict=True)),
        )
        for c in range(n_classes)
    )
