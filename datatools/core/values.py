"""What operations take one at a time, and where each of them comes from.

An operation whose first parameter is one of these runs once an item, in parallel, and again only for items that
changed; the engine finds, reads and writes the values, the function sees arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rng = np.random.Generator
else:
    Rng = NewType("Rng", object)
"""A parameter of this type gets a generator of its own for every item, whatever the order in which they are taken."""


class Value:
    """The root of what operations take one at a time. Children are frozen dataclasses that pickle."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Image(Value):
    """A picture as displayed.

    pixels: (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA with straight alpha; uint8 or
    uint16.
    """

    pixels: "NDArray[Any]"


@dataclass(frozen=True, slots=True)
class Source:
    """An item of a data set before it is read.

    id: its name inside the set, unique, `/` between folders, as the operating system gives it. files: what it is read
    from, relative to the set's root, the main file first. labels: further text that belongs to it and decides the
    result, as the line of a label file. group: the split that it belongs to, where the set has splits. kind: what
    reads it, for sets of several kinds.
    """

    id: str
    files: tuple[str, ...]
    labels: str = ""
    group: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Donors:
    """The items of the set from which an operation may take something; a parameter of this type is handed in.

    They stand in the order of the set, whatever the order of the work. Whatever is read is remembered as an input of
    the item that it is read for. read: returns the value of a source.
    """

    sources: tuple[Source, ...]
    read: Callable[[Source], Any] = field(repr=False)


def printable(item_id: str) -> str:
    """An id as text that every file and terminal takes: bytes that are no UTF-8 are escaped."""
    return item_id.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
