"""Which format a text set has, and reading it."""

import os
from pathlib import Path
from typing import Literal

from datatools.core.errors import UsageError, escape
from datatools.core.textset import TextSet
from datatools.core.types import Run

Format = Literal["auto", "paddleocr", "ppocrlabel", "icdar", "cocotext"]


def read(src: Path, source_format: Format, run: Run) -> TextSet:
    """Read a set. Raises UsageError where the folder is none, or holds several formats and none was chosen."""
    chosen = detect(src) if source_format == "auto" else source_format
    from datatools.io.textsets import readers

    return readers.READERS[chosen](src, run)


def detect(src: Path) -> str:
    """Tell the format of a set by its files. Raises UsageError where there is none, or more than one."""
    from datatools.io import cocotext, ppocrlabel
    from datatools.io.files import walk
    from datatools.io.icdar.layout import find_set
    from datatools.io.paddleocr.layout import open_set

    found: list[str] = []
    beside: set[str] = set()
    for folder, _, names in walk(src):
        if ppocrlabel.LABELS in names and {ppocrlabel.STATE, ppocrlabel.DRAFTS} & {*names}:
            beside.add(folder.as_posix())
    try:
        files = open_set(src).label_files
    except UsageError:
        files = ()
    # where PPOCRLabel's own files lie, its reader is the better one, unless other label files are there, too
    own = [f for f in files if os.path.basename(f.name) == ppocrlabel.LABELS and (f.folder or ".") in beside]
    if own and len(own) == len([f for f in files if f.kind == "det"]):
        found.append("ppocrlabel")
    elif files:
        found.append("paddleocr")
    icdar = find_set(src)
    if icdar.pages or icdar.words:
        found.append("icdar")
    if cocotext.find_files(src):
        found.append("cocotext")
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"{escape(src)} is no text set: no label file of PaddleOCR, PPOCRLabel, ICDAR or COCO-Text")
    raise UsageError(f"{escape(src)} holds sets of several formats, {' and '.join(found)}: choose one with --format")
