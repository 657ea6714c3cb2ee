"""What a converted text set consists of: the files of each target format, one after the other, and what it cannot hold.

A target yields (path relative to the output, content): bytes to write, or the Path of an image to link. Nothing is
written here, so that a dry run counts exactly what a real one does.
"""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from datatools.core.errors import DataError
from datatools.core.records import PageLabel, TextRegion
from datatools.core.textset import Sample, TextSet
from datatools.core.types import Run
from datatools.ops.ocr.training import Ledger, training_files
from datatools.ops.voc.derived import Entry, stems

Target = Callable[[TextSet, Path, Ledger, Run], Iterator[Entry]]

MARKS = ("###", "*")


def paddleocr(found: TextSet, out: Path, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """det/, rec/ and cls/ with a label file a split; every path counts from its label file, lines end with `\\n`."""
    for page in found.pages:
        _note_marks(page, ledger)
    yield from training_files(found, ledger)


def ppocrlabel(found: TextSet, out: Path, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """A folder for the tool, or one a split: images, Label.txt, and fileState.txt, which confirms them all."""
    from datatools.io import ppocrlabel as tool

    _note_skipped(found, ledger, lines="the tool cuts lines out itself")
    names = stems(page.key for page in found.pages)
    splits = [split for split in found.splits if any(page.split == split for page in found.pages)]
    base = os.path.abspath(out)
    for split in splits:
        where = f"{split or 'unsplit'}/" if len(splits) > 1 else ""
        folder = os.path.basename(f"{base}/{where}".rstrip("/"))
        pages: list[tuple[str, Sequence[TextRegion]]] = []
        for page in (page for page in found.pages if page.split == split):
            image = names[page.key] + found.path(page).suffix
            try:
                tool.label_bytes(folder, [(image, page.record.regions)])
            except ValueError as error:
                ledger.refuse(page, str(error))
                continue
            _note_marks(page, ledger)
            for region in page.record.regions:
                ledger.lost["outline of more than four corners"] += len(region.points) > 4
                ledger.changed["text with `true` or `false` in it, which the tool changes"] += any(
                    word in region.text for word in ("true", "false")
                )
            pages.append((image, page.record.regions))
            ledger.written[split] += 1
            yield f"{where}{image}", found.path(page)
        yield f"{where}{tool.LABELS}", tool.label_bytes(folder, pages)
        yield f"{where}{tool.STATE}", tool.state_bytes(f"{base}/{where}".rstrip("/"), [image for image, _ in pages])


def icdar(found: TextSet, out: Path, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """images/<split>/ and gt/<split>/gt_<image>.txt of 2015's form; words/<split>/ with gt.txt for recognition."""
    from datatools.io.files import safe_component
    from datatools.io.icdar import lines

    names = stems(page.key for page in found.pages)
    for page in run.track(found.pages, "write"):
        below = f"{page.split}/" if page.split else ""
        try:
            data = lines.file_of([_quad(region, ledger) for region in page.record.regions])
        except ValueError as error:
            ledger.refuse(page, str(error), "E-LABEL-WRITE")
            continue
        _note_marks(page, ledger)
        for region in page.record.regions:
            whole = all(v == int(v) for point in region.points for v in point)
            ledger.changed["outline with fractions, rounded to whole pixels"] += not whole
            ledger.lost["further key of a region"] += sum(one != ("difficult", "false") for one in region.extra)
        if not safe_component(truth := f"gt_{names[page.key]}.txt"):
            ledger.refuse(page, f"{truth[:80]!r} cannot be the name of a file")
            continue
        ledger.written[page.split] += 1
        yield f"gt/{below}{truth}", data
        yield f"images/{below}{names[page.key]}{found.path(page).suffix}", found.path(page)
    yield from _words(found, ledger)
    _note_skipped(replace(found, lines=()), ledger)


def _words(found: TextSet, ledger: Ledger) -> Iterator[Entry]:
    from datatools.io.icdar.lines import word_line

    names = stems(line.key for line in found.lines)
    lists: dict[str, list[str]] = {}
    for line in found.lines:
        image = names[line.key] + found.path(line).suffix
        folder = f"words/{line.split}" if line.split else "words"
        try:
            lists.setdefault(folder, []).append(word_line(image, line.record.text))
        except ValueError as error:
            ledger.refuse(line, str(error), "E-LABEL-WRITE")
            continue
        ledger.written[line.split] += 1
        yield f"{folder}/{image}", found.path(line)
    for folder, told in lists.items():
        yield f"{folder}/gt.txt", "".join(told).encode()


def cocotext(found: TextSet, out: Path, ledger: Ledger, run: Run) -> Iterator[Entry]:
    """cocotext.json of version 2 and images/."""
    from datatools.io import cocotext as format_

    _note_skipped(found, ledger)
    names = stems(page.key for page in found.pages)
    written: list[tuple[str, PageLabel]] = []
    sizes = run.map(functools.partial(_size, root=str(found.root)), [page.image for page in found.pages], "sizes")
    for page, size in zip(found.pages, sizes, strict=True):
        filename = f"images/{names[page.key]}{found.path(page).suffix}"
        if isinstance(size, DataError):
            ledger.failures.append(size)
            continue
        if any("\ud800" <= c <= "\udfff" for c in filename):
            ledger.refuse(page, "the name of the image is not UTF-8, and JSON holds nothing else")
            continue
        for region in page.record.regions:
            ledger.lost["text of an ignored region"] += region.ignore and region.text not in ("", *MARKS)
            ledger.lost["further key of a region"] += sum(
                one[0] not in format_.KEPT and one != ("difficult", "false") for one in region.extra
            )
        ledger.changed["page without a split, written to train"] += not page.split
        ledger.written[page.split] += 1
        written.append((page.split, replace(page.record, filename=filename, size_wh=size)))
        yield filename, found.path(page)
    yield "cocotext.json", format_.render(written)


def _size(image: str, root: str) -> tuple[int, int] | DataError:
    from datatools.io.images import read_header

    try:
        return read_header(f"{root}/{image}").displayed_wh
    except DataError as error:
        return DataError(image, 0, error.code, error.message, error.remedy)


def _note_marks(page: Sample[PageLabel], ledger: Ledger) -> None:
    """Count texts that the target writes as `###`, or that it would take for a mark."""
    if page.label:  # written as it stood
        return
    for region in page.record.regions:
        ledger.changed["text of an ignored region, which is `###` now"] += region.ignore and region.text not in (
            "",
            *MARKS,
        )
        ledger.changed["text that means `ignore` in the output"] += not region.ignore and region.text in MARKS


def _note_skipped(found: TextSet, ledger: Ledger, lines: str = "the format has none") -> None:
    if found.lines:
        ledger.lost[f"recognition line ({lines})"] += len(found.lines)
    if found.directions:
        ledger.lost["direction of a line (the format has none)"] += len(found.directions)


def _quad(region: TextRegion, ledger: Ledger) -> TextRegion:
    if len(region.points) == 4:
        return region
    import numpy as np

    from datatools.kernels.polygons import to_quad

    ledger.lost["outline of more than four corners"] += 1
    quad = to_quad(np.array(region.points))
    return replace(region, points=tuple((float(x), float(y)) for x, y in quad))


TARGETS: dict[str, Target] = {
    "paddleocr": paddleocr,
    "ppocrlabel": ppocrlabel,
    "icdar": icdar,
    "cocotext": cocotext,
}
"""The formats that `ocr convert` writes."""
