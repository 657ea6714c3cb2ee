"""Changes of an XML that leave every other byte alone: comments, CDATA, line ends, indentation, encoding, unknown tags.

The new bytes are parsed again, and what changed must be what was asked for, or nothing is returned.
"""

import codecs
import pyexpat
import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from datatools.core.errors import DataError
from datatools.io.voc import document
from datatools.io.voc.document import CORNERS
from datatools.io.voc.nodes import Node, locate
from datatools.io.voc.write import decimal, escaped

_DECLARATION = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ASCII_BASED = re.compile(
    r"utf-?8|us-ascii|ascii|iso-?8859-?\d+|latin-?1|windows-?125\d|cp125\d|gbk|gb2312|gb18030|big5|shift[_-]jis"
    r"|euc-\w+|koi8-\w+",
    re.I,
)
_PLAIN_ROOT = re.compile(rb"""(?:\xef\xbb\xbf)?(?:<\?xml [^<>]*\?>)?\s*<annotation(?: verified="[a-z]*")?>""")
# a whole <size> of the usual form
_PLAIN_SIZE = re.compile(
    rb"<size>\s*<width>([^<>&]*)</width>\s*<height>([^<>&]*)</height>(?:\s*<depth>([^<>&]*)</depth>)?\s*</size>"
)
_BLANKS = b" \t\r\n"
_LINE_END = re.compile(rb"[ \t]*(?=[\r\n])")


