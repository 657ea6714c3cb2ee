"""The quick reader gives what the thorough one gives, or nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.core.records import Annotation, Box
from datatools.io.voc import document, usual, write

LABELS = st.text(st.characters(min_codepoint=33, max_codepoint=0x3FF), min_size=1, max_size=8)
NUMBERS = st.one_of(st.integers(-50, 5000).map(float), st.floats(0, 999).map(lambda v: round(v, 3)))
BOXES = st.builds(
    Box, LABELS, st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), st.booleans(), st.booleans(), st.booleans()
)


def thorough(data: bytes, coords: str) -> tuple[tuple[int, int], tuple[Box, ...]]:
    annotation = document.annotation(document.parse(data, "a.xml"), "a", coords)
    return annotation.size_wh, annotation.boxes


@given(st.lists(BOXES, max_size=4), st.sampled_from(["voc", "zero"]))
@settings(max_examples=60, deadline=None)
def test_it_reads_what_we_write(boxes: list[Box], coords: str) -> None:
    data = write.render(Annotation("a", "a.jpg", (640, 480), boxes=tuple(boxes)), coords=coords)  # type: ignore[arg-type]
    found = usual.read(data, "a.xml", coords)
    if not any(c in b.label for b in boxes for c in "&<>\x85\xa0") and all(b.label.strip() == b.label for b in boxes):
        assert found is not None
    if found is not None:
        assert found == thorough(data, coords)


def test_it_reads_the_fixtures(fixture_voc: Path, fixture_defects: Path) -> None:
    taken = total = 0
    for path in (*fixture_voc.rglob("*.xml"), *fixture_defects.rglob("*.xml")):
        data = path.read_bytes()
        try:
            expected = thorough(data, "voc")
        except DataError:
            with pytest.raises(DataError):
                usual.read(data, "a.xml", "voc")
            continue
        total += 1
        if (found := usual.read(data, "a.xml", "voc")) is not None:
            taken += 1
            assert found == expected, path.name
    assert taken > 0.6 * total


OBJECT = "<object><name>a</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>"
SIZE = "<size><width>9</width><height>8</height></size>"


@pytest.mark.parametrize(
    "inner",
    [
        OBJECT,  # no size
        SIZE + OBJECT.replace("</object>", "<extra/></object>"),
        SIZE + OBJECT.replace("<xmin>1", "<xmin>1e0"),
        SIZE + OBJECT.replace("<name>a", "<name>&amp;"),
        SIZE + OBJECT.replace("<name>a", "<name> a"),
        SIZE + OBJECT.replace("<name>a</name>", ""),
        SIZE + OBJECT.replace("<name>a", "<!-- x --><name>a"),
        SIZE + "<group>" + OBJECT + "</group>",
        SIZE + f"<note><![CDATA[{OBJECT}]]></note>",
        SIZE + SIZE + OBJECT,
        f"<x>{SIZE}</x>" + OBJECT,
    ],
)
def test_other_forms_are_left_to_the_thorough_reader(inner: str) -> None:
    assert usual.read(f"<annotation>{inner}</annotation>".encode(), "a.xml", "voc") is None


def test_broken_xml_is_an_error_here_too() -> None:
    with pytest.raises(DataError, match="E-XML-BROKEN"):
        usual.read(f"<annotation>{SIZE}{OBJECT}".encode(), "a.xml", "voc")
