"""Writing an annotation, and reading it back."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.core.records import Annotation, Box
from datatools.io.voc import plain
from datatools.io.voc.document import annotation, parse
from datatools.io.voc.write import render

# what a reader may be given back exactly: characters of XML, not blanks alone
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
    lambda t: t.strip(" \t\r\n") != "" and "\ufffe" not in t and "\uffff" not in t
)
# as files have them: below 1 a shift by one pixel loses digits
CORNERS = st.tuples(*[st.one_of(st.integers(1, 9000).map(float), st.floats(1, 9000))] * 4)
BOXES = st.builds(
    lambda label, c, **rest: Box(label, (c[0] - 1, c[1] - 1, c[2], c[3]), **rest),
    TEXTS,
    CORNERS,
    difficult=st.booleans(),
    truncated=st.booleans(),
    occluded=st.booleans(),
    pose=st.sampled_from(["", "Left", "Unspecified"]),
    parts=st.lists(st.builds(lambda label: Box(label, (1, 2, 3, 4)), TEXTS), max_size=2).map(tuple),
    polygon=st.sampled_from([(), ((0.0, 1.0), (5.5, 2.0), (3.0, 9.0))]),
    attributes=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
)
ANNOTATIONS = st.builds(
    Annotation,
    st.just("a"),
    TEXTS,
    st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    st.integers(1, 4),
    st.lists(BOXES, max_size=3).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(ANNOTATIONS, st.sampled_from(["voc", "zero"]))
def test_a_round_trip_is_exact(record: Annotation, coords: str) -> None:
    data = render(record, coords=coords)  # type: ignore[arg-type]
    assert annotation(parse(data, "a.xml"), "a", coords) == record


def test_what_we_write_is_plain() -> None:
    box = Box("dog", (0, 0, 4, 2.5), pose="Left", occluded=True)
    assert plain.scan([render(Annotation("a", "a.jpg", (8, 6), boxes=(box,)), database="mine")])[1] == []


def test_an_unknown_size_is_not_written() -> None:
    assert b"<size>" not in render(Annotation("a", "a.jpg", (0, 0)))


def test_markup_in_texts() -> None:
    data = render(Annotation("a", "<a> & b.jpg", (1, 1)), folder="x<y", database="]]>")
    assert annotation(parse(data, "a.xml"), "a", "voc").filename == "<a> & b.jpg"


def test_tiny_numbers_have_no_exponent() -> None:
    data = render(Annotation("a", "", (1, 1), boxes=(Box("x", (1e-9, 0.0, 1e6, 2.0)),)), coords="zero")
    assert b"<xmin>0.000000001</xmin>" in data
    assert b"<xmax>1000000</xmax>" in data


@pytest.mark.parametrize("label", ["a\x00b", "a\x1b[31m", "\ud800", "\uffff"])
def test_what_xml_cannot_hold(label: str) -> None:
    with pytest.raises(DataError) as caught:
        render(Annotation("item", "", (1, 1), boxes=(Box(label, (0, 0, 1, 1)),)))
    assert caught.value.code == "E-TEXT-CONTROL"
    assert caught.value.path == "item"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_coordinate(value: float) -> None:
    with pytest.raises(DataError) as caught:
        render(Annotation("item", "", (1, 1), boxes=(Box("x", (0, 0, 1, value)),)))
    assert caught.value.code == "E-BOX-INVALID"
