"""Boxes of what moves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datatools.kernels import blobs


def regions(mask: np.ndarray) -> list[tuple[int, int, int, int, int]]:
    """(top, left, bottom, right, area) of each region, by flooding."""
    left = {tuple(p) for p in np.argwhere(mask)}
    found = []
    while left:
        waiting, seen = [left.pop()], []
        while waiting:
            y, x = waiting.pop()
            seen.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            waiting += near
        ys, xs = zip(*seen, strict=True)
        found.append((min(ys), min(xs), max(ys) + 1, max(xs) + 1, len(seen)))
    return sorted(found)


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 40), st.floats(0, 1))
def test_regions_are_those_of_a_plain_flood(seed: int, height: int, width: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8) * 255
    found = blobs.find(mask)
    told = [(y0, x0, y1, x1, a) for (x0, y0, x1, y1), a in zip(found.xyxy.tolist(), found.areas.tolist(), strict=True)]
    assert sorted(told) == regions(mask)
    assert [t[:2] for t in told] == sorted(t[:2] for t in told)


def test_small_regions_are_left_out_and_empty_masks_work() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[0, 0] = mask[4:7, 4:7] = 255
    assert blobs.find(mask, min_area=2).xyxy.tolist() == [[4, 4, 7, 7]]
    for empty in (np.zeros((5, 5), np.uint8), np.zeros((0, 5), np.uint8)):
        assert blobs.find(empty).xyxy.shape == (0, 4)
        assert blobs.cleaned(empty, 3, 3).shape == empty.shape


def test_specks_go_gaps_close_and_the_input_stays() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2, 2] = 255
    mask[5:15, 5:12] = mask[5:15, 14:25] = 255
    mask[9, 8] = 0
    before = mask.copy()
    opened = blobs.cleaned(mask, open_px=3)
    assert not opened[2, 2]
    closed = blobs.cleaned(mask, open_px=3, close_px=5)
    assert closed[9, 8]
    assert len(blobs.find(closed).xyxy) == 1
    assert (mask == before).all()
    assert (blobs.cleaned(mask, 1, 0) == mask).all()
