"""What lint checks in an image and in a text, each by itself."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datatools.core.errors import DataError

if TYPE_CHECKING:
    from datatools.io.images import Header

_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Co", "Cn")
_JOINERS = "\u200c\u200d"  # they change how letters of Persian and Hindi look


@dataclass(frozen=True, slots=True)
class Seen:
    """What an image is. size_wh: as displayed, (0, 0) where it cannot be read. problems: (code, message).

    digest: of its bytes, "" where it was not asked for or cannot be read.
    """

    size_wh: tuple[int, int] = (0, 0)
    problems: tuple[tuple[str, str], ...] = ()
    digest: str = ""


def look(path: str, *, deep: bool) -> Seen:
    """Read an image's header; with `deep` decode all of it and take the digest of its bytes."""
    from datatools.io import files, images

    try:
        header = images.read_header(path)
    except DataError as error:
        return Seen(problems=(("E-IMAGE-UNREADABLE", error.message),))
    problems = list(_turned(header))
    digest = ""
    if deep:
        try:
            images.check(path)
            digest = files.digest(path)
        except DataError as error:
            problems.append(("E-IMAGE-DAMAGED", error.message))
    return Seen(header.displayed_wh, tuple(problems), digest)


def _turned(header: "Header") -> Iterator[tuple[str, str]]:
    if header.orientation >= 2:
        (w, h), (dw, dh) = header.stored_wh, header.displayed_wh
        yield "W-IMAGE-EXIF", f"orientation {header.orientation}: {w} x {h} stored, {dw} x {dh} displayed"


@dataclass
class TextRules:
    """What texts are held to. characters: of the dictionary, None without one.

    outside: counts the characters outside of the dictionary, blanks apart.
    """

    characters: frozenset[str] | None
    max_length: int
    outside: dict[str, int] = field(default_factory=dict)
    blanks: int = 0

    def check(self, text: str) -> Iterator[tuple[str, str]]:
        """Name the problems of a text: (code, message)."""
        if not text.strip():
            yield "E-TEXT-EMPTY", "no text" if not text else "nothing but blanks"
            return
        if text != text.strip():
            yield "W-TEXT-BLANKS", repr(text)
        if len(text) > self.max_length:
            yield "W-TEXT-LONG", f"{len(text)} characters, more than {self.max_length}"
        if not text.isascii() or not text.isprintable():
            unseen = [c for c in text if unicodedata.category(c) in _UNSEEN and c not in _JOINERS]
            if unseen:
                yield "W-TEXT-INVISIBLE", f"{_named(unseen)} in {text!r}"
        if self.characters is not None:
            strange = [c for c in text if c not in self.characters]
            self.blanks += strange.count(" ")
            strange = [c for c in strange if c != " "]  # trainers have an option for it
            for c in strange:
                self.outside[c] = self.outside.get(c, 0) + 1
            if strange:
                yield "E-TEXT-CHARACTER", f"{_named(strange)} in {text!r}"


def _named(characters: list[str]) -> str:
    """The characters, each once, with its code point.

    >>> _named(["é", "é", "a"])
    "'é' (U+00E9), 'a' (U+0061)"
    """
    each = list(dict.fromkeys(characters))
    shown = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in each[:5])
    return shown if len(each) <= 5 else f"{shown} and {len(each) - 5} more"
