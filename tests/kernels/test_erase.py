"""Hiding: areas and shapes as defined, labels' visible shares as counted."""

import numpy as np
import pytest

from datatools.kernels import contours, erase
from datatools.kernels.erase import Holes

SIZE = (224, 160)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def hidden(holes: Holes) -> float:
    """The share of a white picture that is black afterwards."""
    rgb = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    return float((erase.apply(rgb, Holes(holes.rects, (0, 0, 0))) == 0).mean())


def test_cutout_sticks_out_and_meets_odd_lengths() -> None:
    draws = [erase.draw_cutout(rng(i), SIZE, length=41) for i in range(300)]
    sides = [(r - l, b - t) for d in draws for l, t, r, b in d.rects]  # noqa: E741
    assert max(sides) == (41, 41)
    assert min(w for w, _ in sides) < 25
    assert len(erase.draw_cutout(rng(), SIZE, holes=3).rects) == 3


def test_random_erasing_keeps_area_and_aspect() -> None:
    draws = [erase.draw_random_erasing(rng(i), (224, 224)) for i in range(600)]
    assert 0.4 < np.mean([bool(d.rects) for d in draws]) < 0.6
    rects = np.array([d.rects[0] for d in draws if d.rects])
    w, h = rects[:, 2] - rects[:, 0], rects[:, 3] - rects[:, 1]
    assert (w * h).min() > 1003.5 * 0.93
    assert (w * h).max() < 20070.4 * 1.03
    assert (h / w).min() > 0.27
    assert (h / w).max() < 3.7
    assert 0.4 < (h > w).mean() < 0.6  # flat and tall ones alike
    assert rects.min() >= 0
    assert rects.max() <= 224


def test_noise_is_the_draws_own() -> None:
    holes = Holes(((10, 10, 50, 40),), None, 7)
    rgb = np.zeros((160, 224, 3), np.uint8)
    once, twice = erase.apply(rgb, holes), erase.apply(rgb, holes)
    assert (once == twice).all()
    assert once[10:40, 10:50].std() > 50
    assert not once[:10].any()
    assert not rgb.any()
    assert (erase.apply(rgb, Holes(holes.rects, None, 8)) != once).any()


def test_hide_and_seek_hides_half_of_the_cells() -> None:
    draws = [erase.draw_hide_and_seek(rng(i), SIZE) for i in range(200)]
    assert 0.1 < np.mean([not d.rects for d in draws]) < 0.3  # one of five sides hides nothing
    assert 0.45 < np.mean([hidden(d) for d in draws if d.rects]) < 0.55


@pytest.mark.parametrize(("ratio", "kept"), [(0.4, 0.64), (0.5, 0.75), (0.6, 0.84)])
def test_gridmask_keeps_what_the_paper_says(ratio: float, kept: float) -> None:
    draws = [erase.draw_gridmask(rng(i), SIZE, probability=1.0, ratio=ratio, period=(30, 50)) for i in range(60)]
    assert 1 - np.mean([hidden(d) for d in draws]) == pytest.approx(kept, abs=0.015)
    assert 0.7 < np.mean([bool(erase.draw_gridmask(rng(i), SIZE).rects) for i in range(300)]) < 0.9


def test_visible_shares_are_counted() -> None:
    outlines = [
        contours.from_box([0, 0, 20, 10]),
        contours.from_box([100, 50, 140, 90]),
        contours.from_box([-9, 0, 0, 5]),
    ]
    holes = Holes(((10, 0, 300, 20), (120, 0, 130, 200)))
    shares = erase.visible_shares(outlines, holes, SIZE)
    assert shares == pytest.approx([0.5, 0.75, 0.0], abs=0.02)
    assert erase.visible_shares(outlines, Holes(()), SIZE).tolist() == [1, 1, 1]
    assert erase.visible_shares([], holes, SIZE).shape == (0,)


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 2), (500, 1)])
def test_odd_sizes(size_wh: tuple[int, int]) -> None:
    rgb = np.full((size_wh[1], size_wh[0], 3), 5, np.uint8)
    for make in (erase.draw_cutout, erase.draw_random_erasing, erase.draw_hide_and_seek, erase.draw_gridmask):
        for seed in range(5):
            assert erase.apply(rgb, make(rng(seed), size_wh)).shape == rgb.shape
