"""Strict reading of one XML: what is taken, and what is refused by which code."""

import gzip
import math

import pytest

from datatools.core.errors import DataError
from datatools.io.voc.document import annotation, number, parse

BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40.5</ymax></bndbox>"
XXE = (
    '<!DOCTYPE annotation [<!ENTITY c SYSTEM "file:///etc/hostname">]><annotation><filename>&c;</filename></annotation>'
)
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><annotation><filename>&i;</filename></annotation>"
)


def test_everything_that_is_kept() -> None:
    text = f"""<annotation verified="yes">
<object>
  <attributes><attribute><name>colour</name><value>red</value></attribute></attributes>
  <part><name>head</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></part>
  <polygon><x1>1</x1><y1>2</y1><x2>30</x2><y2>40.5</y2><x3>9</x3></polygon>
  {BOX}<occluded>1</occluded><truncated>0</truncated><pose>Left</pose><name>cat</name><difficult>1</difficult>
</object>
<size><depth>1</depth><height>480</height><width>640</width></size>
<filename>a.jpg</filename><folder>f</folder>
</annotation>"""
    document = parse(text.encode(), "a.xml")
    assert (document.verified, document.root_tag, document.line) == ("yes", "annotation", 1)
    assert document.size is not None
    assert document.size.width is not None
    assert (document.size.width.text, document.size.line) == ("640", 8)
    assert document.objects[0].line == 2
    record = annotation(document, "a", "voc")
    assert (record.filename, record.size_wh, record.depth) == ("a.jpg", (640, 480), 1)
    (box,) = record.boxes
    assert (box.label, box.pose, box.difficult, box.truncated, box.occluded) == ("cat", "Left", True, False, True)
    assert box.xyxy == (0, 1, 30, 40.5)
    assert box.parts[0].label == "head"
    assert box.parts[0].xyxy == (2, 2, 5, 5)
    assert box.polygon == ((0, 1), (29, 39.5))
    assert box.attributes == (("colour", "red"),)
    assert annotation(document, "a", "zero").boxes[0].xyxy == (1, 2, 30, 40.5)


def test_little_is_enough() -> None:
    record = annotation(parse(b"<annotation/>", "a.xml"), "a", "voc")
    assert (record.filename, record.size_wh, record.depth, record.boxes) == ("", (0, 0), 3, ())


def test_objects_that_are_no_boxes() -> None:
    objects = [
        (BOX, "E-OBJECT-NO-NAME"),
        ("<name> \n</name>" + BOX, "E-OBJECT-NO-NAME"),
        ("<name>a</name>", "E-OBJECT-NO-BOX"),
        ("<name>a</name>" + BOX.replace("<ymin>2</ymin>", ""), "E-BOX-INVALID"),
        ("<name>a</name>" + BOX.replace(">2<", ">nan<"), "E-BOX-INVALID"),
    ]
    for text, code in objects:
        document = parse(f"<annotation>\n<object>{text}</object></annotation>".encode(), "a.xml")
        problem = document.objects[0].problem("a.xml")
        assert problem is not None
        assert (problem.code, problem.line) == (code, 2)
        assert annotation(document, "a", "voc").boxes == ()


def test_repeated_elements_are_told() -> None:
    document = parse(b"<annotation><size><width>1</width></size>\n<size><width>2</width></size></annotation>", "a.xml")
    assert document.size is not None
    assert document.size.width is not None
    assert document.size.width.text == "1"
    assert [(t.text, t.line) for t in document.repeated] == [("size", 2)]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("<![CDATA[a & b]]>", "a & b"),
        ("a &amp; b", "a & b"),
        ("a<!-- no -->b", "ab"),
        (" a ", " a "),
        ("&#x732B;", "猫"),
    ],
)
def test_label_texts(name: str, label: str) -> None:
    document = parse(f"<annotation><object><name>{name}</name>{BOX}</object></annotation>".encode(), "a.xml")
    assert annotation(document, "a", "voc").boxes[0].label == label


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_encodings(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><annotation><filename>图.jpg</filename></annotation>'
    assert annotation(parse(text.encode(encoding), "a.xml"), "a", "voc").filename == "图.jpg"


def test_latin_1() -> None:
    data = '<?xml version="1.0" encoding="ISO-8859-1"?><annotation><filename>café</filename></annotation>'
    assert annotation(parse(data.encode("latin-1"), "a.xml"), "a", "voc").filename == "café"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "E-XML-BROKEN"),
        (b" \n", "E-XML-BROKEN"),
        (b"<annotation><object>", "E-XML-BROKEN"),
        (b"<annotation>\xff\xfe</annotation>", "E-XML-BROKEN"),
        (b"<annotation>\x01</annotation>", "E-XML-BROKEN"),
        (b"<annotation>&unknown;</annotation>", "E-XML-BROKEN"),
        (b'<?xml version="1.0" encoding="no-such"?><annotation/>', "E-XML-BROKEN"),
        (gzip.compress(b"<annotation/>", mtime=0), "E-XML-BROKEN"),
        (XXE.encode(), "E-XML-DTD"),
        (LAUGHS.encode(), "E-XML-DTD"),
        (b'<!DOCTYPE annotation SYSTEM "x.dtd"><annotation/>', "E-XML-DTD"),
        (b"<!DOCTYPE annotation><annotation/>", "E-XML-DTD"),
        (b"<Annotation/>", "E-XML-ROOT"),
        (b"<html/>", "E-XML-ROOT"),
        (b'<annotation xmlns="urn:x"/>', "E-XML-NAMESPACE"),
        (b'<annotation xmlns:v="urn:x"><v:object/></annotation>', "E-XML-NAMESPACE"),
        (b"<annotation>" + b"<a>" * 300 + b"</a>" * 300 + b"</annotation>", "E-XML-LIMIT"),
        (b"<annotation>" + b" " * 9 * 1024 * 1024 + b"</annotation>", "E-XML-LIMIT"),
        (b"<annotation " + b" ".join(b'a%d=""' % i for i in range(65)) + b"/>", "E-XML-LIMIT"),
    ],
)
def test_refusals(data: bytes, code: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(data, "sub/a.xml")
    assert caught.value.code == code
    assert str(caught.value).startswith("sub/a.xml")
    assert "\n" not in str(caught.value)


def test_the_line_of_the_damage() -> None:
    with pytest.raises(DataError) as caught:
        parse(b"<annotation>\n<size>\n</siez>\n</annotation>", "a.xml")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "1e3",
        "1_0",
        "\uff14\uff18",
        "0x10",
        "+5",
        ".5",
        "5.",
        "1" * 5000,
        "1 2",
        "--1",
        "\xa05",
        "1,5",
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert number(text) is None


def test_numbers() -> None:
    for text, value in (("0", 0), ("-12", -12), (" 7\n", 7), ("45.70000076293945", 45.70000076293945), ("007", 7)):
        assert number(text) == value
    assert math.copysign(1, number("-0") or 0.0) in (1, -1)
