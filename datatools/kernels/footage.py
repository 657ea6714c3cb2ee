"""What tells one frame of a video from another: sharpness, change, cuts between scenes."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bgr = NDArray[np.uint8]

_THUMB = 64
_BINS = 8


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


def colours(thumb: Bgr) -> NDArray[np.float64]:
    """The share of the thumbnail that has each of 8 x 8 x 8 colours, (512,); they add up to 1."""
    cell = (thumb >> 5).astype(np.int64)
    counted = np.bincount(((cell[..., 0] * _BINS + cell[..., 1]) * _BINS + cell[..., 2]).ravel(), minlength=_BINS**3)
    return counted / cell[..., 0].size


class Cuts:
    """Finds where a scene ends: at once, or in a fade or dissolve over several frames.

    H. Zhang, A. Kankanhalli, S. W. Smoliar: Automatic partitioning of full-motion video. Multimedia Systems 1(1), 1993
    (twin comparison), with the intersection of colour histograms (M. J. Swain, D. H. Ballard: Color indexing. IJCV
    7(1), 1991) as the measure: motion in a scene moves colours, a cut replaces them.
    """

    HIGH = 0.5
    """A new scene has at least this share of other colours."""

    LOW = 0.1
    """In a gradual change every frame has at least this share of other colours than the one before."""

    def __init__(self) -> None:
        self._last: NDArray[np.float64] | None = None
        self._start: NDArray[np.float64] | None = None  # the frame before a gradual change

    def starts_scene(self, thumb: Bgr) -> bool:
        """Take the next frame's thumbnail; tell whether a scene begins with it. The first frame's does."""
        now = colours(thumb)
        last, self._last = self._last, now
        if last is None:
            return True
        step = _other(last, now)
        if step >= self.HIGH:
            self._start = None
            return True
        if step >= self.LOW:
            self._start = last if self._start is None else self._start
            return False
        start, self._start = self._start, None
        return start is not None and _other(start, now) >= self.HIGH

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


def _other(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return 1.0 - float(np.minimum(a, b).sum())
