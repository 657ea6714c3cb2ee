"""One Pascal VOC XML, read strictly: raw texts with their lines, and the annotation that they make.

Whatever the order of the tags. Nothing is repaired or guessed here; what is wrong stays visible for lint and fix.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from datatools.core.errors import DataError
from datatools.core.records import XYXY, Annotation, Box

MAX_BYTES = 8 * 1024 * 1024
MAX_ATTRIBUTES = 64
CORNERS = ("xmin", "ymin", "xmax", "ymax")

_NUMBER = re.compile(r"-?[0-9]{1,7}(?:\.[0-9]{1,40})?", re.ASCII)
_POINT_TAG = re.compile(r"([xy])([0-9]{1,5})", re.ASCII)
_XML_BLANKS = " \t\r\n"
_ASCII_ENCODINGS = frozenset({"UTF-8", "ASCII", "US-ASCII", "ISO-8859-1"})

# every setting is a default of libxml2 or lxml that must not change: no DTD, no network, no repair, no gunzip
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    recover=False,
    strip_cdata=False,
    remove_comments=False,
    remove_pis=False,
    decompress=False,  # type: ignore[call-arg]  # newer than the stubs
)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an element as it stands in the file, blanks included, and the element's line (1-based)."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class RawSize:
    """<size>: each part is None where its element is absent."""

    line: int
    width: Text | None
    height: Text | None
    depth: Text | None


@dataclass(frozen=True, slots=True)
class RawBox:
    """<bndbox>: each corner is None where its element is absent."""

    line: int
    xmin: Text | None
    ymin: Text | None
    xmax: Text | None
    ymax: Text | None

    @property
    def corners(self) -> tuple[Text | None, Text | None, Text | None, Text | None]:
        """xmin, ymin, xmax, ymax."""
        return self.xmin, self.ymin, self.xmax, self.ymax

    def numbers(self) -> XYXY | None:
        """The corners as they are in the file, None where one is absent or not a finite number."""
        values = [number(corner.text) for corner in self.corners if corner is not None]
        x0, y0, x1, y1 = values if len(values) == 4 else (None,) * 4
        return None if x0 is None or y0 is None or x1 is None or y1 is None else (x0, y0, x1, y1)


@dataclass(frozen=True, slots=True)
class RawObject:
    """<object>, or a <part> of one (whose flags, parts and polygon are then absent).

    polygon: pairs of x and y. attributes: name and value of each <attribute>.
    """

    line: int
    name: Text | None
    bndbox: RawBox | None
    difficult: Text | None = None
    truncated: Text | None = None
    occluded: Text | None = None
    pose: Text | None = None
    parts: tuple["RawObject", ...] = ()
    polygon: tuple[tuple[Text, Text], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    def problem(self, name: str) -> DataError | None:
        """Why this is no usable box: it has no name, no <bndbox>, or a corner that is not a number."""
        if self.name is None or not self.name.text.strip(_XML_BLANKS):
            return DataError(name, self.line, "E-OBJECT-NO-NAME", "the object has no name")
        if self.bndbox is None:
            return DataError(name, self.line, "E-OBJECT-NO-BOX", "the object has no bndbox")
        for tag, corner in zip(CORNERS, self.bndbox.corners, strict=True):
            if corner is None:
                return DataError(name, self.bndbox.line, "E-BOX-INVALID", f"{tag} is missing")
            if number(corner.text) is None:
                return DataError(name, corner.line, "E-BOX-INVALID", f"{tag} is not a number: {shown(corner.text)}")
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """A whole XML. line: of the root element. verified: the root's attribute, "" where it has none.

    repeated: tags that may stand once and stand again ("size", "bndbox/xmin" ...); the first one counts.
    """

    line: int
    root_tag: str
    folder: Text | None
    filename: Text | None
    size: RawSize | None
    segmented: Text | None
    objects: tuple[RawObject, ...]
    verified: str = ""
    repeated: tuple[Text, ...] = ()


def number(text: str) -> float | None:
    """The number that the text is, None where it is not one. Blanks around it do not count.

    Plain decimals only: no exponent, no "nan", no underscore, no digits of other scripts.

    >>> number(" 349.1198786039454\\n"), number("-3"), number("1e3"), number("1_0"), number("nan")
    (349.1198786039454, -3.0, None, None, None)
    """
    text = text.strip(_XML_BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else None


def flag(text: Text | None) -> bool:
    """Whether <difficult> and its like are set: "1", "true" or "yes"; absent is no."""
    return text is not None and text.text.strip(_XML_BLANKS).lower() in ("1", "true", "yes")


def shown(text: str) -> str:
    """A text in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def parse(data: bytes, name: str) -> Document:
    """Read an XML strictly. name: how messages call the file.

    Raises DataError: E-XML-BROKEN (not well-formed), E-XML-DTD (a DTD, never followed), E-XML-ROOT (the root is not
    <annotation>), E-XML-NAMESPACE (its tags are in a namespace), E-XML-LIMIT (8 MB, 64 attributes, depth 256).

    >>> parse(b"<annotation><size><width>640</width></size></annotation>", "a.xml").size.width
    Text(text='640', line=1)
    """
    root = parse_root(data, name)
    children = _by_tag(root)
    repeated: list[Text] = []
    size = _one(children, "size", repeated)
    verified = root.get("verified")
    return Document(
        line=_line(root),
        root_tag="annotation",
        folder=_text(children, "folder", repeated),
        filename=_text(children, "filename", repeated),
        size=_size(size, repeated) if size is not None else None,
        segmented=_text(children, "segmented", repeated),
        objects=tuple(_object(element, repeated) for element in children.get("object", ())),
        verified=verified if isinstance(verified, str) else "",
        repeated=tuple(repeated),  # last: the calls above fill the list
    )


