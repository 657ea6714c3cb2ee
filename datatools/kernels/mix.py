"""Augmentation by mixing pictures: MixUp, CutMix, Mosaic.

Draws say where each picture goes and how much it weighs; `mixup`, `cutmix` and `mosaic` follow them. Pictures are
(height, width, 3) uint8.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from datatools.kernels import geometry
from datatools.kernels.geometry import Fill, Matrix, Picture

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the first picture that the second one takes (left, top, right, bottom, exclusive), and what the
    first one weighs then: the share that it keeps."""

    rect: Rect
    weight: float


@dataclass(frozen=True, slots=True)
class Tile:
    """Where one picture of a mosaic is seen: its rectangle on the canvas, and the map from its pixels to the canvas'.

    matrix: nine numbers, row by row.
    """

    rect: Rect
    matrix: tuple[float, ...]

    @property
    def map(self) -> Matrix:
        """The matrix as (3, 3)."""
        return np.array(self.matrix).reshape(3, 3)


def draw_weight(rng: np.random.Generator, alpha: float) -> float:
    """The first picture's weight in a MixUp (Zhang et al., ICLR 2018): Beta(alpha, alpha)."""
    return float(rng.beta(alpha, alpha))


def draw_region(rng: np.random.Generator, size_wh: tuple[int, int], *, alpha: float = 1.0) -> Region:
    """The region of a CutMix (Yun et al., ICCV 2019): its share drawn from Beta(alpha, alpha), its centre anywhere.

    (PaddleClas draws with alpha 0.2 where the paper has 1.)
    """
    weight = float(rng.beta(alpha, alpha))
    width, height = size_wh
    return region((int(rng.integers(width)), int(rng.integers(height))), weight, size_wh)


def region(centre_xy: tuple[int, int], weight: float, size_wh: tuple[int, int]) -> Region:
    """The region of a CutMix around a centre, cut at the picture's edge, and the weight that is then right.

    >>> region((112, 112), 0.6, (224, 224))
    Region(rect=(42, 42, 182, 182), weight=0.609375)
    """
    width, height = size_wh
    cut = math.sqrt(1 - weight)
    half_w, half_h = int(width * cut) // 2, int(height * cut) // 2
    x, y = centre_xy
    left, right = max(x - half_w, 0), min(x + half_w, width)
    top, bottom = max(y - half_h, 0), min(y + half_h, height)
    return Region((left, top, right, bottom), 1 - (right - left) * (bottom - top) / (width * height))


def mixup(first: Picture, second: Picture, weight: float, *, fill: Fill = (114, 114, 114)) -> Picture:
    """weight * first + (1 - weight) * second, on a canvas that holds both, each at its upper left.

    No picture is stretched, so boxes on either stay where they are (Zhang et al., "Bag of Freebies for Training Object
    Detection Neural Networks", 2019).
    """
    size_wh = (max(first.shape[1], second.shape[1]), max(first.shape[0], second.shape[0]))
    padded = [_on_canvas(rgb, size_wh, fill) for rgb in (first, second)]
    return np.asarray(cv2.addWeighted(padded[0], weight, padded[1], 1 - weight, 0), dtype=np.uint8)


def cutmix(first: Picture, second: Picture, region: Region) -> Picture:
    """The first picture with a region taken from the second, which is stretched to the first's size before."""
    made = first.copy()
    left, top, right, bottom = region.rect
    if left < right and top < bottom:
        made[top:bottom, left:right] = resized(second, (first.shape[1], first.shape[0]))[top:bottom, left:right]
    return made


def draw_mosaic(
    rng: np.random.Generator, size_wh: tuple[int, int], sizes_wh: Sequence[tuple[int, int]]
) -> tuple[Tile, ...]:
    """Four pictures around a random centre (Bochkovskiy et al., YOLOv4, 2020).

    size_wh: of the canvas. sizes_wh: of the four pictures: upper left, upper right, lower left, lower right. Each is
    scaled until it covers its quarter, up to 1.5 times beyond, and shows a random part of itself.
    """
    width, height = size_wh
    x, y = round(width * rng.uniform(0.3, 0.7)), round(height * rng.uniform(0.3, 0.7))
    quarters = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    tiles = []
    for rect, (w, h) in zip(quarters, sizes_wh, strict=True):
        left, top, right, bottom = rect
        scale = max((right - left) / w, (bottom - top) / h) * rng.uniform(1.0, 1.5)
        shift_x, shift_y = rng.random(2) * (w * scale - (right - left), h * scale - (bottom - top))
        matrix = geometry.translate(left - shift_x, top - shift_y) @ geometry.scale(scale, scale)
        tiles.append(Tile(rect, tuple(matrix.reshape(-1).tolist())))
    return tuple(tiles)


def mosaic(pictures: Sequence[Picture], tiles: Sequence[Tile], size_wh: tuple[int, int]) -> Picture:
    """Draw each picture in its rectangle."""
    made = np.zeros((size_wh[1], size_wh[0], 3), dtype=np.uint8)
    for rgb, tile in zip(pictures, tiles, strict=True):
        left, top, right, bottom = tile.rect
        if left >= right or top >= bottom:
            continue
        shown, matrix = geometry.shrunk(rgb, geometry.translate(-left, -top) @ tile.map)
        made[top:bottom, left:right] = geometry.warp_image(shown, matrix, (right - left, bottom - top), fill=None)
    return made


def resized(rgb: Picture, size_wh: tuple[int, int]) -> Picture:
    """Stretch a picture to a size, smoothly in both directions."""
    if (rgb.shape[1], rgb.shape[0]) == size_wh:
        return rgb
    smaller = size_wh[0] * size_wh[1] < rgb.shape[0] * rgb.shape[1]
    flags = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size_wh, interpolation=flags), dtype=np.uint8)


def _on_canvas(rgb: Picture, size_wh: tuple[int, int], fill: Fill) -> Picture:
    below, right = size_wh[1] - rgb.shape[0], size_wh[0] - rgb.shape[1]
    if not below and not right:
        return rgb
    return np.asarray(cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_CONSTANT, value=fill), dtype=np.uint8)
