"""An annotation as a standard Pascal VOC XML."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from datatools.core.errors import DataError
from datatools.core.records import Annotation, Box

# what XML 1.0 cannot hold even escaped, and halves of surrogate pairs, which no encoding can
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(
    annotation: Annotation, *, coords: Literal["voc", "zero"] = "voc", folder: str = "JPEGImages", database: str = ""
) -> bytes:
    """Write an annotation as XML: UTF-8, tabs, the order of tags of VOC2007.

    coords: "voc" writes 1-based corners that include the last pixel, "zero" the numbers as they are. Whole numbers are
    written as integers, others with all their digits, so that reading gives the same box. <size>, <pose>, <occluded>,
    <part>, <polygon> and <attributes> are written where the annotation has them.

    Raises DataError for a text that XML cannot hold (control characters) and for a coordinate that is not finite.

    >>> print(render(Annotation("a", "a.jpg", (8, 6), boxes=(Box("cat", (0, 0, 4, 2.5)),))).decode().expandtabs(2))
    <annotation>
      <folder>JPEGImages</folder>
      <filename>a.jpg</filename>
      <size>
        <width>8</width>
        <height>6</height>
        <depth>3</depth>
      </size>
      <segmented>0</segmented>
      <object>
        <name>cat</name>
        <truncated>0</truncated>
        <difficult>0</difficult>
        <bndbox>
          <xmin>1</xmin>
          <ymin>1</ymin>
          <xmax>4</xmax>
          <ymax>2.5</ymax>
        </bndbox>
      </object>
    </annotation>
    <BLANKLINE>
    """
    lines = ["<annotation>"]
    lines += [f"\t<folder>{escaped(folder)}</folder>"] if folder else []
    if annotation.filename:
        lines.append(f"\t<filename>{escaped(annotation.filename, annotation.item_id)}</filename>")
    if database:
        lines += ["\t<source>", f"\t\t<database>{escaped(database)}</database>", "\t</source>"]
    width, height = annotation.size_wh
    if (width, height) != (0, 0):
        lines += ["\t<size>", f"\t\t<width>{decimal(width)}</width>", f"\t\t<height>{decimal(height)}</height>"]
        lines += [f"\t\t<depth>{annotation.depth}</depth>", "\t</size>"]
    lines.append("\t<segmented>0</segmented>")
    origin = 1 if coords == "voc" else 0
    for box in annotation.boxes:
        lines += _object(box, "object", origin, "\t", annotation.item_id)
    lines.append("</annotation>\n")
    return "\n".join(lines).encode()


def _object(box: Box, tag: str, origin: int, indent: str, item: str) -> Iterator[str]:
    inner = indent + "\t"
    yield f"{indent}<{tag}>"
    yield f"{inner}<name>{escaped(box.label, item)}</name>"
    if box.pose:
        yield f"{inner}<pose>{escaped(box.pose, item)}</pose>"
    if tag == "object" or box.truncated or box.difficult:
        yield f"{inner}<truncated>{box.truncated:d}</truncated>"
        yield f"{inner}<difficult>{box.difficult:d}</difficult>"
    if box.occluded:
        yield f"{inner}<occluded>1</occluded>"
    x0, y0, x1, y1 = box.xyxy
    yield f"{inner}<bndbox>"
    for name, value in (("xmin", x0 + origin), ("ymin", y0 + origin), ("xmax", x1), ("ymax", y1)):
        yield f"{inner}\t<{name}>{decimal(value, item)}</{name}>"
    yield f"{inner}</bndbox>"
    if box.polygon:
        yield f"{inner}<polygon>"
        for number, (x, y) in enumerate(box.polygon, 1):
            yield f"{inner}\t<x{number}>{decimal(x + origin, item)}</x{number}>"
            yield f"{inner}\t<y{number}>{decimal(y + origin, item)}</y{number}>"
        yield f"{inner}</polygon>"
    for part in box.parts:
        yield from _object(part, "part", origin, inner, item)
    if box.attributes:
        yield f"{inner}<attributes>"
        for name, text in box.attributes:
            yield f"{inner}\t<attribute>"
            yield f"{inner}\t\t<name>{escaped(name, item)}</name>"
            yield f"{inner}\t\t<value>{escaped(text, item)}</value>"
            yield f"{inner}\t</attribute>"
        yield f"{inner}</attributes>"
    yield f"{indent}</{tag}>"


def decimal(value: float, item: str = "") -> str:
    """A number without exponent: integers as integers, others with the digits that give the same float back.

    Raises DataError E-BOX-INVALID where it is not finite. item: what the error names.

    >>> decimal(3.0), decimal(45.70000076293945), decimal(1e-7)
    ('3', '45.70000076293945', '0.0000001')
    """
    if value - value != 0:
        raise DataError(item, 0, "E-BOX-INVALID", f"a coordinate is {value}")
    if value == int(value):
        return str(int(value))
    text = repr(float(value))
    return format(Decimal(text), "f") if "e" in text else text


def escaped(text: str, item: str = "") -> str:
    """A text as the content of an element. Raises DataError E-TEXT-CONTROL for characters that XML cannot hold.

    >>> escaped("cats & <dogs>")
    'cats &amp; &lt;dogs&gt;'
    """
    if text.isalnum():
        return text
    if bad := _FORBIDDEN.search(text):
        what = f"U+{ord(bad[0]):04X} in {text!r} cannot stand in XML"
        raise DataError(item, 0, "E-TEXT-CONTROL", what, "rename the label or the file")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # a bare one would be read as a line feed
