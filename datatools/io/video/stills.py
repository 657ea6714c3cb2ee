"""A folder of numbered pictures, read as the frames of a video.

Frames are ordered by the numbers in their names, so that `f2.png` comes before `f10.png`. A picture that cannot be read
is passed over and counted as lost; where one is of another size than those before it, the sequence ends.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.core.values import Frame
from datatools.io import files, images

FPS = 25.0
"""Frames a second of a folder: nothing tells its true rate."""

_NO_PIXELS = np.empty((0, 0, 3), np.uint8)


def by_number(name: str) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """The key that orders the names of frames: what is not a number, then the numbers, then the name.

    >>> sorted(["f10.png", "f9.png", "e11.png"], key=by_number)
    ['e11.png', 'f9.png', 'f10.png']
    """
    parts = re.split(r"([0-9]{1,18})", PurePosixPath(name).stem)
    return tuple(parts[::2]), tuple(map(int, parts[1::2])), name


class Stills:
    """Pictures that are open for reading as frames. root: the set's folder. names: relative to it, in order.

    The first that can be read tells the size. Raises DataError E-VIDEO-UNREADABLE where there is none.
    """

    def __init__(self, root: str, names: Sequence[str]) -> None:
        self._root = root
        self._names = names
        self._at = 0
        self._read = 0
        self._lost: list[DataError] = []
        self.size_wh = (0, 0)
        self.size_wh = self._first()

    def _first(self) -> tuple[int, int]:
        for name in self._names:
            try:
                return images.read_header(f"{self._root}/{name}").displayed_wh
            except DataError:
                continue
        raise DataError(self._names[0] if self._names else "", 0, "E-VIDEO-UNREADABLE", "no frame can be read")

    def next(self, wants: Callable[[int, float], bool] | None = None) -> Frame | None:
        """The next frame; None at the end, and where the size changes. wants: told its index and time, says whether
        its pixels are wanted."""
        while self._at < len(self._names):
            name = self._names[self._at]
            t_s = self._at / FPS
            self._at += 1
            wanted = wants is None or wants(self._read, t_s)
            try:
                bgr = self._decode(name) if wanted else _NO_PIXELS
            except DataError as error:
                self._lost.append(error)
                if error.code == "E-VIDEO-SIZE":
                    self._at = len(self._names)
                continue
            self._read += 1
            return Frame(self._read - 1, t_s, PurePosixPath(name).stem, bgr)
        return None

    def skip(self, frames: int) -> int:
        """Go past so many frames that can be read; return how many there were."""
        return next((done for done in range(frames) if self.next() is None), frames)

    def losses(self) -> tuple[DataError, ...]:
        """What could not be read so far."""
        return tuple(self._lost)

    def _decode(self, name: str) -> NDArray[np.uint8]:
        rgb = images.decode(files.read_bytes(f"{self._root}/{name}", images.MAX_FILE_BYTES), name=name)
        self._check_size((rgb.shape[1], rgb.shape[0]), name)
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)

    def _check_size(self, size_wh: tuple[int, int], name: str) -> None:
        if size_wh != self.size_wh:
            (width, height), (first_width, first_height) = size_wh, self.size_wh
            what = f"is {width} x {height} pixels, the frames before it are {first_width} x {first_height}"
            rest = len(self._names) - self._at
            raise DataError(name, 0, "E-VIDEO-SIZE", f"{what}: the sequence ends here, {rest} frames before its end")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open between two frames."""
