"""The contact sheet: sizes, places, colours."""

import numpy as np
import pytest

from datatools.report import sheet
from datatools.report.palette import palette


def tile(*boxes: tuple[float, float, float, float], classes: tuple[int, ...] = (), size: int = 100) -> sheet.Tile:
    numbers = np.array(classes or [0] * len(boxes), np.int32)
    return sheet.Tile(
        "a caption",
        np.full((size, size, 3), 90, np.uint8),
        np.array(boxes, float).reshape(-1, 4),
        numbers,
        np.zeros(len(numbers), bool),
    )


def has_colour(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(axis=-1).any())


def test_cells_take_the_usual_shape() -> None:
    assert sheet.cell_size([], 400) == (400, 300)
    assert sheet.cell_size([(100, 200)] * 3 + [(900, 100)], 400) == (200, 400)
    assert sheet.cell_size([(10_000, 1)], 400) == (400, 200)


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 5000), (5000, 1), (640, 480), (320, 240), (3, 2)])
def test_fit_touches_two_sides(size_wh: tuple[int, int]) -> None:
    picture = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    height, width = sheet.fit(picture, (320, 240)).shape[:2]
    assert height <= 240
    assert width <= 320
    assert height == 240 or width == 320


def test_a_box_is_drawn_along_its_edge() -> None:
    one = tile((20, 60, 70, 90))
    assert one.picture is not None
    drawn = sheet._drawn(one.picture, one, ["x"], [(255, 0, 0)])
    red = (drawn[..., 0] > 200) & (drawn[..., 1] < 60)
    assert np.flatnonzero(red[75]).tolist() == [19, 20, 69, 70]
    assert np.flatnonzero(red[70:, 45]).tolist()[:2] == [19, 20]  # OpenCV's smoothing may tint a third row


def test_sheet_shows_what_it_is_given() -> None:
    classes = ["car", "猫", "unseen"]
    tiles = [tile((5, 5, 60, 60), (30, 30, 90, 90), classes=(0, 1)), tile()]
    before = [t.picture.copy() for t in tiles if t.picture is not None]
    drawn = sheet.compose(tiles, classes, (100, 100), "two")
    car, cat, unseen = palette(3)
    assert drawn.dtype == np.uint8
    assert has_colour(drawn, car)
    assert has_colour(drawn, cat)
    assert not has_colour(drawn, unseen)
    assert all((t.picture == b).all() for t, b in zip(tiles, before, strict=True))
    assert (drawn == sheet.compose(tiles, classes, (100, 100), "two")).all()
    assert sheet.count_boxes(tiles, classes) == {"car": 1, "猫": 1}


def test_a_class_keeps_its_colour_from_sheet_to_sheet() -> None:
    drawn = sheet.compose([tile((5, 5, 60, 60), classes=(2,))], ["a", "b", "c"], (100, 100), "")
    assert has_colour(drawn, palette(3)[2])
    assert not has_colour(drawn, palette(3)[0])


def test_names_outside_ascii_are_numbered() -> None:
    classes = ["car", "猫", "", "a\nb", "\ud800"]
    assert [sheet.tag(classes, i) for i in range(5)] == ["car", "#1", "#2", "#3", "#4"]
    assert sheet.printable("猫\n\x1b\ud800é~") == "\\u732b\\n\\x1b\\ud800\\xe9~"
    sheet.compose([tile((5, 5, 60, 60), (1, 1, 2, 2), classes=(4, 2))], classes, (100, 100), "\u202e")


def test_odd_boxes_do_no_harm() -> None:
    boxes = [
        (-50.0, -50.0, 500.0, 500.0),
        (90.0, 90.0, 10.0, 10.0),
        (50.0, 50.0, 50.0, 50.0),
        (np.nan, 0.0, np.inf, 5.0),
        (-1e300, 0.0, 1e300, 5.0),
        (200.0, 200.0, 300.0, 300.0),
    ]
    drawn = sheet.compose([tile(*boxes), tile((0, 0, 1, 1), size=1)], ["x" * 500], (100, 100), "y" * 5000)
    assert drawn.shape[0] < 400
    assert drawn.shape[1] < 400


def test_nothing_to_show() -> None:
    assert sheet.compose([], [], (100, 100), "nothing").shape[2] == 3


def test_an_unreadable_picture_leaves_its_place() -> None:
    empty = sheet.Tile("b", None, np.zeros((2, 4)), np.zeros(2, np.int32), np.zeros(2, bool), "cannot be read: " * 20)
    with_it = sheet.compose([empty, tile((1, 1, 9, 9))], ["x"], (100, 100), "")
    assert with_it.shape == sheet.compose([tile((1, 1, 9, 9))] * 2, ["x"], (100, 100), "").shape
    assert sheet.count_boxes([empty], ["x"]) == {}


def test_tags_cover_neither_each_other_nor_small_boxes() -> None:
    spots: list[tuple[int, int, int, int]] = []
    for _ in range(6):
        spot = sheet._free_spot((40, 40, 60, 60), (30, 16), (100, 100), spots)
        if spot:
            spots.append(spot)
    assert 2 <= len(spots) < 6
    for i, a in enumerate(spots):
        assert not (a[0] < 60 and a[2] > 40 and a[1] < 60 and a[3] > 40)
        assert all(a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3] for b in spots[:i])


def test_grids_are_not_ragged() -> None:
    assert [sheet.columns_for(n, (320, 240)) for n in (1, 2, 4, 9, 16, 100)] == [1, 2, 2, 3, 4, 10]
    assert sheet.columns_for(0, (320, 240)) == 1
