"""Lists of files with labels, `path TAB label`: how PaddleOCR keeps the 0 and 180 of its direction classifier."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io import files
from datatools.io.classified.class_folders import is_picture
from datatools.io.classified.examples import ClassifiedSet, Example, Split, numbered

_WORDS: tuple[tuple[str, Split], ...] = (("train", "train"), ("val", "val"), ("test", "test"), ("eval", "val"))


def find(root: Path) -> list[Path]:
    """Return the label files right inside a folder: .txt files whose first line is a picture, a TAB and a label."""
    _, _, names = next(files.walk(root))
    return [root / name for name in names if name.lower().endswith(".txt") and _is_list(root / name)]


def read(paths: Sequence[Path]) -> ClassifiedSet:
    """Read label files; their pictures lie below the folder of the first.

    A name with `train`, `val` or `test` in it says the split. Paths may begin with the last parts of the folder's own
    path, as PaddleOCR's do. A line that is not of the form is a failure E-LABEL-LINE, one whose picture is not there
    E-IMAGE-MISSING. Classes are numbered in the order of their names' bytes.

    Raises DataError E-FILE-READ, StorageError where a file cannot be read.
    """
    root = paths[0].parent
    known = _pictures(root)
    named: list[tuple[Example, str]] = []
    failures: list[DataError] = []
    for path in paths:
        split = _split(path)
        for number, line in _lines(files.read_bytes(path)):
            try:
                picture, label = _parse(line)
                key = _look_up(picture, root, known)
            except _BadLine as error:
                failures.append(DataError(path.name, number, error.code, str(error)))
                continue
            named.append((Example(key, known[key], -1, split), label))
    declared = tuple(sorted({name for _, name in named}, key=os.fsencode))
    return numbered(root, "list", declared, named, tuple(failures))


class _BadLine(Exception):
    """A line that is no example. code: of the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _is_list(path: Path) -> bool:
    try:
        head, _ = files.read_head(path, 4096)
    except DataError:
        return False
    line = next((line for _, line in _lines(head)), b"")
    picture, tab, label = line.partition(b"\t")
    return bool(tab and label.strip()) and is_picture(os.fsdecode(picture)) and not label.startswith((b"[", b"{"))


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; a byte order mark and carriage returns are taken off."""
    split = enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
    return [(number, line.removesuffix(b"\r")) for number, line in split if line.strip()]


def _parse(line: bytes) -> tuple[str, str]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise _BadLine("E-LABEL-LINE", "it is not UTF-8") from None
    picture, tab, label = text.partition("\t")
    if not tab or not picture or not label.strip():
        raise _BadLine("E-LABEL-LINE", "it is not a path, a TAB and a label")
    if label.startswith(("[", "{")):
        raise _BadLine("E-LABEL-LINE", "its label is that of a text page, not one class")
    return picture, label.strip()


def _look_up(picture: str, root: Path, known: Mapping[str, str]) -> str:
    """The picture's path inside the folder. Only what a walk has found there can be named."""
    parts = [part for part in picture.replace("\\", "/").split("/") if part != "."]
    for kept in range(len(parts)):
        key = "/".join(parts[kept:])
        if key in known and parts[:kept] == list(root.resolve().parts[len(root.resolve().parts) - kept :]):
            return key
    raise _BadLine("E-IMAGE-MISSING", f"there is no picture {picture[:200]}")


def _pictures(root: Path) -> dict[str, str]:
    found = {}
    for folder, _, names in files.walk(root):
        for name in filter(is_picture, names):
            found["/".join((*folder.parts, name))] = os.path.join(root, folder, name)
    return found


def _split(path: Path) -> str:
    return next((split for word, split in _WORDS if word in path.stem.lower()), "")
