"""The vectorised reader and lxml give the same rows, or the former declines."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.io.voc import plain
from datatools.io.voc.document import parse
from datatools.io.voc.rows import Collected, Rows

USUAL = b"""<annotation>
\t<folder>VOC2007</folder>
\t<filename>000001.jpg</filename>
\t<source>
\t\t<database>The VOC2007 Database</database>
\t\t<annotation>PASCAL VOC2007</annotation>
\t\t<image>flickr</image>
\t\t<flickrid>341012865</flickrid>
\t</source>
\t<owner>
\t\t<flickrid>Fried Camels</flickrid>
\t\t<name>Jinky the Fruit Bat</name>
\t</owner>
\t<size>
\t\t<width>353</width>
\t\t<height>500</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>dog</name>
\t\t<pose>Left</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>48</xmin>
\t\t\t<ymin>240</ymin>
\t\t\t<xmax>195</xmax>
\t\t\t<ymax>371</ymax>
\t\t</bndbox>
\t</object>
\t<object>
\t\t<name>person</name>
\t\t<difficult>1</difficult>
\t\t<bndbox>
\t\t\t<ymax>498.25</ymax>
\t\t\t<xmax>352</xmax>
\t\t\t<xmin>-8</xmin>
\t\t\t<ymin>12</ymin>
\t\t</bndbox>
\t\t<occluded>1</occluded>
\t</object>
</annotation>
"""


def slowly(datas: Sequence[bytes], files: Sequence[int]) -> Rows:
    collected = Collected()
    for i in files:
        collected.add(i, parse(datas[i], "x"), "x")
    return collected.rows()


def labels_of(rows: Rows) -> list[str]:
    return [rows.labels[i] for i in rows.box_label.tolist()]


def check_agreement(datas: Sequence[bytes]) -> list[int]:
    """Compare the readers and return the files that were declined."""
    fast, declined = plain.scan(datas)
    slow = slowly(datas, fast.files.tolist())  # raises where a file that was taken is not well-formed
    assert not slow.failures
    assert sorted([*fast.files.tolist(), *declined]) == list(range(len(datas)))
    for name in ("files", "size_wh", "depth", "box_file", "corners", "flags"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), name)
    assert fast.filenames == slow.filenames
    assert labels_of(fast) == labels_of(slow)
    return declined


def test_the_usual_form_is_read() -> None:
    rows, declined = plain.scan([USUAL, b"<annotation/>", USUAL])
    assert declined == [1]
    assert rows.files.tolist() == [0, 2]
    assert rows.size_wh.tolist() == [[353, 500]] * 2
    assert rows.filenames == ["000001.jpg"] * 2
    assert labels_of(rows) == ["dog", "person"] * 2
    assert rows.corners[:2].tolist() == [[48, 240, 195, 371], [-8, 12, 352, 498.25]]
    assert rows.flags[:2].tolist() == [[False, True, False], [True, False, True]]
    assert rows.box_file.tolist() == [0, 0, 2, 2]


def test_nothing_is_nothing() -> None:
    rows, declined = plain.scan([])
    assert len(rows.files) == len(rows.box_file) == len(declined) == 0


@pytest.mark.parametrize(
    "data",
    [
        USUAL.replace(b"\n", b"\r\n"),
        b'<?xml version="1.0" encoding="utf-8"?>\n' + USUAL,
        b"\xef\xbb\xbf" + USUAL.replace(b"<annotation>", b'<annotation verified="yes">', 1),
        USUAL.replace(b"dog", "犬".encode()).replace(b"000001", "画像".encode()),
        USUAL.replace(b"dog", b" a label of forty-two characters and blanks "),
        USUAL.replace(b"<segmented>", rb"<path>C:\Users\me\a.jpg</path><segmented>"),
        USUAL.replace(b"dog", b"a > b"),
        b"<annotation></annotation>",
        b"<annotation><filename></filename><size></size></annotation>",
        b"<annotation>loose text<size><height>5</height>more</size></annotation>",
    ],
)
def test_common_variants_are_taken(data: bytes) -> None:
    assert check_agreement([data, USUAL]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<name>dog</name>", b""),
        (b"<name>dog</name>", b"<name> \t</name>"),
        (b"<name>dog</name>", b"<name>dog</name><name>cat</name>"),
        (b"<name>dog</name>", b"<name>do<!-- g --></name>"),
        (b"<name>dog</name>", b"<name><![CDATA[dog]]></name>"),
        (b"<name>dog</name>", b"<name>d&amp;g</name>"),
        (b"<name>dog</name>", b"<name lang='en'>dog</name>"),
        (b"<name>dog</name>", b"<name>d\rog</name>"),
        (b"<name>dog</name>", b"<name>d\x01og</name>"),
        (b"<name>dog</name>", b"<name>d\xffog</name>"),
        (b"<name>dog</name>", b"<name>d]]>og</name>"),
        (b"<name>dog</name>", b"<name><pose>dog</pose></name>"),
        (b"<pose>Left</pose>", b"<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"),
        (b"<xmin>48</xmin>", b""),
        (b"<xmin>48</xmin>", b"<xmin></xmin>"),
        (b"<xmin>48</xmin>", b"<xmin>4_8</xmin>"),
        (b"<xmin>48</xmin>", b"<xmin>nan</xmin>"),
        (b"<xmin>48</xmin>", "<xmin>\uff14\uff18</xmin>".encode()),
        (b"<xmin>48</xmin>", b"<xmin>" + b"4" * 5000 + b"</xmin>"),
        (b"<xmin>48</xmin>", b"<xmin>48</xmin><xmin>49</xmin>"),
        (b"<difficult>0</difficult>", b"<difficult>2</difficult>"),
        (b"<difficult>0</difficult>", b"<difficult></difficult>"),
        (b"<segmented>0</segmented>", b"<size><width>1</width></size>"),
        (b"<segmented>0</segmented>", b"<xmin>0</xmin>"),
        (b"<segmented>0</segmented>", b"<unknown>0</unknown>"),
        (b"<width>353</width>", b"<width>353px</width>"),
        (b"</object>\n\t<object>", b""),
        (b"</bndbox>", b"</bndbox><bndbox></bndbox>"),
        (b"<segmented>0</segmented>", b"<segmented>0</depth>"),
        (b"<segmented>0</segmented>", b"<annotation></annotation>"),
        (b"</object>\n</annotation>\n", b"</object>\n</annotation>\n<annotation></annotation>\n"),
        (b"</object>\n</annotation>\n", b"</object>\n"),
        (b"</annotation>\n", b""),
        (b"<annotation>", b"<annotation/><annotation>"),
        (b"<annotation>", b"<!DOCTYPE annotation><annotation>"),
        (b"<annotation>", b"\x0b<annotation>"),
        (b"<annotation>", b"<?xml version='1.1'?><annotation>"),
    ],
)
def test_the_unusual_is_declined_and_costs_no_neighbour(old: bytes, new: bytes) -> None:
    odd = USUAL.replace(old, new, 1)
    assert odd != USUAL
    assert check_agreement([USUAL, odd, USUAL]) == [1]


BLANKS = st.sampled_from(["", "\n", "\n\t", "\r\n    ", " "])
NUMBERS = st.one_of(
    st.integers(0, 5000).map(str),
    st.integers(-50, 12_345_678).map(str),
    st.floats(0, 4000, allow_nan=False).map(repr),
    st.sampled_from(["", " 7 ", "1e3", "nan", "1_0", "349.1198786039454", "007", "\n12\n"]),
)
NAMES = st.one_of(
    st.sampled_from(["dog", "cat", "person", " dog", "traffic light"]),
    st.text(st.characters(codec="utf-8", exclude_characters="<&>", exclude_categories=["Cc", "Cs"]), max_size=20),
)


def leaf(tag: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda v: f"<{tag}>{v}</{tag}>")) | values.map(
        lambda v: f"<{tag}>{v}</{tag}>"
    )


@st.composite
def containers(draw: st.DrawFn, tag: str, parts: Sequence[st.SearchStrategy[str]]) -> str:
    blank = draw(BLANKS)
    inside = draw(st.permutations([draw(part) for part in parts]))
    return f"<{tag}>{blank}" + "".join(p + blank for p in inside if p) + f"</{tag}>"


FLAG = st.sampled_from(["0", "1", "1", "0", " 1", "yes", ""])
BOXES = containers("bndbox", [NUMBERS.map(lambda v, t=t: f"<{t}>{v}</{t}>") for t in ("xmin", "ymin", "xmax", "ymax")])
PARTS = st.sampled_from([""] * 6 + ["<part><name>head</name><bndbox><xmin>9</xmin></bndbox></part>", "<!-- c -->"])
OBJECTS = containers(
    "object",
    [NAMES.map(lambda v: f"<name>{v}</name>"), BOXES, leaf("difficult", FLAG), leaf("truncated", FLAG), PARTS],
)
SIZES = containers("size", [leaf("width", NUMBERS), leaf("height", NUMBERS), leaf("depth", st.just("3"))])
SOURCES = st.sampled_from(["", "<source><database>x</database><annotation>y</annotation></source>"])
ANNOTATIONS = containers(
    "annotation", [leaf("filename", NAMES), leaf("folder", NAMES), SOURCES, SIZES, OBJECTS, OBJECTS | st.just("")]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(ANNOTATIONS, max_size=4))
def test_generated_files_give_the_same_records(texts: list[str]) -> None:
    check_agreement([text.encode() for text in texts])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(USUAL) - 1), st.integers(0, 3), st.integers(0, 255)), max_size=3))
def test_mutated_bytes_are_read_alike_or_declined(changes: list[tuple[int, int, int]]) -> None:
    data = bytearray(USUAL)
    for at, how, value in changes:
        if how == 0:
            data[at : at + 1] = bytes([value])
        elif how == 1:
            del data[at : at + 1 + value % 40]
        elif how == 2:
            data[at:at] = data[at : at + value]
        else:
            del data[at:]
    check_agreement([USUAL, bytes(data), USUAL])


def test_many_mutants() -> None:
    """Single bytes flipped and cut at every place of the file: what the scanner takes, lxml reads alike."""
    rng = np.random.default_rng(5)
    mutants = []
    for at in range(len(USUAL)):
        flipped = bytearray(USUAL)
        flipped[at] ^= 1 << int(rng.integers(8))
        mutants += [bytes(flipped), USUAL[:at] + USUAL[at + 1 :]]
    declined = check_agreement(mutants)
    assert 0 < len(declined) < len(mutants)
    for i in declined[::40]:
        try:
            parse(mutants[i], "x")
        except DataError as error:
            assert error.code.startswith("E-XML")
