"""What lint checks in one item: an XML, its image, or both. Pure functions of paths; they run in any process."""

import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datatools.core.errors import DataError
from datatools.core.findings import Finding
from datatools.ops.voc import objects
from datatools.ops.voc.codes import finding
from datatools.ops.voc.objects import WH, Checked, Options

if TYPE_CHECKING:
    from datatools.io.images import Header
    from datatools.io.voc.document import Document, RawSize

SAMPLED = 16384  # bytes; different photographs differ in them


@dataclass(frozen=True, slots=True)
class Job:
    """What one check needs. Files are absolute, names relative to the set; empty where there is none."""

    xml_file: str
    xml_name: str
    image_file: str
    image_name: str


def lost(job: Job, error: DataError) -> Checked:
    """The result of an item that killed the process that worked on it: its image is damaged beyond the decoder."""
    checked = Checked()
    checked.findings.append(finding("E-IMAGE-DAMAGED", job.image_name or job.xml_name, 1, error.message))
    return checked


def check_item(job: Job, *, options: Options) -> Checked:
    """Check an item by itself: its XML, its image, and whether they fit together."""
    checked = Checked()
    header = _check_image(job, options.deep, checked) if job.image_file else None
    document = _read(job, checked) if job.xml_file else None
    size = document.size if document else None
    if header is not None and header.orientation >= 2:
        checked.findings.append(_turned(job, header, size))
    if document is None:
        return checked
    checked.filename = (document.filename.text.strip(), document.filename.line) if document.filename else ("", 1)
    checked.findings += _size(job, document, header)
    checked.findings += _filename(job, checked.filename)
    checked.findings += (
        finding("W-TAG-REPEATED", job.xml_name, tag.line, f"a second <{tag.text.rpartition('/')[2]}>")
        for tag in document.repeated
    )
    objects.check_objects(job.xml_name, document, _known_size(size, header), options, checked)
    return checked


def _check_image(job: Job, deep: bool, checked: Checked) -> "Header | None":
    from datatools.io import files, images

    try:
        header = images.read_header(job.image_file)
        head, size = files.read_head(job.image_file, SAMPLED)
    except DataError as error:
        checked.findings.append(finding("E-IMAGE-UNREADABLE", job.image_name, 1, error.message))
        return None
    checked.sample = (size, zlib.crc32(head))
    if deep:
        try:
            images.check(job.image_file)
        except DataError as error:
            checked.findings.append(finding("E-IMAGE-DAMAGED", job.image_name, 1, error.message))
    return header


def _read(job: Job, checked: Checked) -> "Document | None":
    from datatools.io import files
    from datatools.io.voc import document

    try:
        return document.parse(files.read_bytes(job.xml_file), job.xml_name)
    except DataError as error:
        # what cannot be read as a file of sane size is beyond the limits too
        code = "E-XML-LIMIT" if error.code == "E-FILE-READ" else error.code
        checked.findings.append(finding(code, job.xml_name, error.line, error.message))
        return None


def _values(size: "RawSize") -> tuple[float | None, float | None]:
    """Width and height as they stand there."""
    from datatools.io.voc.document import number

    width, height = (number(text.text) if text else None for text in (size.width, size.height))
    return width, height


def _declared(size: "RawSize | None") -> WH | None:
    """Width and height in whole pixels, rounded half up; None where they are no size."""
    width, height = _values(size) if size else (None, None)
    if width is None or height is None or not (width > 0 and height > 0):
        return None
    return math.floor(width + 0.5), math.floor(height + 0.5)


def _known_size(size: "RawSize | None", header: "Header | None") -> WH | None:
    """The size that the boxes are measured by: the declared one where the image agrees, else the displayed one."""
    declared = _declared(size)
    if header is None or declared in (header.displayed_wh, header.stored_wh):
        return declared
    return header.displayed_wh


