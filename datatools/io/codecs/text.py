"""Pages and lines of text: PaddleOCR sets, and pages of ICDAR and COCO-Text sets, which become PaddleOCR's.

The label files of the output have the names and places of those of the input, and the images, too; each line names its
image from the folder of the label file, or from the root where the image lies elsewhere. What belongs to another task
comes along unchanged.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.types import SERIAL
from datatools.core.values import Source, TextLine, TextPage
from datatools.io import files, images, ppocrlabel
from datatools.io.codecs.image import CARRIED
from datatools.io.codecs.lists import Lists
from datatools.io.intake import Intake
from datatools.io.paddleocr import items, layout, pages, texts
from datatools.io.paddleocr.lines import MAX_BYTES, broken, split
from datatools.io.room import Room
from datatools.io.textsets import sets

BAD = "bad"
"""The kind of a source that cannot be read: a line that is broken or has no image. Its labels are the error."""

DROPPED = (ppocrlabel.STATE, ppocrlabel.DRAFTS, "run.json")
"""Files that say nothing true of the output."""


class _TextCodec:
    """What pages and lines have in common. kind: of the label files."""

    kind: layout.Kind
    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Whether there is a label file of the kind, or a set of another format that has such labels."""
        try:
            return next((True for source in self.find(root) if source.kind != CARRIED), False)
        except UsageError:
            return False

    def find(self, root: Path) -> Iterator[Source]:
        """Every image that has a label; a broken line is an item, too, one that fails. Then the files carried over."""
        try:
            opened = layout.open_set(root)
        except UsageError:
            yield from self._of_other_format(root)
            return
        label_files = {file.name for file in opened.of_kind(self.kind)}
        if not label_files:
            raise UsageError(f"{escape(root)}: has no label file of kind {self.kind}")
        taken: set[str] = set()
        for number, place in enumerate(items.locate(opened, self.kind)):
            if isinstance(place, DataError):
                yield _bad(place, number, (place.path,))
            else:
                taken.add(place.image)
                labels = json.dumps([place.file.name, place.entry.line.label])
                yield Source(place.image, (place.image,), labels, place.file.split)
        for folder, _, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            for name in names:
                if where + name not in taken and where + name not in label_files and name not in DROPPED:
                    yield Source(where + name, (where + name,), kind=CARRIED)

    def _of_other_format(self, root: Path) -> Iterator[Source]:
        found = sets.read(root, "auto", SERIAL)
        pairs = [(s, pages.label_of(s.record.regions)) for s in found.pages] if self.kind == "det" else []
        if self.kind == "rec":
            pairs += [(s, s.record.text) for s in found.lines]  # type: ignore[misc]
        for sample, label in pairs:
            labels = json.dumps([f"{sample.split or 'labels'}.txt", label])
            yield Source(sample.image, (sample.image,), labels, sample.split)
        for number, error in enumerate(found.failures):
            yield _bad(error, number, ())

    def write(self, value: Any, source: Source, room: Room, variant: str) -> Any:
        """Encode the picture under its old name; note the label file and the line. JPEG has quality 95."""
        path = PurePosixPath(source.files[0])
        suffix = path.suffix if path.suffix.lower() != ".gif" else ".png"
        name = str(path.with_name(f"{path.stem}{variant}{suffix}"))
        try:
            label = self._label(value)
        except ValueError as error:
            raise DataError(source.id, 0, "E-LABEL-WRITE", str(error)) from None
        room.write(name, images.encode(value.pixels, suffix.lower()))
        return [json.loads(source.labels)[0], name, label]

    def keep(self, source: Source, intake: Intake, room: Room) -> Any:
        """Give the picture a second name; note the label file and the line as they are."""
        if source.kind == BAD:
            raise DataError(*json.loads(source.labels))
        room.link(intake.path(), source.files[0], intake.digests[0])
        intake.refresh()
        label_file, label = json.loads(source.labels)
        return [label_file, source.files[0], label]

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Write the label files."""
        with Lists(room) as lists:
            for _, note in rows:
                for label_file, image, label in note if note and isinstance(note[0], list) else [note]:
                    folder = label_file.rpartition("/")[0]
                    written = image[len(folder) + 1 :] if folder and image.startswith(f"{folder}/") else image
                    lists.add(label_file, f"{written}\t{label}\n")

    def _label(self, value: Any) -> str:
        raise NotImplementedError

    @staticmethod
    def _picture(source: Source, intake: Intake) -> Any:
        if source.kind == BAD:
            raise DataError(*json.loads(source.labels))
        return images.decode(intake.read(limit=images.MAX_FILE_BYTES), name=source.id)


class TextPageCodec(_TextCodec):
    """Images with outlines and texts: label files of text detection."""

    kind = "det"

    def read(self, source: Source, intake: Intake) -> TextPage:
        """Decode the picture, as displayed, and read the line. Raises DataError, for a line with its number."""
        pixels = self._picture(source, intake)
        label_file, label = json.loads(source.labels)
        try:
            return TextPage(pixels, pages.regions(label))
        except ValueError as error:
            raise broken(label_file, _number(intake.root, label_file, label, source.id), str(error)) from None

    def _label(self, value: TextPage) -> str:
        return pages.label_of(value.regions)


class TextLineCodec(_TextCodec):
    """Images of one line with their text: label files of text recognition."""

    kind = "rec"

    def read(self, source: Source, intake: Intake) -> TextLine:
        """Decode the picture, as displayed, and read the line. Raises DataError, for a line with its number."""
        pixels = self._picture(source, intake)
        label_file, label = json.loads(source.labels)
        try:
            return TextLine(pixels, texts.text_of(label))
        except ValueError as error:
            raise broken(label_file, _number(intake.root, label_file, label, source.id), str(error)) from None

    def _label(self, value: TextLine) -> str:
        texts.line_of("x", value.text)
        return value.text


def _bad(error: DataError, number: int, names: tuple[str, ...]) -> Source:
    told = [error.path, error.line, error.code, error.message, error.remedy]
    return Source(f"{error.path}:{error.line}:{number}", names, json.dumps(told), kind=BAD)


def _number(root: str, label_file: str, label: str, image: str) -> int:
    """The number of the line of an image; 0 where it is gone. It stands in no key, as it changes with other lines."""
    name = image.rpartition("/")[2]
    lines = split(files.read_bytes(f"{root}/{label_file}", MAX_BYTES), label_file).lines
    return next((line.number for line in lines if line.label == label and name in line.path), 0)
