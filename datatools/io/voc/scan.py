"""All boxes of a set as arrays.

Most files of most sets have one plain form, which a vectorised scanner reads many at a time; it declines whatever is
the least unusual, and that is read by lxml. Both give the same rows.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.core.types import SERIAL, Run
from datatools.io import files
from datatools.io.voc import document, lists, plain
from datatools.io.voc.layout import Item, VocSet
from datatools.io.voc.rows import Collected, Rows, merged

Coords = Literal["auto", "voc", "zero"]

CHUNK_FILES = 512
SMALL_BYTES = 65536
BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class BoxTable:
    """Boxes, classes and sizes of a set, in columns: n items that could be read, m boxes.

    items: those whose XML could be read. size_wh: float64 (n, 2) as the XML says, NaN where absent or not a number.
    depth: int32 (n,), 0 where absent. filenames: n texts of <filename>, "" where absent.
    box_item: int32 (m,) indices of `items`, ascending. box_class: int32 (m,) indices of `classes`.
    xyxy: float64 (m, 4) pixels, origin 0, right and bottom exclusive. difficult, truncated, occluded: bool (m,).
    coords: the convention that the files were taken to have, "voc" or "zero".
    failures: XML that could not be read and objects without name or usable box; those have no row.
    """

    items: tuple[Item, ...]
    classes: tuple[str, ...]
    size_wh: NDArray[np.float64]
    depth: NDArray[np.int32]
    filenames: tuple[str, ...]
    box_item: NDArray[np.int32]
    box_class: NDArray[np.int32]
    xyxy: NDArray[np.float64]
    difficult: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    coords: Literal["voc", "zero"]
    failures: tuple[DataError, ...]


def read_table(voc_set: VocSet, *, coords: Coords = "auto", run: Run = SERIAL) -> BoxTable:
    """Read the boxes of a whole set.

    coords: "voc" (1-based corners, the last pixel included), "zero" (0-based, right and bottom exclusive), or "auto":
    "zero" where any xmin or ymin of the set is below 1, which 1-based files cannot have.
    Labels are kept exactly as they stand in the file, blanks included. Classes come in the order of the set's
    labelmap.txt or classes.txt, others after them, sorted.
    """
    chunks = [
        _Chunk(start, voc_set.items[start : start + CHUNK_FILES], str(voc_set.root))
        for start in range(0, len(voc_set.items), CHUNK_FILES)
    ]
    rows = merged(part for parts in run.map(_read_chunk, chunks, "reading") for part in parts)
    used = resolve_coords(rows.corners, coords)
    classes, number_of = _classes(rows.labels, lists.declared_classes(voc_set))
    return BoxTable(
        items=tuple(voc_set.items[i] for i in rows.files.tolist()),
        classes=classes,
        size_wh=rows.size_wh,
        depth=rows.depth,
        filenames=tuple(rows.filenames),
        box_item=np.searchsorted(rows.files, rows.box_file).astype(np.int32),
        box_class=number_of[rows.box_label],
        xyxy=rows.corners - [1.0, 1.0, 0.0, 0.0] if used == "voc" else rows.corners,
        difficult=rows.flags[:, 0],
        truncated=rows.flags[:, 1],
        occluded=rows.flags[:, 2],
        coords=used,
        failures=tuple(error for _, error in rows.failures),
    )


def resolve_coords(corners: NDArray[np.float64], coords: Coords) -> Literal["voc", "zero"]:
    """What "auto" means for the corners (m, 4) of a whole set; the other two mean themselves."""
    if coords != "auto":
        return coords
    return "zero" if bool((corners[:, :2] < 1).any()) else "voc"


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Work for one call, perhaps in another process. start: number of the first item in the set."""

    start: int
    items: tuple[Item, ...]
    root: str

    def name(self, index: int) -> str:
        """A file as messages call it."""
        return self.items[index].xml_file.removeprefix(self.root).lstrip("/")


def _read_chunk(chunk: _Chunk) -> list[tuple[NDArray[np.int64], Rows]]:
    """Read a chunk: rows of each reader, with the numbers of the files that they count."""
    collected = Collected()
    parts: list[tuple[NDArray[np.int64], Rows]] = []
    datas: list[bytes] = []
    present: list[int] = []
    size = 0
    for index, item in enumerate(chunk.items):
        try:
            data = _read_small(item.xml_file)
        except DataError as error:
            collected.failures.append((index, _renamed(error, chunk.name(index))))
            continue
        datas.append(data)
        present.append(index)
        size += len(data)
        if size > BATCH_BYTES:  # large files: memory stays flat
            parts.append(_read_batch(chunk, datas, present, collected))
            datas, present, size = [], [], 0
    parts.append(_read_batch(chunk, datas, present, collected))
    numbers = np.arange(chunk.start, chunk.start + len(chunk.items))
    return [*parts, (numbers, collected.rows())]


def _read_batch(
    chunk: _Chunk, datas: list[bytes], present: list[int], collected: Collected
) -> tuple[NDArray[np.int64], Rows]:
    """Scan the files of these places in the chunk; those that the scanner declines are read by lxml and collected."""
    rows, declined = plain.scan(datas)
    for i in declined:
        index = present[i]
        name = chunk.name(index)
        try:
            data = read_xml(chunk.items[index].xml_file, name)
            collected.add(index, document.parse(data, name), name)
        except DataError as error:
            collected.failures.append((index, error))
    return np.array(present, np.int64) + chunk.start, rows


def _read_small(path: str) -> bytes:
    """What files.read_bytes gives, for files that the walk saw to be regular, with half of its system calls.

    A file that is larger, empty or odd is left to files.read_bytes. So is, in effect, one that came in pieces: what is
    read here is used only where it is whole and plain.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = os.read(fd, SMALL_BYTES)
        finally:
            os.close(fd)
    except OSError:
        data = b""
    return data if 0 < len(data) < SMALL_BYTES else files.read_bytes(path)


def read_xml(path: str, name: str) -> bytes:
    """The bytes of an XML. Raises DataError as files.read_bytes does, but calls the file `name`."""
    try:
        return files.read_bytes(path)
    except DataError as error:
        raise _renamed(error, name) from None


def _renamed(error: DataError, name: str) -> DataError:
    return DataError(name, error.line, error.code, error.message, error.remedy)


def _classes(labels: Iterable[str], declared: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The class list, and the number in it of each label."""
    labels = list(labels)
    classes = tuple(dict.fromkeys((*declared, *sorted(labels))))
    number_of = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number_of[label] for label in labels], np.int32)
