"""A folder a class, with its pictures inside; perhaps one level lower, perhaps below train/, val/ and test/."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from datatools.core.errors import DataError
from datatools.core.values import printable
from datatools.io import files
from datatools.io.classified import soft_labels
from datatools.io.classified.examples import ClassifiedSet, Example, Split, numbered
from datatools.io.images import IMAGE_SUFFIXES

Parts = tuple[str, ...]
"""A folder inside the root: the names on the way to it."""

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

    A class may have folders inside. Where there is a labels.csv, it says which pictures are mixed of several classes.
    Pictures that lie in no class folder are failures E-CLASS-MISSING. Classes are numbered in the order of their names'
    bytes.

    Raises UsageError and StorageError as `files.walk` does.
    """
    pictures: dict[Parts, list[str]] = {}
    folders: list[Parts] = []
    for folder, _, names in files.walk(root):
        folders.append(folder.parts)
        pictures[folder.parts] = [n for n in names if is_picture(n)]
    top = _top(pictures)
    named: list[tuple[Example, str]] = []
    homeless: list[DataError] = []
    tops: dict[Parts, str] = {**_split_folders(pictures, top)} or {top: ""}
    for parts, names in pictures.items():
        home = next((t for t in (parts[: len(top) + 1], top) if t in tops), None)
        for name in names:
            key = "/".join((*parts, name))
            if home is None or len(parts) <= len(home):
                homeless.append(DataError(key, 0, "E-CLASS-MISSING", "it lies in no class folder", "move or remove it"))
            else:
                file = os.path.join(root, *parts, name)
                named.append((Example(key, file, -1, tops[home]), printable(parts[len(home)])))
    declared = {f[len(home)] for f in folders for home in tops if len(f) == len(home) + 1 and f[: len(home)] == home}
    classes = tuple(map(printable, sorted(declared, key=os.fsencode)))
    mixed, odd = soft_labels.read(root, {printable(example.key): example for example, _ in named})
    return _with_shares(numbered(root, "folders", classes, named, (*homeless, *odd)), mixed)


def _with_shares(found: ClassifiedSet, mixed: Mapping[str, Mapping[str, float]]) -> ClassifiedSet:
    """Give examples the shares of the classes that they are mixed of; a class that has no folder is a failure."""
    if not mixed:
        return found
    number = {name: i for i, name in enumerate(found.classes)}
    examples: list[Example] = []
    failures = list(found.failures)
    for example in found.examples:
        shares = mixed.get(printable(example.key), {})
        if strange := [name for name in shares if name not in number]:
            what = f"{soft_labels.NAME} gives it a share of {strange[0]!r}, which has no picture"
            failures.append(DataError(example.key, 0, "E-CLASS-UNKNOWN", what))
            continue
        numbers = tuple(sorted((number[name], share) for name, share in shares.items()))
        label = max(numbers, key=lambda s: s[1])[0] if numbers else example.label
        examples.append(replace(example, label=label, shares=numbers))
    return replace(found, examples=tuple(examples), failures=tuple(failures))


def is_picture(name: str) -> bool:
    """Whether the suffix is one of a picture.

    >>> is_picture("a.JPG"), is_picture("jpg"), is_picture("a.txt")
    (True, False, False)
    """
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _inside(pictures: Mapping[Parts, list[str]], folder: Parts) -> list[Parts]:
    """The folders right inside that have a picture somewhere."""
    depth = len(folder)
    found = (f[: depth + 1] for f, names in pictures.items() if names and len(f) > depth and f[:depth] == folder)
    return list(dict.fromkeys(found))


def _top(pictures: Mapping[Parts, list[str]]) -> Parts:
    """The folder of the class folders: lower than the root where a single folder wraps them all."""
    top: Parts = ()
    while not pictures.get(top) and len(inner := _inside(pictures, top)) == 1 and _inside(pictures, inner[0]):
        if inner[0][-1].lower() in SPLIT_FOLDERS:
            break
        top = inner[0]
    return top


def _split_folders(pictures: Mapping[Parts, list[str]], top: Parts) -> dict[Parts, Split]:
    """The folders of splits with what they are; none where one beside them is no split or holds pictures itself."""
    inner = _inside(pictures, top)
    named = {folder: SPLIT_FOLDERS.get(folder[-1].lower()) for folder in inner}
    found = {folder: split for folder, split in named.items() if split and _inside(pictures, folder)}
    return found if len(found) == len(inner) else {}
