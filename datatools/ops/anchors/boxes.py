"""The boxes of a set as a detector meets them: sizes in pixels of the network's input."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param
from datatools.core.types import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.io.voc.layout import VocSet
    from datatools.io.voc.scan import BoxTable

Split = Literal["train", "val", "trainval", "test"]
Fit = Literal["letterbox", "stretch"]

Size = Annotated[str, Param("the network's input, px: 416, or width and height as 416x320", metavar="SIZE")]
FitParam = Annotated[Fit, Param("images are scaled into the input whole (letterbox), or each side to its side")]
SplitParam = Annotated[Split | None, Param("only the items of ImageSets/Main/<split>.txt")]


@dataclass(frozen=True)
class NetworkBoxes:
    """Box sizes of a set, and what could not be used.

    wh: (N, 2) float64, positive, in pixels of the network's input. images: items that have been read.
    left_out: boxes without area. failures: files that could not be read, objects without a usable box, and items whose
    image size nobody knows.
    """

    wh: "NDArray[np.float64]"
    images: int
    left_out: int
    failures: tuple[DataError, ...]


def parse_size(text: str) -> tuple[int, int]:
    """Read "416", "416x320" or "416,320" as width and height in pixels. UsageError for anything else.

    >>> parse_size("416"), parse_size("416x320")
    ((416, 416), (416, 320))
    """
    match = re.fullmatch(r"([0-9]{1,5})(?:[x,]([0-9]{1,5}))?", text.strip(), re.ASCII)
    if match:
        width = int(match[1])
        height = int(match[2] or width)
        if width > 0 and height > 0:
            return width, height
    raise UsageError(f"--size must be a width, or width x height, in pixels, such as 416 or 416x320 (got {text!r})")


def load(src: Path, size_wh: tuple[int, int], fit: Fit, split: Split | None, run: Run) -> NetworkBoxes:
    """Read the boxes of a Pascal VOC set and scale them to the network's input.

    An image's size is the one its XML declares, else the one in the image's header. UsageError where the set has no
    list of that split.
    """
    import numpy as np

    from datatools.io.voc import layout, scan

    voc_set = layout.open_set(src)
    wanted = None if split is None else _members(src, voc_set, split)
    table = scan.read_table(voc_set, run=run)
    chosen = np.array([wanted is None or voc_set.key(item) in wanted for item in table.items], np.bool_)
    image_wh, failures = _image_sizes(voc_set, table, chosen, run)
    kept = chosen[table.box_item]
    wh = table.xyxy[kept, 2:] - table.xyxy[kept, :2]
    scale = np.asarray(size_wh, np.float64) / image_wh[table.box_item[kept]]
    if fit == "letterbox":
        scale = scale.min(axis=1, keepdims=True)
    has_size = np.isfinite(scale).all(axis=1)
    has_area = (wh > 0).all(axis=1)
    return NetworkBoxes(
        wh=(wh * scale)[has_size & has_area],
        images=int(chosen.sum()),
        left_out=int((has_size & ~has_area).sum()),
        failures=(*table.failures, *failures),
    )


def _members(src: Path, voc_set: "VocSet", split: Split) -> set[str]:
    """The keys of the items that the split's lists name; trainval is train and val where it has no list."""
    from datatools.io.voc import lists

    found: set[str] = set()
    seen: set[str] = set()
    listed = False
    for tree in voc_set.trees:
        by_split = lists.read_lists(tree)
        seen.update(by_split)
        names: tuple[str, ...] = (split,)
        if split == "trainval" and split not in by_split:
            names = ("train", "val")
        listed = listed or any(name in by_split for name in names)
        ids = {i for name in names for i in by_split.get(name, ())}
        found.update(voc_set.key(item) for item in tree.items if item.id in ids)
    if not listed:
        there = f"there are lists of {', '.join(sorted(seen))}" if seen else "`datatools voc split` makes lists"
        raise UsageError(f"{escape(src)} has no ImageSets/Main/{split}.txt; {there}")
    return found


def _image_sizes(
    voc_set: "VocSet", table: "BoxTable", chosen: "NDArray[np.bool_]", run: Run
) -> "tuple[NDArray[np.float64], list[DataError]]":
    """Return the size of each item's image, (n, 2), NaN where nobody knows it, and a failure for each such item."""
    import numpy as np

    size_wh = np.where((table.size_wh > 0).all(axis=1, keepdims=True), table.size_wh, np.nan)
    boxes = np.bincount(table.box_item, minlength=len(table.items))
    asked = []
    for i in np.flatnonzero(np.isnan(size_wh[:, 0]) & chosen & (boxes > 0)).tolist():
        item = table.items[i]
        image = item.image or (voc_set.image_by_filename(item, table.filenames[i]) if table.filenames[i] else None)
        asked.append((i, voc_set.name(item.xml_file), str(image or "")))
    failures = []
    for (i, name, _), answer in zip(asked, run.map(_header_wh, asked, "image sizes"), strict=True):
        if isinstance(answer, DataError):
            count = f"{boxes[i]} box is" if boxes[i] == 1 else f"{boxes[i]} boxes are"
            failures.append(DataError(name, 0, answer.code, f"{answer.message}; its {count} left out", answer.remedy))
        else:
            size_wh[i] = answer
    return size_wh, failures


def _header_wh(asked: tuple[int, str, str]) -> tuple[int, int] | DataError:
    """The size of an image as displayed, from its header."""
    from datatools.io import images

    _, name, image = asked
    if not image:
        return DataError(name, 0, "E-SIZE-MISSING", "no image size in the XML and no image")
    try:
        return images.read_header(Path(image)).displayed_wh
    except DataError as error:
        return error
