"""Edits that leave every other byte alone."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.io.voc.document import parse
from datatools.io.voc.edit import Editor

ODD = b"""<?xml version='1.0' encoding="utf-8" standalone="yes" ?>\r
<!-- <size><width>9</width><height>9</height><depth>3</depth></size> -->\r
<annotation  verified = 'yes' >\r
\t<folder>f</folder><?keep me?>\r
\t<filename>a.jpg</filename>\r
\t<my:own xmlns:my="urn:x" a='1>2'><![CDATA[<object>]]></my:own>\r
\t<size><width><!-- w --> 10 </width>  <height><![CDATA[20]]></height></size>\r
\t<object> <!-- first -->\r
\t\t<name> cat &amp; dog </name>\r
\t\t<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>\r
\t</object>  \r
\t<object><name/><bndbox><ymax>40</ymax><xmax>30</xmax><ymin>20</ymin><xmin>10</xmin></bndbox></object>\r
</annotation >\r
<!-- end -->"""


def edited(data: bytes, change: Callable[[Editor], object]) -> bytes:
    editor = Editor(data, "a.xml")
    change(editor)
    return editor.result()


def test_no_change_is_the_same_bytes() -> None:
    assert edited(ODD, lambda e: None) == ODD


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (lambda e: e.set_size(640, 480), [b"<!-- w --> 10 <", b"[20]"], [b"<!-- w -->640<", b"[480]"]),
        (lambda e: e.set_name(0, "cat & dog"), [b"> cat &amp; dog <"], [b">cat &amp; dog<"]),
        (lambda e: e.set_name(1, "猫"), [b"<name/>"], ["<name>猫</name>".encode()]),
        (lambda e: e.set_filename("b.jpg"), [b">a.jpg<"], [b">b.jpg<"]),
        (lambda e: e.set_corners(1, (5, 6.5, None, "7")), [b">10<", b">20<", b">40<"], [b">5<", b">6.5<", b">7<"]),
    ],
)
def test_only_the_text_changes(change: Callable[[Editor], object], old: list[bytes], new: list[bytes]) -> None:
    expected = ODD
    for a, b in zip(old, new, strict=True):
        head, body = expected[:200], expected[200:]  # the comment before the root stays as it is
        expected = head + body.replace(a, b, 1)
    result = edited(ODD, change)
    assert result == expected
    assert edited(result, change) == result


def test_removing_objects_takes_their_lines() -> None:
    first = ODD[ODD.index(b"\t<object> <!-- first") : ODD.index(b"\t<object><name/>")]
    second = ODD[ODD.index(b"\t<object><name/>") : ODD.index(b"</annotation >")]
    assert edited(ODD, lambda e: e.remove_object(0)) == ODD.replace(first, b"")
    assert edited(ODD, lambda e: e.remove_object(1)) == ODD.replace(second, b"")

    def both(editor: Editor) -> None:
        editor.set_name(0, "gone")
        editor.remove_object(0)
        editor.remove_object(1)
        editor.remove_object(1)

    assert edited(ODD, both) == ODD.replace(first, b"").replace(second, b"")


def test_the_last_change_counts() -> None:
    data = b"<annotation><size><width>0</width><height>0</height></size></annotation>"

    def change(editor: Editor) -> None:
        editor.set_size(1, 1)
        editor.set_size(640, 480)
        editor.set_filename("x")

    expected = data.replace(b">0</width>", b">640</width>").replace(b">0<", b">480<")
    assert edited(data, change) == expected.replace(b"<size>", b"<filename>x</filename><size>")


def test_removing_in_one_line() -> None:
    data = b"<annotation><object><name>a</name></object> <object><name>b</name></object></annotation>"
    assert edited(data, lambda e: e.remove_object(0)) == b"<annotation> <object><name>b</name></object></annotation>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"<annotation>\r\n\t<folder>f</folder>\r\n\t<object/>\r\n</annotation>",
            b"<annotation>\r\n\t<folder>f</folder>\r\n\t<filename>x</filename>\r\n\t<size>\r\n\t\t<width>6</width>"
            b"\r\n\t\t<height>4</height>\r\n\t\t<depth>3</depth>\r\n\t</size>\r\n\t<object/>\r\n</annotation>",
        ),
        (
            b"<annotation>\n  <object/>\n</annotation>",
            b"<annotation>\n  <filename>x</filename>\n  <size>\n    <width>6</width>\n    <height>4</height>"
            b"\n    <depth>3</depth>\n  </size>\n  <object/>\n</annotation>",
        ),
        (
            b"<annotation/>",
            b"<annotation><filename>x</filename><size><width>6</width><height>4</height><depth>3</depth></size>"
            b"</annotation>",
        ),
        (
            b"<annotation><size/></annotation>",
            b"<annotation><filename>x</filename><size><width>6</width><height>4</height></size></annotation>",
        ),
    ],
)
def test_what_is_missing_is_inserted_as_the_file_is_indented(data: bytes, expected: bytes) -> None:
    def change(editor: Editor) -> None:
        editor.set_filename("x")
        editor.set_size(6, 4)

    assert edited(data, change) == expected


def test_the_quick_way_and_the_other_agree() -> None:
    data = b"<annotation>\n<size>\n <width>0</width>\n <height>1.0</height>\n <depth>1</depth>\n</size></annotation>"
    slow = data.replace(b"\n<size>", b"\n<!-- --><size>")
    new = edited(data, lambda e: e.set_size(640, 480, 3))
    assert new == data.replace(b">0<", b">640<").replace(b">1.0<", b">480<").replace(b">1<", b">3<")
    assert edited(slow, lambda e: e.set_size(640, 480, 3)).replace(b"<!-- -->", b"") == new


@pytest.mark.parametrize(
    "wrap",
    [
        b"<annotation><x>%s</x></annotation>",
        b"<annotation><x/>%s</annotation>",
        b"<annotation><!-- %s --></annotation>",
        b"<annotation><x>a/>b%s</x></annotation>",
    ],
)
def test_a_size_elsewhere_is_not_the_image_s(wrap: bytes) -> None:
    inner = b"<size><width>1</width><height>2</height></size>"
    result = edited(wrap % inner, lambda e: e.set_size(640, 480))
    size = parse(result, "").size
    assert size is not None
    assert size.width is not None
    assert size.width.text == "640"
    if b"<x/>" not in wrap:
        assert inner in result


def test_encodings() -> None:
    data = '<?xml version="1.0" encoding="{}"?><annotation><object><name>图</name></object></annotation>'
    for encoding in ("GBK", "gb18030", "utf-8"):
        result = edited(data.format(encoding).encode(encoding), lambda e: e.set_name(0, "牙图"))
        assert result == data.format(encoding).replace("图", "牙图").encode(encoding)
        sized = data.replace("<object>", "<size><width>0</width><height>0</height></size><object>").format(encoding)
        result = edited(sized.encode(encoding), lambda e: e.set_size(6, 4))
        assert result == sized.replace(">0</width>", ">6</width>").replace(">0<", ">4<").encode(encoding)
    latin = data.replace("图", "é").format("ISO-8859-1").encode("latin-1")
    result = edited(latin, lambda e: e.set_name(0, "é猫"))
    assert "é".encode("latin-1") + b"&#29483;" in result
    assert edited(b"\xef\xbb\xbf<annotation><size/></annotation>", lambda e: e.set_size(1, 1)).startswith(
        b"\xef\xbb\xbf<a"
    )
    for encoding in ("utf-16", "utf-16-le", "utf-32", "cp037"):
        with pytest.raises(DataError) as caught:
            edited(data.replace("图", "b").format(encoding).encode(encoding), lambda e: e.set_name(0, "a"))
        assert caught.value.code in ("E-XML-ENCODING", "E-XML-BROKEN")


@pytest.mark.parametrize(
    ("data", "change", "code"),
    [
        (b"<annotation><object>", lambda e: e.set_name(0, "a"), "E-XML-BROKEN"),
        (b"<annotation><size><width>1</width><height>1</height></size>", lambda e: e.set_size(2, 2), "E-XML-BROKEN"),
        (b"<!DOCTYPE annotation><annotation/>", lambda e: e.set_size(2, 2), "E-XML-DTD"),
        (b"<annotation><object/></annotation>", lambda e: e.set_name(0, "a"), "E-XML-EDIT"),
        (ODD, lambda e: (e.remove_object(0), e.set_name(0, "a")), "E-XML-EDIT"),
        (ODD, lambda e: e.set_name(0, "a\x00"), "E-TEXT-CONTROL"),
        (b"<annotation><filename><b/></filename></annotation>", lambda e: e.set_filename("a"), "E-XML-EDIT"),
    ],
)
def test_refusals(data: bytes, change: Callable[[Editor], object], code: str) -> None:
    with pytest.raises(DataError) as caught:
        edited(data, change)
    assert caught.value.code == code


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(ODD) - 1), st.integers(0, 255)), max_size=2),
    st.integers(1, 9999),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
)
def test_mutated_files_are_edited_as_asked_or_refused(changes: list[tuple[int, int]], width: int, name: str) -> None:
    data = bytearray(ODD)
    for at, value in changes:
        data[at] = value

    def change(editor: Editor) -> None:
        editor.set_size(width, 7)
        editor.set_corners(0, (None, None, 8, 9))
        editor.set_name(1, name)

    try:
        before = parse(bytes(data), "")
        result = edited(bytes(data), change)
    except (DataError, IndexError):
        return
    after = parse(result, "")
    assert after.size is not None
    assert after.size.width is not None
    assert after.size.width.text == str(width)
    assert [o.name.text for o in after.objects if o.name][1:] in (
        [name],
        [o.name.text for o in before.objects if o.name][1:],
    )
