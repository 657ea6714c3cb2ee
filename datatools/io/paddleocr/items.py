"""What the label files of a set say of each image: pages with their regions, lines with their text."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from datatools.core.errors import DataError
from datatools.core.records import LineLabel, PageLabel
from datatools.io.paddleocr.layout import Entry, Kind, LabelFile, OcrSet, image_error
from datatools.io.paddleocr.lines import broken
from datatools.io.paddleocr.pages import regions
from datatools.io.paddleocr.texts import direction_of, text_of

R = TypeVar("R", PageLabel, LineLabel)


@dataclass(frozen=True, slots=True)
class Place:
    """An image and the line that speaks of it, which nobody has read yet. image: relative to the root."""

    image: str
    file: LabelFile
    entry: Entry

    @property
    def item_id(self) -> str:
        """The path of the image below the root without its suffix."""
        return self.image.rpartition(".")[0]


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


def read_pages(opened: OcrSet) -> tuple[list[Item[PageLabel]], list[DataError]]:
    """Return the pages of all label files of kind `det`, in the order of files and lines, and what could not be read.

    An image that several lines name is taken once, with the first of them; the others are failures, E-IMAGE-DUPLICATE.
    item_id is the path of the image below the root without its suffix, filename the path as the line has it.
    """
    return _read(opened, "det", lambda place: PageLabel(*_named(place), regions=regions(place.entry.line.label)))


def read_lines(opened: OcrSet) -> tuple[list[Item[LineLabel]], list[DataError]]:
    """Return the lines of all label files of kind `rec`; as `read_pages`."""
    return _read(opened, "rec", lambda place: LineLabel(*_named(place), text_of(place.entry.line.label)))


def read_directions(opened: OcrSet) -> tuple[list[Item[LineLabel]], list[DataError]]:
    """Return the lines of all label files of kind `cls`, whose text is 0, 90, 180 or 270; as `read_pages`."""
    return _read(opened, "cls", lambda place: LineLabel(*_named(place), str(direction_of(place.entry.line.label))))


def locate(opened: OcrSet, kind: Kind) -> Iterator[Place | DataError]:
    """Yield the images of one kind with their lines, each image once, without reading the labels; and what is wrong
    with lines, in its place.

    Two images whose paths differ in their suffix alone are one too many, E-STEM-DUPLICATE.
    """
    first: dict[str, Place] = {}
    for file in opened.of_kind(kind):
        try:
            lines, entries = opened.read(file)
        except DataError as error:
            yield error
            continue
        yield from lines.failures
        for entry in entries:
            if absent := image_error(file, entry):
                yield absent
                continue
            place = Place(entry.image, file, entry)
            earlier = first.setdefault(place.item_id, place)
            yield place if earlier is place else _twice(earlier, place)


def _named(place: Place) -> tuple[str, str]:
    return place.item_id, place.entry.written


def _read(opened: OcrSet, kind: Kind, record: Callable[[Place], R]) -> tuple[list[Item[R]], list[DataError]]:
    items: list[Item[R]] = []
    failures: list[DataError] = []
    with _collector_paused():
        for place in locate(opened, kind):
            if isinstance(place, DataError):
                failures.append(place)
                continue
            line = place.entry.line
            try:
                items.append(Item(place.image, place.file, line.number, record(place), line.label))
            except ValueError as problem:
                failures.append(broken(place.file.name, line.number, str(problem)))
    return items, failures


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from searching the records for cycles, again and again as they become more: they have none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _twice(earlier: Place, place: Place) -> DataError:
    at = f"{earlier.file.name}:{earlier.entry.line.number}"
    if earlier.image == place.image:
        code, what = "E-IMAGE-DUPLICATE", f"{place.entry.written[:200]} has a line already, {at}"
    else:
        code, what = "E-STEM-DUPLICATE", f"{place.image} and {earlier.image} ({at}) differ in their suffix alone"
    return DataError(place.file.name, place.entry.line.number, code, what, "datatools ocr lint shows both")
