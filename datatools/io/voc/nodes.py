"""Where each element of an XML stands in its bytes.

A small scanner over the original bytes: it knows tags, attributes, comments, CDATA and processing instructions, keeps
every position, and reads nothing but what a strict parser has accepted before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from datatools.core.errors import DataError

_TOKEN = re.compile(
    rb"""(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<pi><\?.*?\?>)"""
    rb"""|</(?P<close>[^\s<>/"'=]+)\s*>|<(?P<open>[^\s<>/"'=!?]+)(?:\s+[^\s<>/"'=]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*"""
    rb"""\s*(?P<empty>/?)>""",
    re.DOTALL,
)


@dataclass(slots=True, eq=False)
class Node:
    """An element. Its bytes are [start, end), its content [inner, inner_end).

    empty: written as <tag/>, then inner == inner_end == end. others: spans of comments, CDATA sections and processing
    instructions directly inside, with their kind. index: number of the element in document order.
    """

    tag: bytes
    start: int
    inner: int
    index: int
    inner_end: int = 0
    end: int = 0
    empty: bool = False
    children: list["Node"] = field(default_factory=list)
    others: list[tuple[str, int, int]] = field(default_factory=list)

    def all(self, tag: bytes) -> Iterator["Node"]:
        """The children of that tag."""
        return (child for child in self.children if child.tag == tag)

    def first(self, *path: bytes) -> "Node | None":
        """The first child of that tag, its first child of the next tag and so on."""
        node: Node | None = self
        for tag in path:
            node = next(node.all(tag), None) if node is not None else None
        return node

    def texts(self) -> Iterator[tuple[str, int, int]]:
        """The spans of the element's own text: ("text" or "cdata", start, end), in order; empty ones too."""
        holes = sorted([*self.others, *(("element", child.start, child.end) for child in self.children)], key=_start)
        at = self.inner
        for kind, start, end in holes:
            yield "text", at, start
            if kind == "cdata":
                yield "cdata", start + len(b"<![CDATA["), end - len(b"]]>")
            at = end
        yield "text", at, self.inner_end


def _start(span: tuple[str, int, int]) -> int:
    return span[1]


def locate(data: bytes, name: str) -> Node:
    """The root element of a well-formed XML without DTD.

    Raises DataError E-XML-EDIT where the scanner does not understand the bytes: then nothing can be edited safely.
    """
    stack: list[Node] = []
    root: Node | None = None
    count = at = 0
    for token in _TOKEN.finditer(data):
        if b"<" in data[at : token.start()]:
            raise _unknown(data, at, name)
        at = token.end()
        kind = token.lastgroup
        if kind == "close":
            if not stack or stack[-1].tag != token["close"]:
                raise _unknown(data, token.start(), name)
            node = stack.pop()
            node.inner_end, node.end = token.start(), at
        elif token["open"] is not None:
            node = Node(token["open"], token.start(), at, count)
            count += 1
            if stack:
                stack[-1].children.append(node)
            elif root is None:
                root = node
            else:
                raise _unknown(data, token.start(), name)
            if token["empty"]:
                node.empty, node.inner_end, node.end = True, at, at
            else:
                stack.append(node)
        elif stack and kind is not None:
            stack[-1].others.append((kind, token.start(), at))
    if root is None or stack or b"<" in data[at:]:
        raise _unknown(data, at, name)
    return root


def _unknown(data: bytes, at: int, name: str) -> DataError:
    line = data.count(b"\n", 0, at) + 1
    return DataError(name, line, "E-XML-EDIT", "the markup here is too unusual to be edited", "edit it by hand")
