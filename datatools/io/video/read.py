"""Frames of a video, one after the other, each with its time; what was lost on the way.

    with read.open_video(path) as clip:
        for frame in clip:
            frame.index, frame.t_s, frame.bgr
    clip.losses()

Decoding is OpenCV's FFmpeg on a file that was looked at before, with one thread and no other file within its reach.
Nobody seeks: seeking lands on other frames than counting does. Where a packet cannot be decoded, reading goes on behind
it, and the loss is counted; OpenCV's own `read` would end there as if the video did.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.core.values import Frame
from datatools.io.files import open_regular
from datatools.io.video.containers import Container, read_container, unreadable
from datatools.io.video.sizes import LOOKED_AT, Change, first_change

Bgr = NDArray[np.uint8]

MAX_PIXELS = 100_000_000
"""Larger frames are not decoded: 40 kB can hold frames of 256 million pixels."""

_OPTIONS = "protocol_whitelist;file|format_whitelist;mov,mp4,avi,matroska,webm"
_RETRIES = 4096  # packets that nobody can decode, in a row, before the rest is given up; at the end they cost nothing
_MAX_FPS = 1000.0

_NO_PIXELS = np.empty((0, 0, 3), np.uint8)

_environment = threading.Lock()

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong we say ourselves


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets in a row that could not be decoded. index: how many frames had been read before them."""

    index: int
    packets: int


@dataclass(frozen=True, slots=True)
class Info:
    """What is known of a video before its frames are read.

    size_wh: pixels of a frame, as displayed (a turn that the file asks for is made). fps: frames a second on the
    average, as the file tells; 25 where it tells nothing that can be. frames: as the header declares, 0 where it does
    not. codec: FFmpeg's code of four characters. turned: degrees, clockwise, by which the stored frames are turned.
    """

    container: Container
    codec: str
    size_wh: tuple[int, int]
    fps: float
    frames: int
    turned: int


class Video:
    """A video that is open for reading; made by `open_video`."""

    def __init__(self, name: str, capture: Any, info: Info, change: Change | None = None) -> None:
        self._name = name
        self._change = change
        self._capture = capture
        self._times: tuple[float, float] = (-1.0, 0.0)  # of the last frame, and the step before it
        self.info = info
        self.index = -1
        """Which frame `grab` stands on; -1 before the first."""
        self.lost: list[Loss] = []
        """Packets that could not be decoded, up to here."""
        self.ended = False
        """Whether the last frame has been read."""

    @property
    def t_s(self) -> float:
        """Seconds from the first frame to that on which `grab` stands; rising, whatever the file says."""
        return max(self._times[0], 0.0)

    def grab(self) -> bool:
        """Go to the next frame and decode it; False at the end. Its pixels are only converted by `retrieve`."""
        if self.ended:
            return False
        for failed in range(_RETRIES):
            if self._capture.grab():
                if failed:
                    self.lost.append(Loss(self.index + 1, failed))
                if self._change and self._capture.get(cv2.CAP_PROP_POS_MSEC) >= self._change.t_ms - 0.5:
                    break  # OpenCV would cut the frames from here on
                self.index += 1
                self._stamp()
                return True
        self.ended = True
        return False

    def _stamp(self) -> None:
        last, step = self._times
        said = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self.index == 0:
            self._times = (0.0, 0.0)
            self._origin = said if 0 <= said < 1e7 else 0.0
            return
        now = said - self._origin
        if not last < now < 1e7:  # no time, a jump back, a header that lies
            now = last + (step or 1 / self.info.fps)
        self._times = (now, now - last)

    def retrieve(self) -> Bgr | None:
        """The pixels of the frame on which `grab` stands, (height, width, 3) uint8 BGR, a new array; None where they
        cannot be had."""
        ok, bgr = self._capture.retrieve()
        fine = ok and bgr is not None and bgr.ndim == 3 and bgr.shape[2] == 3 and bgr.dtype == np.uint8
        return bgr if fine else None

    def skip(self, frames: int) -> int:
        """Go past so many frames without converting their pixels; return how many there were."""
        return next((done for done in range(frames) if not self.grab()), frames)

    def next(self, wants: Callable[[int, float], bool] | None = None) -> Frame | None:
        """The next frame; None at the end. wants: told its index and time, says whether its pixels are wanted."""
        while self.grab():
            wanted = wants is None or wants(self.index, self.t_s)
            bgr = self.retrieve() if wanted else _NO_PIXELS
            if bgr is not None:
                return Frame(self.index, self.t_s, f"{self.index:06d}", bgr)
            self.lost.append(Loss(self.index, 1))
            self.index -= 1
        return None

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.next()) is not None:
            yield frame

    def losses(self) -> tuple[DataError, ...]:
        """What of the video could not be read, known for sure once `ended` is true: codes E-VIDEO-LOST, E-VIDEO-CUT."""
        told = [self._loss(loss) for loss in self.lost]
        read = self.index + 1
        declared = self.info.container.frames
        missing = self.info.container.missing_bytes
        of = f" of {declared}" if declared else ""
        if self.ended and not read and self.info.frames:
            return (undecodable(self._name, self.info.container),)
        if self.ended and self._change:
            (width, height), (new_width, new_height) = self._change.before, self._change.after
            what = f"after {read}{of} frames the size changes from {width} x {height} to {new_width} x {new_height}"
            told.append(DataError(self._name, 0, "E-VIDEO-SIZE", f"{what}: the rest is left", "split it with ffmpeg"))
        elif self.ended and missing:
            cut = f"{read}{of} frames could be read; the file is {missing:,} bytes shorter than its header says"
            told.append(DataError(self._name, 0, "E-VIDEO-CUT", cut))
        elif self.ended and declared > read + sum(loss.packets for loss in self.lost):
            told.append(DataError(self._name, 0, "E-VIDEO-LOST", f"only {read}{of} frames could be read"))
        return tuple(told)

    def _loss(self, loss: Loss) -> DataError:
        what = "1 frame" if loss.packets == 1 else f"{loss.packets} frames"
        return DataError(self._name, 0, "E-VIDEO-LOST", f"{what} before frame {loss.index} could not be decoded")

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(path: str | Path, *, name: str = "", max_pixels: int = MAX_PIXELS) -> Video:
    """Open a local MP4, QuickTime, AVI, Matroska or WebM file for reading.

    name: what errors call it; the path, unless told otherwise.

    Raises DataError E-VIDEO-UNREADABLE where it is none (links are not followed), its codec is unknown or its frames
    are larger than allowed; StorageError where the disk or the rights fail.
    """
    name = name or os.fspath(path)
    try:
        said = read_container(path)
        _check_size(said.size_wh, max_pixels, name)
        fd, _ = open_regular(path)
    except DataError as error:
        raise unreadable(name, error.message, error.remedy) from None
    try:
        capture = _capture(fd)
        info = _info(capture, said) if capture else None
        change = _change(fd, info.codec) if info else None
    finally:
        os.close(fd)
    if capture is None or info is None:
        raise undecodable(name, said)
    try:
        _check_size(info.size_wh, max_pixels, name)
    except DataError:
        capture.release()
        raise
    return Video(name, capture, info, change)


