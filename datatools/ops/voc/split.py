"""datatools voc split: lists for training, validation and test that are exact, stratified and do not leak."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.types import SERIAL, DryRun, Run, Seed, VocFolder
from datatools.ops.voc.split_report import Split

if TYPE_CHECKING:
    from datatools.io.voc.layout import Item, VocSet
    from datatools.io.voc.scan import BoxTable

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
TRAINVAL = 0.9
TRAIN_OF_TRAINVAL = 0.9
TOLERANCE = 1e-6


@op("voc.split", version=1)
def split(
    src: VocFolder,
    *,
    # the folder may be the user's own and have lists already: it is not one that is replaced as a whole
    out: Annotated[
        Path | None,
        Param("write the lists below DIR instead of SRC", flags=("-o", "--out"), metavar="DIR", writes="files"),
    ] = None,
    train: Annotated[float | None, Param("share of the images for training (0.8)", ge=0, le=1)] = None,
    val: Annotated[float | None, Param("share for validation (0.1)", ge=0, le=1)] = None,
    test: Annotated[float | None, Param("share for the test (0.1)", ge=0, le=1)] = None,
    trainval: Annotated[float | None, Param("other form: share of train and val together (0.9)", ge=0, le=1)] = None,
    train_of_trainval: Annotated[
        float | None, Param("other form: share of trainval that is for training (0.9)", ge=0, le=1)
    ] = None,
    stratify: Annotated[bool, Param("give every class its share of objects in every split")] = True,
    group: Annotated[
        str | None,
        Param(
            "images that must stay together: by a part of the id, folder, table or XML tag",
            metavar="REGEX|parent|csv:FILE|xml:TAG",
        ),
    ] = None,
    folds: Annotated[int | None, Param("K folds of equal size instead of the splits", ge=2, le=100)] = None,
    extend: Annotated[bool, Param("keep what the lists say, place only images that are in none")] = False,
    per_class: Annotated[bool, Param("write <class>_<split>.txt, too (1, 0: only difficult ones, -1)")] = False,
    strict: Annotated[bool, Param("exit with 1 where splits share ids, images, groups or neighbour frames")] = False,
    seed: Seed = 0,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Split:
    """Split a Pascal VOC set into lists: exact sizes, classes in their shares, groups and twin images kept together.

    After Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data" (2011), on counts of objects.
    Images with the same bytes always stay together. Lists that change are backed up first.
    """
    shares = _shares({"train": train, "val": val, "test": test}, trainval, train_of_trainval, folds)
    if folds and extend:
        raise UsageError("--extend continues train, val and test; it does not go with --folds")
    from datatools.io import backup
    from datatools.io.voc import layout, scan
    from datatools.ops.voc import dealing, groups, leaks, split_lists

    voc_set = layout.open_set(src)
    table = scan.read_table(voc_set, run=run)
    rows, unlistable = _listable(voc_set, table)
    items = [table.items[i] for i in rows]
    keys = [voc_set.key(item) for item in items]

    images = [_image(voc_set, item, table.filenames[i]) for item, i in zip(items, rows, strict=True)]
    digests, unreadable = leaks.image_digests(images, voc_set.name, run)
    named = groups.labels_of(group, items, keys, run) if group else [None] * len(items)
    where = split_lists.folders(voc_set, out)
    # two trees may share one file of lists: an id can have only one place in it
    lines = [(where.index(where[item.tree]), item.id) for item in items]
    units = groups.joined((named, digests, lines), len(items))

    old = split_lists.read_old(voc_set, items, where) if extend else split_lists.OldLists({}, {})
    dealt = dealing.deal(table, rows, units, old.places, shares, seed, stratify=stratify, grouped=group is not None)
    # an id that stood in two lists stays in both: that is a leak to be told, not to be hidden
    places = [frozenset((*old.places.get(i, ()), split)) for i, split in enumerate(dealt.splits)]

    lists = _lists(places, tuple(shares), folds)
    made = split_lists.contents(where, items, lists, old)
    unnameable: tuple[DataError, ...] = ()
    if per_class:
        of_classes, unnameable = split_lists.class_contents(where, items, rows, lists, table)
        made |= of_classes
    changes = split_lists.changed(made)
    target = src if out is None else out
    base = Path(os.path.abspath(target))
    kept_in = None
    if changes and not dry_run:
        names = {path.relative_to(base).as_posix(): data for path, data in changes.items()}
        kept_in = backup.rewrite(base, names, "voc split")

    twins = Counter(digest for digest in digests if digest)
    return Split(
        src=src,
        out=target,
        seed=seed,
        sizes=dealt.sizes,
        wanted=dealt.wanted,
        kept=len(old.places),
        balance=dealt.balance,
        worst_error=max((abs(e) for row in dealt.balance for e in row.errors if e is not None), default=None),
        tied=sum(count for count in twins.values() if count > 1),
        groups=len(set(named) - {None}),
        ungrouped=named.count(None) if group else 0,
        no_image=images.count(""),
        leaks=leaks.find_leaks(keys, places, digests, named),
        lists=tuple(target / path.relative_to(base) for path in changes),
        unchanged=len(made) - len(changes),
        backup=target / kept_in.relative_to(base) if kept_in else None,
        failures=(*table.failures, *unlistable, *unreadable, *unnameable),
        strict=strict,
        dry_run=dry_run,
    )


def _shares(
    plain: dict[str, float | None], trainval: float | None, train_of_trainval: float | None, folds: int | None
) -> dict[str, float]:
    """The share of each split. Raises UsageError where the two forms are mixed or the shares do not sum to 1."""
    given = {name: share for name, share in plain.items() if share is not None}
    nested = trainval is not None or train_of_trainval is not None
    if folds:
        if given or nested:
            raise UsageError("--folds makes folds of equal size: it does not go with shares")
        return {f"fold_{k}": 1 / folds for k in range(folds)}
    if nested:
        if given:
            raise UsageError("give either --train --val --test or --trainval --train-of-trainval, not both")
        both = TRAINVAL if trainval is None else trainval
        inner = TRAIN_OF_TRAINVAL if train_of_trainval is None else train_of_trainval
        return {"train": both * inner, "val": both * (1 - inner), "test": 1 - both}
    # shares that are whole by themselves leave nothing to the defaults: --train 0.9 --val 0.1
    rest = dict.fromkeys(SHARES, 0.0) if abs(sum(given.values()) - 1) <= TOLERANCE else SHARES
    shares = rest | given
    total = sum(shares.values())
    if not abs(total - 1) <= TOLERANCE:
        told = ", ".join(f"{name} {share:g}{'' if name in given else ' by default'}" for name, share in shares.items())
        raise UsageError(f"the shares must sum to 1, they sum to {total:g} ({told})")
    return shares


def _listable(voc_set: "VocSet", table: "BoxTable") -> tuple[list[int], tuple[DataError, ...]]:
    """The rows of the table by the bytes of their keys, and those whose id cannot be a line of a list."""
    rows, refused = [], []
    for i in sorted(range(len(table.items)), key=lambda i: os.fsencode(voc_set.key(table.items[i]))):
        name = table.items[i].id
        if name != name.strip() or "\n" in name or "\r" in name:
            what = "the name has a line end, or blanks around it, and cannot stand in a list"
            refused.append(DataError(voc_set.name(table.items[i].xml_file), 0, "E-ITEM-NAME", what, "rename the file"))
        else:
            rows.append(i)
    return rows, tuple(refused)


def _image(voc_set: "VocSet", item: "Item", filename: str) -> str:
    """The path of the item's image, "" where there is none."""
    return item.image_file or str(voc_set.image_by_filename(item, filename) or "" if filename else "")


def _lists(places: Sequence[frozenset[str]], names: Sequence[str], folds: int | None) -> dict[str, list[int]]:
    """The lists to write, with the places of their items."""
    within = {name: [i for i, place in enumerate(places) if name in place] for name in names}
    if not folds:
        both = [i for i, place in enumerate(places) if place & {"train", "val"}]
        return {"train": within["train"], "val": within["val"], "trainval": both, "test": within["test"]}
    lists: dict[str, list[int]] = {}
    for name in names:
        lists[f"{name}_train"] = [i for i, place in enumerate(places) if name not in place]
        lists[f"{name}_val"] = within[name]
    return lists
