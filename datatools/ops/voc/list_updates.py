"""What becomes of a set's lists when its objects are renamed or removed: they say afterwards what the XML says.

Split lists lose the items that went, lists of a class in a split (`cat_train.txt`) are made anew under the class's new
name, classes.txt and labelmap.txt follow.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import DataError

if TYPE_CHECKING:
    from datatools.io.voc.layout import Tree, VocSet
    from datatools.ops.voc.derived import Edited, Rule


def updated(voc_set: "VocSet", edited: Sequence["Edited"], rule: "Rule") -> tuple[dict[str, bytes | None], list[str]]:
    """The lists that change (absolute path -> new bytes, None: it goes), and notes on what became of them."""
    rewritten: dict[str, bytes | None] = {}
    notes: list[str] = []
    for number, tree in enumerate(voc_set.trees):
        members = {e.item.id: e for e in edited if e.item.tree == number}
        gone = {i for i, e in members.items() if e.dropped or e.failure}
        for folder in {tree.root, tree.annotations, voc_set.root}:
            rewritten |= _class_files(folder, rule)
        if tree.lists is None:
            continue
        if gone:
            rewritten |= _split_files(tree, gone)
        made, left_out = _per_class_files(tree, members, gone, rule)
        rewritten |= made
        if made:
            remade = sum(content is not None for content in made.values())
            notes.append(f"{voc_set.name(tree.lists)}: {remade} lists of a class made anew, {left_out} left out")
    return rewritten, notes


def _split_files(tree: "Tree", gone: set[str]) -> dict[str, bytes]:
    from datatools.io.voc.lists import list_bytes, read_lists

    assert tree.lists is not None
    return {
        str(tree.lists / f"{split}.txt"): list_bytes(i for i in ids if i not in gone)
        for split, ids in read_lists(tree).items()
        if gone & ids.keys()
    }


def _per_class_files(
    tree: "Tree", members: Mapping[str, "Edited"], gone: set[str], rule: "Rule"
) -> tuple[dict[str, bytes | None], int]:
    """<class>_<split>.txt anew, in the order of the old ones; those of removed classes go, equal new names are one."""
    from datatools.io.files import read_bytes, safe_component, walk
    from datatools.io.voc.lists import SPLITS, per_class_bytes

    assert tree.lists is not None
    known = {name for e in members.values() for name in (*e.removed, *e.renamed, *(label for label, _ in e.objects))}
    known |= rule.names.keys()
    wanted: dict[str, tuple[str, list[str]]] = {}
    made: dict[str, bytes | None] = {}
    for file in next(walk(tree.lists))[2]:
        label, _, split = file.removesuffix(".txt").rpartition("_")
        if label not in known or split not in SPLITS or not file.endswith(".txt"):
            continue
        made[str(tree.lists / file)] = None
        new = rule.names.get(label, label)
        if (rule.keep is None or label in rule.keep) and safe_component(f"{new}_{split}.txt"):
            rows = read_bytes(tree.lists / file).decode("utf-8-sig", "surrogateescape").split("\n")
            found = (row.rstrip().rpartition(" ")[0].rstrip() for row in rows)
            wanted.setdefault(f"{new}_{split}.txt", (new, []))[1].extend(i for i in found if i)
    left_out = len(made)
    for file, (label, ids) in wanted.items():
        stem_of = {i: i if i in members else i.rpartition(".")[0] for i in dict.fromkeys(ids)}
        rows_now = [(i, _presence(members.get(stem), label)) for i, stem in stem_of.items() if stem not in gone]
        made[str(tree.lists / file)] = per_class_bytes(rows_now)
    return made, max(0, left_out - len(wanted))


def _presence(edited: "Edited | None", label: str) -> int:
    """1: the item has an object of the class; 0: only difficult ones; -1: none."""
    marks = [difficult for name, difficult in edited.objects if name == label] if edited else []
    return -1 if not marks else 0 if all(marks) else 1


def _class_files(folder: Path, rule: "Rule") -> dict[str, bytes | None]:
    """classes.txt and labelmap.txt of a folder under the new names, without the classes that were removed."""
    from datatools.io.files import read_bytes

    found: dict[str, bytes | None] = {}
    for file in ("classes.txt", "labelmap.txt"):
        try:
            text = read_bytes(folder / file).decode("utf-8-sig", "surrogateescape")
        except DataError:
            continue
        lines: dict[str, str] = {}
        for line in text.split("\n"):
            label, colon, rest = line.strip().partition(":") if file == "labelmap.txt" else (line.strip(), "", "")
            if label and (rule.keep is None or label in rule.keep or label == "background"):
                new_label = rule.names.get(label, label)
                lines.setdefault(new_label, new_label + colon + rest)
        new = "".join(f"{line}\n" for line in lines.values()).encode("utf-8", "surrogateescape")
        if new.split() != text.encode("utf-8", "surrogateescape").split():
            found[str(folder / file)] = new
    return found