class Editor:
    """Collects changes of one XML and makes them all at once.

    >>> editor = Editor(b"<annotation><size><width>0</width><height>0</height></size><!-- mine --></annotation>")
    >>> editor.set_size(640, 480)
    >>> editor.result()
    b'<annotation><size><width>640</width><height>480</height></size><!-- mine --></annotation>'

    Objects are numbered as in Document.objects. A later change of an element replaces the earlier one, but what is
    missing is added once. Every method may raise DataError; codes are those of document.parse, E-XML-ENCODING (UTF-16
    and others whose bytes are not ASCII's) and E-XML-EDIT (the element is not there, or holds more than a text).
    """

    def __init__(self, data: bytes, name: str = "") -> None:
        self._data = data
        self._name = name
        self._codec = _codec(data, name)
        self._edits: dict[tuple[int, int], bytes] = {}
        self._plain_size: tuple[int, int, int | None] | None = None
        self._root: Node | None = None
        self._expected: etree._Element | None = None
        self._elements: list[etree._Element] = []
        self._objects: list[Node] = []
        self._removed: set[int] = set()
        self._added: set[tuple[int, str]] = set()
        self._inserted: dict[tuple[int, int], etree._Element] = {}

    def set_size(self, width: int, height: int, depth: int | None = None) -> None:
        """Set <width>, <height> and, where given, <depth>; what is missing of <size> is added."""
        if self._root is None and not self._edits and self._set_plain_size(width, height, depth):
            return
        root = self._open()
        wanted = {b"width": width, b"height": height} | ({b"depth": depth} if depth is not None else {})
        size = root.first(b"size")
        if size is None:
            wanted.setdefault(b"depth", 3)
            after = [n for n in root.children if n.tag in (b"folder", b"filename", b"path", b"source", b"owner")]
            content = [(tag.decode(), str(value)) for tag, value in wanted.items()]
            self._insert(root, after[-1] if after else None, "size", content)
            return
        before: Node | None = None
        for tag, value in wanted.items():
            node = size.first(tag)
            if node is None:
                self._insert(size, before, tag.decode(), str(value))
            else:
                self._set_text(node, str(value))
                before = node

    def set_filename(self, filename: str) -> None:
        """Set <filename>, or insert it after <folder>."""
        root = self._open()
        node = root.first(b"filename")
        if node is None:
            self._insert(root, root.first(b"folder"), "filename", filename)
        else:
            self._set_text(node, filename)

    def set_corners(self, index: int, corners: Sequence[float | str | None], part: int = -1) -> None:
        """Set xmin, ymin, xmax, ymax of an object as they shall stand in the file; None leaves one as it is.

        part: index of the <part> of the object whose corners are meant; -1 for the object's own.
        """
        for tag, value in zip(CORNERS, corners, strict=True):
            if value is not None:
                text = value if isinstance(value, str) else decimal(value, self._name)
                self._set_text(self._child(index, b"bndbox", tag.encode(), part=part), text)

    def set_name(self, index: int, name: str) -> None:
        """Set the <name> of an object."""
        self._set_text(self._child(index, b"name"), name)

    def remove_object(self, index: int) -> None:
        """Remove an object and, where they hold nothing else, its lines. Once is enough."""
        self._open()
        if index in self._removed:
            return
        self._removed.add(index)
        node = self._objects[index]
        start, end = node.start, node.end
        blanks = self._blanks_before(start)
        newline = max(blanks.rfind(b"\n"), blanks.rfind(b"\r"))
        trailing = _LINE_END.match(self._data, end)
        if newline >= 0 and trailing:
            start -= len(blanks) - (newline - (blanks[newline - 1 : newline + 1] == b"\r\n"))
            end = trailing.end()
        for span in [
            span for span in self._edits if node.start < span[0] < node.end
        ]:  # what is inserted before it stays
            del self._edits[span]
        self._edits[start, end] = b""
        _remove(self._elements[node.index])

    def result(self) -> bytes:
        """The new bytes. Raises DataError where they would differ from the old ones in more than the changes."""
        if not self._edits:
            return self._data
        new = self._applied()
        if self._root is None and _is_well_formed(new):
            return new  # by construction nothing but the text of the root's own <size> differs
        self._open()
        new = self._applied()
        root = document.parse_root(new, self._name)
        if self._expected is None or _content(root) != _content(self._expected):
            raise DataError(
                self._name, 0, "E-XML-EDIT", "the change would touch more than it should", "edit it by hand"
            )
        return new

    def _applied(self) -> bytes:
        parts: list[bytes] = []
        at = 0
        for (start, end), text in sorted(self._edits.items()):
            parts += (self._data[at:start], text)
            at = end
        return b"".join((*parts, self._data[at:]))

    def _set_plain_size(self, width: int, height: int, depth: int | None) -> bool:
        """Change a <size> of the usual form without looking at the rest; False where anything is unusual."""
        data = self._data
        found = _PLAIN_SIZE.search(data)
        if found is None or not _PLAIN_ROOT.match(data) or b"<!" in data or data.count(b"<size") != 1:
            return False
        if depth is not None and found[3] is None:
            return False
        # without comments, CDATA and empty elements the tags before it tell how deep it stands
        before = data[: found.start()]
        if b"/>" in before or before.count(b"<") - before.count(b"<?") - 2 * before.count(b"</") != 1:
            return False
        for group, value in ((1, width), (2, height), (3, depth)):
            if value is not None:
                self._edits[found.span(group)] = b"%d" % value
        self._plain_size = (width, height, depth)
        return True

    def _open(self) -> Node:
        """Parse, and find where everything stands."""
        if self._root is None:
            self._expected = document.parse_root(self._data, self._name)
            self._root = locate(self._data, self._name)
            self._elements = list(self._expected.iter(etree.Element))
            self._objects = list(self._root.all(b"object"))
            if self._plain_size is not None:  # the quick change of before, now with everything in view
                size, self._plain_size = self._plain_size, None
                self._edits.clear()
                self.set_size(*size)
        return self._root

    def _child(self, index: int, *path: bytes, part: int = -1) -> Node:
        self._open()
        parent = self._objects[index] if part < 0 else list(self._objects[index].all(b"part"))[part]
        node = parent.first(*path)
        if node is None or index in self._removed:
            what = "the object is removed" if node else f"the object has no {b'/'.join(path).decode()}"
            raise DataError(self._name, self._line(self._objects[index]), "E-XML-EDIT", what)
        return node

    def _line(self, node: Node) -> int:
        return self._data.count(b"\n", 0, node.start) + 1

    def _bytes(self, text: str) -> bytes:
        return escaped(text, self._name).encode(self._codec, "xmlcharrefreplace")

    def _set_text(self, node: Node, text: str) -> None:
        if node.children:
            raise DataError(self._name, self._line(node), "E-XML-EDIT", f"{node.tag.decode()} holds other elements")
        new = self._bytes(text)
        if node.empty:
            self._edits[self._slash(node)] = b">" + new + b"</" + node.tag + b">"
        else:
            texts = [t for t in node.texts() if t[1] < t[2] or t[0] == "cdata"] or [next(node.texts())]
            main = next((t for t in texts if self._data[t[1] : t[2]].strip(_BLANKS)), texts[0])
            for text_span in texts:  # one piece takes the new text, the others make way
                kind, start, end = text_span
                piece = new if text_span == main else b""
                if kind == "cdata":
                    start, end = start - len(b"<![CDATA["), end + len(b"]]>")
                    if piece and piece == text.encode(self._codec, "replace"):  # it needs no escape: keep the form
                        piece = b"<![CDATA[" + piece + b"]]>"
                self._edits[start, end] = piece
        element = self._elements[node.index]
        for child in element:
            child.tail = None
        element.text = text

    def _slash(self, node: Node) -> tuple[int, int]:
        """The span of "/>", with the blanks before it, of an element without content."""
        slash = self._data.rindex(b"/", node.start, node.end)
        return len(self._data[:slash].rstrip(_BLANKS)), node.end

    def _insert(self, parent: Node, after: Node | None, tag: str, content: str | list[tuple[str, str]]) -> None:
        """Add an element after a child or as the first one, indented as its neighbours are."""
        if (parent.index, tag) in self._added:
            raise DataError(self._name, self._line(parent), "E-XML-EDIT", f"{tag} was added already")
        self._added.add((parent.index, tag))
        indent = self._indent(after or next(iter(parent.children), None))
        element = etree.Element(tag)
        if isinstance(content, str):
            inner = self._bytes(content)
            element.text = content
        else:
            inner_indent = indent + indent.lstrip(b"\r\n")
            inner = b""
            for name, text in content:
                inner += inner_indent + f"<{name}>{text}</{name}>".encode()
                etree.SubElement(element, name).text = text
            inner += indent
        new = indent + b"<" + tag.encode() + b">" + inner + b"</" + tag.encode() + b">"
        at = (after.end, after.end) if after else self._slash(parent) if parent.empty else (parent.inner, parent.inner)
        close = b"</" + parent.tag + b">" if parent.empty else b""
        old = self._edits.get(at) or (b">" + close if parent.empty else b"")
        self._edits[at] = old.removesuffix(close) + new + close
        # several that come to one place keep the order in which they came
        anchor = self._inserted.get(at, self._elements[after.index] if after else None)
        if anchor is None:
            self._elements[parent.index].insert(0, element)
        else:
            element.tail, anchor.tail = anchor.tail, None
            anchor.addnext(element)
        self._inserted[at] = element

    def _indent(self, neighbour: Node | None) -> bytes:
        """The line end and the blanks before an element, empty where it does not begin its line."""
        blanks = self._blanks_before(neighbour.start) if neighbour else b""
        newline = max(blanks.rfind(b"\n"), blanks.rfind(b"\r"))
        if newline < 0:
            return b""
        return blanks[newline - (blanks[newline - 1 : newline + 1] == b"\r\n") :]

    def _blanks_before(self, at: int) -> bytes:
        start = at
        while start and self._data[start - 1] in _BLANKS:
            start -= 1
        return self._data[start:at]


