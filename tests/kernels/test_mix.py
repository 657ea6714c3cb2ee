"""Mixing: weights, regions, and mosaics whose labels stay on their pixels."""

import numpy as np
import pytest

from datatools.kernels import contours, geometry, mix


def test_regions_of_known_numbers() -> None:
    assert mix.region((112, 112), 0.6, (224, 224)) == mix.Region((42, 42, 182, 182), 0.609375)
    corner = mix.region((10, 10), 0.6, (224, 224))
    assert corner.rect == (0, 0, 80, 80)
    assert corner.weight == pytest.approx(0.872449, abs=1e-6)


def test_weights_are_beta() -> None:
    rng = np.random.default_rng(0)
    small = np.array([mix.draw_weight(rng, 0.2) for _ in range(3000)])
    assert small.mean() == pytest.approx(0.5, abs=0.03)
    assert ((small < 0.1) | (small > 0.9)).mean() > 0.6
    even = np.array([mix.draw_weight(rng, 1.0) for _ in range(3000)])
    assert np.quantile(even, [0.25, 0.75]) == pytest.approx([0.25, 0.75], abs=0.03)


def test_mixup_keeps_boxes_where_they_are() -> None:
    first, second = np.full((20, 30, 3), 100, np.uint8), np.full((40, 10, 3), 200, np.uint8)
    made = mix.mixup(first, second, 0.75)
    assert made.shape == (40, 30, 3)
    assert made[5, 5].tolist() == [125] * 3
    assert made[5, 20].tolist() == [round(75 + 0.25 * 114)] * 3
    assert (first == 100).all()


def test_cutmix_replaces_the_region() -> None:
    first, second = np.zeros((20, 30, 3), np.uint8), np.full((40, 10, 3), 200, np.uint8)
    region = mix.draw_region(np.random.default_rng(3), (30, 20))
    made = mix.cutmix(first, second, region)
    assert (made == 200).mean() == pytest.approx(1 - region.weight)
    assert not first.any()
    nothing = mix.cutmix(first, second, mix.region((3, 3), 1.0, (30, 20)))
    assert not nothing.any()


@pytest.mark.parametrize("seed", range(12))
def test_mosaic_labels_follow_the_pixels(painted, seed: int) -> None:
    size_wh, sizes = (200, 160), [(200, 160), (120, 120), (300, 90), (80, 200)]
    boxes = [np.array([0.2 * w, 0.25 * h, 0.7 * w, 0.8 * h]) for w, h in sizes]
    pictures = [
        painted.paint(s, [contours.from_box(b)], first=i) for i, (s, b) in enumerate(zip(sizes, boxes, strict=True))
    ]
    tiles = mix.draw_mosaic(np.random.default_rng(seed), size_wh, sizes)
    made = mix.mosaic(pictures, tiles, size_wh)
    labels = {}
    for i, tile in enumerate(tiles):
        left, top, right, bottom = tile.rect
        moved = geometry.warp_points(contours.from_box(boxes[i]), tile.map) - (left, top)
        labels[i] = contours.inside(moved, (right - left, bottom - top)) + np.array([left, top])
    painted.check(made, {i: xy for i, xy in labels.items() if len(xy) and np.ptp(xy, axis=0).min() > 4})
    assert sum((t.rect[2] - t.rect[0]) * (t.rect[3] - t.rect[1]) for t in tiles) == 200 * 160


def test_one_pixel() -> None:
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert mix.mixup(tiny, tiny, 0.3).shape == (1, 1, 3)
    assert mix.cutmix(tiny, tiny, mix.draw_region(np.random.default_rng(0), (1, 1))).shape == (1, 1, 3)
    tiles = mix.draw_mosaic(np.random.default_rng(0), (1, 1), [(1, 1)] * 4)
    assert mix.mosaic([tiny] * 4, tiles, (1, 1)).shape == (1, 1, 3)
