"""Sheets of pictures that a network was wrong about, or unsure, each with what it said."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.types import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.io.classified.examples import Example

CELL = 192
"""Longer side of a picture on a sheet, px."""


def sheet(examples: "Sequence[Example]", remarks: Sequence[str], title: str, run: Run) -> "NDArray[np.uint8]":
    """Draw examples with a remark behind the name of each; one that cannot be read leaves its place grey."""
    from datatools.report import sheet as sheets

    parts = list(run.map(_part, examples, "drawing"))
    sizes = [(p.shape[1], p.shape[0]) for p in parts if not isinstance(p, DataError)]
    cell_wh = sheets.cell_size(sizes, CELL)
    tiles = [
        sheets.plain(example.key, None, remark, part.message)
        if isinstance(part, DataError)
        else sheets.plain(example.key, sheets.fit(part, cell_wh), remark)
        for example, part, remark in zip(examples, parts, remarks, strict=True)
    ]
    return sheets.compose(tiles, (), cell_wh, title)


def _part(example: "Example") -> "NDArray[np.uint8] | DataError":
    from datatools.zoo import pictures

    return pictures.read_one(example)


def encoder(path: Path) -> "Callable[[NDArray[np.uint8]], bytes]":
    """What encodes a sheet as its name says. UsageError where that is no .jpg or .png."""
    from datatools.io import images

    kinds = {".jpg": images.encode_jpeg, ".jpeg": images.encode_jpeg, ".png": images.encode_png}
    if path.suffix.lower() not in kinds:
        raise UsageError(f"{escape(path)}: the name of the sheet must end in .jpg or .png")
    return kinds[path.suffix.lower()]
