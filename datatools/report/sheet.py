"""A contact sheet: pictures with their boxes in a grid, and a legend of the classes. Arrays in, one array out.

The fonts of OpenCV know ASCII only. A class of another name is called by its number on the pictures (`#3`), and the
legend gives the number with the name, whose other characters are written as escapes (`#3 \\u732b`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.report.palette import RGB, ink_on, palette

Picture = NDArray[np.uint8]

_PAPER, _INK, _SOFT, _EMPTY = (250, 250, 251), (28, 39, 51), (110, 121, 134), (229, 232, 236)
_GAP, _MARGIN, _CAPTION, _TITLE, _LEGEND_ROW = 14, 22, 22, 40, 24
_SHAPE = 4 / 3
_SHIFT = 4  # binary digits behind the point that the drawing takes


@dataclass(frozen=True, slots=True)
class Font:
    """A font of OpenCV at one size. height: of a capital, in pixels."""

    face: int
    scale: float

    @property
    def height(self) -> int:
        """Height of a capital in pixels."""
        return int(cv2.getTextSize("X", self.face, self.scale, 1)[0][1])

    def width(self, text: str) -> int:
        """Width of the text in pixels."""
        return int(cv2.getTextSize(text, self.face, self.scale, 1)[0][0])

    def fit(self, text: str, width: int) -> str:
        """Make the text printable and, where it is wider, cut it; of its end, which tells more, more is kept."""
        whole = printable(text)
        if self.width(whole) <= width:
            return whole
        for kept in range(min(len(text) - 1, width // 2), 1, -1):
            shorter = printable(text[: kept // 3]) + ".." + printable(text[len(text) - (kept - kept // 3) :])
            if self.width(shorter) <= width:
                return shorter
        return ""


_SMALL, _TEXT, _HEAD = (Font(cv2.FONT_HERSHEY_SIMPLEX, s) for s in (0.4, 0.45, 0.6))


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture of the sheet.

    picture: (height, width, 3) uint8 RGB, no larger than the sheet's cells; None where it could not be read.
    xyxy: (n, 4) float pixels of `picture`, right and bottom exclusive. box_class: (n,) class numbers.
    difficult: (n,) bool; those are marked with a star. note: what stands in place of a picture.
    remark: what stands behind the caption; the number of boxes where it is None.
    """

    caption: str
    picture: Picture | None
    xyxy: NDArray[np.float64]
    box_class: NDArray[np.int32]
    difficult: NDArray[np.bool_]
    note: str = ""
    remark: str | None = None


def plain(caption: str, picture: Picture | None, remark: str, note: str = "") -> Tile:
    """A tile of a picture without boxes."""
    nothing = np.zeros(0, np.int32)
    return Tile(caption, picture, np.zeros((0, 4)), nothing, nothing.astype(bool), note, remark)


def cell_size(sizes_wh: Sequence[tuple[int, int]], side: int) -> tuple[int, int]:
    """Return width and height of cells whose longer side is `side`, in the shape that most pictures have.

    >>> cell_size([(640, 480), (1280, 960), (100, 900)], 320)
    (320, 240)
    """
    ratio = float(np.clip(np.median([w / h for w, h in sizes_wh]), 0.5, 2)) if sizes_wh else _SHAPE
    return (side, round(side / ratio)) if ratio >= 1 else (round(side * ratio), side)


