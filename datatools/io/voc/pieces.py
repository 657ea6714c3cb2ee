"""An annotation XML of a known form, cut at its tags: texts are read and replaced at a tenth of the cost of a parse.

The files of a set differ in little but the texts of their innermost elements. So the first file of a form is read by
the strict parser and remembered as a template; a further file that is the same but for such texts, and has nothing in
them that XML gives a meaning to, is as well-formed as the first. Joining the pieces gives the file back byte for byte.

Whatever is not plain is refused with None, and belongs to `document.parse` and `edit.Editor`: comments, CDATA,
entities, a DTD, encodings other than UTF-8, elements that are empty, repeated or have attributes where a text is looked
for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from datatools.core.errors import DataError
from datatools.io.voc import document

MAX_TEMPLATES = 16
"""So many templates of the same number of tags are remembered; a set of more forms than that is read by the parser."""

OFTEN = 100
"""A template that fitted so many files gets a pattern, which takes 1 ms to make and spares 8 us a file."""

_TAG = re.compile(
    r"""(/?)([A-Za-z_][A-Za-z0-9_.-]*)(\s+[A-Za-z_][A-Za-z0-9_-]*\s*=\s*(?:"[^"&>]*"|'[^'&>]*'))?\s*(/?)>[^>]*""",
    re.ASCII,
)
_DECLARATION = re.compile(
    r"""\?xml\s+version\s*=\s*["']1\.0["'](\s+encoding\s*=\s*["'](?:utf-?8|us-ascii|ascii)["'])?\s*\?>\s*""", re.I
)
_FORBIDDEN = bytes([*range(9), 11, 12, *range(14, 32), ord("&")])
_PLAIN_TEXT = r"[^<>&\0-\x08\x0b\x0c\x0e-\x1f]*"
_MAX_DEPTH = 32

_SIZE = ("size/width", "size/height", "size/depth")
_BOX = tuple(f"object/bndbox/{corner}" for corner in document.CORNERS)
_PART_BOX = tuple(f"object/part/bndbox/{corner}" for corner in document.CORNERS)
_LEAVES = frozenset(("filename", *_SIZE, "object/name", *_BOX, *_PART_BOX))
_ONCE = _LEAVES | {"size", "object/bndbox", "object/part/bndbox"}


class ObjectPlaces(NamedTuple):
    """Indices of an <object>'s texts. box: of xmin, ymin, xmax, ymax. parts: the boxes of its parts."""

    name: int
    box: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]


class Form(NamedTuple):
    """Indices, into `Pieces.parts`, of the texts that repairs look at.

    size: width, height, depth. filename, size, depth: None where absent.
    """

    filename: int | None
    size: tuple[int, int, int | None] | None
    objects: tuple[ObjectPlaces, ...]


class Pieces(NamedTuple):
    """A file, cut before each tag's "<". Joined by "<" and encoded in UTF-8, the parts are its bytes."""

    parts: list[str]
    form: Form

    def text(self, at: int) -> str:
        """The text of the element that begins at a place of the form."""
        return self.parts[at].partition(">")[2]


@dataclass(slots=True)
class _Template:
    """What a file must be like: the same pieces at some places, the same tags before any text at the others.

    head: how often to cut for the texts outside of objects. fitted: how many files were compared with it and fitted.
    pattern: says the same as the pieces, in one step; made where it pays.
    """

    form: Form | None
    head: int
    fixed_of: Callable[[list[str]], Any]
    fixed: Any
    open_of: Callable[[list[str]], Any]
    open: Any
    fitted: int = 0
    pattern: re.Pattern[str] | None = None

    def fits(self, parts: list[str]) -> bool:
        """Tell whether a file without anything that XML gives a meaning to, cut at its tags, is like this."""
        if self.fixed_of(parts) != self.fixed or not all(map(str.startswith, self.open_of(parts), self.open)):
            return False
        self.fitted += 1
        if self.fitted == OFTEN:
            self.pattern = re.compile(_pattern(parts))
        return True


_templates: dict[int, list[_Template]] = {}


