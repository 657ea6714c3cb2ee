"""One picture that shows another before and after a change."""

import cv2
import numpy as np

from datatools.kernels.planes import Picture

LONGEST = 4096
"""Pictures of pictures are not longer than this, px."""

_GAP = 4


def before_after(before: Picture, after: Picture) -> Picture:
    """Return the two side by side, or one above the other where they are wider than high, with a white line between.

    Both have one shape and dtype. Each is made smaller, where needed, so that the whole has no side above LONGEST.

    >>> before_after(np.zeros((2, 1), np.uint8), np.ones((2, 1), np.uint8)).tolist()
    [[0, 255, 255, 255, 255, 1], [0, 255, 255, 255, 255, 1]]
    """
    height, width = before.shape[:2]
    across = int(width <= height)
    side = max(2 * min(height, width) + _GAP, height, width)
    if side > LONGEST:
        share = LONGEST / side
        size = (max(int(width * share) - _GAP, 1), max(int(height * share) - _GAP, 1))
        before, after = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (before, after))
    shape = list(before.shape)
    shape[across] = _GAP
    line = np.full(shape, np.iinfo(before.dtype).max, before.dtype)
    return np.concatenate([before, line, after], axis=across)
