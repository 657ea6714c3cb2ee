"""`datatools video info`: what videos are, by their headers and by counting."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from datatools.core.census import count_of
from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Run


@dataclass(frozen=True, slots=True)
class About:
    """One video.

    container: mp4, avi, matroska, or stills for a folder of pictures. codec: FFmpeg's code. size: pixels, as displayed.
    turned: degrees, clockwise, that the file asks for. fps: on the average, as the file says. declared: frames that its
    header promises, 0 where it does not. frames: that could be read, None where nobody counted. duration_s: to the end
    of the last frame; of the header where nobody counted. steady: whether all frames are equally far apart. sound: the
    number of audio tracks. lost: what could not be read.
    """

    name: str
    container: str
    codec: str
    size: tuple[int, int]
    turned: int
    fps: float
    declared: int
    frames: int | None
    duration_s: float
    steady: bool | None
    sound: int
    lost: tuple[DataError, ...] = ()


@dataclass(frozen=True)
class VideoInfo(Result):
    """Videos, and files that are called so but cannot be read."""

    src: Path
    videos: tuple[About, ...]
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """Videos that cannot be read whole."""
        return len(self.failures) + sum(bool(video.lost) for video in self.videos)

    def lines(self) -> Iterator[str | Table]:
        """A row a video, then what is wrong."""
        header = ("video", "kind", "codec", "size", "fps", "frames", "seconds", "sound", "rate")
        rows = tuple(_row(video) for video in self.videos)
        if rows:
            yield Table(header, rows, digits=2)
        for error in (*self.failures, *(error for video in self.videos for error in video.lost)):
            yield str(error)
        whole = sum(not video.lost for video in self.videos)
        yield f"{count_of(len(rows) + len(self.failures), 'video')}, {whole} without loss"
        if rows:
            yield f"next: datatools video frames {escape(self.src)} OUT --scene, or video foreground"


@op("video.info", version=1)
def info(
    src: Dataset,
    *,
    count: Annotated[bool, Param("read every frame: headers promise frames that are not there")] = True,
    run: Run = SERIAL,
) -> VideoInfo:
    """Say what videos are: kind, codec, size, frames that can be read, times, sound, damage.

    SRC is a video, a folder of videos, or a folder of numbered pictures.

    Raises UsageError where SRC holds no video.
    """
    import functools

    sources = list(_sources(src))
    root = src if src.is_dir() else src.parent
    videos: list[About] = []
    failures: list[DataError] = []
    for seen in run.map(functools.partial(look, root=root, count=count), sources, "reading"):
        (videos if isinstance(seen, About) else failures).append(seen)  # type: ignore[arg-type]
    return VideoInfo(src, tuple(videos), tuple(failures))


def _sources(src: Path) -> Iterator[Any]:
    from datatools.io.codecs.clip import ClipCodec

    if not src.exists():
        raise UsageError(f"{escape(src)}: no such file or folder")
    sources = ClipCodec().find(src if src.is_dir() else src.parent)
    found = [one for one in sources if src.is_dir() or one.files[0] == src.name]
    if not found:
        raise UsageError(f"{escape(src)}: holds no video")
    yield from found


def look(source: Any, root: Path, count: bool) -> About | DataError:
    """Look at one video of a folder, and count its frames where that is wanted."""
    from datatools.core.values import printable
    from datatools.io.codecs.clip import STILLS
    from datatools.io.video import read, stills

    try:
        if source.kind == STILLS:
            with stills.Stills(str(root), source.files) as reel:
                said = About(
                    printable(source.id), "stills", "", reel.size_wh, 0, stills.FPS, len(source.files),
                    None, len(source.files) / stills.FPS, True, 0,
                )  # fmt: skip
                return _counted(said, reel) if count else said
        name = printable(source.files[0])
        with read.open_video(root / source.files[0], name=name) as video:
            held = video.info
            said = About(
                name, held.container.kind, held.codec, held.size_wh, held.turned, held.fps, held.container.frames,
                None, held.container.duration_s or held.frames / held.fps, None, held.container.audio,
            )  # fmt: skip
            return _counted(said, video) if count else said
    except DataError as error:
        return error


def _counted(said: About, reel: Any) -> About:
    import dataclasses

    import numpy as np

    times = []
    stills = said.container == "stills"
    while (frame := reel.next(None if stills else _nothing)) is not None:
        times.append(frame.t_s)
    steps = np.diff(times)
    last = float(np.median(steps)) if len(steps) else 1 / said.fps
    # times of Matroska are whole milliseconds
    steady = bool(len(steps) == 0 or np.ptp(steps) < 0.0021)
    lost = tuple(reel.losses())
    if not times and not lost:
        lost = (DataError(said.name, 0, "E-VIDEO-EMPTY", "it has no frames"),)
    seconds = times[-1] + last if times else 0.0
    return dataclasses.replace(said, frames=len(times), duration_s=seconds, steady=steady, lost=lost)


def _nothing(index: int, t_s: float) -> bool:
    return False


def _row(video: About) -> tuple[object, ...]:
    width, height = video.size
    rate = "" if video.steady is None else "steady" if video.steady else "variable"
    frames = video.declared if video.frames is None else video.frames
    sound = "yes" if video.sound else "no"
    size = f"{width}x{height}"
    return video.name, video.container, video.codec, size, video.fps, frames, video.duration_s, sound, rate
