"""How a PaddleOCR set lies below a folder: its label files, found by what stands in them, and its images.

Nothing has to be called in a certain way. A text file is a label file where its first lines are an image, a TAB and a
label: a JSON list is text detection (`det`), 0 or 180 on every line the direction of lines (`cls`), any other text is
recognition (`rec`). PPOCRLabel's fileState.txt, which looks like one, is none.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.io.files import read_bytes, read_head, walk
from datatools.io.images import IMAGE_SUFFIXES
from datatools.io.paddleocr.images import How, Images
from datatools.io.paddleocr.lines import MAX_BYTES, Line, Split, broken, paths, split
from datatools.io.paddleocr.texts import DIRECTIONS

Kind = Literal["det", "rec", "cls"]

FILE_STATE = "fileState.txt"
_HEAD_BYTES = 65536
_HEAD_LINES = 30
_SPLITS = {
    "train": "train", "training": "train", "trainval": "train",
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a label file with its image.

    line: as it stands there. written: the image as the line names it. image: relative to the root, "" where there is
    none. how: what led to the image, or why there is none.
    """

    line: Line
    written: str
    image: str
    how: How


@dataclass(frozen=True)
class LabelFile:
    """A label file. name: relative to the root. split: train, val, test, or "" where nothing tells it."""

    name: str
    kind: Kind
    split: str

    @property
    def folder(self) -> str:
        """The folder that it lies in, relative to the root; "" for the root."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class OcrSet:
    """The label files of a set, sorted by name, and its images. root: as the user gave it."""

    root: Path
    label_files: tuple[LabelFile, ...]
    images: Images

    def of_kind(self, kind: Kind) -> tuple[LabelFile, ...]:
        """The label files of one kind."""
        return tuple(file for file in self.label_files if file.kind == kind)

    def read(self, file: LabelFile) -> tuple[Split, tuple[Entry, ...]]:
        """Read a label file: its lines as they are, and each with its image.

        Raises DataError E-FILE-READ where it is too large or no longer a file, StorageError where the disk fails.
        """
        try:
            data = read_bytes(self.root / file.name, MAX_BYTES)
        except DataError as error:
            raise DataError(file.name, 0, error.code, error.message, error.remedy) from None
        found = split(data, file.name)
        folder = file.folder
        entries = [
            Entry(line, written, *self.images.find(written, folder))
            for line in found.lines
            for written in (paths(line.path) if file.kind == "rec" else (line.path,))
        ]
        return found, tuple(entries)


def open_set(src: Path) -> OcrSet:
    """Find the label files and images below a folder. Nothing but the heads of text files is read.

    Raises UsageError where the folder has no label file.
    """
    label_files: list[LabelFile] = []
    images: list[str] = []
    for folder, _, names in walk(src):
        where = folder.as_posix() + "/" if folder.parts else ""
        for name in names:
            suffix = os.path.splitext(name)[1].lower()
            if suffix in IMAGE_SUFFIXES:
                images.append(where + name)
            elif suffix == ".txt" and name != FILE_STATE:
                kind = _sniff(src / folder / name, where + name)
                if kind:
                    label_files.append(LabelFile(where + name, kind, split_of(where + name)))
    if not label_files:
        raise UsageError(
            f"{escape(src)} has no PaddleOCR label file: text files of `image TAB label` lines are looked for"
            " (datatools ocr convert reads other formats)"
        )
    label_files.sort(key=lambda file: os.fsencode(file.name))
    root_name = os.path.basename(os.path.abspath(src))
    return OcrSet(src, tuple(label_files), Images(images, root_name))


def _sniff(path: Path, name: str) -> Kind | None:
    try:
        head, size = read_head(path, _HEAD_BYTES)
    except DataError:  # it went away, or is no file any more
        return None
    if size > len(head):
        head = head[: head.rfind(b"\n") + 1] or head  # what follows the last line end is cut
    return kind_of(head, name)


def kind_of(head: bytes, name: str) -> Kind | None:
    r"""Tell from the first bytes of a text file, which end with a line, what its labels are; None where it has none.

    name: of the file: `rec` or `cls` in it decides where all texts are 0 or 180.

    >>> kind_of(b"a.jpg\t[]\n", "x.txt"), kind_of(b"a.jpg\t180\n", "x.txt"), kind_of(b"a.jpg\tabc\n", "x.txt")
    ('det', 'cls', 'rec')
    """
    votes: dict[Kind | None, int] = {"det": 0, "rec": 0, "cls": 0, None: 0}
    text = head.decode("utf-8-sig", "replace")
    for line in [line for line in text.split("\n") if line.strip()][:_HEAD_LINES]:
        votes[_vote(line.rstrip("\r"))] += 1
    counted = votes["det"] + votes["rec"] + votes["cls"]
    if votes["det"] and votes["det"] * 2 >= counted:  # nothing else looks like that, however many lines are broken
        return "det"
    if counted <= votes[None]:
        return None
    if votes["cls"] and not votes["rec"] and "rec" not in _words(name):
        return "cls"
    return "rec"


_REGIONS = re.compile(r"\s*\[\s*(?:\]|\{\s*[\"'])")


def _vote(line: str) -> Kind | None:
    path, tab, label = line.partition("\t")
    if not tab:
        return None
    last = paths(path)[-1]
    if _REGIONS.match(label):
        return "det"
    if os.path.splitext(last)[1].lower() not in IMAGE_SUFFIXES:
        return None
    return "cls" if label in DIRECTIONS else "rec"


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", name.lower())


def split_of(name: str) -> str:
    """Return the split that the path of a label file tells, by its own name first, then by its folders; else "".

    >>> [split_of(n) for n in ("train_icdar2015_label.txt", "rec/val/gt.txt", "Label.txt")]
    ['train', 'val', '']
    """
    path = PurePosixPath(name)
    for word in _words(path.stem):
        if word in _SPLITS:
            return _SPLITS[word]
    for folder in reversed(path.parent.parts):
        if folder.lower() in _SPLITS:
            return _SPLITS[folder.lower()]
    return ""


def image_errors(file: LabelFile, entries: tuple[Entry, ...]) -> Iterator[DataError]:
    """Say of every line without an image why it has none."""
    for entry in entries:
        if error := image_error(file, entry):
            yield error


def image_error(file: LabelFile, entry: Entry) -> DataError | None:
    """Say why a line has no image; None where it has one."""
    number, shown = entry.line.number, entry.written[:200]
    if entry.how == "missing":
        return DataError(file.name, number, "E-IMAGE-MISSING", f"{shown} is not in the set")
    if entry.how == "ambiguous":
        what = f"several images end like {shown}"
        return DataError(file.name, number, "E-IMAGE-AMBIGUOUS", what, "make the path relative to the label file")
    if entry.how == "outside":
        return broken(file.name, number, f"{shown} leads out of the set", "make the path relative to the label file")
    return None
