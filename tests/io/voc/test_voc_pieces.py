"""Cutting files of a known form: the quick pattern that a frequent form gets says what the comparison says."""

import pytest

from datatools.io.voc import pieces

TEXT = (
    "<annotation>\n\t<filename>{}</filename>\n\t<size><width>{}</width><height>4</height><depth>3</depth></size>\n"
    "\t<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>\n"
    "</annotation>\n"
)


@pytest.fixture(scope="module", autouse=True)
def _often() -> None:
    for i in range(pieces.OFTEN + 2):
        assert pieces.cut(TEXT.format(f"{i}.jpg", i, "cat").encode()) is not None


@pytest.mark.parametrize("label", ["cat", "", " two words\r\n", "caf\u00e9 \u56fe \U0001f408", "\x7f"])
def test_a_frequent_form_is_cut_and_joined_without_loss(label: str) -> None:
    data = TEXT.format("a.jpg", 8, label).encode()
    for with_objects in (True, False):
        cut = pieces.cut(data, with_objects=with_objects)
        assert "<".join(cut.parts).encode() == data
        assert cut.text(cut.form.filename) == "a.jpg"
        assert [cut.text(at) for at in cut.form.size] == ["8", "4", "3"]
    assert pieces.cut(data).text(cut.form.objects[0].name) == label


@pytest.mark.parametrize("odd", ["a&amp;b", "a&b", "]]>", "a>b", "\x00", "\x0b", "\ufffe", "\uffff"])
def test_what_is_not_plain_text_is_refused_in_a_frequent_form_too(odd: str) -> None:
    assert pieces.cut(TEXT.format("a.jpg", 8, odd).encode()) is None


@pytest.mark.parametrize(
    "data",
    [
        TEXT.format("a.jpg", 8, "cat").replace("</width>", "</widht>").encode(),
        TEXT.format("a.jpg", 8, "cat").replace("<width>", "<height>").encode(),
        TEXT.format("a.jpg", 8, "cat").encode()[:-3],
        TEXT.format("a.jpg", 8, "caf\u00e9").encode("latin-1"),
    ],
)
def test_a_broken_file_of_a_frequent_form_is_refused(data: bytes) -> None:
    assert pieces.cut(data) is None
