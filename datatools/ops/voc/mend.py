"""One annotation mended: what the rules want, made in the original bytes. Runs in any process, writes nothing."""

from typing import TYPE_CHECKING, NamedTuple

from datatools.core.errors import DataError
from datatools.ops.voc.rules import CORNERS, OF_OBJECTS, Edit, Four, NeedsCoords, Picture, Plan, Said, SaidObject, mend

if TYPE_CHECKING:
    from datatools.io.voc.document import RawObject, Text
    from datatools.io.voc.pieces import Form, Pieces

SIZES = ("size/width", "size/height", "size/depth")
BY_EDITOR = frozenset({"size", "object"})  # elements to be made or removed, not texts
NEED_PICTURE = frozenset({"size", "clip", "exif"})


class Job(NamedTuple):
    """One annotation. Files are absolute, names relative to the set; the image's are empty where there is none.

    same_stem: the image was found by the name of the XML, not by <filename>.
    """

    xml_file: str
    name: str
    image_file: str
    image_name: str
    same_stem: bool


class Mended(NamedTuple):
    """What became of one annotation.

    old, new: its bytes, None where it could not be read. image: new bytes of the image, None where it stays.
    undecided: nothing was done, as the coordinate convention of the whole set decides (Plan.low).
    """

    job: Job
    old: bytes | None = None
    new: bytes | None = None
    edits: tuple[Edit, ...] = ()
    image: bytes | None = None
    failures: tuple[DataError, ...] = ()
    undecided: bool = False


def mend_lost(job: Job, error: DataError) -> Mended:
    """The result of an annotation that killed the process that worked on it."""
    return Mended(job, failures=(DataError(job.name, 0, error.code, error.message, error.remedy),))


def mend_file(job: Job, *, plan: Plan) -> Mended:
    """Read one annotation and the header of its image, and apply the rules. What is wrong is part of the result."""
    from datatools.io import files, images
    from datatools.io.voc import document, pieces

    failures: tuple[DataError, ...] = ()
    try:
        old = files.read_bytes(job.xml_file, document.MAX_BYTES)
    except DataError as error:
        return Mended(job, failures=(_about(job.name, error),))
    try:
        with_objects = not plan.rules.isdisjoint(OF_OBJECTS)
        cut = pieces.cut(old, with_objects=with_objects)
        said = _said_in_document(old, job.name) if cut is None else _said_in_pieces(cut, with_objects)
    except DataError as error:
        return Mended(job, old, failures=(error,))
    picture: Picture | None = None
    image: bytes | None = None
    edits: list[Edit] = []
    if job.image_file and not plan.rules.isdisjoint(NEED_PICTURE):
        try:
            header = images.read_header(job.image_file)
            picture = Picture(header.displayed_wh, header.stored_wh, header.channels)
            if header.orientation > 1 and "exif" in plan.rules:
                image, picture = _upright(job, said, picture)
                edits.append(Edit("exif", "image", ""))
        except DataError as error:
            failures = (_about(job.image_name, error),)
    try:
        edits += mend(said, plan, picture, _names(job) if "filename" in plan.rules else ("", ""))
        if edits and "filename" in plan.rules and (refused := _unwritable(edits, job.name)):
            failures = (*failures, refused)
            edits = [edit for edit in edits if edit.place != "filename"]
        if not edits:
            return Mended(job, old, old, failures=failures)
        if cut is not None and BY_EDITOR.isdisjoint([edit.place for edit in edits]):
            new = _apply_to_pieces(cut, edits)
        else:
            new = _apply_by_editor(old, edits, said, job.name)
    except NeedsCoords:
        return Mended(job, old, undecided=True)
    except DataError as error:
        return Mended(job, old, failures=(*failures, error))
    return Mended(job, old, new, tuple(edits), image, failures)


def _about(name: str, error: DataError) -> DataError:
    """The error of a file under its name in the set."""
    return DataError(name, 0, error.code, error.message, error.remedy)


def _upright(job: Job, said: Said, picture: Picture) -> tuple[bytes, Picture]:
    """The image without a turn: its pixels turned, or, where the boxes were drawn on the stored picture, left."""
    from datatools.io import files, upright
    from datatools.ops.voc.rules import declared_wh

    data = files.read_bytes(job.image_file, upright.MAX_BYTES)
    if picture.stored_wh != picture.displayed_wh and declared_wh(said.size) == picture.stored_wh:
        return upright.without_turn(data, job.image_name), picture._replace(displayed_wh=picture.stored_wh)
    return upright.turned(data, job.image_name), picture._replace(stored_wh=picture.displayed_wh)


def _names(job: Job) -> tuple[str, str]:
    """What <filename> may say: the name of the XML without suffix, and that of its image where they go together."""
    stem = job.name.rpartition("/")[2].rpartition(".")[0]
    return stem, job.image_name.rpartition("/")[2] if job.same_stem else ""


