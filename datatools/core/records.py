"""What annotations say, in one convention: float pixels, origin 0, right and bottom exclusive, as displayed."""

from dataclasses import dataclass, field

XYXY = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled object of a detection set.

    xyxy: left, top, right, bottom. polygon: (x, y) points, empty when the set has none.
    parts: named boxes inside this one (heads, hands ... of VOC's person layout).
    attributes: further name-value pairs in file order.
    """

    label: str
    xyxy: XYXY
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    pose: str = ""
    parts: tuple["Box", ...] = ()
    polygon: tuple[tuple[float, float], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """The boxes of one image.

    item_id: the name of the item inside its set, without suffix. filename: the image file's name.
    size_wh: width and height of the image in pixels; (0, 0) where nobody knows.
    """

    item_id: str
    filename: str
    size_wh: tuple[int, int]
    depth: int = 3
    boxes: tuple[Box, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class TextRegion:
    """A text in an image.

    points: the corners (x, y) of its outline, four or more; those of a quad begin at the text's top left and go round
    clockwise as one sees it, so that the first edge is the way in which the text is read.
    text: what is read there; what the label says instead (`###`) where it is ignored.
    ignore: nobody can read it: it is neither learned from nor counted as an error.
    extra: what else the label says, name and JSON value, in the order of the file.
    """

    points: tuple[tuple[float, float], ...]
    text: str
    ignore: bool = False
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PageLabel:
    """The texts of one image of a text detection set.

    item_id: the name of the item inside its set, without suffix. filename: the image as the label file writes it.
    size_wh: width and height of the image in pixels; (0, 0) where nobody knows.
    """

    item_id: str
    filename: str
    size_wh: tuple[int, int] = (0, 0)
    regions: tuple[TextRegion, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LineLabel:
    """One line of text that fills its image, of a text recognition set. item_id, filename: as in PageLabel."""

    item_id: str
    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file as manifests name it. path: where it lies. frames: samples of one channel."""

    id: str
    path: str
    sr: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sr


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a recording. first, stop: samples, one past the last. score: 0 to 1. clip: the file that was cut out of
    it, empty where none was."""

    recording: Recording
    first: int
    stop: int
    score: float
    clip: str = ""

    @property
    def start_s(self) -> float:
        """Where it begins, seconds."""
        return self.first / self.recording.sr

    @property
    def end_s(self) -> float:
        """Where it ends, seconds."""
        return self.stop / self.recording.sr

    @property
    def id(self) -> str:
        """The recording's id and the span in milliseconds."""
        start, end = (milliseconds(at, self.recording.sr) for at in (self.first, self.stop))
        return f"{self.recording.id}-{start}-{end}"


def milliseconds(sample: int, sr: int) -> str:
    """A place in a recording as whole milliseconds, seven digits at least, so that names sort by time.

    >>> milliseconds(24000, 16000)
    '0001500'
    """
    return f"{round(sample * 1000 / sr):07d}"
