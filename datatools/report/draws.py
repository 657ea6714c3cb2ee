"""A sheet of originals, each beside what augmentation draws of it, with the labels on all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.report.palette import palette
from datatools.report.sheet import Font, fit

Picture = NDArray[np.uint8]

_PAPER, _INK, _SOFT = (250, 250, 251), (28, 39, 51), (150, 156, 164)
_GAP, _MARGIN, _CAPTION, _TITLE = 8, 22, 20, 40
_TEXT, _HEAD = Font(cv2.FONT_HERSHEY_SIMPLEX, 0.4), Font(cv2.FONT_HERSHEY_SIMPLEX, 0.6)
_LARGE = 220
"""Pictures of this width have thicker lines."""
_SHIFT = 4  # binary digits behind the point that the drawing takes


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One picture of the sheet.

    picture: (height, width, 3) uint8 RGB, of any size. outlines: (n, 2) float pixels each. classes: the number of each
    outline's class, below 0 for what is ignored.
    """

    picture: Picture
    outlines: Sequence[NDArray[np.float64]]
    classes: Sequence[int]


def compose(rows: Sequence[tuple[str, Sequence[Shown]]], title: str, *, side: int = 240) -> Picture:
    """Draw the sheet: a row for each original, which stands first; its text stands below it.

    side: of a cell's longer side, pixels. Returns (height, width, 3) uint8 RGB.
    """
    columns = max((len(shown) for _, shown in rows), default=1)
    width = 2 * _MARGIN + columns * (side + _GAP) - _GAP
    heights = [_row_height(shown, side) for _, shown in rows]
    height = 2 * _MARGIN + _TITLE + sum(heights) + len(rows) * (_CAPTION + _GAP)
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    cv2.putText(sheet, _HEAD.fit(title, width - 2 * _MARGIN), (_MARGIN, _MARGIN + 16), _HEAD.face, _HEAD.scale, _INK, 1)
    colours = palette(1 + max((max(one.classes, default=0) for _, shown in rows for one in shown), default=0))
    top = _MARGIN + _TITLE
    for (text, shown), row_height in zip(rows, heights, strict=True):
        for column, one in enumerate(shown):
            drawn = _drawn(one, (side, row_height), colours)
            left = _MARGIN + column * (side + _GAP) + (side - drawn.shape[1]) // 2
            down = top + (row_height - drawn.shape[0]) // 2
            sheet[down : down + drawn.shape[0], left : left + drawn.shape[1]] = drawn
        place = (_MARGIN, top + row_height + 14)
        cv2.putText(sheet, _TEXT.fit(text, width - 2 * _MARGIN), place, _TEXT.face, _TEXT.scale, _INK, 1, cv2.LINE_AA)
        top += row_height + _CAPTION + _GAP
    return sheet


def _row_height(shown: Sequence[Shown], side: int) -> int:
    """The height of the tallest picture when all are as wide as a cell, a cell's side at most."""
    tallest = max((one.picture.shape[0] / one.picture.shape[1] for one in shown), default=1.0)
    return max(16, min(side, round(side * tallest)))


def _drawn(one: Shown, cell_wh: tuple[int, int], colours: Sequence[tuple[int, int, int]]) -> Picture:
    picture = fit(one.picture, cell_wh).copy()
    scale = picture.shape[1] / one.picture.shape[1]
    for outline, number in zip(one.outlines, one.classes, strict=True):
        colour = _SOFT if number < 0 else colours[number]
        points = np.rint((outline * scale - 0.5) * 2**_SHIFT).astype(np.int32)
        thick = 1 if number < 0 or cell_wh[0] < _LARGE else 2
        cv2.polylines(picture, [points], True, (0, 0, 0), thick + 1, cv2.LINE_AA, _SHIFT)
        cv2.polylines(picture, [points], True, colour, thick, cv2.LINE_AA, _SHIFT)
    return picture
