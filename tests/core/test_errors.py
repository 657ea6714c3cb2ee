"""Errors are one line that names file, place and what to do."""

import pickle

import pytest

from datatools.core.errors import DataError, MissingExtra, escape


def test_a_data_error_is_one_line_with_its_place() -> None:
    error = DataError("Annotations/a.xml", 17, "E-BOX-OUTSIDE", "xmax 640 > width 500", "datatools voc fix --rule clip")
    assert str(error) == ("Annotations/a.xml:17: E-BOX-OUTSIDE: xmax 640 > width 500 (datatools voc fix --rule clip)")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_foreign_text_cannot_break_the_line_or_the_terminal() -> None:
    error = DataError("a\n\x1b[2Jb.xml", 0, "E-XML-BROKEN", "bad \u202e name \udcff")
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    str(error).encode()  # a lone surrogate would fail here


@pytest.mark.parametrize(
    ("text", "shown"), [("plain", "plain"), ("图", "图"), ("a\tb", "a\\tb"), ("\u2028", "\\u2028")]
)
def test_escape_keeps_what_can_be_read(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_missing_extra_says_what_to_type() -> None:
    assert str(MissingExtra("PNG plots", "plot")) == "PNG plots needs: pip install 'datatools[plot]'"
