"""Encode frames into a file of one video track.

OpenCV's FFmpeg encodes, at a constant rate; `isobmff.join` then gives the frames their times. All codecs come in an MP4
file, whose bytes are the same on every run (OpenCV's Matroska files hold random numbers, and its wheels cannot encode
H.264).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import StorageError, UsageError, escape
from datatools.io.files import cannot
from datatools.io.video import isobmff

Codec = Literal["mp4v", "mjpg", "vp9", "ffv1"]
"""mp4v: MPEG-4 part 2, small and quick. mjpg: a JPEG a frame. vp9: the smallest, slow. ffv1: without any loss."""

CODECS: tuple[str, ...] = get_args(Codec)

# what OpenCV is asked for, and the suffix by which it knows that code
_FOURCC = {"mp4v": ("mp4v", ".mp4"), "mjpg": ("jpeg", ".mov"), "vp9": ("vp09", ".mp4"), "ffv1": ("FFV1", ".mp4")}
_MAX_SIDE = {"mp4v": 8190, "mjpg": 16384, "vp9": 16384, "ffv1": 16384}
_RATE = 25.0  # of files before their frames get their times

_numbers = count()

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Encoder:
    """Encodes frames of one size into one file, which is complete once the block ends without an error.

        with Encoder(path, size_wh) as encoder:
            encoder.write(bgr)

    path: gets its name when it is whole, over what is there. size_wh: of all frames, pixels. An odd side gets one more
    column or row, a copy of the last, since the codecs store colour for pairs of pixels.

    Raises UsageError for a size that the codec cannot hold, StorageError where the disk fails; no file stays then.
    """

    def __init__(self, path: Path, size_wh: tuple[int, int], codec: Codec = "mp4v") -> None:
        self._path = path
        self._size_wh = size_wh
        self._frames = 0
        width, height = size_wh
        limit = _MAX_SIDE[codec]
        if not (1 <= width <= limit and 1 <= height <= limit):
            raise UsageError(f"{codec} cannot hold frames of {width} x {height} pixels; a side is 1 to {limit}")
        self._pad = (width % 2, height % 2)
        even = (width + self._pad[0], height + self._pad[1])
        fourcc, suffix = _FOURCC[codec]
        self._made = path.with_name(f".dt-tmp-{os.getpid()}-{next(_numbers)}{suffix}")
        try:
            self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise cannot("write", path, error) from None
        self._writer = _open_writer(_readable(self._folder, self._made), fourcc, even)
        if not self._writer.isOpened():
            self._drop()
            raise StorageError(f"cannot write {escape(path)}: the encoder {codec} of OpenCV does not start")

    def write(self, bgr: NDArray[np.uint8]) -> None:
        """Encode one frame: (height, width, 3) uint8 BGR, or (height, width) uint8 grey."""
        if bgr.shape[1::-1] != self._size_wh:
            raise ValueError(f"a frame of shape {bgr.shape} among frames of size {self._size_wh}")
        picture: Any = cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR) if bgr.ndim == 2 else bgr
        right, bottom = self._pad
        if right or bottom:
            picture = cv2.copyMakeBorder(picture, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        self._writer.write(np.ascontiguousarray(picture))
        self._frames += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.release()
        if kind is not None or not self._frames:
            self._drop()
            return
        try:
            # the encoder tells nobody when the disk is full: what it wrote is counted
            written = len(isobmff.read_track(self._made, self._path).sizes)
            if written != self._frames:
                held = f"only {written} of {self._frames} frames are in it; is the disk full?"
                raise StorageError(f"cannot write {escape(self._path)}: {held}")
            os.replace(self._made, self._path)
        except OSError as failure:
            raise cannot("write", self._path, failure) from None
        finally:
            self._drop()

    def _drop(self) -> None:
        os.close(self._folder)
        with suppress(OSError):
            os.unlink(self._made)


def _readable(folder: int, path: Path) -> str:
    """A name of the file that OpenCV can be given: it crashes on bytes that are not UTF-8."""
    if os.path.isdir(f"/proc/self/fd/{folder}"):
        return f"/proc/self/fd/{folder}/{path.name}"
    return os.fspath(path)


def _open_writer(name: str, fourcc: str, size_wh: tuple[int, int]) -> Any:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong we say ourselves
    code = int.from_bytes(fourcc.encode(), "little")
    return cv2.VideoWriter(name, cv2.CAP_FFMPEG, code, _RATE, size_wh)  # noqa: TID251 (this is the wrapper)


def write_video(
    path: Path, frames: Sequence[NDArray[np.uint8]], times_s: Sequence[float], codec: Codec = "mp4v"
) -> None:
    """Write a short video whose frames are all in memory: (height, width, 3) BGR or (height, width) grey.

    times_s: when each frame is shown. Raises as Encoder does.
    """
    piece = path.with_name(f".dt-tmp-{os.getpid()}-{next(_numbers)}")
    height, width = frames[0].shape[:2]
    try:
        with Encoder(piece, (width, height), codec) as encoder:
            for frame in frames:
                encoder.write(frame)
        isobmff.join([piece], times_s, path)
    finally:
        with suppress(OSError):
            os.unlink(piece)