def annotation(document: Document, item_id: str, coords: str) -> Annotation:
    """The record of a document. coords: "voc" (1-based, last pixel included) or "zero" (0-based, right exclusive).

    Objects that have no usable box (RawObject.problem) are left out; sizes are rounded half up.

    >>> document = parse(b'''<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax>
    ... <ymax>20</ymax></bndbox></object></annotation>''', "a.xml")
    >>> annotation(document, "a", "voc").boxes[0].xyxy
    (0.0, 0.0, 10.0, 20.0)
    """
    size = document.size
    width, height, depth = (_whole(part) for part in ((size.width, size.height, size.depth) if size else (None,) * 3))
    return Annotation(
        item_id=item_id,
        filename=document.filename.text if document.filename else "",
        size_wh=(width, height),
        depth=depth or 3,
        boxes=tuple(_boxes(document.objects, 1.0 if coords == "voc" else 0.0)),
    )


def _boxes(objects: Iterable[RawObject], origin: float) -> Iterator[Box]:
    for raw in objects:
        corners = raw.bndbox.numbers() if raw.bndbox else None
        if corners is None or raw.name is None or raw.problem("") is not None:
            continue
        points = [(number(x.text), number(y.text)) for x, y in raw.polygon]
        yield Box(
            label=raw.name.text,
            xyxy=(corners[0] - origin, corners[1] - origin, corners[2], corners[3]),
            difficult=flag(raw.difficult),
            truncated=flag(raw.truncated),
            occluded=flag(raw.occluded),
            pose=raw.pose.text if raw.pose else "",
            parts=tuple(_boxes(raw.parts, origin)),
            polygon=tuple((x - origin, y - origin) for x, y in points if x is not None and y is not None),
            attributes=raw.attributes,
        )


def _whole(text: Text | None) -> int:
    value = number(text.text) if text else None
    return max(0, math.floor(value + 0.5)) if value is not None else 0


def parse_root(data: bytes, name: str) -> etree._Element:
    """The root element, after everything that `parse` refuses has been refused."""
    if len(data) > MAX_BYTES:
        raise DataError(name, 0, "E-XML-LIMIT", f"{len(data)} bytes, more than {MAX_BYTES}")
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _broken(data, name, error) from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise DataError(name, 1, "E-XML-DTD", "it has a DTD (<!DOCTYPE>), which can name other files", "remove it")
    # in the usual encodings the bytes tell whether a walk over all elements can find anything
    ascii_bytes = info.encoding is None or info.encoding.upper() in _ASCII_ENCODINGS
    if not ascii_bytes or b"xmlns" in data or data.count(b"=") > MAX_ATTRIBUTES:
        _check_elements(root, name)
    if root.tag != "annotation":
        what = f"the root element is {shown(str(root.tag))}, not 'annotation'"
        raise DataError(name, _line(root), "E-XML-ROOT", what)
    return root


def _broken(data: bytes, name: str, error: Exception) -> DataError:
    message = str(getattr(error, "msg", None) or error) or "no element found"
    line = getattr(error, "lineno", None) or 1
    if b"<!DOCTYPE" in data:
        return DataError(name, line, "E-XML-DTD", "it has a DTD (<!DOCTYPE>), which can name other files", "remove it")
    if "xcessive depth" in message or "huge" in message.lower():
        return DataError(name, line, "E-XML-LIMIT", message.partition(", line ")[0])
    return DataError(name, line, "E-XML-BROKEN", message.partition(", line ")[0])