def _codec(data: bytes, name: str) -> str:
    """The Python codec of an XML whose markup is ASCII."""
    found = _DECLARATION.match(data)
    encoding = found[1].decode() if found else "utf-8"
    # a byte order mark of UTF-16 or a NUL tell a declaration that lies or cannot be seen
    if _ASCII_BASED.fullmatch(encoding) and data[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" not in data[:64]:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            pass
    raise DataError(name, 1, "E-XML-ENCODING", f"files in {encoding} cannot be edited", "save it as UTF-8")


def _is_well_formed(data: bytes) -> bool:
    """What expat says, in half the time of lxml. It never meets a DTD here; encodings that it lacks are a no."""
    try:
        pyexpat.ParserCreate().Parse(data, True)
    except (pyexpat.ExpatError, ValueError, LookupError):
        return False
    return True


def _remove(element: etree._Element) -> None:
    """Remove an element, not the text after it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        raise ValueError("the root stays")
    tail = element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def _content(node: etree._Element) -> tuple[Any, ...]:
    """What the parser sees, without blanks between elements: tags, attributes, texts, comments and instructions."""
    if not isinstance(node.tag, str):
        return (etree.tostring(node, with_tail=False),)
    text = document.content(node)
    return node.tag, sorted(node.attrib.items()), text if text.strip() else "", [_content(child) for child in node]
