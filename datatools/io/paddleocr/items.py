"""What the label files of a set say of each image: pages with their regions, lines with their text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from datatools.core.errors import DataError
from datatools.core.records import TextLine, TextPage
from datatools.io.paddleocr.layout import Entry, LabelFile, OcrSet, image_error
from datatools.io.paddleocr.lines import broken
from datatools.io.paddleocr.pages import regions
from datatools.io.paddleocr.texts import direction_of, text_of

R = TypeVar("R", TextPage, TextLine)


@dataclass(frozen=True, slots=True)
class Item(Generic[R]):
    """An image with what its line says.

    image: relative to the root. number: of the line, 1-based. label: as it stands there.
    """

    image: str
    file: LabelFile
    number: int
    record: R
    label: str


def read_pages(opened: OcrSet) -> tuple[list[Item[TextPage]], list[DataError]]:
    """Return the pages of all label files of kind `det`, in the order of files and lines, and what could not be read.

    An image that several lines name is taken once, with the first of them; the others are failures, E-IMAGE-DUPLICATE.
    item_id is the path of the image below the root without its suffix, filename the path as the line has it.
    """
    return _read(opened, opened.of_kind("det"), _page)


def read_lines(opened: OcrSet) -> tuple[list[Item[TextLine]], list[DataError]]:
    """Return the lines of all label files of kind `rec`; as `read_pages`."""
    return _read(opened, opened.of_kind("rec"), _line)


def read_directions(opened: OcrSet) -> tuple[list[Item[TextLine]], list[DataError]]:
    """Return the lines of all label files of kind `cls`, whose text is 0, 90, 180 or 270; as `read_pages`."""
    return _read(opened, opened.of_kind("cls"), _direction)


def _page(item_id: str, entry: Entry) -> TextPage:
    return TextPage(item_id, entry.written, regions=regions(entry.line.label))


def _line(item_id: str, entry: Entry) -> TextLine:
    return TextLine(item_id, entry.written, text_of(entry.line.label))


def _direction(item_id: str, entry: Entry) -> TextLine:
    return TextLine(item_id, entry.written, str(direction_of(entry.line.label)))


def _read(
    opened: OcrSet, files: Sequence[LabelFile], record: Callable[[str, Entry], R]
) -> tuple[list[Item[R]], list[DataError]]:
    items: list[Item[R]] = []
    failures: list[DataError] = []
    first: dict[str, Item[R]] = {}
    for file in files:
        try:
            lines, entries = opened.read(file)
        except DataError as error:
            failures.append(error)
            continue
        failures += lines.failures
        for entry in entries:
            if absent := image_error(file, entry):
                failures.append(absent)
                continue
            item_id = entry.image.rpartition(".")[0]
            if item_id in first:
                failures.append(_twice(first[item_id], entry, file))
                continue
            try:
                made = Item(entry.image, file, entry.line.number, record(item_id, entry), entry.line.label)
            except ValueError as problem:
                failures.append(broken(file.name, entry.line.number, str(problem)))
                continue
            first[item_id] = made
            items.append(made)
    return items, failures


def _twice(earlier: Item[R], entry: Entry, file: LabelFile) -> DataError:
    place = f"{earlier.file.name}:{earlier.number}"
    if earlier.image == entry.image:
        code, what = "E-IMAGE-DUPLICATE", f"{entry.written[:200]} has a line already, {place}"
    else:
        code, what = "E-STEM-DUPLICATE", f"{entry.image} and {earlier.image} ({place}) differ in their suffix alone"
    return DataError(file.name, entry.line.number, code, what, "datatools ocr lint shows both")
