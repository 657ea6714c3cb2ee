"""One patch of a picture set into another: cut out by its outline or its content, its rim sharp, soft, or seamless."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels import contours, geometry
from datatools.kernels.contours import Outline
from datatools.kernels.geometry import Matrix, Picture

Blend = Literal["none", "feather", "poisson"]
Mask = NDArray[np.uint8]

FEATHER_PX = 3
"""Pixels over which a soft rim fades, inside the outline."""

_GRABCUT_ROUNDS = 4
_GRABCUT_LEAST = 0.2
"""An object that GrabCut finds smaller than this share of its outline was not found."""
_SUBPIXEL = 4


def silhouette(rgb: Picture, outline: Outline) -> Mask | None:
    """Find an object inside its outline by GrabCut (Rother, Kolmogorov, Blake, 2004).

    Returns (height, width) of the whole picture, 255 on the object; None where nothing plausible is found. The same
    picture and outline give the same mask.
    """
    height, width = rgb.shape[:2]
    left, top, right, bottom = contours.box_around(outline)
    rim = max(4, round(0.25 * max(right - left, bottom - top)))
    x0, y0 = max(int(left) - rim, 0), max(int(top) - rim, 0)
    x1, y1 = min(int(np.ceil(right)) + rim, width), min(int(np.ceil(bottom)) + rim, height)
    inside = _filled(outline - (x0, y0), (x1 - x0, y1 - y0))
    if inside.all() or not inside.any():
        return None
    state = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    patch = np.ascontiguousarray(rgb[y0:y1, x0:x1, ::-1])
    cv2.setRNGSeed(0)  # its k-means draws from OpenCV's own generator
    models = np.zeros((2, 1, 65))
    try:
        cv2.grabCut(patch, state, (0, 0, 1, 1), models[0], models[1], _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one colour alone
        return None
    found = ((state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)) & (inside > 0)
    if found.sum() < _GRABCUT_LEAST * (inside > 0).sum():
        return None
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[y0:y1, x0:x1] = found.astype(np.uint8) * 255
    return mask


def paste(canvas: Picture, rgb: Picture, outline: Outline, matrix: Matrix, mask: Mask | None, blend: Blend) -> Outline:
    """Draw what lies inside the outline (and the mask, where there is one) of a picture onto the canvas, in place.

    matrix: from the picture's pixels to the canvas'. Returns the outline of what was drawn, (0, 2) where that is
    nothing: the moved outline, or the box around the moved mask.
    """
    moved = geometry.warp_points(outline, matrix)
    height, width = canvas.shape[:2]
    x0, y0 = np.clip(np.floor(moved.min(axis=0) + 1e-6), 0, (width, height)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(moved.max(axis=0) - 1e-6), 0, (width, height)).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return np.empty((0, 2))
    place, size_wh = canvas[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    source, to_place = _around(rgb, outline, geometry.translate(-x0, -y0) @ matrix)
    patch = geometry.warp_image(source, to_place, size_wh, fill=None)
    cover = _filled(moved - (x0, y0), size_wh)
    if mask is not None:
        turned = geometry.warp_image(np.dstack([mask] * 3), geometry.translate(-x0, -y0) @ matrix, size_wh)[:, :, 0]
        cover = np.where((turned >= 128) & (cover > 0), np.uint8(255), np.uint8(0))
        ys, xs = np.nonzero(cover)
        if not len(xs):
            return np.empty((0, 2))
        moved = contours.from_box([x0 + xs.min(), y0 + ys.min(), x0 + xs.max() + 1, y0 + ys.max() + 1])
    if blend == "poisson" and min(size_wh) >= 3:
        place[:] = _seamless(place, patch, cover)
    elif blend == "feather":
        _fade(place, patch, cover)
    else:
        cv2.copyTo(patch, cover, place)
    return moved


def _around(rgb: Picture, outline: Outline, matrix: Matrix) -> tuple[Picture, Matrix]:
    """The part of the picture around the outline, and the map from there."""
    height, width = rgb.shape[:2]
    low = np.clip(np.floor(outline.min(axis=0)) - 2, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(outline.max(axis=0)) + 2, low + 1, (width, height)).astype(int)
    part = rgb[low[1] : high[1], low[0] : high[0]]
    return geometry.shrunk(part, matrix @ geometry.translate(float(low[0]), float(low[1])))


def _filled(xy: Outline, size_wh: tuple[int, int]) -> Mask:
    """255 on the pixels whose centres lie in the outline."""
    mask = np.zeros((size_wh[1], size_wh[0]), dtype=np.uint8)
    left, top, right, bottom = contours.box_around(xy)
    if len(xy) == 4 and contours.area(xy) >= (right - left) * (bottom - top) - 1e-6:  # an upright box
        x0, y0 = max(int(np.ceil(left - 0.5)), 0), max(int(np.ceil(top - 0.5)), 0)
        mask[y0 : max(int(np.ceil(bottom - 0.5)), 0), x0 : max(int(np.ceil(right - 0.5)), 0)] = 255
        return mask
    fixed = np.rint((xy - 0.5) * (1 << _SUBPIXEL)).astype(np.int32)  # OpenCV counts from the centre of the first pixel
    cv2.fillPoly(mask, [fixed], 255, shift=_SUBPIXEL)
    return mask


def _fade(place: Picture, patch: Picture, cover: Mask) -> None:
    """Mix with weights that grow from the rim inwards."""
    rimmed = cv2.copyMakeBorder(cover, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(rimmed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    weight = np.minimum(depth / (FEATHER_PX + 1), 1.0).astype(np.float32)
    cv2.blendLinear(patch, place.copy(), weight, 1 - weight, place)


def _seamless(place: Picture, patch: Picture, cover: Mask) -> Picture:
    """Keep the patch's edges and the canvas' colours (Perez, Gangnet, Blake, "Poisson Image Editing", 2003)."""
    rim = 2
    under = cv2.copyMakeBorder(place, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    over = cv2.copyMakeBorder(patch, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    mask = cv2.copyMakeBorder(cover, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=0)
    x, y, w, h = cv2.boundingRect(mask)
    if not w or not h:
        return place
    mixed = cv2.seamlessClone(over, under, mask, (x + w // 2, y + h // 2), cv2.NORMAL_CLONE)
    return np.asarray(mixed[rim:-rim, rim:-rim], dtype=np.uint8)
