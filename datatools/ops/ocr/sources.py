"""Which samples come from one source image: a page, the lines cut out of it, their directions."""

import re
from dataclasses import dataclass

from datatools.core.textset import TextSet

_CUT = re.compile(r"(.+)_crop_[0-9]+(?:_(?:0|180))?", re.DOTALL)


@dataclass(frozen=True)
class Sources:
    """The source of every sample, by its number. keys: of the page, or what the cuts are called after."""

    keys: tuple[str, ...]
    pages: tuple[int, ...]
    lines: tuple[int, ...]
    directions: tuple[int, ...]


def find_sources(found: TextSet) -> Sources:
    """Tie lines and directions to the page that they were cut from, which their names tell: `<page>_crop_<number>`.

    A cut whose page is not in the set shares its source with the other cuts of that name; whatever is called otherwise
    is its own source. Pages of one name in two folders, whose cuts nobody can tell apart, are one source.
    """
    cuts = (*found.lines, *found.directions)
    cut = {origin for sample in cuts if (origin := origin_of(sample.key))}
    numbers: dict[tuple[str, str], int] = {}
    keys: list[str] = []

    def number(what: str, name: str, key: str) -> int:
        if (what, name) not in numbers:
            numbers[what, name] = len(keys)
            keys.append(key)
        return numbers[what, name]

    def of_page(key: str) -> int:
        stem = key.rpartition("/")[2]
        return number("stem", stem, key) if stem in cut else number("key", key, key)

    def of_cut(key: str) -> int:
        origin = origin_of(key)
        return number("stem", origin, origin) if origin else number("key", key, key)

    pages = tuple(of_page(sample.key) for sample in found.pages)
    lines = tuple(of_cut(sample.key) for sample in found.lines)
    directions = tuple(of_cut(sample.key) for sample in found.directions)
    return Sources(tuple(keys), pages, lines, directions)


def origin_of(key: str) -> str:
    """Return the name of the page that a sample was cut from, "" where its name tells none.

    >>> origin_of("rec/train/img_1_crop_12"), origin_of("cls/img_1_crop_12_180"), origin_of("img_1")
    ('img_1', 'img_1', '')
    """
    match = _CUT.fullmatch(key.rpartition("/")[2])
    return match[1] if match else ""
