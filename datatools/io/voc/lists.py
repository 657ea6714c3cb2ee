"""Lists of a set: ImageSets/Main, and the classes that labelmap.txt or classes.txt declares."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io import files
from datatools.io.voc.layout import Tree, VocSet

SPLITS = ("train", "val", "trainval", "test")


def read_lists(tree: Tree) -> dict[str, dict[str, int]]:
    """The ids of a tree's split lists: {"train": {"000001": 1, ...}}, each with the line that first names it (1-based).

    Only lists that are there are in the result. A byte order mark, CRLF, blank lines and blanks around an id are fine;
    quotes around it (Layout lists) and an image suffix are removed. A file of the per-class form ("id  1") is no split
    list, whatever its name, and is left out.

    Raises DataError where a list is not UTF-8 or cannot be read.
    """
    if tree.lists is None:
        return {}
    found: dict[str, dict[str, int]] = {}
    known: set[str] | None = None
    for split in SPLITS:
        lines = _lines(tree.lists / f"{split}.txt")
        if lines is None:
            continue
        if known is None:
            known = {item.id for item in (*tree.items, *tree.images_without_xml)}
        ids: dict[str, int] = {}
        for number, text in lines:
            ids.setdefault(_id(text, known), number)
        if not _is_per_class(ids, known):
            found[split] = ids
    return found


def splits_of(voc_set: VocSet) -> dict[str, list[str]]:
    """The keys of the items in train, val and test over all trees, in the order of the set's items.

    trainval counts only in trees that have neither train nor val. Ids without an XML are left out; splits without a
    list are absent from the result.
    """
    members: dict[str, set[str]] = {}
    for tree in voc_set.trees:
        lists = read_lists(tree)
        if "train" in lists or "val" in lists:
            lists.pop("trainval", None)
        by_id = {item.id: voc_set.key(item) for item in tree.items}
        for split, ids in lists.items():
            members.setdefault(split, set()).update(by_id[i] for i in ids if i in by_id)
    keys = [voc_set.key(item) for item in voc_set.items]
    return {split: [key for key in keys if key in members[split]] for split in SPLITS if split in members}


def unlisted(voc_set: VocSet) -> list[str]:
    """The keys of the items that are in no list, in order; empty where the set has no lists at all."""
    splits = splits_of(voc_set)
    listed = {key for keys in splits.values() for key in keys}
    return [key for item in voc_set.items if (key := voc_set.key(item)) not in listed] if splits else []


def list_bytes(ids: Iterable[str]) -> bytes:
    """A split list: one id a line.

    >>> list_bytes(["000001", "000002"])
    b'000001\\n000002\\n'
    """
    return "".join(f"{i}\n" for i in ids).encode("utf-8", "surrogateescape")


def per_class_bytes(rows: Mapping[str, int] | Iterable[tuple[str, int]]) -> bytes:
    """A list of one class: an id and 1 (has the class), -1 (has it not) or 0 (only difficult ones), right-aligned.

    >>> per_class_bytes([("000001", 1), ("000002", -1)])
    b'000001  1\\n000002 -1\\n'
    """
    pairs = rows.items() if isinstance(rows, Mapping) else rows
    return "".join(f"{i} {value:2d}\n" for i, value in pairs).encode("utf-8", "surrogateescape")


def declared_classes(voc_set: VocSet) -> tuple[str, ...]:
    """The classes of the first labelmap.txt or classes.txt of the set, in its order; empty where there is none.

    Looked for in the set's root, then in each tree's root and annotation folder. Of labelmap.txt
    (`label:r,g,b:parts:actions`) the first column counts, without its "background", which has no boxes.
    """
    folders = [voc_set.root, *(folder for tree in voc_set.trees for folder in (tree.root, tree.annotations))]
    for folder in dict.fromkeys(folders):
        if (lines := _lines(folder / "labelmap.txt")) is not None:
            labels = [text.partition(":")[0].strip() for _, text in lines if not text.startswith("#")]
            return tuple(dict.fromkeys(label for label in labels if label not in ("", "background")))
        if (lines := _lines(folder / "classes.txt")) is not None:
            return tuple(dict.fromkeys(text for _, text in lines))
    return ()


def _lines(path: Path) -> list[tuple[int, str]] | None:
    """The lines that are not blank, each with its number; None where there is no such file."""
    if not os.path.lexists(path):
        return None
    data = files.read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(path, line, "E-LIST-ENCODING", "the list is not UTF-8", "save it as UTF-8") from None
    # split at \n only: other characters that Python takes for line ends may be part of a name
    lines = enumerate(text.split("\n"), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _id(text: str, known: set[str]) -> str:
    """The id that a line names: without quotes, and without the suffix of an image where that makes it known."""
    text = text.strip('"')
    if text not in known and "." in text and (stem := text.rpartition(".")[0]) in known:
        return stem
    return text


def _is_per_class(ids: Sequence[str] | Mapping[str, int], known: set[str]) -> bool:
    """Whether every line is an id and a number, and none is an id as it stands (ids may have blanks)."""
    return bool(ids) and all(
        i not in known and i.rpartition(" ")[0].strip() and i.rpartition(" ")[2] in ("1", "0", "-1") for i in ids
    )
