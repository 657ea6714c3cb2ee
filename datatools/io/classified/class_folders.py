"""A folder a class, with its pictures inside; perhaps one level lower, perhaps below train/, val/ and test/."""

import os
from collections.abc import Mapping
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io import files
from datatools.io.classified.examples import ClassifiedSet, Example, Split, numbered
from datatools.io.images import IMAGE_SUFFIXES

SPLIT_FOLDERS: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Folders that hold a split rather than a class, in lower case, where all folders beside them do."""


def read(root: Path) -> ClassifiedSet:
    """Read a tree of class folders; without pictures it is an empty set.

    A class may have folders inside. Pictures that lie in no class folder are failures E-CLASS-MISSING. Classes are
    numbered in the order of their names' bytes.

    Raises UsageError and StorageError as `files.walk` does.
    """
    pictures: dict[tuple[str, ...], list[str]] = {}
    folders: list[tuple[str, ...]] = []
    for folder, _, names in files.walk(root):
        folders.append(folder.parts)
        pictures[folder.parts] = [n for n in names if is_picture(n)]
    top = _top(pictures)
    named: list[tuple[Example, str]] = []
    homeless: list[DataError] = []
    tops = _split_folders(pictures, top) or {top: ""}
    for folder, names in pictures.items():
        home = next((t for t in (folder[: len(top) + 1], top) if t in tops), None)
        for name in names:
            key = "/".join((*folder, name))
            if home is None or len(folder) <= len(home):
                homeless.append(DataError(key, 0, "E-CLASS-MISSING", "it lies in no class folder", "move or remove it"))
            else:
                file = os.path.join(root, *folder, name)
                named.append((Example(key, file, -1, tops[home]), folder[len(home)]))
    declared = {f[len(home)] for f in folders for home in tops if len(f) == len(home) + 1 and f[: len(home)] == home}
    return numbered(root, "folders", tuple(sorted(declared, key=os.fsencode)), named, tuple(homeless))


def is_picture(name: str) -> bool:
    """Whether the suffix is one of a picture.

    >>> is_picture("a.JPG"), is_picture("jpg"), is_picture("a.txt")
    (True, False, False)
    """
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _inside(pictures: Mapping[tuple[str, ...], list[str]], folder: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The folders right inside that have a picture somewhere."""
    depth = len(folder)
    found = (f[: depth + 1] for f, names in pictures.items() if names and len(f) > depth and f[:depth] == folder)
    return list(dict.fromkeys(found))


def _top(pictures: Mapping[tuple[str, ...], list[str]]) -> tuple[str, ...]:
    """The folder of the class folders: lower than the root where a single folder wraps them all."""
    top: tuple[str, ...] = ()
    while not pictures.get(top) and len(inner := _inside(pictures, top)) == 1 and _inside(pictures, inner[0]):
        if inner[0][-1].lower() in SPLIT_FOLDERS:
            break
        top = inner[0]
    return top


def _split_folders(
    pictures: Mapping[tuple[str, ...], list[str]], top: tuple[str, ...]
) -> dict[tuple[str, ...], Split]:
    """The folders of splits with what they are; none where one beside them is no split or holds pictures itself."""
    inner = _inside(pictures, top)
    named = {folder: SPLIT_FOLDERS.get(folder[-1].lower()) for folder in inner}
    found = {folder: split for folder, split in named.items() if split and _inside(pictures, folder)}
    return found if len(found) == len(inner) else {}
