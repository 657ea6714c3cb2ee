"""COCO files: boxes bit for bit, every bad entry named by its id."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import DataError
from datatools.core.records import Annotation, Box
from datatools.io import coco

COORDINATE = st.floats(-9, 20_000, allow_subnormal=False) | st.integers(0, 20_000).map(float)


def document(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "sub/a.jpg", "width": 640, "height": 480.0}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
        "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
    }
    return value | changes


def read(value: object) -> coco.CocoFile:
    return coco.read(json.dumps(value).encode(), "a.json")


def test_reads_a_plain_file_with_sparse_ids() -> None:
    found = read(document())
    assert found.classes == ("dog", "cat")
    assert found.annotations == (Annotation("sub/a", "sub/a.jpg", (640, 480), 3, (Box("dog", (1, 2, 4, 6)),)),)
    assert (found.coords, found.failures, found.lost) == ("", (), {})


def test_writes_exactly_this() -> None:
    box = Box("cat", (1.0, 2.0, 4.5, 6.0), difficult=True, pose="Left", attributes=(("colour", "red"),))
    value = json.loads(coco.render([Annotation("a", "a.jpg", (8, 9), 1, (box,))], ["dog", "cat"], coords="zero"))
    assert value == {
        "info": {"description": "converted by datatools", "datatools": {"coords": "zero"}},
        "licenses": [],
        "images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 9, "depth": 1}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 2,
                "bbox": [1, 2, 3.5, 4],
                "area": 14,
                "iscrowd": 0,
                "ignore": 1,
                "segmentation": [],
                "attributes": {
                    "colour": "red",
                    "difficult": True,
                    "truncated": False,
                    "occluded": False,
                    "pose": "Left",
                },
            }
        ],
        "categories": [
            {"id": 1, "name": "dog", "supercategory": "none"},
            {"id": 2, "name": "cat", "supercategory": "none"},
        ],
    }


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            Box,
            st.sampled_from(["cat", "dog", "é 'x'"]),
            st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE).map(
                lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
            ),
            difficult=st.booleans(),
            truncated=st.booleans(),
            occluded=st.booleans(),
            pose=st.text(max_size=4),
            polygon=st.sampled_from([(), ((0.5, 1.0), (3.25, 1.0), (2.0, 7.1))]),
            attributes=st.sampled_from([(), (("colour", "red"), ("n", "1"))]),
        ),
        max_size=4,
    )
)
def test_a_round_trip_is_exact(boxes: list[Box]) -> None:
    annotation = Annotation("a", "a.jpg", (20_000, 20_000), 3, tuple(boxes))
    found = coco.read(coco.render([annotation], ["dog", "cat", "é 'x'"], coords="zero"), "a.json")
    assert found == coco.CocoFile(("dog", "cat", "é 'x'"), (annotation,), "zero")


def test_corners_that_no_width_gives_stand_beside() -> None:
    box = Box("cat", (1.2575105723326487, 0.0, 8193.951659923734, 1.0))
    value = json.loads(coco.render([Annotation("a", "a.jpg", (9000, 9), boxes=(box,))], ["cat"]))
    assert read(value).annotations[0].boxes == (box,)
    value["annotations"][0]["bbox"] = [1, 0, 5, 1]  # somebody moved the box since
    assert read(value).annotations[0].boxes[0].xyxy == (1, 0, 6, 1)


def test_the_area_of_a_polygon_is_its_own() -> None:
    box = Box("cat", (0, 0, 4, 4), polygon=((0, 0), (4, 0), (0, 4)))
    value = json.loads(coco.render([Annotation("a", "a.jpg", (8, 8), boxes=(box,))], ["cat"]))
    assert value["annotations"][0]["area"] == 8
    assert value["annotations"][0]["segmentation"] == [[0, 0, 4, 0, 0, 4]]


@pytest.mark.parametrize(
    "value", [[], {"images": []}, document(categories={}), document(categories=[{"id": "1", "name": "a"}])]
)
def test_a_file_of_another_form_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="E-COCO-FORM"):
        read(value)


@pytest.mark.parametrize(
    "name", ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "a\\b.jpg", "", "a//b.jpg", "a\n.jpg", 5, "x" * 300]
)
def test_a_file_name_never_leads_out(name: object) -> None:
    found = read(document(images=[{"id": 7, "file_name": name, "width": 1, "height": 1}]))
    assert found.annotations == ()
    assert found.bad_images == found.bad_boxes == 1
    assert "image 7" in str(found.failures[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [1, 2, -3, 4]}, "negative"),
        ({"bbox": [1, 2, 3]}, "not [x, y, width, height]"),
        ({"bbox": [1, 2, "3", 4]}, "not [x, y, width, height]"),
        ({"bbox": [True, 2, 3, 4]}, "not [x, y, width, height]"),
        ({"bbox": [1, 2, 3, 1e300]}, "not [x, y, width, height]"),
        ({"image_id": 8}, "image_id 8"),
        ({"category_id": 1}, "category_id 1"),
        ({"segmentation": [[1, 2, 3]]}, "segmentation"),
        ({"attributes": []}, "attributes"),
    ],
)
def test_a_bad_annotation_is_named_by_its_id(change: dict[str, Any], said: str) -> None:
    good = document()["annotations"][0]
    found = read(document(annotations=[good | change | {"id": 41}, good]))
    assert len(found.annotations[0].boxes) == 1
    assert len(found.failures) == found.bad_boxes == 1
    assert "annotation 41" in str(found.failures[0])
    assert said in str(found.failures[0])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x"]), inner),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.sampled_from(["images", "annotations", "categories"]), st.data())
def test_any_value_anywhere_is_read_or_refused(key: str, data: st.DataObject) -> None:
    value = document()
    entry = value[key][0]
    entry["segmentation"], entry["attributes"], entry["datatools_xyxy"] = [[0, 0, 4, 0, 0, 4]], {}, [1, 2, 4, 6]
    if data.draw(st.booleans()):
        entry[data.draw(st.sampled_from(sorted(entry)))] = data.draw(ANYTHING)
    else:
        value[key].insert(0, data.draw(ANYTHING))
    try:
        found = read(value)
    except DataError:
        return
    assert found.bad_images + len(found.annotations) == len(value["images"])


def test_equal_ids_are_named() -> None:
    value = document()
    found = read(value | {"annotations": value["annotations"] * 2, "images": value["images"] * 2})
    assert [f.message for f in found.failures] == ["image 7: the id occurs twice", "annotation 1: the id occurs twice"]


def test_nan_is_no_json() -> None:
    data = json.dumps(document()).replace("[1, 2, 3, 4]", "[NaN, 2, 3, 4]")
    with pytest.raises(DataError, match="E-JSON-BROKEN"):
        coco.read(data.encode(), "a.json")


def test_what_records_cannot_hold_is_counted() -> None:
    good = document()["annotations"][0]
    triangle = [0, 0, 4, 0, 0, 4]
    entries = [
        good | {"id": 1, "iscrowd": 1, "segmentation": {"counts": [1], "size": [1, 1]}},
        good | {"id": 2, "segmentation": [triangle, triangle], "attributes": {"a": {}, "b": 2.5, "c": None}},
    ]
    found = read(document(annotations=entries))
    assert found.lost == {"iscrowd": 1, "mask": 1, "polygon": 1, "attribute": 1}
    assert found.annotations[0].boxes[1].attributes == (("b", "2.5"),)
    assert not found.failures
