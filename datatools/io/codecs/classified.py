"""Class folders: pictures whose folder is their class, perhaps below train/, val/ and test/.

The output has the folders of the input. Where pictures were mixed of several classes, `labels.csv` says of every
picture in what shares; it stays in the folder of the picture that it was made from.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from datatools.core.errors import UsageError, escape
from datatools.core.values import Classified, Source, printable
from datatools.io import files, images
from datatools.io.codecs.image import CARRIED
from datatools.io.codecs.lists import Lists
from datatools.io.images import IMAGE_SUFFIXES
from datatools.io.intake import Intake
from datatools.io.paddleocr import layout
from datatools.io.room import Room

LABELS = "labels.csv"
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
DROPPED = ("run.json", LABELS)
"""Files that say nothing true of the output."""


class ClassifiedCodec:
    """An item is a picture in a class folder. JPEG is written with quality 95."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Whether pictures lie in folders and nowhere else, and no annotation or label file speaks of them."""
        pictures = list(_pictures(root))
        if not pictures or not all(label for _, label, _ in _classes(pictures)):
            return False
        if any(name.lower().endswith(".xml") for _, _, names in files.walk(root) for name in names):
            return False
        try:
            return not layout.open_set(root).label_files
        except UsageError:
            return True

    def find(self, root: Path) -> Iterator[Source]:
        """Every picture in a class folder; what lies elsewhere is carried over."""
        taken = set()
        for name, label, split in _classes(list(_pictures(root))):
            if label:
                taken.add(name)
                yield Source(name, (name,), label, split)
        if not taken:
            raise UsageError(f"{escape(root)}: holds no class folders with pictures")
        for folder, _, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            for name in names:
                if where + name not in taken and where + name not in DROPPED:
                    yield Source(where + name, (where + name,), kind=CARRIED)

    def read(self, source: Source, intake: Intake) -> Classified:
        """Decode the picture. Raises DataError E-IMAGE-DAMAGED, E-IMAGE-UNREADABLE."""
        pixels = images.decode(intake.read(limit=images.MAX_FILE_BYTES), name=source.id)
        return Classified(pixels, ((source.labels, 1.0),))

    def keep(self, source: Source, intake: Intake, room: Room) -> Any:
        """Give the picture a second name."""
        room.link(intake.path(), source.files[0], intake.digests[0])
        intake.refresh()
        return [source.files[0], [[source.labels, 1.0]]]

    def write(self, value: Classified, source: Source, room: Room, variant: str) -> Any:
        """Encode the picture beside where the old one lay; note its classes."""
        path = PurePosixPath(source.files[0])
        suffix = path.suffix if path.suffix.lower() != ".gif" else ".png"
        name = str(path.with_name(f"{path.stem}{variant}{suffix}"))
        room.write(name, images.encode(value.pixels, suffix.lower()))
        return [name, [list(share) for share in value.classes]]

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Write labels.csv where a picture has several classes: its name, then a share for each class of the set."""
        found = {label for _, label, _ in _classes(list(_pictures(root))) if label}
        classes = sorted(found, key=os.fsencode)
        listed = [(name, shares) for _, notes in rows for name, shares in notes]
        if all(len(shares) == 1 for _, shares in listed):
            return
        with Lists(room) as lists:
            lists.add(LABELS, _row(["image", *map(printable, classes)]))
            for name, shares in listed:
                share = {label: float(part) for label, part in shares}
                lists.add(LABELS, _row([printable(name), *(f"{share.get(c, 0.0):.6g}" for c in classes)]))


def _pictures(root: Path) -> Iterator[tuple[str, ...]]:
    """The parts of the path of every picture below the folder."""
    for folder, _, names in files.walk(root):
        yield from ((*folder.parts, name) for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES)


def _classes(pictures: list[tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """The path of every picture, its class and its split; the class is empty where no folder tells it.

    Folders that wrap all pictures tell no class, and those called train, val, test tell the split where all beside
    them do.
    """
    top = 0
    while pictures and all(len(parts) > top + 2 for parts in pictures) and len({p[top] for p in pictures}) == 1:
        if pictures[0][top].lower() in _SPLITS:
            break
        top += 1
    inner = [parts for parts in pictures if len(parts) > top + 1]
    split = bool(inner) and len(inner) == len(pictures) and all(parts[top].lower() in _SPLITS for parts in inner)
    at = top + split
    for parts in sorted(pictures, key=lambda parts: os.fsencode("/".join(parts))):
        label = parts[at] if len(parts) > at + 1 else ""
        yield "/".join(parts), label, _SPLITS[parts[top].lower()] if split else ""


def _row(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
