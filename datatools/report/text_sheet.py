"""A contact sheet of a text set: pages with their outlines and texts, or lines with the text below each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.report.lettering import Letters
from datatools.report.palette import RGB, ink_on, palette
from datatools.report.sheet import columns_for

Picture = NDArray[np.uint8]

_PAPER, _INK, _SOFT, _EMPTY = (250, 250, 251), (28, 39, 51), (110, 121, 134), (229, 232, 236)
_IGNORED = (120, 124, 130)
_GAP, _MARGIN, _TITLE = 14, 22, 40
_SMALL, _TEXT, _HEAD = Letters(12), Letters(16), Letters(20)
_FAR = 1e7  # pixels; OpenCV wants whole numbers of 32 bits
_SHIFT = 4  # binary digits behind the point that the drawing takes


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A region on a tile. points: (n, 2) float pixels of the tile's picture."""

    points: NDArray[np.float64]
    text: str
    ignored: bool


@dataclass(frozen=True, slots=True, eq=False)
class TextTile:
    """One picture of the sheet.

    picture: (height, width, 3) uint8 RGB, no larger than the sheet's cells; None where it could not be read.
    regions: of a page. text: of a line, None for a page. note: what stands in place of a picture.
    """

    caption: str
    picture: Picture | None
    regions: tuple[Drawn, ...] = ()
    text: str | None = None
    note: str = ""


def compose(tiles: Sequence[TextTile], cell_wh: tuple[int, int], title: str) -> Picture:
    """Draw the sheet. Returns (height, width, 3) uint8 RGB; the arguments stay as they are."""
    below = 46 if any(tile.text is not None for tile in tiles) else 22
    columns = columns_for(len(tiles), (cell_wh[0], cell_wh[1] + below - 22))
    rows = math.ceil(len(tiles) / columns)
    width = 2 * _MARGIN + columns * (cell_wh[0] + _GAP) - _GAP
    height = 2 * _MARGIN + _TITLE + rows * (cell_wh[1] + below + _GAP) - _GAP
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    _HEAD.write(sheet, _HEAD.fit(title, width - 2 * _MARGIN), (_MARGIN, _MARGIN + 16), _INK)
    for i, tile in enumerate(tiles):
        x = _MARGIN + i % columns * (cell_wh[0] + _GAP)
        y = _MARGIN + _TITLE + i // columns * (cell_wh[1] + below + _GAP)
        _place(sheet, tile, (x, y), cell_wh)
    return sheet


def _place(sheet: Picture, tile: TextTile, at: tuple[int, int], cell_wh: tuple[int, int]) -> None:
    x, y = at
    width, height = cell_wh
    cell = sheet[y : y + height, x : x + width]
    cell[:] = _EMPTY
    base = y + height + 15
    if tile.picture is None:
        for i, line in enumerate(_wrapped(tile.note, width - 24)[: max(height // 18, 1)]):
            _SMALL.write(sheet, line, (x + 12, min(y + 24, y + height - 4) + 18 * i), _SOFT)
    else:
        picture = draw_regions(tile.picture, tile.regions)
        top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
        cell[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    if tile.text is not None:
        _TEXT.write(sheet, _TEXT.fit(tile.text, width), (x, base + 3), _INK)
        base += 24
    counted = (
        f"{len(tile.regions)} region{'s' * (len(tile.regions) != 1)}"
        if tile.text is None and tile.picture is not None
        else ""
    )
    taken = _SMALL.width(counted) if counted else 0
    _SMALL.write(sheet, counted, (x + width - taken, base), _SOFT)
    _SMALL.write(
        sheet, _SMALL.fit(tile.caption, width - taken - 12), (x, base), _SOFT if tile.text is not None else _INK
    )


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _SMALL.width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(_SMALL.fit(word, width))
    return lines


def draw_regions(picture: Picture, regions: Sequence[Drawn]) -> Picture:
    """Return a copy of the picture with outlines and, where there is room, texts.

    Neighbours have different colours; a dot marks the corner at which an outline begins, the text's top left. Ignored
    regions are grey and have no text.
    """
    canvas = picture.copy()
    colours = palette(8)
    shadow = canvas.copy()
    placed = [np.clip(np.nan_to_num(r.points), -_FAR, _FAR) for r in regions]
    fixed = [np.rint((points - 0.5) * 2**_SHIFT).astype(np.int32) for points in placed]
    cv2.polylines(shadow, fixed, True, (0, 0, 0), 3, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(shadow, 0.5, canvas, 0.5, 0, dst=canvas)
    painted = [_IGNORED if r.ignored else colours[i % len(colours)] for i, r in enumerate(regions)]
    for points, colour in zip(fixed, painted, strict=True):
        cv2.polylines(canvas, [points], True, colour, 1, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, points[0].tolist(), 2 * 2**_SHIFT, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    taken: list[tuple[int, int, int, int]] = []
    for region, points, colour in zip(regions, placed, painted, strict=True):
        if not region.ignored and region.text:
            _tag(canvas, region.text, points, colour, taken)
    return canvas


def _tag(
    canvas: Picture, text: str, points: NDArray[np.float64], colour: RGB, taken: list[tuple[int, int, int, int]]
) -> None:
    """Write a text above or below its outline, where it covers no other one."""
    height, width = canvas.shape[:2]
    text = _SMALL.fit(text, width // 2)
    size = _SMALL.width(text) + 6, _SMALL.size + 4
    (left, top), bottom = np.rint(points.min(axis=0)).astype(int).tolist(), int(points[:, 1].max())
    for y in (top - size[1] - 1, bottom + 1):
        x = min(max(left, 0), max(width - size[0], 0))
        spot = (x, y, x + size[0], y + size[1])
        free = not any(spot[0] < t[2] and t[0] < spot[2] and spot[1] < t[3] and t[1] < spot[3] for t in taken)
        if y >= 0 and spot[3] <= height and free and text:
            taken.append(spot)
            cv2.rectangle(canvas, spot[:2], (spot[2] - 1, spot[3] - 1), colour, cv2.FILLED)
            _SMALL.write(canvas, text, (spot[0] + 3, spot[3] - 4), ink_on(colour))
            return
