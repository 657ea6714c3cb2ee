"""One patch of a picture set into another: cut out by its outline or its content, its rim sharp, soft, or seamless."""

import math
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
    left, top, right, bottom = contours.bounds(moved)
    x0, y0 = max(math.floor(left + 1e-6), 0), max(math.floor(top + 1e-6), 0)
    x1, y1 = min(math.ceil(right - 1e-6), width), min(math.ceil(bottom - 1e-6), height)
    if x0 >= x1 or y0 >= y1:
        return np.empty((0, 2))
    place, size_wh = canvas[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    to_place = geometry.translate(-x0, -y0) @ matrix
    patch = _box_resized(rgb, outline, to_place, size_wh)
    if patch is None:
        patch = geometry.warp_image(*_around(rgb, outline, to_place), size_wh, fill=None)
    elif mask is None and blend == "none":  # it covers all of the place
        place[:] = patch
        return moved
    cover = _filled(moved - (x0, y0), size_wh)
    if mask is not None:
        turned = geometry.warp_image(np.dstack([mask] * 3), to_place, size_wh)[:, :, 0]
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


def _box_resized(rgb: Picture, outline: Outline, to_place: Matrix, size_wh: tuple[int, int]) -> Picture | None:
    """A box of whole pixels that becomes all of the place, upright or mirrored; None where that is not what is asked.

    Several times as fast as a warp, and no pixel beside the box has a part in it.
    """
    if not contours.is_upright_box(outline):
        return None
    height, width = rgb.shape[:2]
    left, top, right, bottom = contours.bounds(outline)
    x0, y0, x1, y1 = round(left), round(top), round(right), round(bottom)
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        return None
    x_scale, y_scale = size_wh[0] / (x1 - x0), size_wh[1] / (y1 - y0)
    mirrored = bool(to_place[0, 0] < 0)
    wanted = [-x_scale, 0, x1 * x_scale] if mirrored else [x_scale, 0, -x0 * x_scale]
    wanted += [0, y_scale, -y0 * y_scale, 0, 0, 1]
    if any(abs(a - b) > 1e-6 for a, b in zip(to_place.reshape(-1).tolist(), wanted, strict=True)):
        return None
    how = cv2.INTER_AREA if geometry.skips(x_scale * y_scale) else cv2.INTER_LINEAR
    made = cv2.resize(rgb[y0:y1, x0:x1], size_wh, interpolation=how)
    return np.asarray(cv2.flip(made, 1) if mirrored else made, dtype=np.uint8)


def _around(rgb: Picture, outline: Outline, matrix: Matrix) -> tuple[Picture, Matrix]:
    """The part of the picture around the outline, and the map from there."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = contours.bounds(outline)
    x0, y0 = min(max(math.floor(left) - 2, 0), width - 1), min(max(math.floor(top) - 2, 0), height - 1)
    x1, y1 = max(min(math.ceil(right) + 2, width), x0 + 1), max(min(math.ceil(bottom) + 2, height), y0 + 1)
    return geometry.shrunk(rgb[y0:y1, x0:x1], matrix @ geometry.translate(x0, y0))


def _filled(xy: Outline, size_wh: tuple[int, int]) -> Mask:
    """255 on the pixels whose centres lie in the outline."""
    mask = np.zeros((size_wh[1], size_wh[0]), dtype=np.uint8)
    left, top, right, bottom = contours.bounds(xy)
    if contours.is_upright_box(xy):
        x0, y0 = max(math.ceil(left - 0.5), 0), max(math.ceil(top - 0.5), 0)
        mask[y0 : max(math.ceil(bottom - 0.5), 0), x0 : max(math.ceil(right - 0.5), 0)] = 255
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