def undecodable(name: str, said: Container) -> DataError:
    """The error of a video of which no frame can be decoded, by what its headers declare."""
    codec = f"'{said.codec}'" if said.codec else "of no name"
    return unreadable(name, f"no frame can be decoded (codec {codec})", "convert it with ffmpeg first")


def _check_size(size_wh: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size_wh
    if width * height > max_pixels:
        raise unreadable(name, f"its frames of {width} x {height} pixels are more than {max_pixels:,}")


def _change(fd: int, codec: str) -> Change | None:
    if codec.upper() not in LOOKED_AT:
        return None
    packets = _capture(fd, decodes=False)
    if packets is None:
        return None
    try:
        return first_change(packets, codec)
    finally:
        packets.release()


def _capture(fd: int, *, decodes: bool = True) -> Any:
    """Open an OpenCV capture of the file behind a descriptor; None where OpenCV cannot.

    The name that OpenCV is given holds nothing from outside: bytes that are not UTF-8 crash it, `%d` and `http:` mean
    something to it, and the file that was looked at is the one that is opened.
    """
    parameters = [
        cv2.CAP_PROP_READ_TIMEOUT_MSEC, 0,  # a slow machine must not change what is read
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 0,
    ]  # fmt: skip
    if decodes:
        parameters += [cv2.CAP_PROP_N_THREADS, 1]  # losses are the same whatever the machine
        parameters += [cv2.CAP_PROP_HW_ACCELERATION, cv2.VIDEO_ACCELERATION_NONE]
    else:
        parameters += [cv2.CAP_PROP_FORMAT, -1]
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    with _environment:
        before = os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS")
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _OPTIONS
        try:
            capture = cv2.VideoCapture(f"/dev/fd/{fd}", cv2.CAP_FFMPEG, parameters)  # noqa: TID251 (this is the wrapper)
        finally:
            del os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"]
            if before is not None:
                os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = before
    return capture if capture.isOpened() else None


def _info(capture: Any, said: Container) -> Info:
    def get(what: int) -> float:
        value = float(capture.get(what))
        return value if np.isfinite(value) else 0.0

    code = int(get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    codec = ""
    with suppress(UnicodeDecodeError):
        codec = code.to_bytes(4, "little").decode("ascii").strip("\0 ")
    fps = get(cv2.CAP_PROP_FPS)
    return Info(
        container=said,
        codec=codec if codec.isprintable() else "",
        size_wh=(int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))),
        fps=fps if 0 < fps <= _MAX_FPS else 25.0,
        frames=said.frames or max(int(get(cv2.CAP_PROP_FRAME_COUNT)), 0),
        turned=int(get(cv2.CAP_PROP_ORIENTATION_META)) % 360,
    )
