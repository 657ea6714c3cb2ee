"""The tags of plain Pascal VOC, and which may follow which, as tables for numpy to look up.

A tag is known by its first six bytes, which a multiplication sends to one of 256 places; there stand all its bytes, to
compare with, and its number. Numbers are even for <tag>, one more for </tag>.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.io.voc.document import CORNERS
from datatools.io.voc.rows import FLAGS

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

_CONTAINERS = ("root", "source", "owner", "size", "object", "bndbox")
_LEAVES = (
    *("folder", "filename", "path", "segmented", "width", "height", "depth", "database", "annotation", "image"),
    *("flickrid", "name", "pose", *FLAGS, *CORNERS),
)
_NAMES = _CONTAINERS + _LEAVES
NUMBER = {name: 2 * i for i, name in enumerate(_NAMES)}
"""The number of each tag. "root" is the <annotation> that everything is in, "annotation" the leaf of <source>."""

LIMIT = 2 * len(_CONTAINERS)
"""Numbers below it are of containers."""

UNKNOWN = 2 * len(_NAMES)
"""The number of all other tags."""

SIDE = UNKNOWN + 1
"""How many numbers there are: the side of the tables of pairs."""

ROOT, OBJECT = NUMBER["root"], NUMBER["object"]

LENGTH = np.array([len(f"<{name}>") for name in _NAMES for _ in range(2)] + [0])
"""By number: the length of the tag that opens."""

OBJECT_LEAVES = ("name", *CORNERS, *FLAGS)
"""What is kept of an object, in columns; the first REQUIRED ones must be there."""

FILE_LEAVES = ("filename", "width", "height", "depth")
"""What is kept of a file, in columns."""

REQUIRED = 1 + len(CORNERS)

# found by trying: sends the first six bytes of every tag to a place of its own among 256
_MULTIPLIER = np.uint64(0xB3CBF0DC3D06CE21)
_SIX_BYTES = np.uint64(0xFFFFFFFFFFFF)
_TOP_BYTE = np.uint64(56)


@dataclass(frozen=True, slots=True)
class Tables:
    """What the scanner looks up. By place: the two words of the tag, which of their bits count, and its number.

    pairs: whether tag b may follow tag a directly, at [a * SIDE + b]. containers: the same among the tags of
    containers alone. object_column, file_column: where the leaf b goes when the last container tag was a; -1 nowhere,
    -2 not allowed.
    """

    first: Words
    first_mask: Words
    second: Words
    second_mask: Words
    number: Ints
    pairs: Bools
    containers: Bools
    object_column: NDArray[np.int8]
    file_column: NDArray[np.int8]


def _build_tables() -> Tables:
    words = np.zeros((4, 256), np.uint64)
    numbers = np.full(256, UNKNOWN, np.int64)
    for name, tag_number in NUMBER.items():
        if name == "root":
            continue  # written as <annotation>; the first and the last tag of a file
        for tag, offset in ((f"<{name}>", 0), (f"</{name}>", 1)):
            data = tag.encode().ljust(16, b"\0")
            mask = (b"\xff" * len(tag)).ljust(16, b"\0")
            at = int(place_of(np.frombuffer(data[:8], "<u8"))[0])
            words[:, at] = [int.from_bytes(part, "little") for part in (data[:8], mask[:8], data[8:], mask[8:])]
            numbers[at] = tag_number + offset
    pairs = np.zeros((SIDE, SIDE), np.bool_)
    containers = np.zeros((SIDE, SIDE), np.bool_)
    for a, b in _container_pairs():
        containers[a, b] = True
    pairs[:LIMIT, :LIMIT] = True  # looked at more closely without the leaves
    pairs[:LIMIT, LIMIT:UNKNOWN:2] = True
    pairs[LIMIT + 1 : UNKNOWN : 2, :LIMIT] = True
    pairs[LIMIT + 1 : UNKNOWN : 2, LIMIT:UNKNOWN:2] = True
    opens = np.arange(LIMIT, UNKNOWN, 2)
    pairs[opens, opens + 1] = True
    object_column = np.full((SIDE, SIDE), -2, np.int8)
    file_column = np.full((SIDE, SIDE), -2, np.int8)
    for contexts, leaves in _contents():
        for context in contexts:
            for leaf in leaves:
                where = context, NUMBER[leaf]
                of_object = leaf in OBJECT_LEAVES and context != NUMBER["owner"]
                object_column[where] = OBJECT_LEAVES.index(leaf) if of_object else -1
                file_column[where] = FILE_LEAVES.index(leaf) if leaf in FILE_LEAVES else -1
    return Tables(
        words[0],
        words[1],
        words[2],
        words[3],
        numbers,
        pairs.ravel(),
        containers.ravel(),
        object_column.ravel(),
        file_column.ravel(),
    )


def place_of(words: Words) -> Ints:
    """The place of each tag, given its first eight bytes."""
    return (((words & _SIX_BYTES) * _MULTIPLIER) >> _TOP_BYTE).astype(np.int64)


def _in_root() -> list[int]:
    """Tags of containers after which one is directly inside the root."""
    return [ROOT, *(NUMBER[name] + 1 for name in ("source", "owner", "size", "object"))]


def _container_pairs() -> Iterator[tuple[int, int]]:
    for a in _in_root():
        for name in ("source", "owner", "size", "object"):
            yield a, NUMBER[name]
        yield a, ROOT + 1
    yield ROOT + 1, ROOT  # the next file
    for name in ("source", "owner", "size", "object", "bndbox"):
        yield NUMBER[name], NUMBER[name] + 1
    yield OBJECT, NUMBER["bndbox"]
    yield NUMBER["bndbox"] + 1, OBJECT + 1


def _contents() -> Iterator[tuple[list[int], tuple[str, ...]]]:
    """Which leaves may stand where: after which container tags."""
    yield _in_root(), ("folder", "filename", "path", "segmented")
    yield [NUMBER["source"]], ("database", "annotation", "image", "flickrid")
    yield [NUMBER["owner"]], ("flickrid", "name")
    yield [NUMBER["size"]], ("width", "height", "depth")
    yield [OBJECT, NUMBER["bndbox"] + 1], ("name", "pose", *FLAGS)
    yield [NUMBER["bndbox"]], CORNERS


TABLES = _build_tables()
"""Made once."""
