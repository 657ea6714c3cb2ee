"""The files of PPOCRLabel."""

import json

import pytest

from datatools.core.records import TextRegion
from datatools.io import ppocrlabel
from datatools.io.paddleocr.lines import split
from datatools.io.paddleocr.pages import regions

QUAD = ((1.0, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))


def test_confirmed_images_by_their_last_two_parts() -> None:
    data = b"\xef\xbb\xbf/home/a b/box/1.jpg\t1\r\nC:\\x\\box\\2.jpg\t1\nbox/1.jpg\t1\nbroken\n"
    assert ppocrlabel.confirmed(data) == ("box/1.jpg", "box/2.jpg")
    assert ppocrlabel.confirmed(b"") == ()
    assert ppocrlabel.drafted(b"box/1.jpg\t[]\nbox/3.jpg\t[]\n") == ("box/1.jpg", "box/3.jpg")


def test_labels_are_read_back_and_have_the_key_that_the_tool_needs() -> None:
    found = (
        TextRegion(QUAD, "中, é", extra=(("key_cls", '"x"'),)),
        TextRegion(QUAD, "a", ignore=True, extra=(("difficult", "true"),)),
        TextRegion(QUAD, "", ignore=True),
    )
    data = ppocrlabel.label_bytes("box", [("a 1.jpg", found), ("empty.jpg", ())])
    (line,) = split(data, "Label.txt").lines
    assert line.path == "box/a 1.jpg"
    assert [e["difficult"] for e in json.loads(line.label)] == [False, True, False]
    assert [(r.text, r.ignore) for r in regions(line.label)] == [("中, é", False), ("a", True), ("###", True)]
    assert regions(line.label)[0].extra == (("key_cls", '"x"'), ("difficult", "false"))


def test_names_that_no_line_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="label file"):
        ppocrlabel.label_bytes("box", [("a\tb.jpg", ())])
    with pytest.raises(ValueError, match="label file"):
        ppocrlabel.state_bytes("/x", ["\udcff.jpg"])
