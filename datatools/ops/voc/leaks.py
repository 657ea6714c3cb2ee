"""What a split must not share between its parts: ids, image bytes, groups, and frames that follow each other."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from datatools.core.errors import DataError
from datatools.core.types import Run

Kind = Literal["same id", "same image bytes", "same group", "neighbour frames"]

EXAMPLES = 3
CHUNK_FILES = 64

_NUMBERED = re.compile(r"(.*[^0-9])([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Leak:
    """Images that lie in splits that must be disjoint. count: images, or pairs of frames. examples: the first few."""

    kind: Kind
    count: int
    examples: tuple[str, ...]


def image_digests(
    images: Sequence[str], name: Callable[[str], str], run: Run
) -> tuple[list[str | None], tuple[DataError, ...]]:
    """The digest of each image that has the size of another one, None for the others; and what cannot be read.

    images: absolute paths, "" for none. name: how messages call them.
    """
    by_size: dict[int, list[int]] = defaultdict(list)
    for i, image in enumerate(images):
        if image:
            by_size[_size(image)].append(i)
    chosen = sorted(i for same in by_size.values() if len(same) > 1 for i in same)
    chunks = [tuple(images[i] for i in chosen[k : k + CHUNK_FILES]) for k in range(0, len(chosen), CHUNK_FILES)]
    digests: list[str | None] = [None] * len(images)
    failures: list[DataError] = []
    answers = (answer for chunk in run.map(_digests, chunks, "comparing images") for answer in chunk)
    for i, answer in zip(chosen, answers, strict=True):
        if isinstance(answer, DataError):
            failures.append(DataError(name(answer.path), 0, answer.code, answer.message))
        else:
            digests[i] = answer
    return digests, tuple(failures)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return -1  # reading it says what is wrong


def _digests(paths: tuple[str, ...]) -> list[str | DataError]:
    from datatools.io import files

    answers: list[str | DataError] = []
    for path in paths:
        try:
            answers.append(files.digest(path))
        except DataError as error:
            answers.append(error)
    return answers


def find_leaks(
    keys: Sequence[str],
    places: Sequence[frozenset[str]],
    digests: Sequence[str | None],
    groups: Sequence[str | None],
) -> tuple[Leak, ...]:
    """Every kind of leak of a split.

    keys: ids, in order. places: the disjoint splits that list each item; more than one is a leak by itself.
    digests: of the images, equal ones are equal images. groups: of the items, None where an item has none.

    >>> leaks = find_leaks(["a_1", "a_2"], [frozenset({"train"}), frozenset({"val"})], [None] * 2, [None] * 2)
    >>> leaks[0].kind, leaks[0].count, leaks[0].examples
    ('neighbour frames', 1, ('a_1 (train), a_2 (val)',))
    """
    twice = [f"{key} ({', '.join(sorted(place))})" for key, place in zip(keys, places, strict=True) if len(place) > 1]
    found: list[tuple[Kind, list[str]]] = [
        ("same id", twice),
        ("same image bytes", _crossing(keys, places, digests)),
        ("same group", _crossing(keys, places, groups)),
        ("neighbour frames", list(_neighbours(keys, places, groups))),
    ]
    return tuple(Leak(kind, len(who), tuple(who[:EXAMPLES])) for kind, who in found if who)


def _crossing(keys: Sequence[str], places: Sequence[frozenset[str]], labels: Sequence[Hashable | None]) -> list[str]:
    """The items whose label also occurs in another split, those of a label one after the other."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        if label is not None and places[i]:
            members[label].append(i)
    return [
        _told(keys[i], places[i])
        for same in members.values()
        if len(same) > 1 and len(frozenset().union(*(places[i] for i in same))) > 1
        for i in same
    ]


def _neighbours(keys: Sequence[str], places: Sequence[frozenset[str]], groups: Sequence[str | None]) -> Iterator[str]:
    """Pairs of consecutive numbers after one name. Two named groups are apart because the user says so."""
    frames: Mapping[str, dict[int, int]] = defaultdict(dict)
    for i, key in enumerate(keys):
        if (match := _NUMBERED.fullmatch(key)) and not match[1].endswith("/"):
            frames[match[1]].setdefault(int(match[2]), i)
    for numbered in frames.values():
        for number, i in sorted(numbered.items()):
            j = numbered.get(number + 1)
            if j is None or not (places[i] and places[j]) or len(places[i] | places[j]) < 2:
                continue
            if groups[i] is None or groups[j] is None:
                yield f"{_told(keys[i], places[i])}, {_told(keys[j], places[j])}"


def _told(key: str, place: frozenset[str]) -> str:
    return f"{key} ({', '.join(sorted(place))})"