def cut(data: bytes, *, with_objects: bool = True) -> Pieces | None:
    """Cut a file of a plain form; None where it is of another.

    with_objects: without, what begins with the first object may stay in one piece.

    >>> pieces = cut(b"<annotation><filename>a.jpg</filename></annotation>")
    >>> pieces.text(pieces.form.filename)
    'a.jpg'
    >>> "<".join(pieces.parts)
    '<annotation><filename>a.jpg</filename></annotation>'
    """
    if len(data) > document.MAX_BYTES:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not text.isascii() and ("\ufffe" in text or "\uffff" in text):
        return None
    known = _templates.setdefault(text.count("<"), [])
    for template in known:
        if template.pattern is not None and template.pattern.fullmatch(text):
            parts = text.split("<", -1 if with_objects else template.head)
            return Pieces(parts, template.form) if template.form else None
    if len(data.translate(None, _FORBIDDEN)) != len(data) or b"]]>" in data:
        return None
    parts = text.split("<")
    if text.count(">") != len(parts) - 1:
        return None
    for template in known:
        if template.fits(parts):
            return Pieces(parts, template.form) if template.form else None
    if len(known) >= MAX_TEMPLATES:
        return None
    try:
        document.parse(data, "")
    except DataError:
        return None
    known.append(made := _template(parts))
    return Pieces(parts, made.form) if made.form else None


def escaped(text: str) -> str:
    """The text as it stands between tags.

    >>> escaped("R&D <x>")
    'R&amp;D &lt;x&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _template(parts: list[str]) -> _Template:
    """Remember a well-formed file: the text of every innermost element without attributes may be another."""
    tags, texts = _texts(parts)
    fixed = [i for i in range(len(tags)) if i not in set(texts)]
    fixed_of = itemgetter(*fixed, 0)  # twice the first: a getter of one item would give no tuple
    open_of = itemgetter(*texts, *texts[:1]) if texts else itemgetter(slice(0))
    form = _form(parts)
    head = max(form.filename or 0, *(at or 0 for at in form.size or (0,))) + 1 if form else 0
    return _Template(form, head, fixed_of, fixed_of(parts), open_of, open_of(tags))


def _pattern(parts: list[str]) -> str:
    """The same as a regular expression for the whole file."""
    tags, texts = _texts(parts)
    source = [re.escape(part) for part in parts]
    for i in texts:
        source[i] = re.escape(tags[i]) + _PLAIN_TEXT
    return "<".join(source)


def _texts(parts: list[str]) -> tuple[list[str], list[int]]:
    """The tag that each part begins with, and where one is followed by its own end: innermost elements."""
    tags = [part.partition(">")[0] + ">" for part in parts]
    ends = [*(f"/{tag}" for tag in tags), ""]
    return tags, [i for i in range(1, len(tags) - 1) if tags[i + 1] == ends[i]]


def _form(parts: list[str]) -> Form | None:
    """Find the places of the texts; None where the file is not plain."""
    stack: list[str] = []
    found: dict[str, int] = {}
    objects: list[tuple[dict[str, int], list[dict[str, int]]]] = []
    for at, part in enumerate(parts):
        if at == 0 or (at == 1 and _DECLARATION.fullmatch(part)):
            continue
        match = _TAG.fullmatch(part)
        if match is None or "xmlns" in part or len(stack) > _MAX_DEPTH:
            return None
        closing, name, _, empty = match.groups()
        if closing:
            stack.pop()
            continue
        path = "/".join((*stack, name)).removeprefix("annotation/")
        if not empty:
            stack.append(name)
        of = found
        if path == "object":
            objects.append(({}, []))
        elif path == "object/part":
            objects[-1][1].append({})
        elif path.startswith("object/part/"):
            of = objects[-1][1][-1]
        elif path.startswith("object/"):
            of = objects[-1][0]
        if path in _LEAVES and not (part.startswith(f"{name}>") and parts[at + 1].startswith(f"/{name}>")):
            return None
        if path in _ONCE:
            if path in of:
                return None
            of[path] = at
    return _places(found, objects)


def _places(found: dict[str, int], objects: list[tuple[dict[str, int], list[dict[str, int]]]]) -> Form | None:
    try:
        places = tuple(
            ObjectPlaces(
                of["object/name"],
                tuple(of[corner] for corner in _BOX),
                tuple(tuple(part[corner] for corner in _PART_BOX) for part in parts),
            )
            for of, parts in objects
        )
        size = (found["size/width"], found["size/height"], found.get("size/depth")) if "size" in found else None
    except KeyError:
        return None
    return Form(found.get("filename"), size, places)
