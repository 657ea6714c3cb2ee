"""The lines of label files as lint sees them: what each says, which cannot be read, which stand there twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from datatools.core.census import count_of
from datatools.core.errors import DataError
from datatools.core.findings import Finding
from datatools.core.records import TextRegion
from datatools.ops.ocr.codes import finding

if TYPE_CHECKING:
    from datatools.io.paddleocr.layout import Entry, LabelFile, OcrSet
    from datatools.io.paddleocr.lines import Split

WHY_NONE = {"missing": "E-IMAGE-MISSING", "ambiguous": "E-IMAGE-AMBIGUOUS", "outside": "E-PATH-OUTSIDE"}
"""The code of a line without an image, by how `Images.find` failed."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line that could be read. image: relative to the set, "" where there is none. text: of a rec or cls line."""

    file: str
    kind: Literal["det", "rec", "cls"]
    split: str
    number: int
    label: str
    image: str
    text: str = ""
    regions: tuple[TextRegion, ...] = ()


def read(opened: "OcrSet", file: "LabelFile") -> tuple[list[Labelled], set[str], list[Finding]]:
    """Read a label file: the lines that can be used, all images that are named, and what is wrong with the lines."""
    try:
        lines, entries = opened.read(file)
    except DataError as error:
        return (
            [],
            set(),
            [finding("E-LABEL-LINE", file.name, error.line, error.message, "make it a smaller, regular file")],
        )
    found = [finding("E-LABEL-LINE", file.name, f.line, f.message, f.remedy) for f in lines.failures]
    found += _form(file, lines)
    found += _foreign(file, entries)
    labels: list[Labelled] = []
    for entry in entries:
        number = entry.line.number
        if (code := WHY_NONE.get(entry.how)) is not None:
            found.append(finding(code, file.name, number, entry.written[:200]))
        try:
            labels.append(_labelled(file, entry))
        except ValueError as error:
            found.append(finding("E-LABEL-LINE", file.name, number, str(error)))
    return labels, {entry.image for entry in entries if entry.image}, found


def _foreign(file: "LabelFile", entries: Sequence["Entry"]) -> Iterator[Finding]:
    """The folders that lead nowhere as they are written: a whole file of them is one thing to mend."""
    first: dict[tuple[str, str], int] = {}
    count: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.how == "by its end":
            folders = _folder(entry.written), _folder(entry.image)
            first.setdefault(folders, entry.line.number)
            count[folders] += 1
    for (written, folder), number in first.items():
        lines = count_of(count[written, folder], "line")
        yield finding("W-PATH-FOREIGN", file.name, number, f"{lines}: {written or '.'} was found as {folder or '.'}")


def _folder(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[0]


def _form(file: "LabelFile", lines: "Split") -> Iterator[Finding]:
    if lines.bom:
        yield finding("E-LABEL-BOM", file.name, 1, "it begins with EF BB BF")
    if lines.crlf:
        yield finding("W-LABEL-CRLF", file.name, 1, f"{lines.crlf} of its lines")
    for number in lines.blank:
        yield finding("W-LABEL-BLANK", file.name, number, "nothing stands there")
    if not lines.ended:
        last = max((line.number for line in lines.lines), default=1)
        last = max(last, *(f.line for f in lines.failures), *lines.blank, 1)
        yield finding("W-LABEL-UNENDED", file.name, last, "no line end after it")


def _labelled(file: "LabelFile", entry: "Entry") -> Labelled:
    from datatools.io.paddleocr import pages, texts

    line = entry.line
    common = file.name, file.kind, file.split, line.number, line.label, entry.image
    match file.kind:
        case "det":
            return Labelled(*common, regions=pages.regions(line.label))
        case "rec":
            return Labelled(*common, text=texts.text_of(line.label))
        case "cls":
            return Labelled(*common, text=str(texts.direction_of(line.label)))


def repeated(labels: Sequence[Labelled], digests: Mapping[str, str]) -> Iterator[Finding]:
    """Images that several lines of one kind name: twice the same, differently, or in two splits.

    digests: of the images' bytes; images of equal bytes in two splits are a leak, too.
    """
    by_image: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
    by_bytes: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
    for label in labels:
        if label.image:
            by_image[label.kind, label.image].append(label)
            if digest := digests.get(label.image):
                by_bytes[label.kind, digest].append(label)
    for same in by_image.values():
        first = same[0]
        for label in same[1:]:
            place = f"{first.file}:{first.number}"
            if first.split and label.split and first.split != label.split:
                continue  # a leak
            if first.label == label.label:
                yield finding("W-LINE-REPEATED", label.file, label.number, f"as {place}")
            else:
                yield finding(
                    "E-IMAGE-DUPLICATE", label.file, label.number, f"{label.image} has another label, {place}"
                )
    for same in by_bytes.values():
        yield from _leaks(same)
    yield from (leak for key, same in by_image.items() if not digests.get(key[1]) for leak in _leaks(same))


def _leaks(same: Sequence[Labelled]) -> Iterator[Finding]:
    """The lines whose image an earlier line has in another split."""
    first = next((label for label in same if label.split), None)
    for label in same:
        if first and label.split and label.split != first.split:
            which = "the image" if label.image == first.image else f"the same bytes, {first.image},"
            what = f"{which} is in {first.split}, too, {first.file}:{first.number}"
            yield finding("E-SPLIT-LEAK", label.file, label.number, what)


def unlisted(opened: "OcrSet", named: set[str]) -> Iterator[Finding]:
    """Folders where some images are in no label file though others are."""
    used = {image.rpartition("/")[0] for image in named}
    left: dict[str, int] = defaultdict(int)
    for image in opened.images.files - named:
        folder = image.rpartition("/")[0]
        if folder in used:
            left[folder] += 1
    for folder, count in left.items():
        yield finding("W-IMAGE-UNLISTED", folder or ".", 1, count_of(count, "image"))
