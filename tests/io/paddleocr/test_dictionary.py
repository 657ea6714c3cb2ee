"""Dictionaries: a character a line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.io.paddleocr import dictionary


@given(st.lists(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), unique=True))
def test_a_written_dictionary_is_read_back(characters: list[str]) -> None:
    read = dictionary.parse(dictionary.file_of(characters), "d.txt")
    if characters[:1] == ["\ufeff"]:  # taken for a mark
        return
    assert read == dictionary.Dictionary(tuple(characters))


def test_odd_files() -> None:
    read = dictionary.parse("\ufeffa\r\n \r\n\u2028\r\n\u4e2d".encode(), "d.txt")
    assert read.characters == ("a", " ", "\u2028", "中")
    assert not read.failures
    assert dictionary.parse(b"", "d.txt") == dictionary.Dictionary(())


def test_what_is_no_character_is_named() -> None:
    read = dictionary.parse(b"a\nab\na\n\n\xff\n", "d.txt")
    assert read.characters == ("a",)
    assert [(f.line, f.code) for f in read.failures] == [(n, "E-DICT-LINE") for n in (2, 3, 4, 5)]
    for odd in ("", "ab", "\n", "\ud800"):
        with pytest.raises(ValueError, match="cannot be a line"):
            dictionary.file_of([odd])
    with pytest.raises(DataError, match="no such file"):
        dictionary.read(Path("absent"))
