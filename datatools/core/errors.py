"""Everything that can go wrong, and the exit code of each.

    DatatoolsError           70  never raised itself: a bare one would be a bug of ours
    |-- DataError             1  an item of the data is bad; names file, place, what to do
    |-- UsageError            2  the call, the configuration or the structure is wrong; nothing was written
    |   `-- MissingExtra      2  an optional package is needed; says what to install
    |-- StorageError          4  cannot read or write (disk, rights); the same command can be run again
    |-- InUse                 5  another run holds the output
    `-- Cancelled           130  whoever called asked to stop; what was done stays, the same call goes on

0 is success, 130 and 143 are SIGINT and SIGTERM. An exit code is never a count.
"""

import unicodedata
from typing import Any

EXIT_OK = 0
EXIT_PROBLEMS = 1
EXIT_USAGE = 2
EXIT_STORAGE = 4
EXIT_IN_USE = 5
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


def escape(text: object) -> str:
    r"""Make foreign text safe for one line of a terminal or a log.

    Control characters, line separators, bidirectional marks and bytes that were not UTF-8 are written as escapes.

    >>> escape("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() and unicodedata.category(c) not in ("Cf", "Cs") else c.encode("unicode_escape").decode()
        for c in text
    )


class DatatoolsError(Exception):
    """The root of all errors that are reported as one line."""

    exit_code = EXIT_BUG


class DataError(DatatoolsError):
    """An item of the data is bad: `file:line: CODE: what (what to do)`.

    path: as the user knows it, relative to the data set where there is one.
    line: 1-based; 0 where no line applies.
    """

    exit_code = EXIT_PROBLEMS

    def __init__(self, path: object, line: int, code: str, message: str, remedy: str = "") -> None:
        super().__init__(path, line, code, message, remedy)  # the arguments, so that it pickles
        self.path = str(path)
        self.line = line
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{escape(self.path)}:{self.line}" if self.line else escape(self.path)
        remedy = f" ({escape(self.remedy)})" if self.remedy else ""
        return f"{place}: {self.code}: {escape(self.message)}{remedy}"

    def to_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "path": escape(self.path),
            "line": self.line,
            "code": self.code,
            "message": escape(self.message),
            "remedy": self.remedy,
        }


class UsageError(DatatoolsError):
    """The call, the configuration or the structure of the input is wrong; nothing was written."""

    exit_code = EXIT_USAGE


class MissingExtra(UsageError):
    """An optional package is needed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what = what
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.what} needs: pip install 'datatools[{self.extra}]'"


class StorageError(DatatoolsError):
    """Bytes could not be read or written: disk full, no rights, I/O error."""

    exit_code = EXIT_STORAGE


class InUse(DatatoolsError):
    """Another run holds the output."""

    exit_code = EXIT_IN_USE


class Cancelled(DatatoolsError):
    """Whoever called asked to stop. What was done so far is kept; the same call goes on from there."""

    exit_code = EXIT_INTERRUPTED
