"""What operations take one at a time, and where each of them comes from.

An operation whose first parameter is one of these runs once an item, in parallel, and again only for items that
changed; the engine finds, reads and writes the values, the function sees arrays.
"""

from collections.abc import Callable, Iterator
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
class Audio(Value):
    """A recording, read in blocks, so that hours of it need little memory.

    name: of the item inside its set. sr: frames a second. frames: samples of one channel; 0 where nobody knows yet.
    container, subtype: how it is stored, as libsndfile names them (WAV, PCM_16). source: gives the samples. note: what
    was done to it, plain data.
    """

    name: str
    sr: int
    channels: int
    frames: int
    source: Any = field(repr=False)
    container: str = "WAV"
    subtype: str = "PCM_16"
    note: dict[str, Any] | None = None

    @classmethod
    def of(cls, samples: "NDArray[np.float32]", sr: int, name: str = "audio") -> "Audio":
        """The recording of samples in memory: (frames,) or (frames, channels) float32, full scale at 1."""
        wide = samples if samples.ndim == 2 else samples[:, None]
        return cls(name, sr, wide.shape[1], len(wide), _Samples(wide), subtype="FLOAT")

    def blocks(self) -> "Iterator[NDArray[np.float32]]":
        """Yield the samples in order, (n, channels) float32. Raises DataError where the file turns out to be bad."""
        blocks: Iterator[NDArray[np.float32]] = self.source.blocks()
        return blocks


@dataclass(frozen=True, slots=True)
class _Samples:
    samples: "NDArray[np.float32]"

    def blocks(self, frames: int = 65536) -> "Iterator[NDArray[np.float32]]":
        for first in range(0, len(self.samples), frames):
            yield self.samples[first : first + frames]


@dataclass(frozen=True, slots=True)
class Slices(Value):
    """What is cut out of a recording.

    kept, dropped: (K, 2) and (M, 2) first sample and one past the last; together they are the recording. scores: (K,)
    mean score of each kept span. silent: (M,) whether a dropped span held no speech, or was too short. naming: of the
    clips, a template. manifests: formats in which the clips are listed. files: name after the item's and bytes of what
    is written beside the clips.
    """

    audio: Audio
    kept: "NDArray[np.int64]"
    scores: "NDArray[np.float32]"
    dropped: "NDArray[np.int64]"
    silent: "NDArray[np.bool_]"
    naming: str
    manifests: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Features(Value):
    """Rows of features of a recording, or of parts of it.

    parts: name after the item's (empty for the whole), and a function that yields (n, width) float32 blocks. width: of
    a row. store: npy, npz or ark. files: name after the item's and bytes of what is written beside them.
    """

    name: str
    width: int
    parts: "tuple[tuple[str, Callable[[], Iterator[NDArray[np.float32]]]], ...]"
    store: str = "npy"
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawings(Value):
    """Pictures of an item: name after the item's, with its suffix, and bytes."""

    name: str
    files: tuple[tuple[str, bytes], ...]


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


ALONE = "alone"
"""The kind of a source whose result is one file, whose name is the id: OUT is a file and no folder."""


def printable(item_id: str) -> str:
    """An id as text that every file and terminal takes: bytes that are no UTF-8 are escaped."""
    return item_id.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