def _turned(job: Job, header: "Header", size: "RawSize | None") -> Finding:
    stored, displayed = header.stored_wh, header.displayed_wh
    declared = _declared(size)
    if stored == displayed:
        fits = "both sizes are equal, so <size> cannot tell which one the boxes mean"
    elif declared == displayed:
        fits = "<size> is that of the displayed picture"
    elif declared == stored:
        fits = "<size> is that of the stored picture"
    else:
        fits = "no <size> tells which one the boxes mean"
    what = f"orientation {header.orientation}: {_by(stored)} stored, {_by(displayed)} displayed; {fits}"
    return finding("W-IMAGE-EXIF", job.image_name, 1, what)


def _by(wh: WH) -> str:
    return f"{wh[0]:.8g} x {wh[1]:.8g}"


def _size(job: Job, document: "Document", header: "Header | None") -> Iterator[Finding]:
    from datatools.io.voc.document import shown

    size, name = document.size, job.xml_name
    remedy = "" if header else "no readable image tells it: add the image, then datatools voc fix --rule size"
    if size is None:
        yield finding("E-SIZE-MISSING", name, document.line, "no <size>", remedy)
        return
    if header is not None and size.depth is not None and not _depth_fits(size.depth.text, header.channels):
        what = f"depth {shown(size.depth.text)}, the image has {header.channels} channel{'s' * (header.channels > 1)}"
        yield finding("W-DEPTH-MISMATCH", name, size.depth.line, what)
    texts = (("width", size.width), ("height", size.height))
    values = _values(size)
    if None in values:
        wrong = (
            f"{tag} is not a number: {shown(text.text)}" if text else f"no <{tag}>"
            for (tag, text), value in zip(texts, values, strict=True)
            if value is None
        )
        yield finding("E-SIZE-INVALID", name, size.line, ", ".join(wrong), remedy)
        return
    declared = _declared(size)
    if declared is None:
        yield finding("E-SIZE-ZERO", name, size.line, f"{_written(document)}: no picture has this size", remedy)
        return
    fractions = [f"{tag} {text.text.strip()}" for tag, text in texts if text and "." in text.text]
    if fractions:
        yield finding("E-SIZE-FRACTION", name, size.line, f"{', '.join(fractions)}: not a whole number")
    if header is None or declared in (header.displayed_wh, header.stored_wh):
        return
    image = f"the image is {_by(header.displayed_wh)}"
    swapped = declared[::-1] == header.displayed_wh
    yield finding("E-SIZE-SWAPPED" if swapped else "E-SIZE-MISMATCH", name, size.line, f"{_by(declared)}, {image}")


def _written(document: "Document") -> str:
    """Width and height as the file has them."""
    size = document.size
    return " x ".join(t.text.strip() for t in (size.width, size.height) if t) if size else ""


def _depth_fits(text: str, channels: int) -> bool:
    """Grey pictures may say 1, with or without alpha; colour ones 3, with alpha 3 or 4."""
    from datatools.io.voc.document import number

    allowed = {1, channels} if channels <= 2 else {3, channels}
    return number(text) in allowed


def _filename(job: Job, filename: tuple[str, int]) -> Iterator[Finding]:
    """<filename> may lack the suffix and may have folders before the name; it must name the image."""
    from datatools.io.voc.document import shown

    text, line = filename
    named = text.replace("\\", "/").rpartition("/")[2]
    xml_stem = os.path.splitext(os.path.basename(job.xml_name))[0]
    image = os.path.basename(job.image_name)
    if not named or named == xml_stem:
        return
    if not image:
        if os.path.splitext(named)[0] != xml_stem:
            what = f"{shown(named)} in {shown(xml_stem + '.xml')}"
            remedy = "add the image, then datatools voc fix --rule filename"
            yield finding("W-FILENAME-MISMATCH", job.xml_name, line, what, remedy)
    elif os.path.splitext(image)[0] != xml_stem:
        what = f"the image was found by <filename> {shown(named)} alone, its name is not that of the XML"
        yield finding("W-FILENAME-MISMATCH", job.xml_name, line, what, "rename the XML or the image")
    elif named != image:
        yield finding("W-FILENAME-MISMATCH", job.xml_name, line, f"{shown(named)}, the image is {shown(image)}")
