"""The lines of label files: an image, a TAB, and what is said about it.

Lines end with `\n` alone: U+2028 and its like, form feeds and the rest stand inside texts. A carriage return before the
end, a byte order mark and a missing last line end are read; blank lines are passed over. Everything else that is odd is
an error that names its line.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from datatools.core.errors import DataError

MAX_BYTES = 1 << 30
"""Larger label files are refused."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a label file. number: 1-based. path: the image as it stands there. label: all after the first TAB."""

    number: int
    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Split:
    """A label file in its lines.

    blank: numbers of blank lines. crlf: how many lines end with a carriage return. bom: whether it begins with a mark.
    ended: whether the last line ends; one that was cut off by a killed writer does not.
    """

    lines: tuple[Line, ...]
    failures: tuple[DataError, ...]
    blank: tuple[int, ...] = ()
    crlf: int = 0
    bom: bool = False
    ended: bool = True


def broken(name: str, number: int, message: str, remedy: str = "") -> DataError:
    """Return the error of a line that cannot be used: E-LABEL-LINE."""
    return DataError(name, number, "E-LABEL-LINE", message, remedy)


def split(data: bytes, name: str) -> Split:
    r"""Cut a label file into lines. name: of the file, for messages.

    >>> split(b"a b.jpg\tone, two\r\n\nno tab", "x.txt").lines
    (Line(number=1, path='a b.jpg', label='one, two'),)
    >>> print(*split(b"a b.jpg\tone, two\r\n\nno tab", "x.txt").failures)
    x.txt:3: E-LABEL-LINE: there is no TAB between an image and its label
    """
    bom = data.startswith(b"\xef\xbb\xbf")
    body = data[3:] if bom else data
    lines: list[Line] = []
    failures: list[DataError] = []
    blank: list[int] = []
    crlf = 0
    ended = body.endswith(b"\n") or not body
    for number, text in enumerate(_texts(body[:-1] if body.endswith(b"\n") else body), 1):
        if isinstance(text, UnicodeDecodeError):
            failures.append(broken(name, number, f"not UTF-8 at byte {text.start} of the line", "save it as UTF-8"))
            continue
        if text.endswith("\r"):
            crlf += 1
            text = text[:-1]
        path, tab, label = text.partition("\t")
        if tab and path:
            if "\0" in text:
                failures.append(broken(name, number, "it holds a NUL"))
            else:
                lines.append(Line(number, path, label))
        elif not text.strip():
            if body:
                blank.append(number)
        else:
            why = "there is no image before the TAB" if tab else "there is no TAB between an image and its label"
            failures.append(broken(name, number, why))
    return Split(tuple(lines), tuple(failures), tuple(blank), crlf, bom, ended)


def _texts(body: bytes) -> Iterable[str | UnicodeDecodeError]:
    """The lines as text; those that are not UTF-8 as the error that says where."""
    try:
        return body.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return map(_text, body.split(b"\n"))


def _text(line: bytes) -> str | UnicodeDecodeError:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error


def paths(written: str) -> tuple[str, ...]:
    """Return the images that the first column names: one, or those of a JSON list, which share one text.

    >>> paths("a.jpg"), paths('["a.jpg", "b.jpg"]')
    (('a.jpg',), ('a.jpg', 'b.jpg'))
    """
    if written.startswith("[") and written.endswith("]"):
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            return (written,)
        if found and all(isinstance(path, str) and path for path in found):
            return tuple(found)
    return (written,)


def check_path(path: str) -> None:
    """Raise ValueError for a path that can stand in no label file."""
    if not path or any(c in path for c in "\t\n\r\0"):
        raise ValueError(
            f"the path {path[:200]!r} cannot stand in a label file: it is empty or holds a TAB or line end"
        )
    if not path.isascii() and any("\ud800" <= c <= "\udfff" for c in path):
        raise ValueError(f"the path {path[:200]!r} cannot stand in a label file: it is not UTF-8")
