"""What operations take one at a time, and where each of them comes from.

An operation whose first parameter is one of these runs once an item, in parallel, and again only for items that
changed; the engine finds, reads and writes the values, the function sees arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NewType, Protocol

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
    uint16. beside: further files that an operation makes of it, by the name below the output, where `{}` stands for the
    picture's own: arrays become pictures of the format that the suffix tells, all else becomes JSON.
    """

    pixels: "NDArray[Any]"
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    index: how many frames were read before it. t_s: seconds from the first frame. name: what files made of it are
    called, without suffix. bgr: (height, width, 3) uint8, BGR, as displayed.
    """

    index: int
    t_s: float
    name: str
    bgr: "NDArray[Any]"


class Reel(Protocol):
    """A video that is open for reading, forwards only."""

    def skip(self, frames: int) -> int:
        """Go past so many frames; return how many there were."""
        ...

    def next(self, wants: Callable[[int, float], bool] | None = None) -> Frame | None:
        """The next frame; None at the end. wants: told its index and time, says whether `bgr` is wanted, which is
        empty otherwise; all are, unless told otherwise."""
        ...

    def losses(self) -> Sequence[Any]:
        """What could not be read so far, a DataError each; all of it once the end was reached."""
        ...


@dataclass(frozen=True, slots=True)
class Clip(Value):
    """A video, or a folder of numbered pictures, whose frames are read one after the other and never held together.

    id: of its item. size_wh: pixels of a frame. fps: frames a second, on the average. frames: how many its header
    declares, 0 where it does not. sound: the path of the file that has its sound; empty where it has none. digest: of
    its files. open: begins at the first frame.
    """

    id: str
    size_wh: tuple[int, int]
    fps: float
    frames: int
    sound: str
    digest: str
    open: Callable[[], AbstractContextManager[Reel]] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What is made of one frame. Names are those of files in the output, `/` between folders.

    videos: a frame for each video: (height, width, 3) BGR or (height, width) grey, uint8, of the same size each time.
    files: whole files. row: plain data that the end wants to know, or None.
    """

    videos: "Mapping[str, NDArray[Any]]" = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    row: Any = None


class Step(Protocol):
    """Makes something of each frame of a clip, in order. It can be stopped between two frames and go on elsewhere."""

    def wants(self, index: int, t_s: float) -> bool:
        """Whether anything is made of that frame."""
        ...

    def take(self, frame: Frame) -> Shot:
        """What is made of the frame."""
        ...

    def end(self, rows: Sequence[Any]) -> Mapping[str, bytes]:
        """Further files, made when all frames were taken. rows: of all frames that had one."""
        ...

    def state(self) -> "Mapping[str, NDArray[Any]] | None":
        """All that the next frame's result depends on; None where that cannot be told, and frames must be taken
        again to go on behind them."""
        ...

    def restore(self, state: "Mapping[str, NDArray[Any]]") -> None:
        """Go on from a state."""
        ...


@dataclass(frozen=True, slots=True)
class Film(Value):
    """What is made of a clip, frame by frame; nothing is done before it is written.

    codec: of its videos: mp4v, mjpg, vp9 or ffv1. sound: the videos that get the sound of the clip.
    """

    clip: Clip
    step: Step = field(repr=False)
    codec: str = "mp4v"
    sound: tuple[str, ...] = ()


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
