"""Boxes: overlap against a plain reference, converters there and back, empty input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datatools.kernels import boxes

CORNERS = arrays(np.int64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.integers(-50, 50)).map(
    lambda a: a.astype(np.float64)
)


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    """One pair, as the textbook has it."""
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    size = [max(0.0, c[2] - c[0]) * max(0.0, c[3] - c[1]) for c in (a, b)]
    union = sum(size) - w * h
    return w * h / union if union > 0 else 0.0


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0.0),
        ([0, 0, 10, 10], [5, 5, 15, 15], 25 / 175),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ],
)
def test_iou_of_known_pairs(a: list[float], b: list[float], expected: float) -> None:
    assert boxes.iou(np.array([a], float), np.array([b], float)).item() == pytest.approx(expected)


@given(CORNERS, CORNERS)
@settings(max_examples=50)
def test_iou_equals_the_plain_reference(a: np.ndarray, b: np.ndarray) -> None:
    a[:, 2:] = np.maximum(a[:, :2], a[:, 2:])
    b[:, 2:] = np.maximum(b[:, :2], b[:, 2:])
    before = a.copy()
    expected = [[plain_iou(x, y) for y in b] for x in a]
    assert boxes.iou(a, b) == pytest.approx(np.array(expected).reshape(len(a), len(b)))
    assert (a == before).all()


def test_iou_of_sizes_shares_the_centre() -> None:
    found = boxes.iou_wh(np.array([[10.0, 20.0]]), np.array([[20.0, 10.0], [10.0, 20.0], [5.0, 10.0]]))
    assert found == pytest.approx(np.array([[1 / 3, 1.0, 0.25]]))


@given(CORNERS)
@settings(max_examples=30)
def test_converters_go_there_and_back(xyxy: np.ndarray) -> None:
    assert (boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(xyxy)) == xyxy).all()
    assert (boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(xyxy)) == xyxy).all()
    normed = boxes.xyxy_to_cxcywh_norm(xyxy, (64, 32))
    assert boxes.cxcywh_norm_to_xyxy(normed, (64, 32)) == pytest.approx(xyxy)


@given(CORNERS)
@settings(max_examples=30)
def test_clipped_boxes_lie_inside_and_clipping_twice_changes_nothing(xyxy: np.ndarray) -> None:
    before = xyxy.copy()
    clipped = boxes.clip(xyxy, (40, 30))
    assert (xyxy == before).all()
    assert (clipped >= 0).all()
    assert (clipped <= [40, 30, 40, 30]).all()
    assert (boxes.clip(clipped, (40, 30)) == clipped).all()


def test_clip_takes_a_size_for_each_box() -> None:
    xyxy = np.array([[-1.0, -1.0, 9.0, 9.0], [-1.0, -1.0, 9.0, 9.0]])
    assert boxes.clip(xyxy, np.array([[5, 6], [7, 8]])).tolist() == [[0, 0, 5, 6], [0, 0, 7, 8]]


def test_area_of_inverted_boxes_is_zero() -> None:
    assert boxes.area(np.array([[4.0, 4.0, 1.0, 1.0], [0.0, 0.0, 2.0, 3.0]])).tolist() == [0.0, 6.0]


def test_empty_input() -> None:
    none = np.empty((0, 4))
    assert boxes.area(none).shape == (0,)
    assert boxes.clip(none, (4, 4)).shape == (0, 4)
    assert boxes.iou(none, np.zeros((3, 4))).shape == (0, 3)
    assert boxes.iou_wh(np.empty((0, 2)), np.ones((3, 2))).shape == (0, 3)
    for convert in (boxes.xyxy_to_xywh, boxes.xywh_to_xyxy, boxes.xyxy_to_cxcywh, boxes.cxcywh_to_xyxy):
        assert convert(none).shape == (0, 4)
