"""Sheets of text sets: what is drawn where, and letters of every script."""

import cv2
import numpy as np
import pytest

from datatools.report import lettering
from datatools.report.lettering import Letters
from datatools.report.text_sheet import Drawn, TextTile, compose, draw_regions

GREY = np.full((60, 120, 3), 128, np.uint8)
QUAD = np.array([[20.0, 30.0], [70.0, 30.0], [70.0, 45.0], [20.0, 45.0]])


@pytest.mark.parametrize("text", ["abc", "Straße", "中文", "日本", "한국", "العربية", "привет"])
@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV before 5 draws ASCII only")
def test_letters_of_every_script_are_drawn_and_measured(text: str) -> None:
    letters = Letters(16)
    canvas = np.full((40, 200, 3), 255, np.uint8)
    letters.write(canvas, text, (10, 25), (0, 0, 0))
    drawn = np.flatnonzero((canvas < 128).any(axis=(0, 2)))
    assert drawn.size > 0
    assert abs(drawn[-1] - 10 - letters.width(text)) <= 4
    questions = np.full((40, 200, 3), 255, np.uint8)
    letters.write(questions, "?" * len(text), (10, 25), (0, 0, 0))
    assert (canvas != questions).any()


def test_text_is_cut_to_fit_and_control_characters_are_escaped() -> None:
    letters = Letters(16)
    for width in (0, 20, 60, 1000):
        assert letters.width(letters.fit("a long text of many words", width)) <= max(width, 0)
    assert "\x1b" not in letters.fit("a\x1bb", 1000)
    assert lettering.printable("a\u202eb") == "a\\u202eb"


def test_regions_are_drawn_on_a_copy_at_their_place() -> None:
    drawn = draw_regions(GREY, [Drawn(QUAD, "one", ignored=False)])
    assert (GREY == 128).all()
    changed = np.argwhere((drawn != GREY).any(axis=2))
    assert changed[:, 1].min() >= 15
    assert abs(changed[:, 1].max() - 70) <= 3
    assert abs(changed[:, 0].max() - 45) <= 3
    assert (drawn[35:40, 30:60] == 128).all()  # the inside stays as it is


def test_ignored_regions_are_grey_and_have_no_text() -> None:
    drawn = draw_regions(GREY, [Drawn(QUAD, "###", ignored=True)])
    assert (np.ptp(drawn.astype(int), axis=2) <= 12).all()
    assert (drawn[:26] == 128).all()


def test_odd_outlines_do_not_stop_the_drawing() -> None:
    far = np.array([[-1e6, -1e6], [1e6, -1e6], [1e6, 1e6], [-1e6, 1e6]])
    bad = np.array([[np.nan, 0.0], [5.0, np.inf], [5.0, 5.0], [0.0, 5.0]])
    assert draw_regions(GREY, [Drawn(far, "a", ignored=False), Drawn(bad, "b", ignored=False)]).shape == GREY.shape


def test_a_sheet_of_pages_and_one_of_lines() -> None:
    page = TextTile("x/a.jpg", GREY, (Drawn(QUAD, "one", ignored=False),))
    line = TextTile("x/a.jpg", GREY, text="中文 one")
    bad = TextTile("x/b.jpg", None, text="two", note="cannot be read: it is empty")
    for tiles in ([page, page, page], [line, bad]):
        sheet = compose(tiles, (120, 60), "a set")
        assert sheet.dtype == np.uint8
        assert sheet.shape[2] == 3
        assert sheet.std() > 10
        assert (compose(tiles, (120, 60), "a set") == sheet).all()
