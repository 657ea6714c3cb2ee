"""The geometry that PP-OCR trains its detector with: mirror, rotation, scale, and a crop that cuts no text.

Mirror, rotation and scale, then a crop around some texts that runs between texts, never through one, after EAST (Zhou
et al., CVPR 2017), scaled to a square and padded. All of it is drawn as numbers and done by one map.

PaddleOCR's EastRandomCropData differs: the last stretch without text in a row or column of the picture is never used,
and a picture without readable text is never cropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.kernels import contours, geometry
from datatools.kernels.contours import Outline
from datatools.kernels.geometry import Matrix, Picture

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Crop:
    """What is done.

    matrix: from the picture's pixels to the result's, nine numbers row by row. shown_wh: how much of the result shows
    the crop; the rest, right or below, is black. size_wh: of the result.
    """

    matrix: tuple[float, ...]
    shown_wh: tuple[int, int]
    size_wh: tuple[int, int]

    @property
    def map(self) -> Matrix:
        """The matrix as (3, 3)."""
        return np.array(self.matrix).reshape(3, 3)


def draw(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    outlines: Sequence[Outline],
    ignored: Sequence[bool],
    *,
    flip: float = 0.5,
    angle: float = 10.0,
    scales: tuple[float, float] = (0.5, 3.0),
    size: int = 960,
    tries: int = 50,
    least_side: float = 0.1,
) -> Crop:
    """Draw mirror, rotation, scale and crop for a picture and its texts.

    ignored: texts that may be cut. least_side: of the crop, as a share of the picture's.
    """
    width, height = size_wh
    matrix = geometry.flip_x(width) if rng.random() < flip else np.eye(3)
    turn = geometry.rotate(rng.uniform(-angle, angle))
    factor = rng.uniform(*scales)
    matrix = geometry.scale(factor, factor) @ geometry.around(turn, (width / 2, height / 2)) @ matrix
    scaled = (max(1, round(width * factor)), max(1, round(height * factor)))
    moved = [geometry.warp_points(outline, matrix) for outline in outlines]
    texts = [xy for xy, ignore in zip(moved, ignored, strict=True) if not ignore]
    left, top, right, bottom = crop_rect(rng, scaled, texts, tries=tries, least_side=least_side)
    shrink = min(size / (right - left), size / (bottom - top))
    matrix = geometry.scale(shrink, shrink) @ geometry.translate(-left, -top) @ matrix
    shown = (min(size, max(1, round((right - left) * shrink))), min(size, max(1, round((bottom - top) * shrink))))
    return Crop(tuple(matrix.reshape(-1).tolist()), shown, (size, size))


def crop_rect(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    texts: Sequence[Outline],
    *,
    tries: int = 50,
    least_side: float = 0.1,
) -> Rect:
    """Draw a rectangle that holds at least one text (where there are any) and cuts none; else the whole picture."""
    width, height = size_wh
    boxes = np.array([contours.box_around(xy) for xy in texts]).reshape(-1, 4)
    columns, rows = _free(boxes[:, [0, 2]], width), _free(boxes[:, [1, 3]], height)
    if not columns or not rows:
        return 0, 0, width, height
    for _ in range(tries):
        left, right = _two(rng, columns)
        top, bottom = _two(rng, rows)
        if right - left < max(1.0, least_side * width) or bottom - top < max(1.0, least_side * height):
            continue
        inside = (boxes[:, 0] >= left) & (boxes[:, 2] <= right) & (boxes[:, 1] >= top) & (boxes[:, 3] <= bottom)
        if inside.any() or not len(boxes):
            return left, top, right, bottom
    return 0, 0, width, height


def _free(spans: NDArray[np.float64], length: int) -> list[tuple[int, int]]:
    """The stretches of places 0 to length, both included, at which a cut meets no span."""
    free = np.ones(length + 1, dtype=bool)
    for start, end in spans.tolist():
        # a cut at the very edge of a text does not cut it
        free[max(int(np.floor(start)) + 1, 0) : max(int(np.ceil(end)), 0)] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _two(rng: np.random.Generator, stretches: list[tuple[int, int]]) -> tuple[int, int]:
    """Two places, ascending: each from a stretch drawn at random, where there are several."""
    chosen = rng.integers(0, len(stretches), 2)
    places = [int(rng.integers(stretches[i][0], stretches[i][1] + 1)) for i in chosen]
    return min(places), max(places)


def apply(rgb: Picture, crop: Crop) -> Picture:
    """Draw the crop, cubic as PaddleOCR's; black beside and below it. rgb: (height, width, 3) uint8."""
    shown, matrix = geometry.shrunk(rgb, crop.map)
    seen = geometry.warp_image(shown, matrix, crop.shown_wh, interpolation="cubic")
    return geometry.warp_image(seen, np.eye(3), crop.size_wh)


def warp_outline(xy: Outline, crop: Crop) -> Outline:
    """Move an outline; what of it lies outside of the crop is not yet cut off (see `contours.inside`, shown_wh)."""
    return geometry.warp_points(xy, crop.map)
