"""What both readers of scan make of a chunk of files: the columns of a BoxTable, not yet merged."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.io.voc.document import CORNERS, Document, RawObject, flag, number

FLAGS = ("difficult", "truncated", "occluded")


@dataclass(slots=True)
class Rows:
    """Columns over k files and m objects of a chunk; files are named by their index in the chunk.

    files: int64 (k,), those that could be read. size_wh: float64 (k, 2), NaN where absent. depth: int32 (k,), 0 where
    absent. filenames: k texts. box_file: int64 (m,). labels: the distinct labels; box_label: int64 (m,) indices of
    them. corners: float64 (m, 4) as in the file. flags: bool (m, 3) in the order of FLAGS. failures: (file, error).
    """

    files: NDArray[np.int64]
    size_wh: NDArray[np.float64]
    depth: NDArray[np.int32]
    filenames: list[str]
    box_file: NDArray[np.int64]
    labels: list[str]
    box_label: NDArray[np.int64]
    corners: NDArray[np.float64]
    flags: NDArray[np.bool_]
    failures: list[tuple[int, DataError]] = field(default_factory=list)


@dataclass(slots=True)
class Collected:
    """The same, growing file by file."""

    files: list[int] = field(default_factory=list)
    sizes: list[tuple[float, float, int]] = field(default_factory=list)
    filenames: list[str] = field(default_factory=list)
    box_file: list[int] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    box_label: list[int] = field(default_factory=list)
    corners: list[tuple[float, float, float, float]] = field(default_factory=list)
    flags: list[tuple[bool, bool, bool]] = field(default_factory=list)
    failures: list[tuple[int, DataError]] = field(default_factory=list)

    def add(self, file: int, document: Document, name: str) -> None:
        """Append a file. name: how messages call it."""
        self.files.append(file)
        self.sizes.append(size_of(document))
        self.filenames.append(document.filename.text if document.filename else "")
        for raw in document.objects:
            if problem := raw.problem(name):
                self.failures.append((file, problem))
            else:
                self._add_object(file, raw)

    def _add_object(self, file: int, raw: RawObject) -> None:
        corners = raw.bndbox.numbers() if raw.bndbox else None
        if corners is None or raw.name is None:
            raise ValueError("an object with a problem has no row")
        self.box_file.append(file)
        self.box_label.append(self.labels.setdefault(raw.name.text, len(self.labels)))
        self.corners.append(corners)
        self.flags.append((flag(raw.difficult), flag(raw.truncated), flag(raw.occluded)))

    def rows(self) -> Rows:
        """The columns as arrays."""
        sizes = np.array(self.sizes, np.float64).reshape(-1, 3)
        return Rows(
            files=np.array(self.files, np.int64),
            size_wh=sizes[:, :2],
            depth=sizes[:, 2].astype(np.int32),
            filenames=self.filenames,
            box_file=np.array(self.box_file, np.int64),
            labels=list(self.labels),
            box_label=np.array(self.box_label, np.int64),
            corners=np.array(self.corners, np.float64).reshape(-1, len(CORNERS)),
            flags=np.array(self.flags, np.bool_).reshape(-1, len(FLAGS)),
            failures=self.failures,
        )


def size_of(document: Document) -> tuple[float, float, int]:
    """Width and height, NaN where absent or not a number, and depth, 0 there."""
    size = document.size
    if size is None:
        return float("nan"), float("nan"), 0
    width, height, depth = (number(text.text) if text else None for text in (size.width, size.height, size.depth))
    return (
        float("nan") if width is None else width,
        float("nan") if height is None else height,
        0 if depth is None else int(depth),
    )


def merged(parts: Iterable[tuple[NDArray[np.int64], Rows]]) -> Rows:
    """Join rows of several chunks. Each part comes with the number of each of its chunk's files in the whole.

    Files are sorted by number, objects by file and then as they stand in it; labels are sorted by code point.
    """
    numbered = list(parts)
    if not numbered:
        return Collected().rows()
    names = sorted({label for _, rows in numbered for label in rows.labels})
    number_of = {label: i for i, label in enumerate(names)}
    files = np.concatenate([numbers[rows.files] for numbers, rows in numbered])
    box_file = np.concatenate([numbers[rows.box_file] for numbers, rows in numbered])
    box_label = np.concatenate(
        [np.array([number_of[n] for n in rows.labels], np.int64)[rows.box_label] for _, rows in numbered]
    )
    filenames = [name for _, rows in numbered for name in rows.filenames]
    failures = [(int(numbers[file]), error) for numbers, rows in numbered for file, error in rows.failures]
    by_file, by_box = np.argsort(files, kind="stable"), np.argsort(box_file, kind="stable")
    return Rows(
        files=files[by_file],
        size_wh=np.concatenate([rows.size_wh for _, rows in numbered])[by_file],
        depth=np.concatenate([rows.depth for _, rows in numbered])[by_file],
        filenames=[filenames[i] for i in by_file.tolist()],
        box_file=box_file[by_box],
        labels=names,
        box_label=box_label[by_box],
        corners=np.concatenate([rows.corners for _, rows in numbered])[by_box],
        flags=np.concatenate([rows.flags for _, rows in numbered])[by_box],
        failures=sorted(failures, key=lambda pair: pair[0]),
    )