def fit(picture: Picture, cell_wh: tuple[int, int]) -> Picture:
    """Scale a picture so that it just fits into a cell, keeping its shape.

    >>> fit(np.zeros((100, 400, 3), np.uint8), (200, 150)).shape
    (50, 200, 3)
    """
    height, width = picture.shape[:2]
    scale = min(cell_wh[0] / width, cell_wh[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(scaled, np.uint8)


def compose(tiles: Sequence[Tile], classes: Sequence[str], cell_wh: tuple[int, int], title: str) -> Picture:
    """Draw the sheet.

    classes: all class names of the set, so that a class has the same colour on every sheet; the legend names those that
    are seen, with the number of their boxes. Returns (height, width, 3) uint8 RGB; the arguments stay as they are.
    """
    columns = columns_for(len(tiles), cell_wh)
    rows = math.ceil(len(tiles) / columns)
    width = 2 * _MARGIN + columns * (cell_wh[0] + _GAP) - _GAP
    colours = palette(len(classes))
    entries = _legend(tiles, classes, width - 2 * _MARGIN)
    grid = rows * (cell_wh[1] + _CAPTION + _GAP)
    height = _MARGIN + _TITLE + grid + _LEGEND_ROW * (entries[-1][1] + 1 if entries else 0) + _MARGIN - _GAP
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    _write(sheet, _HEAD.fit(title, width - 2 * _MARGIN), (_MARGIN, _MARGIN + 16), _HEAD, _INK)
    for i, tile in enumerate(tiles):
        x = _MARGIN + i % columns * (cell_wh[0] + _GAP)
        y = _MARGIN + _TITLE + i // columns * (cell_wh[1] + _CAPTION + _GAP)
        _place(sheet, tile, (x, y), cell_wh, classes, colours)
    top = _MARGIN + _TITLE + grid
    for x, row, number, text in entries:
        y = top + row * _LEGEND_ROW
        cv2.rectangle(sheet, (_MARGIN + x, y), (_MARGIN + x + 13, y + 13), colours[number], cv2.FILLED)
        _write(sheet, text, (_MARGIN + x + 21, y + 11), _TEXT, _INK)
    return sheet


def printable(text: str) -> str:
    r"""Write characters that the font does not have as escapes.

    >>> printable("a 猫")
    'a \\u732b'
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def tag(classes: Sequence[str], number: int) -> str:
    """Return what stands at a box: the name of the class, or its number where the font lacks a character of it."""
    name = classes[number]
    return name if name and printable(name) == name else f"#{number}"


def count_boxes(tiles: Sequence[Tile], classes: Sequence[str]) -> dict[str, int]:
    """Return how many boxes of each class are drawn, without the classes of which there is none."""
    counts = _counts(tiles, len(classes)).tolist()
    return {name: count for name, count in zip(classes, counts, strict=True) if count}


def _counts(tiles: Sequence[Tile], classes: int) -> NDArray[np.int64]:
    counts = np.zeros(classes, np.int64)
    for tile in tiles:
        if tile.picture is not None:
            counts += np.bincount(tile.box_class, minlength=classes)
    return counts


def columns_for(count: int, cell_wh: tuple[int, int]) -> int:
    """The number of columns that gives a sheet of about 4 to 3 with the fewest empty cells."""

    def badness(columns: int) -> float:
        rows = math.ceil(count / columns)
        shape = columns * (cell_wh[0] + _GAP) / (rows * (cell_wh[1] + _CAPTION + _GAP))
        return abs(math.log(shape / _SHAPE)) + 1.5 * (rows * columns - count) / count

    return min(range(1, count + 1), key=badness, default=1)


def _legend(tiles: Sequence[Tile], classes: Sequence[str], width: int) -> list[tuple[int, int, int, str]]:
    """Where each class that is seen stands in the legend: x, row, number, text."""
    counts = _counts(tiles, len(classes))
    placed: list[tuple[int, int, int, str]] = []
    x = row = 0
    for number in np.flatnonzero(counts).tolist():
        name = classes[number]
        text = name if tag(classes, number) == name else f"#{number} {name}".rstrip()
        text = _TEXT.fit(text, width // 2) + f"  {counts[number]:,}"
        needed = _TEXT.width(text) + 21
        if x and x + needed > width:
            x, row = 0, row + 1
        placed.append((x, row, number, text))
        x += needed + 26
    return placed


def _place(
    sheet: Picture,
    tile: Tile,
    at: tuple[int, int],
    cell_wh: tuple[int, int],
    classes: Sequence[str],
    colours: Sequence[RGB],
) -> None:
    x, y = at
    width, height = cell_wh
    cell = sheet[y : y + height, x : x + width]
    cell[:] = _EMPTY
    if tile.picture is None:
        for i, line in enumerate(_wrapped(tile.note, width - 24)):
            _write(sheet, line, (x + 12, y + 24 + 18 * i), _SMALL, _SOFT)
        counted = ""
    else:
        drawn = _drawn(tile.picture, tile, classes, colours)
        top, left = (height - drawn.shape[0]) // 2, (width - drawn.shape[1]) // 2
        cell[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
        counted = f"{len(tile.xyxy)} box" + "es" * (len(tile.xyxy) != 1)
    if tile.remark is not None:
        counted = _SMALL.fit(tile.remark, width * 2 // 3)
    base = y + height + 15
    taken = _SMALL.width(counted)
    _write(sheet, counted, (x + width - taken, base), _SMALL, _SOFT)
    _write(sheet, _SMALL.fit(tile.caption, width - taken - 12), (x, base), _SMALL, _INK)


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _SMALL.width(printable(longer)) <= width:
            lines[-1] = printable(longer)
        else:
            lines.append(_SMALL.fit(word, width))
    return lines[:4]


def _drawn(picture: Picture, tile: Tile, classes: Sequence[str], colours: Sequence[RGB]) -> Picture:
    """Return a copy of the picture with its boxes and, where there is room, their tags; large boxes come first."""
    canvas = picture.copy()
    height, width = canvas.shape[:2]
    limits = np.array([width, height, width, height], float)
    # the line runs along the edge of the box, which is half a pixel before the centre that drawing counts from; at the
    # rim of the picture it stays inside
    edges = np.clip(np.nan_to_num(tile.xyxy), 1, limits - 1) - 0.5
    order = np.argsort(-np.prod(edges[:, 2:] - edges[:, :2], axis=1), kind="stable").tolist()
    points = np.rint(edges * 2**_SHIFT).astype(int).tolist()
    shadow = canvas.copy()
    for x0, y0, x1, y1 in points:
        cv2.rectangle(shadow, (x0, y0), (x1, y1), (0, 0, 0), 4, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(shadow, 0.5, canvas, 0.5, 0, dst=canvas)
    for i in order:
        x0, y0, x1, y1 = points[i]
        cv2.rectangle(canvas, (x0, y0), (x1, y1), colours[tile.box_class[i]], 2, cv2.LINE_AA, _SHIFT)
    taken: list[tuple[int, int, int, int]] = []
    for i in order:
        number = int(tile.box_class[i])
        text = _SMALL.fit(tag(classes, number), width // 2) + "*" * bool(tile.difficult[i])
        size = _SMALL.width(text) + 8, _SMALL.height + 8
        spot = _free_spot(edges[i].tolist(), size, (width, height), taken)
        if spot:
            taken.append(spot)
            cv2.rectangle(canvas, spot[:2], (spot[2] - 1, spot[3] - 1), colours[number], cv2.FILLED)
            _write(canvas, text, (spot[0] + 4, spot[3] - 4), _SMALL, ink_on(colours[number]))
    return canvas


def _free_spot(
    box: Sequence[float], size: tuple[int, int], limits: tuple[int, int], taken: Sequence[tuple[int, int, int, int]]
) -> tuple[int, int, int, int] | None:
    """Find a place for a tag at a box where it covers no other tag, nor a small box; None where there is none."""
    left, top, right, bottom = (round(v) for v in box)
    places = [(left - 1, top - size[1]), (right - size[0] + 1, top - size[1]), (left - 1, bottom)]
    if right - left > 1.3 * size[0] and bottom - top > 2 * size[1]:
        places.insert(1, (left - 1, top))
    for x, y in places:
        x = min(max(x, 0), max(limits[0] - size[0], 0))
        spot = (x, y, x + size[0], y + size[1])
        inside = y >= 0 and spot[3] <= limits[1]
        if inside and not any(spot[0] < t[2] and t[0] < spot[2] and spot[1] < t[3] and t[1] < spot[3] for t in taken):
            return spot
    return None


def _write(canvas: Picture, text: str, at: tuple[int, int], font: Font, colour: RGB) -> None:
    if text:
        cv2.putText(canvas, text, at, font.face, font.scale, colour, 1, cv2.LINE_AA)