def _unwritable(edits: list[Edit], name: str) -> DataError | None:
    """Why the name of the image cannot stand in XML: file names may hold bytes and characters that no text has."""
    from datatools.io.voc.write import escaped

    for edit in edits:
        if edit.place == "filename":
            try:
                escaped(edit.text, name)
            except DataError as error:
                return error
    return None


def _said_in_pieces(cut: "Pieces", with_objects: bool) -> Said:
    parts, form = cut
    objects = []
    for name, box, parts_of_it in form.objects if with_objects else ():
        texts, numbers = _corners(parts, box)
        inner = tuple(SaidObject(None, *_corners(parts, of_part)) for of_part in parts_of_it) if parts_of_it else ()
        objects.append(SaidObject(parts[name][5:], texts, numbers, inner))
    filename = parts[form.filename][9:] if form.filename is not None else None
    size = None
    if form.size is not None:
        width, height, depth = form.size
        size = (parts[width][6:], parts[height][7:], parts[depth][6:] if depth is not None else None)
    return Said(filename, size, tuple(objects))


def _corners(parts: list[str], box: tuple[int, ...]) -> tuple[tuple[str, ...], Four | None]:
    x0, y0, x1, y1 = box
    texts = (parts[x0][5:], parts[y0][5:], parts[x1][5:], parts[y1][5:])  # behind "xmin>"
    return texts, _numbers(texts)


def _numbers(texts: tuple[str, ...]) -> Four | None:
    a, b, c, d = texts
    joined = f"{a}{b}{c}{d}"
    if (
        joined.isdigit()
        and joined.isascii()
        and 0 < len(a) < 8
        and 0 < len(b) < 8
        and 0 < len(c) < 8
        and 0 < len(d) < 8
    ):
        return int(a), int(b), int(c), int(d)
    from datatools.io.voc.document import number

    x0, y0, x1, y1 = (number(text) for text in texts)
    return None if x0 is None or y0 is None or x1 is None or y1 is None else (x0, y0, x1, y1)


def _said_in_document(data: bytes, name: str) -> Said:
    from datatools.io.voc import document

    said = document.parse(data, name)
    size = (_text(said.size.width), _text(said.size.height), _text(said.size.depth)) if said.size else None
    return Said(_text(said.filename), size, tuple(_object(raw) for raw in said.objects))


def _text(text: "Text | None") -> str | None:
    return text.text if text else None


def _object(raw: "RawObject") -> SaidObject:
    box = raw.bndbox
    numbers = box.numbers() if box else None
    texts = tuple(corner.text if corner else "" for corner in box.corners) if box else ("",) * 4
    return SaidObject(_text(raw.name), texts, numbers, tuple(_object(part) for part in raw.parts))


def _apply_to_pieces(cut: "Pieces", edits: list[Edit]) -> bytes:
    from datatools.io.voc import pieces

    parts, form = cut  # nobody looks at the parts after this
    for edit in edits:
        if edit.place == "image":
            continue
        at = _place(form, edit)
        tag = parts[at].partition(">")[0]
        parts[at] = f"{tag}>{edit.text if edit.text.isdigit() else pieces.escaped(edit.text)}"
    return "<".join(parts).encode()


def _place(form: "Form", edit: Edit) -> int:
    """Index of the text that the edit replaces."""
    if edit.number >= 0:
        one = form.objects[edit.number]
        if edit.place == "name":
            return one.name
        return (one.box if edit.part < 0 else one.parts[edit.part])[CORNERS.index(edit.place)]
    at = form.filename if edit.place == "filename" or form.size is None else form.size[SIZES.index(edit.place)]
    assert at is not None
    return at


def _apply_by_editor(old: bytes, edits: list[Edit], said: Said, name: str) -> bytes:
    from datatools.io.voc.edit import Editor

    editor = Editor(old, name)
    size: dict[str, str] = {}
    corners: dict[tuple[int, int], dict[str, str]] = {}
    for edit in edits:
        if edit.place == "filename":
            editor.set_filename(edit.text)
        elif edit.place.startswith("size"):
            size[edit.place] = edit.text
        elif edit.place == "name":
            editor.set_name(edit.number, edit.text)
        elif edit.place in CORNERS:
            corners.setdefault((edit.number, edit.part), {})[edit.place] = edit.text
    if "size" in size:
        width, height, depth = size["size"].split()
        editor.set_size(int(width), int(height), int(depth))
    elif size and said.size:
        width, height = (
            size.get(f"size/{tag}", text or "") for tag, text in zip(("width", "height"), said.size, strict=False)
        )
        editor.set_size(int(width), int(height), int(size["size/depth"]) if "size/depth" in size else None)
    for (number, part), texts in corners.items():
        editor.set_corners(number, [texts.get(tag) for tag in CORNERS], part)
    for edit in edits:
        if edit.place == "object":
            editor.remove_object(edit.number)
    return editor.result()
