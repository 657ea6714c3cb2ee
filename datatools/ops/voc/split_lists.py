"""The lists of a split as files: which folder has them, what they held before, what they will hold."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import DataError

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet
    from datatools.io.voc.scan import BoxTable

MAIN = Path("ImageSets") / "Main"
DISJOINT = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class OldLists:
    """What the lists said before, for --extend.

    places: the disjoint splits that list each item, by its place among the items; absent where none does.
    others: by lists folder and split, the ids that no item has; they stay in their lists.
    """

    places: Mapping[int, tuple[str, ...]]
    others: Mapping[tuple[Path, str], tuple[str, ...]]


def folders(voc_set: "VocSet", out: Path | None) -> tuple[Path, ...]:
    """The folder of each tree's lists: its own ImageSets/Main, or DIR/<path of the tree>/ImageSets/Main."""
    if out is None:
        return tuple(tree.lists or tree.root / MAIN for tree in voc_set.trees)
    base = Path(os.path.abspath(out))
    return tuple(base / tree.root.relative_to(voc_set.root) / MAIN for tree in voc_set.trees)


def read_old(voc_set: "VocSet", items: Sequence["Item"], where: Sequence[Path]) -> OldLists:
    """Read the lists that stand in the folders they will be written to; the set's own where there are none yet.

    trainval counts only for ids that neither train nor val has; they are taken for training.
    """
    from datatools.io.voc.lists import read_lists

    numbers: dict[tuple[Path, str], list[int]] = {}
    for i, item in enumerate(items):
        numbers.setdefault((where[item.tree], item.id), []).append(i)
    places: dict[int, tuple[str, ...]] = {}
    others: dict[tuple[Path, str], tuple[str, ...]] = {}
    for tree, folder in zip(voc_set.trees, where, strict=True):
        old = read_lists(replace(tree, lists=folder)) or read_lists(tree)
        told = old.get("train", {}).keys() | old.get("val", {}).keys()
        more = {name: line for name, line in old.get("trainval", {}).items() if name not in told}
        old["train"] = old.get("train", {}) | more
        for split in DISJOINT:
            ids = old.get(split, {})
            for name in ids:
                for number in numbers.get((folder, name), ()):
                    if split not in places.get(number, ()):
                        places[number] = (*places.get(number, ()), split)
            others[folder, split] = tuple(name for name in ids if (folder, name) not in numbers)
    return OldLists(places, others)


def contents(
    where: Sequence[Path], items: Sequence["Item"], lists: Mapping[str, Sequence[int]], old: OldLists
) -> dict[Path, bytes]:
    """The bytes of every list. lists: for each list's name the items (their places), in order."""
    from datatools.io.voc.lists import list_bytes

    made: dict[Path, bytes] = {}
    for folder in dict.fromkeys(where):
        for name, members in lists.items():
            ids = {items[i].id for i in members if where[items[i].tree] == folder}
            for split in ("train", "val") if name == "trainval" else (name,):
                ids.update(old.others.get((folder, split), ()))
            made[folder / f"{name}.txt"] = list_bytes(sorted(ids, key=os.fsencode))
    return made


def class_contents(
    where: Sequence[Path],
    items: Sequence["Item"],
    rows: Sequence[int],
    lists: Mapping[str, Sequence[int]],
    table: "BoxTable",
) -> tuple[dict[Path, bytes], tuple[DataError, ...]]:
    """The bytes of <class>_<split>.txt: 1 the image has the class, 0 only difficult objects of it, -1 it has none.

    rows: the row in the table of each item. Classes whose name can be no file name are refused, each with an error.
    """
    from datatools.io import files
    from datatools.io.voc.lists import per_class_bytes

    # the same for every class: which items a file has, in the order of the plain list
    members: dict[tuple[Path, str], list[int]] = {(folder, name): [] for folder in where for name in lists}
    for name, chosen in lists.items():
        for i in chosen:
            members[where[items[i].tree], name].append(i)
    for chosen in members.values():
        chosen.sort(key=lambda i: os.fsencode(items[i].id))

    made: dict[Path, bytes] = {}
    refused: list[DataError] = []
    longest = max(lists, key=len, default="")
    for number, label in enumerate(table.classes):
        if not (files.safe_component(label) and files.safe_component(f"{label}_{longest}.txt")):
            what = f"the class {label!r} can be no part of a file name"
            refused.append(DataError(MAIN, 0, "E-CLASS-NAME", what, "datatools voc rename"))
            continue
        states = _states(table, number)
        for (folder, name), chosen in members.items():
            made[folder / f"{label}_{name}.txt"] = per_class_bytes((items[i].id, states[rows[i]]) for i in chosen)
    return made, tuple(refused)


def _states(table: "BoxTable", number: int) -> list[int]:
    """-1, 0 or 1 for each row of the table."""
    import numpy as np

    states = np.full(len(table.items), -1)
    mine = table.box_class == number
    states[table.box_item[mine]] = 0
    states[table.box_item[mine & ~table.difficult]] = 1
    return [int(state) for state in states.tolist()]


def changed(made: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """Those that are not on the disk as they should be."""
    return {path: data for path, data in made.items() if not _holds(path, data)}


def _holds(path: Path, data: bytes) -> bool:
    from datatools.io import files

    try:
        return files.read_bytes(path, limit=max(len(data), 1)) == data
    except DataError:  # absent, longer, or no regular file, which writing refuses
        return False