_KNOWN = frozenset({"annotation", "filename", "size", "width", "height", "depth", "object", "name", "bndbox", *CORNERS})


def _check_elements(root: etree._Element, name: str) -> None:
    for element in root.iter(etree.Element):
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise DataError(name, _line(element), "E-XML-LIMIT", f"more than {MAX_ATTRIBUTES} attributes")
        space, _, local = str(element.tag).rpartition("}")
        if space and local in _KNOWN:
            what = f"<{local}> is in the namespace {shown(space[1:])}, so that no reader finds it"
            raise DataError(name, _line(element), "E-XML-NAMESPACE", what, "remove xmlns")


def _line(element: etree._Element) -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 0


def _by_tag(element: etree._Element) -> dict[str, list[etree._Element]]:
    """Children by tag, in order; comments and processing instructions have none."""
    found: dict[str, list[etree._Element]] = {}
    for child in element:
        tag = child.tag
        if isinstance(tag, str):
            found.setdefault(tag, []).append(child)
    return found


def _one(
    children: dict[str, list[etree._Element]], tag: str, repeated: list[Text], within: str = ""
) -> etree._Element | None:
    """The first child of that tag; further ones are noted."""
    elements = children.get(tag)
    if elements is None:
        return None
    if len(elements) > 1:
        repeated.extend(Text(within + tag, _line(element)) for element in elements[1:])
    return elements[0]


def _text(children: dict[str, list[etree._Element]], tag: str, repeated: list[Text], within: str = "") -> Text | None:
    element = _one(children, tag, repeated, within)
    return Text(content(element), _line(element)) if element is not None else None


def content(element: etree._Element) -> str:
    """An element's own text, without that of comments and of elements inside."""
    text = element.text or ""
    return text + "".join(child.tail or "" for child in element) if len(element) else text


def _size(element: etree._Element, repeated: list[Text]) -> RawSize:
    children = _by_tag(element)
    width, height, depth = (_text(children, tag, repeated, "size/") for tag in ("width", "height", "depth"))
    return RawSize(_line(element), width, height, depth)


def _box(element: etree._Element, repeated: list[Text]) -> RawBox:
    children = _by_tag(element)
    xmin, ymin, xmax, ymax = (_text(children, tag, repeated, "bndbox/") for tag in CORNERS)
    return RawBox(_line(element), xmin, ymin, xmax, ymax)


def _object(element: etree._Element, repeated: list[Text]) -> RawObject:
    children = _by_tag(element)
    box = _one(children, "bndbox", repeated, "object/")
    polygon = _one(children, "polygon", repeated, "object/")
    return RawObject(
        line=_line(element),
        name=_text(children, "name", repeated, "object/"),
        bndbox=_box(box, repeated) if box is not None else None,
        difficult=_text(children, "difficult", repeated, "object/"),
        truncated=_text(children, "truncated", repeated, "object/"),
        occluded=_text(children, "occluded", repeated, "object/"),
        pose=_text(children, "pose", repeated, "object/"),
        parts=tuple(_part(part, repeated) for part in children.get("part", ())),
        polygon=_polygon(polygon) if polygon is not None else (),
        attributes=tuple(_attributes(children.get("attributes", ()))),
    )


def _part(element: etree._Element, repeated: list[Text]) -> RawObject:
    children = _by_tag(element)
    box = _one(children, "bndbox", repeated, "part/")
    name = _text(children, "name", repeated, "part/")
    return RawObject(_line(element), name, _box(box, repeated) if box is not None else None)


def _polygon(element: etree._Element) -> tuple[tuple[Text, Text], ...]:
    """<x1><y1><x2><y2>... or <pt><x><y></pt>...; a point that lacks one half is left out."""
    points: dict[int, dict[str, Text]] = {}
    for index, child in enumerate(element):
        tag = child.tag
        if not isinstance(tag, str):
            continue
        if matched := _POINT_TAG.fullmatch(tag):
            points.setdefault(int(matched[2]), {})[matched[1]] = Text(content(child), _line(child))
        elif tag in ("pt", "point"):
            halves = {str(half.tag): Text(content(half), _line(half)) for half in child}
            points[index] = {axis: halves[axis] for axis in ("x", "y") if axis in halves}
    return tuple((point["x"], point["y"]) for _, point in sorted(points.items()) if len(point) == 2)


def _attributes(elements: Iterable[etree._Element]) -> Iterator[tuple[str, str]]:
    for attributes in elements:
        for attribute in attributes.findall("attribute"):
            name, value = attribute.find("name"), attribute.find("value")
            if name is not None and value is not None:
                yield content(name), content(value)
