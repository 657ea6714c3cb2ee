"""What operations take one at a time, and where each of them comes from.

An operation whose first parameter is one of these runs once an item, in parallel, and again only for items that
changed; the engine finds, reads and writes the values, the function sees arrays. What holds arrays is not compared by
them, as it would be neither equal nor not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, Protocol

from datatools.core.records import Box, TextRegion

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


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Value):
    """An item of a labelled set, of which augmentation makes others.

    draw: what was drawn at random for this one, as data; None where nothing was.
    """

    draw: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled(Drawn):
    """A picture with the objects on it, as detection learns from.

    pixels: (height, width, 3) uint8 RGB. boxes: in float pixels of it, origin 0, right and bottom exclusive.
    """

    pixels: "NDArray[Any]"
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Classified(Drawn):
    """A picture of one class, or of several in parts.

    pixels: (height, width, 3) uint8 RGB. classes: names with their shares, which sum to 1.
    """

    pixels: "NDArray[Any]"
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Arrays(Value):
    """Numbers made of one item, each array with its name."""

    arrays: "tuple[tuple[str, NDArray[Any]], ...]"


@dataclass(frozen=True, slots=True, eq=False)
class TextPage(Drawn):
    """A picture with the texts in it, as text detection learns from.

    pixels: (height, width, 3) uint8 RGB. regions: outlines in float pixels of it, origin 0, with their texts.
    """

    pixels: "NDArray[Any]"
    regions: tuple[TextRegion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TextLine(Drawn):
    """A picture of one line of text, as text recognition learns from. pixels: (height, width, 3) uint8 RGB."""

    pixels: "NDArray[Any]"
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class TextCuts(Value):
    """What was made of one page or line: pictures with a label each.

    cuts: (end of its name, (height, width, 3) uint8 RGB, label). left_out: (end of its name, why there is no picture).
    suffix: of the files, `.jpg` or `.png`.
    """

    cuts: "tuple[tuple[str, NDArray[Any], str], ...]"
    left_out: tuple[tuple[str, str], ...] = ()
    suffix: str = ".jpg"


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    samples: "NDArray[np.float32]"

    def blocks(self, frames: int = 65536) -> "Iterator[NDArray[np.float32]]":
        for first in range(0, len(self.samples), frames):
            yield self.samples[first : first + frames]


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
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


class Source(NamedTuple):
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
