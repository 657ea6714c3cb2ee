"""YOLO sets: label lines, data.yaml, and what may stand in neither."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import UsageError
from datatools.io import yolo
from datatools.io.config import load_yaml


@st.composite
def sized_boxes(draw: st.DrawFn) -> tuple[tuple[int, int], list[tuple[float, float, float, float]], bool]:
    size = draw(st.tuples(st.integers(10, 6000), st.integers(10, 6000)))
    whole = draw(st.booleans())

    def pair(side: int) -> tuple[float, float]:
        if whole:
            low = draw(st.integers(0, side - 1))
            return float(low), float(draw(st.integers(low + 1, side)))
        low_f = draw(st.floats(0, side - 1))
        return low_f, draw(st.floats(low_f + 0.5, side))

    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        (x0, x1), (y0, y1) = pair(size[0]), pair(size[1])
        boxes.append((x0, y0, x1, y1))
    return size, boxes, whole


@settings(max_examples=50)
@given(sized_boxes())
def test_a_round_trip_is_exact_within_six_decimals(case: tuple[tuple[int, int], list[yolo.XYXY], bool]) -> None:
    size, boxes, whole = case
    rows, failures = yolo.parse_labels(yolo.label_bytes([(0, b) for b in boxes], size), "a.txt", 1)
    found = [box.xyxy for box in yolo.boxes(rows, ["cat"], size)]
    assert not failures
    if whole:
        assert found == boxes
    for old, new in zip(boxes, found, strict=True):
        assert all(abs(a - b) <= 1.8e-6 * side for a, b, side in zip(old, new, (*size, *size), strict=True))


def test_odd_but_good_files() -> None:
    data = b"\xef\xbb\xbf1\t0.5 0.5 1e-1 .25e0\r\n\r\n0 0.5 0.5 1 1"
    _, failures = yolo.parse_labels(data, "a.txt", 2)
    assert [f.line for f in failures] == [1]  # .25 lacks its zero; the rest is fine
    rows, failures = yolo.parse_labels(data.replace(b".25e0", b"0.25"), "a.txt", 2)
    assert rows == (yolo.Row(1, (0.5, 0.5, 0.1, 0.25)), yolo.Row(0, (0.5, 0.5, 1, 1)))
    assert not failures


def test_a_polygon_is_a_box_with_an_outline() -> None:
    rows, _ = yolo.parse_labels(b"0 0.1 0.2 0.5 0.2 0.5 0.6\n", "a.txt", 1)
    (box,) = yolo.boxes(rows, ["cat"], (100, 10))
    assert box.xyxy == (10, 2, 50, 6)
    assert box.polygon == ((10, 2), (50, 2), (50, 6))


def test_boxes_are_cut_at_the_edge() -> None:
    rows, _ = yolo.parse_labels(b"0 0.9 0.5 0.4 1.005\n", "a.txt", 1)
    assert yolo.boxes(rows, ["cat"], (100, 100))[0].xyxy == (70, 0, 100, 100)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.5 0.5 1", "4 columns"),
        ("0 0.5 0.5 1 1 0.9", "6 columns"),
        ("0 0.5 0.5 1 1 1 1 1", "8 columns"),
        ("2 0.5 0.5 1 1", "class 2"),
        ("-1 0.5 0.5 1 1", "not a whole number"),
        ("0.0 0.5 0.5 1 1", "not a whole number"),
        ("0 nan 0.5 1 1", "not a share"),
        ("0 -0.5 0.5 1 1", "not a share"),
        ("0 1_0 0.5 1 1", "not a share"),
        ("0 \uff11 0.5 1 1", "not a share"),
        ("0 320 240 64 48", "outside"),
        ("0 0.5 0.5 0 1", "empty"),
        ("0 0.1 0.1 0.1 0.5 0.1 0.9", "empty"),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    rows, failures = yolo.parse_labels(f"0 0.5 0.5 1 1\n{line}\n".encode(), "a.txt", 2)
    assert len(rows) == 1
    assert [(f.path, f.line) for f in failures] == [("a.txt", 2)]
    assert said in failures[0].message


@settings(max_examples=50)
@given(st.binary(max_size=30) | st.text("0123456789.e+- \t\r\n", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_named(data: bytes) -> None:
    rows, failures = yolo.parse_labels(data, "a.txt", 10)
    assert len(rows) + len(failures) <= data.count(b"\n") + 1
    for box in yolo.boxes(rows, [str(n) for n in range(10)], (640, 480)):
        x0, y0, x1, y1 = box.xyxy
        assert 0 <= x0 <= x1 <= 640
        assert 0 <= y0 <= y1 <= 480


def test_bytes_that_are_no_text() -> None:
    rows, failures = yolo.parse_labels(b"0 0.5 0.5 1 1\n\xff\n", "a.txt", 1)
    assert rows == ()
    assert failures[0].line == 2


def test_names_survive_the_config() -> None:
    names = ["no", "1", "a: b # c", "é\U0001f600", "'\"\\", "null", "0o14", "x" * 500, " blank "]
    config = load_yaml(yolo.config_bytes(names, {"train": ["a", "b"], "val": ["c"]}, coords="zero"), "data.yaml")
    assert config == {
        "datatools_coords": "zero",
        "train": ["a", "b"],
        "val": "c",
        "nc": len(names),
        "names": {str(n): name for n, name in enumerate(names)},
    }


def make(root: Path, config: str, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")
    (root / "data.yaml").write_text(config)
    return root


FILES = ("images/train/a.jpg", "images/train/sub/b.PNG", "images/val/c.jpg", "labels/train/a.txt", "labels/val/c.txt")


@pytest.mark.parametrize(
    "config",
    [
        "train: images/train\nval: images/val\nnames: [cat]",
        "path: .\ntrain: ./images/train/\nval: [images/val]\nnames: {0: cat}\nnc: 1",
        "path: images\ntrain: train\nvalid: val\nnames: [cat]",
        "train: ../images/train\nval: ../images/val\nnames: [cat]",
        "train: train.txt\nval: images/val\nnames: [cat]",
    ],
)
def test_every_form_of_config(tmp_path: Path, config: str) -> None:
    make(tmp_path, config, *FILES)
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbf./images/train/a.jpg\r\nimages/train/sub/b.PNG\r\n")
    found = yolo.open_set(tmp_path)
    assert found.classes == ("cat",)
    assert found.items == (
        yolo.Item("train", "images/train/a.jpg", "labels/train/a.txt"),
        yolo.Item("train", "images/train/sub/b.PNG", ""),
        yolo.Item("val", "images/val/c.jpg", "labels/val/c.txt"),
    )
    assert not found.failures


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\ntrain: images/train\nnames: [cat]"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("train: ../x\nnames: [cat]", "leads out"),
        ("train: /etc\nnames: [cat]", "leads out"),
        ("path: /data/coco\ntrain: images/train\nnames: [cat]", "leads out"),
        ("train: images/none\nnames: [cat]", "there is no"),
        ("train: 5\nnames: [cat]", "not a path"),
        ("train: images/train\nnames: cat", "names"),
        ("train: images/train\nnames: [cat, cat]", "twice"),
        ("train: images/train\nnames: {0: cat, 2: dog}", "gap"),
        ("train: images/train\nnames: [cat]\nnc: 2", "nc is 2"),
        ("train: images/train\nnames: [cat]\nnames: [dog]", "twice"),
        ("[1]", "mapping"),
        (BOMB, "alias"),
    ],
)
def test_a_bad_config_is_a_usage_error(tmp_path: Path, config: str, said: str) -> None:
    make(tmp_path, config, *FILES)
    with pytest.raises(UsageError, match=said):
        yolo.open_set(tmp_path)


def test_a_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.yaml"):
        yolo.open_set(tmp_path)


def test_lists_and_labels_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    make(tmp_path, "train: train.txt\nnames: [cat]", *FILES, "labels/train/ghost.txt")
    (tmp_path / "train.txt").write_text("images/train/a.jpg\n../../x.jpg\n/x.jpg\nimages/gone.jpg\n")
    found = yolo.open_set(tmp_path)
    assert [(f.path, f.line) for f in found.failures] == [
        ("train.txt", 2),
        ("train.txt", 3),
        ("train.txt", 4),
        ("labels/train/ghost.txt", 0),
    ]
    assert found.unlisted == ("images/train/sub/b.PNG", "images/val/c.jpg")
