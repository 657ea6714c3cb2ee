"""DB's targets: the figures of the official implementation, and what is ignored."""

import numpy as np
import pytest

from datatools.kernels import db_targets
from datatools.kernels.contours import from_box


def around(values: np.ndarray) -> tuple[int, int, int, int]:
    """First and last column and row that is not 0."""
    ys, xs = np.nonzero(values)
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())


def test_the_worked_rectangle() -> None:
    outlines = [from_box([10, 10, 110, 50])]  # area 4000, perimeter 280, D = 12
    shrunk = db_targets.shrink_map(outlines, [False], (128, 64))
    assert around(shrunk.map) == (22, 98, 22, 38)
    assert shrunk.map.sum() == 1309
    assert shrunk.mask.sum() == 128 * 64
    border = db_targets.border_map(outlines, [False], (128, 64))
    assert around(border.mask) == (0, 122, 0, 62)
    assert border.mask.sum() == 7661
    known = {
        (60, 10): 0.7, (60, 13): 0.6, (60, 16): 0.5, (60, 19): 0.4, (60, 22): 0.3, (60, 4): 0.5, (60, 1): 0.4,
        (60, 0): 0.366667, (3, 3): 0.370017, (0, 0): 0.3,
    }  # fmt: skip
    for (x, y), value in known.items():
        assert border.map[y, x] == pytest.approx(value, abs=1e-6)
    assert border.mask[0, 0] == 0
    assert border.map.sum(dtype=np.float64) == pytest.approx(3780.004, abs=1e-3)


def test_the_worked_quadrilateral() -> None:
    outlines = [np.array([[20.0, 5], [120, 25], [114, 55], [14, 35]])]
    assert db_targets.shrink_map(outlines, [False], (128, 64)).map.sum() == 923
    border = db_targets.border_map(outlines, [False], (128, 64))
    assert border.mask.sum() == 6121
    assert border.map.mean(dtype=np.float64) == pytest.approx(0.425872, abs=1e-6)


def test_an_outline_that_fills_the_picture() -> None:
    shrunk = db_targets.shrink_map([from_box([0, 0, 63, 31])], [False], (64, 32))
    assert around(shrunk.map) == (9, 54, 9, 22)
    assert shrunk.map.sum() == 644


def test_small_and_marked_outlines_are_ignored() -> None:
    small = db_targets.shrink_map([from_box([10, 10, 60, 17])], [False], (128, 64))
    assert small.ignored.tolist() == [True]
    assert small.map.sum() == 0
    assert (small.mask == 0).sum() == 408
    marked = db_targets.border_map([from_box([10, 10, 110, 50])], [True], (128, 64))
    assert marked.ignored.tolist() == [True]
    assert marked.mask.sum() == 0
    assert (marked.map == np.float32(0.3)).all()


def test_neighbours_take_the_greater_threshold() -> None:
    both = db_targets.border_map([from_box([5, 5, 55, 45]), from_box([60, 5, 110, 45])], [False, False], (128, 64))
    one = db_targets.border_map([from_box([5, 5, 55, 45])], [False], (128, 64))
    other = db_targets.border_map([from_box([60, 5, 110, 45])], [False], (128, 64))
    assert (both.map == np.maximum(one.map, other.map)).all()


def test_odd_outlines() -> None:
    odd = [
        np.empty((0, 2)),
        np.array([[3.0, 3.0]]),
        np.array([[0.0, 0], [9, 9], [20, 20]]),
        from_box([500, 500, 600, 600]),
    ]
    for make in (db_targets.shrink_map, db_targets.border_map):
        target = make(odd, [False] * 4, (64, 32))
        assert target.map.shape == target.mask.shape == (32, 64)
        assert np.isfinite(target.map).all()
        assert make([], [], (64, 32)).ignored.shape == (0,)
