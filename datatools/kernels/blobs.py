"""Moving things in a mask: specks removed, holes closed, a box around each."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]


class Blobs(NamedTuple):
    """Connected regions of a mask, ordered by their top, then their left edge.

    xyxy: (N, 4) float pixels, right and bottom exclusive. areas: (N,) pixels that belong to the region itself.
    """

    xyxy: NDArray[np.float64]
    areas: NDArray[np.int64]


def cleaned(mask: Mask, open_px: int = 0, close_px: int = 0) -> Mask:
    """Remove specks, then close gaps and holes.

    mask: (height, width), 0 or 255. open_px: what is narrower than this goes (morphological opening with a square of
    that side); 0 and 1 change nothing. close_px: gaps and holes narrower than this are filled (closing).

    >>> cleaned(np.array([[255, 0, 0], [0, 0, 0], [0, 0, 0]], np.uint8), open_px=3).any().item()
    False
    """
    steps = [(cv2.MORPH_OPEN, open_px), (cv2.MORPH_CLOSE, close_px)]
    made: Mask = mask.copy()
    for step, side in steps:
        if side > 1 and made.size:
            kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
            # the border counts as background for closing: what touches it would grow over it otherwise
            made = np.asarray(cv2.morphologyEx(made, step, kernel), np.uint8)
    return made


def find(mask: Mask, min_area: int = 1) -> Blobs:
    """Find the regions of a mask that are connected by sides or corners.

    mask: (height, width), everything but 0 belongs to a region. min_area: smaller ones are left out, pixels.

    >>> find(np.array([[0, 9, 9], [0, 9, 0], [7, 0, 0]], np.uint8)).xyxy.tolist()
    [[0.0, 0.0, 3.0, 3.0]]
    """
    if not mask.size:
        return Blobs(np.empty((0, 4)), np.empty(0, np.int64))
    # a third of the time that the default algorithm takes
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    stats = np.asarray(stats[1:], np.int64)  # the first is the background
    stats = stats[stats[:, cv2.CC_STAT_AREA] >= min_area]
    order = np.lexsort((stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]))
    left, top, width, height, area = stats[order].T
    return Blobs(np.stack([left, top, left + width, top + height], axis=1).astype(np.float64), area)
