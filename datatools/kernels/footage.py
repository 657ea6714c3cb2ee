"""What tells one frame of a video from another: sharpness, change, cuts between scenes."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bgr = NDArray[np.uint8]

_THUMB = 64


def sharpness(bgr: Bgr) -> float:
    """The variance of the Laplacian of the grey picture: low where it is blurred or has nothing in it.

    bgr: (height, width, 3) or (height, width) uint8. Compare frames of one video only: it depends on what is seen.
    J. L. Pech-Pacheco et al.: Diatom autofocusing in brightfield microscopy. ICPR 2000.

    >>> sharpness(np.full((8, 8, 3), 90, np.uint8))
    0.0
    """
    grey = bgr if bgr.ndim == 2 else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    edges = cv2.Laplacian(grey, cv2.CV_16S).astype(np.float64)
    return float(edges.var())


def thumbnail(bgr: Bgr) -> Bgr:
    """The frame in small, (64, 64, 3) uint8, each pixel the mean of those below it: what `change` compares."""
    small: Bgr = np.asarray(cv2.resize(bgr, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA), np.uint8)
    return small


def change(thumb_a: Bgr, thumb_b: Bgr) -> float:
    """How different two frames are: the mean absolute difference of their thumbnails, levels of 255.

    >>> change(np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 10, np.uint8))
    10.0
    """
    return float(cv2.absdiff(thumb_a, thumb_b).mean())


def levels(thumb: Bgr) -> NDArray[np.float64]:
    """How a thumbnail's levels are distributed: for each channel the share of pixels up to each level, (3, 256)."""
    counted = [np.bincount(thumb[..., channel].ravel(), minlength=256) for channel in range(3)]
    return np.cumsum(counted, axis=1) / thumb[..., 0].size


class Cuts:
    """Finds where a scene begins: at once, or at the end of a fade or dissolve over several frames.

    Two frames are compared by the distribution of their levels in each channel: by how many levels a pixel must change,
    on the average, to turn one into the other (the earth mover's distance). Motion in a scene leaves it small. Gradual
    changes are found by comparing their two ends (twin comparison; H. Zhang, A. Kankanhalli, S. W. Smoliar: Automatic
    partitioning of full-motion video. Multimedia Systems 1(1), 1993).
    """

    HIGH = 16.0
    """A new scene is at least that far from the one before."""

    LOW = 3.0
    """In a gradual change every frame is at least that far from the one before."""

    def __init__(self) -> None:
        self._last: NDArray[np.float64] | None = None
        self._start: NDArray[np.float64] | None = None  # what a change that goes on is compared with

    def starts_scene(self, thumb: Bgr) -> bool:
        """Take the next frame's thumbnail; tell whether a scene begins with it. The first frame's does."""
        now = levels(thumb)
        last, self._last = self._last, now
        if last is None:
            return True
        step = _distance(last, now)
        start, self._start = self._start, None
        if step < self.LOW:  # nothing changes, or a change has ended
            return start is not None and _distance(start, now) >= self.HIGH
        if start is None and step >= self.HIGH:
            self._start = now  # if it goes on, it is a new change
            return True
        self._start = last if start is None else start
        return False

    def state(self) -> dict[str, NDArray[np.float64]]:
        """All that the next answer depends on."""
        none = np.empty(0)
        return {
            "scene_last": none if self._last is None else self._last,
            "scene_start": none if self._start is None else self._start,
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state."""
        self._last, self._start = (
            np.asarray(state[name], np.float64) if state[name].size else None for name in ("scene_last", "scene_start")
        )


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.abs(a - b).sum()) / 3
