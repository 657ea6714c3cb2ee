"""Lines of label files: what is cut where, and what is an error with its number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.io.paddleocr import lines, texts

TEXT = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=("Cs",)))


def test_lines_end_with_a_line_feed_alone() -> None:
    odd = "one\u2028two\x0b\x0c\x1c\x85three"
    found = lines.split(f"a.jpg\t{odd}\nb.jpg\tx\n".encode(), "x.txt")
    assert [(line.number, line.label) for line in found.lines] == [(1, odd), (2, "x")]
    assert not found.failures


def test_mark_carriage_returns_blank_lines_and_the_last_end() -> None:
    found = lines.split(b"\xef\xbb\xbfa b.jpg\tone\r\n\r\n\nc.jpg\ttwo", "x.txt")
    assert [(line.number, line.path, line.label) for line in found.lines] == [
        (1, "a b.jpg", "one"),
        (4, "c.jpg", "two"),
    ]
    assert (found.bom, found.crlf, found.blank, found.ended) == (True, 2, (2, 3), False)
    assert lines.split(b"a.jpg\tx\n", "x.txt").ended


@pytest.mark.parametrize(
    ("data", "number", "message"),
    [
        (b"a.jpg\tx\nb.jpg\n", 2, "there is no TAB"),
        (b"\tx\n", 1, "no image before"),
        (b"a.jpg\tx\nb.jpg\t\xff\n", 2, "not UTF-8 at byte 6"),
        (b"a\0.jpg\tx\n", 1, "NUL"),
        ("a.jpg\t中\n".encode("gbk"), 1, "not UTF-8"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(data: bytes, number: int, message: str) -> None:
    found = lines.split(data, "x.txt")
    (failure,) = found.failures
    assert (failure.path, failure.line, failure.code) == ("x.txt", number, "E-LABEL-LINE")
    assert message in failure.message
    assert len(found.lines) == data.count(b"\n") - 1


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file(data: bytes) -> None:
    found = lines.split(data, "x.txt")
    assert (found.lines, found.failures, found.blank, found.ended) == ((), (), (), True)


@given(TEXT.filter(bool), TEXT)
def test_a_written_line_is_read_back(path: str, text: str) -> None:
    found = lines.split((texts.line_of(path, text) * 2).encode(), "x.txt")
    assert [(line.path, texts.text_of(line.label)) for line in found.lines] == [(path, text)] * 2


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\rb", "a\0b", "\ud800"])
def test_a_text_that_no_line_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"TAB|Unicode"):
        texts.line_of("a.jpg", text)
    with pytest.raises(ValueError, match="path"):
        texts.line_of(f"{text}.jpg", "a")


def test_several_images_of_one_text() -> None:
    assert lines.paths('["a.jpg", "b/c.jpg"]') == ("a.jpg", "b/c.jpg")
    for written in ("[1].jpg", "[]", '["a.jpg", 3]', "[" * 100_000 + "]", '{"a": 1}'):
        assert lines.paths(written) == (written,)


def test_texts_with_width_and_height() -> None:
    assert texts.text_of("one\t320\t48.5") == "one"
    assert texts.text_of("") == ""
    for label in ("one\ttwo", "one\t320", "one\t320\tx", "one\t1\t2\t3", "one\t\uff11\t\uff12"):
        with pytest.raises(ValueError, match="a TAB inside the text"):
            texts.text_of(label)


def test_directions() -> None:
    assert [texts.direction_of(label) for label in ("0", "180", " 90")] == [0, 180, 90]
    for label in ("", "1", "0.0", "\uff11\uff18\uff10", "0\t0"):
        with pytest.raises(ValueError, match="not a direction"):
            texts.direction_of(label)
