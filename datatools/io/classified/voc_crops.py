"""The boxes of a Pascal VOC set, each a picture of its class."""

import os
from pathlib import Path

import numpy as np

from datatools.core.errors import DataError
from datatools.core.types import SERIAL, Run
from datatools.io.classified.examples import SPLITS, ClassifiedSet, Example, numbered
from datatools.io.voc import lists, scan
from datatools.io.voc.layout import VocSet


def read(voc_set: VocSet, run: Run = SERIAL) -> ClassifiedSet:
    """Turn every box into an example; the lists of ImageSets/Main say to which split it belongs.

    Boxes marked difficult count as well. A box below one pixel is a failure E-BOX-EMPTY, an annotation without an
    image E-IMAGE-MISSING. Raises DataError where a list cannot be read.
    """
    table = scan.read_table(voc_set, run=run)
    split_of = {key: split for split in reversed(SPLITS) for key in lists.splits_of(voc_set).get(split, ())}
    failures = list(table.failures)
    named: list[tuple[Example, str]] = []
    bounds = np.searchsorted(table.box_item, np.arange(len(table.items) + 1)).tolist()
    for i, item in enumerate(table.items):
        first, last = bounds[i], bounds[i + 1]
        if first == last:
            continue
        file = item.image_file or str(voc_set.image_by_filename(item, table.filenames[i]) or "")
        if not file:
            name = voc_set.name(item.xml_file)
            failures.append(DataError(name, 0, "E-IMAGE-MISSING", "no image belongs to it", "datatools voc lint"))
            continue
        key, split = voc_set.name(file), split_of.get(voc_set.key(item), "")
        width, height = np.nan_to_num(table.size_wh[i]).astype(int).tolist()
        for n in range(first, last):
            left, top, right, bottom = table.xyxy[n].tolist()
            if not (right - left >= 1 and bottom - top >= 1):
                name = f"{key}#{n - first + 1}"
                failures.append(
                    DataError(name, 0, "E-BOX-EMPTY", "its box is smaller than a pixel", "datatools voc fix")
                )
                continue
            crop = Example(f"{key}#{n - first + 1}", file, -1, split, (left, top, right, bottom), (width, height))
            named.append((crop, table.classes[table.box_class[n]]))
    return numbered(Path(os.path.abspath(voc_set.root)), "boxes", table.classes, named, tuple(failures))
