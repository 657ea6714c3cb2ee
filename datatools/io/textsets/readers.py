"""The readers of text sets: PaddleOCR, PPOCRLabel, ICDAR, COCO-Text."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from datatools.core.errors import DataError
from datatools.core.records import LineLabel, PageLabel
from datatools.core.textset import Sample, TextSet
from datatools.core.types import Run

if TYPE_CHECKING:
    from datatools.io.paddleocr.items import Item

R = TypeVar("R", PageLabel, LineLabel)


def paddleocr(src: Path, run: Run) -> TextSet:
    """Read all label files of a folder."""
    from datatools.io.paddleocr import items, layout

    opened = layout.open_set(src)
    pages, page_failures = items.read_pages(opened)
    lines, line_failures = items.read_lines(opened)
    directions, direction_failures = items.read_directions(opened)
    return TextSet(
        src,
        "paddleocr",
        _samples(pages),
        _samples(lines),
        _samples(directions),
        failures=(*page_failures, *line_failures, *direction_failures),
    )


def _samples(items: "Sequence[Item[R]]") -> tuple[Sample[R], ...]:
    return tuple(Sample(i.record.item_id, i.file.split, i.image, i.record, i.label) for i in items)


def ppocrlabel(src: Path, run: Run) -> TextSet:
    """As PaddleOCR's; images that fileState.txt confirms and Label.txt leaves out are pages without a text."""
    from datatools.io import ppocrlabel
    from datatools.io.files import read_bytes, walk

    found = paddleocr(src, run)
    known = {sample.image for sample in found.pages}
    empty: list[Sample[PageLabel]] = []
    failures: list[DataError] = []
    drafts: set[str] = set()
    for folder, _, names in walk(src):
        where = folder.as_posix() + "/" if folder.parts else ""
        for name, read_names in ((ppocrlabel.STATE, ppocrlabel.confirmed), (ppocrlabel.DRAFTS, ppocrlabel.drafted)):
            if name not in names:
                continue
            try:
                told = read_names(read_bytes(src / folder / name))
            except DataError as error:
                failures.append(DataError(where + name, 0, error.code, error.message))
                continue
            images = [where + entry.rpartition("/")[2] for entry in told if entry.rpartition("/")[2] in names]
            if name == ppocrlabel.DRAFTS:
                drafts.update(images)
                continue
            for image in images:
                if image not in known:
                    known.add(image)
                    key = image.rpartition(".")[0]
                    empty.append(Sample(key, "", image, PageLabel(key, image), "[]"))
    left = len(drafts - known)
    return replace(
        found,
        format="ppocrlabel",
        pages=(*found.pages, *empty),
        skipped={"labelled by a model, not confirmed": left} if left else {},
        failures=(*found.failures, *failures),
    )


def icdar(src: Path, run: Run) -> TextSet:
    """Read a text file an image; an image one of whose lines is broken is left out, by name."""
    from datatools.io.files import read_bytes
    from datatools.io.icdar import layout, lines

    found = layout.find_set(src)
    failures: list[DataError] = []
    read_files: list[tuple[layout.TruthFile, bytes]] = []
    for file in run.track(found.pages, "reading"):
        try:
            read_files.append((file, read_bytes(src / file.name, lines.MAX_BYTES)))
        except DataError as error:
            failures.append(DataError(file.name, 0, error.code, error.message))
    parsed = [lines.regions(data, file.name) for file, data in read_files]
    if lines.have_scripts(region.text for regions, _ in parsed for region in regions):
        parsed = [lines.regions(data, file.name, scripts=True) for file, data in read_files]
    pages: list[Sample[PageLabel]] = []
    for (file, _), (regions, problems) in zip(read_files, parsed, strict=True):
        failures += problems
        if not file.image:
            failures.append(DataError(file.name, 0, "E-IMAGE-MISSING", "no image belongs to it"))
        elif not problems:
            key = file.image.rpartition(".")[0]
            pages.append(Sample(key, file.split, file.image, PageLabel(key, file.image, regions=regions)))
    words: list[Sample[LineLabel]] = []
    for file in found.words:
        try:
            told, problems = lines.words(read_bytes(src / file.name, lines.MAX_BYTES), file.name)
        except DataError as error:
            told, problems = (), (DataError(file.name, 0, error.code, error.message),)
        failures += problems
        for number, name, text in told:
            image = found.image_of(file, name)
            key = image.rpartition(".")[0]
            if image:
                words.append(Sample(key, file.split, image, LineLabel(key, image, text)))
            else:
                failures.append(DataError(file.name, number, "E-IMAGE-MISSING", f"{name[:200]} is not in the set"))
    return TextSet(src, "icdar", tuple(pages), tuple(words), failures=tuple(failures))


def cocotext(src: Path, run: Run) -> TextSet:
    """Read every COCO-Text file of a folder."""
    from datatools.io import cocotext
    from datatools.io.files import read_bytes, walk
    from datatools.io.images import IMAGE_SUFFIXES
    from datatools.io.paddleocr.images import Images

    images = Images(
        (folder / name).as_posix()
        for folder, _, names in walk(src)
        for name in names
        if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES
    )
    pages: dict[str, Sample[PageLabel]] = {}
    failures: list[DataError] = []
    lost: dict[str, int] = {}
    for name in run.track(cocotext.find_files(src), "reading"):
        try:
            file = cocotext.read(read_bytes(src / name, cocotext.MAX_BYTES), name)
        except DataError as error:
            failures.append(DataError(name, error.line, error.code, error.message))
            continue
        failures += file.failures
        for what, count in file.lost.items():
            lost[what] = lost.get(what, 0) + count
        for split, page in file.pages:
            image = images.find(page.filename, name.rpartition("/")[0]).image
            key = image.rpartition(".")[0]
            if not image:
                failures.append(DataError(name, 0, "E-IMAGE-MISSING", f"{page.filename[:200]} is not in the set"))
            elif key in pages:
                failures.append(DataError(name, 0, "E-IMAGE-DUPLICATE", f"{page.filename[:200]} is described twice"))
            else:
                pages[key] = Sample(key, split, image, replace(page, item_id=key))
    return TextSet(src, "cocotext", tuple(pages.values()), lost=lost, failures=tuple(failures))


READERS: dict[str, Callable[[Path, Run], TextSet]] = {
    "paddleocr": paddleocr,
    "ppocrlabel": ppocrlabel,
    "icdar": icdar,
    "cocotext": cocotext,
}
"""The readers by the names of their formats."""
