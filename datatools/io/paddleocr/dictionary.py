"""Dictionaries of text recognition: a character a line, numbered by its line."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io.files import read_bytes

MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The characters of a dictionary in its order, and what is wrong with its lines."""

    characters: tuple[str, ...]
    failures: tuple[DataError, ...] = ()


def read(path: Path) -> Dictionary:
    """Read a dictionary file. Raises DataError E-FILE-READ, StorageError."""
    return parse(read_bytes(path, MAX_BYTES), path.name)


def parse(data: bytes, name: str) -> Dictionary:
    r"""Return the characters of a dictionary: UTF-8, with or without a byte order mark; a line may be a blank alone.

    A line of several characters and one that stands there twice are failures, E-DICT-LINE: trainers number them, but no
    text ever means them.

    >>> parse(b"a\nb\n \nab\na\n", "dict.txt").characters
    ('a', 'b', ' ')
    """
    found: dict[str, int] = {}
    failures: list[DataError] = []

    def fails(number: int, message: str) -> None:
        failures.append(DataError(name, number, "E-DICT-LINE", message, "remove the line, train anew"))

    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines[:-1] if not lines[-1] else lines, 1):
        try:
            character = line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            fails(number, "not UTF-8")
            continue
        if len(character) != 1:
            fails(number, f"{character[:40]!r} is not one character" if character else "the line is empty")
        elif character in found:
            fails(number, f"{character!r} stands there already, in line {found[character]}")
        else:
            found[character] = number
    return Dictionary(tuple(found), tuple(failures))


def file_of(characters: Iterable[str]) -> bytes:
    r"""Return a dictionary file. Raises ValueError for what is not one character, or is a line end.

    >>> file_of("ab")
    b'a\nb\n'
    """
    lines = []
    for character in characters:
        if len(character) != 1 or character in "\n\r" or "\ud800" <= character <= "\udfff":
            raise ValueError(f"{character[:40]!r} cannot be a line of a dictionary")
        lines.append(character + "\n")
    return "".join(lines).encode()
