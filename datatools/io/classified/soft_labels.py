"""labels.csv of class folders: pictures that were mixed of several, with the share of each class.

The first row has `image` and the classes, every other one a path and a share for each class, which sum to 1.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io import files

NAME = "labels.csv"

_SHARE = re.compile(r"[0-9]{0,7}\.?[0-9]{0,9}(e-[0-9]{1,3})?", re.ASCII)


def read(root: Path, known: Mapping[str, object]) -> tuple[dict[str, dict[str, float]], tuple[DataError, ...]]:
    """Return the shares of the pictures that have several classes: path -> class -> share, and what could not be used.

    known: the paths of the set's pictures. Nothing where there is no such file, or one of another form: its first cell
    is not `image`. A row that is not of the form is a failure E-LABEL-LINE, one whose picture is not there
    E-IMAGE-MISSING.

    Raises DataError E-FILE-READ, StorageError where it cannot be read.
    """
    path = root / NAME
    if not path.is_file():
        return {}, ()
    rows = _rows(files.read_bytes(path))
    _, header = next(rows, (0, []))
    if header[:1] != ["image"]:
        return {}, ()
    found: dict[str, dict[str, float]] = {}
    failures: list[DataError] = []
    for number, row in rows:
        shares = _shares(row[1:])
        if len(row) != len(header) or shares is None:
            what = f"it is not a picture and {len(header) - 1} shares that sum to 1"
            failures.append(DataError(NAME, number, "E-LABEL-LINE", what))
        elif row[0] not in known:
            failures.append(DataError(NAME, number, "E-IMAGE-MISSING", f"there is no picture {row[0][:200]}"))
        else:
            mixed = {name: share for name, share in zip(header[1:], shares, strict=True) if share > 0}
            if len(mixed) > 1:
                found[row[0]] = mixed
    return found, tuple(failures)


def _rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a NUL, or a cell without end
            row = [""]
        if row:
            yield reader.line_num, row


def _shares(cells: Sequence[str]) -> list[float] | None:
    """The numbers, or nothing where they are no shares of a whole."""
    if not all(cell and _SHARE.fullmatch(cell) and cell != "." for cell in cells):
        return None
    shares = [float(cell) for cell in cells]
    return [s / sum(shares) for s in shares] if math.isclose(sum(shares), 1.0, abs_tol=0.01) else None
