"""COCO-Text: both versions, TextOCR, the way back, and what is refused."""

import json
from typing import Any

import pytest

from datatools.core.errors import DataError
from datatools.core.records import PageLabel, TextRegion
from datatools.io import cocotext

IMAGE = {"id": 7, "set": "val", "width": 100, "height": 50, "file_name": "a.jpg"}
TEXT = {
    "id": 1,
    "image_id": 7,
    "utf8_string": "one",
    "bbox": [1, 2, 8, 3],
    "class": "handwritten",
    "language": "english",
}
QUAD = ((1.0, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))
FLAT = [1, 2, 9, 2, 9, 5, 1, 5]


def document(annotation: dict[str, Any], image: dict[str, Any] = IMAGE) -> bytes:
    return json.dumps({"imgs": {"7": image}, "anns": {"1": annotation}, "imgToAnns": {"7": [1]}}).encode()


@pytest.mark.parametrize("outline", [{"mask": FLAT}, {"polygon": FLAT}, {"points": FLAT}, {}])
def test_every_kind_of_outline(outline: dict[str, list[int]]) -> None:
    found = cocotext.read(document(TEXT | outline), "t.json")
    ((split, page),) = found.pages
    assert (split, page.filename, page.size_wh) == ("val", "a.jpg", (100, 50))
    extra = (("class", '"handwritten"'), ("language", '"english"'))
    assert page.regions == (TextRegion(QUAD, "one", extra=extra),)
    assert found.lost == ({} if outline else {"outline: only bbox is there": 1})


def test_what_is_ignored() -> None:
    for more in ({"legibility": "illegible"}, {"utf8_string": "###"}, {"utf8_string": "."}):
        ((_, page),) = cocotext.read(document(TEXT | more), "t.json").pages
        assert page.regions[0].ignore
    ((_, page),) = cocotext.read(document(TEXT | {"utf8_string": ".", "legibility": "legible"}), "t.json").pages
    assert not page.regions[0].ignore


def test_pages_go_there_and_back() -> None:
    polygon = TextRegion(((0.5, 0), (4, 0), (8, 1), (8, 5.25), (4, 4), (0, 4)), "中 é", extra=(("class", '"na"'),))
    ignored = TextRegion(QUAD, "###", ignore=True)
    pages = [
        ("train", PageLabel("a", "a.jpg", (100, 50), (polygon, ignored))),
        ("", PageLabel("b/c", "b/c.png", (9, 9))),
    ]
    first = cocotext.render(pages)
    found = cocotext.read(first, "t.json")
    assert not found.failures
    assert [(s, p.item_id, p.filename, p.size_wh) for s, p in found.pages] == [
        ("train", "a", "a.jpg", (100, 50)),
        ("train", "b/c", "b/c.png", (9, 9)),
    ]
    regions = found.pages[0][1].regions
    assert [(r.points, r.text, r.ignore) for r in regions] == [
        (polygon.points, polygon.text, False),
        (QUAD, "", True),
    ]
    assert cocotext.render(found.pages) == first
    told = json.loads(first)
    assert told["anns"]["1"]["bbox"] == [0, 0, 8, 5.25]
    assert told["anns"]["2"]["area"] == 24
    assert told["imgToAnns"] == {"1": [1, 2], "2": []}


@pytest.mark.parametrize(
    ("annotation", "image", "message"),
    [
        (TEXT | {"image_id": 8}, IMAGE, "image_id 8"),
        (TEXT | {"utf8_string": 5}, IMAGE, "utf8_string is not a text"),
        (TEXT | {"bbox": [1, 2, 3]}, IMAGE, "bbox is not"),
        (TEXT | {"bbox": [1, 2, -3, 4]}, IMAGE, "bbox is not"),
        (TEXT | {"bbox": None}, IMAGE, "bbox is not"),
        (TEXT | {"mask": [1, 2, 3]}, IMAGE, "its outline"),
        (TEXT | {"mask": [*FLAT, "x", 1]}, IMAGE, "its outline"),
        (TEXT | {"mask": [*FLAT, True, 1]}, IMAGE, "its outline"),
        (TEXT | {"mask": [*FLAT, 1e300, 1]}, IMAGE, "its outline"),
        (TEXT, IMAGE | {"file_name": "../a.jpg"}, "not a relative path"),
        (TEXT, IMAGE | {"file_name": "/etc/a.jpg"}, "not a relative path"),
        (TEXT, IMAGE | {"file_name": None}, "not a relative path"),
        (TEXT, IMAGE | {"width": "9"}, "not whole numbers"),
        (TEXT, IMAGE | {"width": True}, "not whole numbers"),
    ],
)
def test_an_image_with_a_bad_part_is_left_out_and_named(
    annotation: dict[str, Any], image: dict[str, Any], message: str
) -> None:
    found = cocotext.read(document(annotation, image), "t.json")
    (failure,) = found.failures
    assert failure.code == "E-COCO-FORM"
    assert message in failure.message
    assert not [page for _, page in found.pages if page.regions]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[]", "E-COCO-FORM"),
        (b'{"images": [], "annotations": []}', "E-COCO-FORM"),
        (b'{"imgs": [], "anns": {}}', "E-COCO-FORM"),
        (b'{"imgs": {}, "anns": {}', "E-JSON-BROKEN"),
        (b'{"imgs": {"1": NaN}, "anns": {}}', "E-JSON-BROKEN"),
        (b"[" * 100_000, "E-JSON-LIMIT"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(DataError) as error:
        cocotext.read(data, "t.json")
    assert error.value.code == code


def test_odd_entries_are_named() -> None:
    found = cocotext.read(b'{"imgs": {"1": 5, "2": null}, "anns": {"1": [], "2": null}}', "t.json")
    assert not found.pages
    assert len(found.failures) == 4
