"""The commands on anchors, on small sets made here and on real ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from datatools.core.errors import DataError, UsageError
from datatools.core.types import Dataset
from datatools.io.images import encode_png
from datatools.ops.anchors import formats
from datatools.ops.anchors.boxes import parse_size
from datatools.ops.anchors.check import check
from datatools.ops.anchors.kmeans import kmeans
from datatools.ops.anchors.sweep import parse_ks, sweep

TOY = ((10, 10), (12, 10), (10, 14), (40, 40), (44, 36), (38, 42), (100, 20), (90, 24), (110, 18))


def write_item(root: Path, name: str, sizes: tuple[tuple[int, int], ...], size_wh: tuple[int, int] | None) -> None:
    boxes = "".join(
        f"<object><name>thing</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{w}</xmax><ymax>{h}</ymax></bndbox></object>"
        for w, h in sizes
    )
    size = "<size><width>{}</width><height>{}</height><depth>3</depth></size>".format(*size_wh) if size_wh else ""
    folder = root / "Annotations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.xml").write_text(
        f"<annotation><filename>{name}.png</filename>{size}{boxes}</annotation>", encoding="utf-8"
    )


@pytest.fixture
def toy(tmp_path: Path) -> Dataset:
    """Nine boxes of three kinds in three images of 416 x 208."""
    root = tmp_path / "toy"
    for i in range(3):
        write_item(root, f"{i}", TOY[3 * i : 3 * i + 3], (416, 208))
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("0\n1\n")
    return Dataset(root)


def test_three_kinds_give_three_anchors(toy: Dataset) -> None:
    result = kmeans(toy, k=3)
    assert result.anchors == ((10, 10), (40, 40), (100, 20))
    assert result.avg_iou == pytest.approx(0.874292, abs=5e-7)
    assert result.bpr == 1.0
    assert result.counts == (3, 3, 3)
    made = result.to_json()
    assert {"anchors", "avg_iou", "bpr", "aat", "counts", "k", "size"} <= set(made)
    assert made["anchors"] == [[10.0, 10.0], [40.0, 40.0], [100.0, 20.0]]
    assert "average IoU 0.8743" in "\n".join(map(str, result.lines()))


def test_means_fit_less_than_medians(toy: Dataset) -> None:
    assert kmeans(toy, k=3, center="mean").avg_iou == pytest.approx(0.849160, abs=5e-5)


def test_boxes_are_scaled_as_the_images_are(toy: Dataset) -> None:
    assert kmeans(toy, k=3, size="208").anchors == ((5, 5), (20, 20), (50, 10))
    assert kmeans(toy, k=3, size="416x416", fit="stretch").anchors == ((10, 20), (40, 80), (100, 40))
    assert kmeans(toy, k=3, size="832,208", fit="letterbox").anchors == ((10, 10), (40, 40), (100, 20))


@pytest.mark.parametrize("text", ["0", "416x", "x", "-1", "416x0", "4_16", "٤١٦", "416x416x3", "1e3"])
def test_odd_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--size must be"):
        parse_size(text)


def test_split_restricts_the_items(toy: Dataset) -> None:
    assert kmeans(toy, k=2, split="train").boxes == 6
    assert kmeans(toy, k=2, split="trainval").boxes == 6  # no list of its own: train and val
    with pytest.raises(UsageError, match=r"no ImageSets/Main/test\.txt; there are lists of train"):
        kmeans(toy, k=2, split="test")


def test_fewer_distinct_boxes_than_anchors(toy: Dataset) -> None:
    with pytest.raises(UsageError, match=r"-k 10 .* 9 distinct box sizes"):
        kmeans(toy, k=10)
    with pytest.raises(UsageError, match=r"-k 12 .* 9 distinct box sizes"):
        sweep(toy, k="1..12")


def test_an_empty_set_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no box"):
        kmeans(Dataset(tmp_path), k=3)


def test_sizes_come_from_the_image_where_the_xml_has_none(tmp_path: Path) -> None:
    import numpy as np

    write_item(tmp_path, "a", TOY[:3], None)
    write_item(tmp_path, "b", TOY[3:6], (0, 0))
    write_item(tmp_path, "c", TOY[6:], None)  # and no image: nobody knows
    (tmp_path / "JPEGImages").mkdir()
    for name in "ab":
        (tmp_path / "JPEGImages" / f"{name}.png").write_bytes(encode_png(np.zeros((104, 208, 3), np.uint8)))
    result = kmeans(Dataset(tmp_path), k=2)
    assert result.anchors == ((20, 20), (80, 80))
    assert (result.boxes, result.problems) == (6, 1)
    (failure,) = result.failures
    assert (failure.code, failure.path) == ("E-SIZE-MISSING", "Annotations/c.xml")
    assert "3 boxes are left out" in str(failure)


def test_broken_xml_and_flat_boxes_are_counted(toy: Dataset) -> None:
    (toy / "Annotations" / "bad.xml").write_text("<annotation><object>")
    write_item(toy, "flat", ((0, 5),), (416, 208))
    result = kmeans(toy, k=3)
    assert result.left_out == 1
    assert [f.code for f in result.failures] == ["E-XML-BROKEN"]
    assert result.boxes == 9


def test_same_seed_same_result(fixture_voc: Path) -> None:
    first, again = (kmeans(Dataset(fixture_voc), k=5, evolve=20).to_json() for _ in range(2))
    assert first == again


def test_evolution_keeps_or_raises_the_fitness(fixture_voc: Path) -> None:
    plain, evolved = (kmeans(Dataset(fixture_voc), k=4, evolve=n) for n in (0, 100))
    assert evolved.fitness >= plain.fitness


def test_polish_raises_the_average(fixture_voc: Path) -> None:
    plain, polished = (kmeans(Dataset(fixture_voc), k=4, polish=p) for p in (False, True))
    assert polished.avg_iou >= plain.avg_iou


@pytest.mark.parametrize("metric", ["ratio", "euclidean"])
def test_other_metrics(fixture_voc: Path, metric: Any) -> None:
    result = kmeans(Dataset(fixture_voc), k=4, metric=metric)
    assert len(result.anchors) == 4
    assert result.avg_iou > 0.7


def test_scikit_learn_is_imported_only_for_euclidean(fixture_voc: Path) -> None:
    code = (
        "import sys; from datatools.ops.anchors.kmeans import kmeans; from pathlib import Path\n"
        "assert 'numpy' not in sys.modules\n"
        f"kmeans(Path({str(fixture_voc)!r}), k=3); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_files(toy: Dataset, tmp_path: Path) -> None:
    out, plot = tmp_path / "anchors.json", tmp_path / "anchors.svg"
    result = kmeans(toy, k=3, out=out, plot=plot)
    assert json.loads(out.read_text()) == result.to_json()
    svg = plot.read_text()
    assert svg.count("<title>") >= 3
    assert "prefers-color-scheme:dark" in svg
    assert result.written == (out, plot)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("keras", "10,10,  40,40,  100,20"),
        ("darknet", "anchors = 10,10, 40,40, 100,20"),
        ("yolov5", "anchors:\n  - [10,10]  # P3/8\n  - [40,40]  # P4/16\n  - [100,20]  # P5/32"),
        ("yolov3", "# stride 32\n[yolo]\nmask = 0,1,2\nanchors = 10,10, 40,40, 100,20\nnum = 3"),
    ],
)
def test_a_format_is_all_that_is_printed_and_can_be_read_again(
    toy: Dataset, tmp_path: Path, form: Any, expected: str
) -> None:
    out = tmp_path / "anchors"
    result = kmeans(toy, k=3, format=form, out=out)
    assert list(result.lines()) == [expected]
    assert out.read_text() == expected + "\n"
    checked = check(toy, anchors=out)
    assert (checked.anchors, checked.counts) == (result.anchors, result.counts)
    assert (checked.avg_iou, checked.bpr, checked.aat) == (result.avg_iou, result.bpr, result.aat)


def test_strides_of_nine_anchors() -> None:
    nine = tuple((float(i), float(i)) for i in range(1, 10))
    text = formats.render(nine, "yolov3").split("\n")
    assert [line for line in text if line.startswith(("#", "mask"))] == [
        "# stride 32", "mask = 6,7,8", "# stride 16", "mask = 3,4,5", "# stride 8", "mask = 0,1,2",
    ]  # fmt: skip
    assert formats.render(nine, "yolov5").split("\n")[1] == "  - [1,1, 2,2, 3,3]  # P3/8"


def test_layers_need_their_share(toy: Dataset) -> None:
    with pytest.raises(UsageError, match=r"-k must be 3, 6, 9"):
        kmeans(toy, k=4, format="yolov5")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("10,13,  16,30\n", "keras"),
        ("\ufeff10,13,\r\n16,30", "keras"),
        ("10, 13\n16, 30", "keras"),
        ("[net]\nbatch=1\n[yolo]\nanchors = 10,13, 16,30\n[yolo]\nanchors=10,13,16,30 # same\n", "darknet"),
        ("nc: 80\nanchors:\n  - [10,13]  # P3/8\n  - [16,30]\nbackbone:\n  - [-1, 1, Conv]\n", "yolov5"),
        ("anchors: [[10,13], [16, 30]]\nhead:\n", "yolov5"),
        ("- [10,13, 16,30]\n", "yolov5"),
        ('{"anchors": [[10, 13], [16.0, 30]], "k": 2}', "json"),
        ("[[10, 13], [16, 30]]", "json"),
    ],
)
def test_forms_that_are_read(text: str, form: str) -> None:
    read = formats.parse(text.encode(), "a")
    assert (read.anchors, read.form) == (((10, 13), (16, 30)), form)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "a: E-ANCHORS: there are no anchors"),
        ("10,13\n16", "a:2: E-ANCHORS: 3 numbers do not make pairs"),
        ("10,,13", "a:1: E-ANCHORS: expected a number, found ''"),
        ("[1,2]", "a:1: E-ANCHORS: expected a number, found '[1'"),
        ("10,ten", "a:1: E-ANCHORS: expected a number, found 'ten'"),
        ("10,nan", "a:1: E-ANCHORS: expected a number"),
        ("10,1_3", "a:1: E-ANCHORS: expected a number"),
        ("10,1\u06613", "a:1: E-ANCHORS: expected a number"),
        ("1e400,13", "a:1: E-ANCHORS: expected a number"),
        ("-10,13", "a:1: E-ANCHORS: expected a number"),
        ("10,13\n0,30", "a:2: E-ANCHORS: a width or height is 0"),
        ("anchors = 1,2\nanchors = 3,4", "a:2: E-ANCHORS: these anchors differ"),
        ("nc: 1\nanchors: 3\n", "a:2: E-ANCHORS: expected rows"),
        ("- [1,2]\nwhat\n", "a:2: E-ANCHORS: expected a row"),
        ("anchors:\n  - [1,x]\n", "a:2: E-ANCHORS: expected a number, found 'x'"),
        ("anchors:\nnc: 3\n", "a: E-ANCHORS: there are no anchors"),
        ('{"anchors": [[1, 2], [3]]}', "a: E-ANCHORS: expected"),
        ('{"anchors": [[1, true]]}', "a: E-ANCHORS: a width or height is not a number"),
        ('{"anchors": [[1, -2]]}', "a: E-ANCHORS: a width or height is -2"),
        ('{"anchors": [[1, NaN]]}', "a: E-JSON-BROKEN"),
        ('{"a": 1}', "a: E-ANCHORS: expected"),
        ("[" * 10_000, "a: E-JSON-LIMIT"),
        ("1,2," * 1001 + "1,2", "a:1: E-ANCHORS: more than 1000 anchors"),
    ],
)
def test_anchor_files_that_are_refused(text: str, error: str) -> None:
    with pytest.raises(DataError) as caught:
        formats.parse(text.encode(), "a")
    assert str(caught.value).startswith(error)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(DataError, match="a:2: E-ANCHORS: not UTF-8"):
        formats.parse(b"1,2\n\xff\xfe", "a")


def test_check_of_a_missing_file(toy: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        check(toy, anchors=tmp_path / "none.txt")


def test_check_advises(toy: Dataset, tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text("400,400, 1,1")
    far = "\n".join(map(str, check(toy, anchors=tmp_path / "far.txt").lines()))
    assert "not sorted by area" in far
    assert "fewer than 98 %" in far


def test_sweep(toy: Dataset, tmp_path: Path) -> None:
    result = sweep(toy, k="1..5", plot=tmp_path / "elbow.svg")
    assert [step.k for step in result.steps] == [1, 2, 3, 4, 5]
    assert result.enough is None  # nine boxes: each anchor still gains
    averages = [step.avg_iou for step in result.steps]
    assert averages == sorted(averages)
    assert result.steps[2].anchors == kmeans(toy, k=3).anchors
    assert "average IoU" in (tmp_path / "elbow.svg").read_text()
    assert result.to_json()["steps"][0]["k"] == 1


@pytest.mark.parametrize("text", ["", "0", "3..1", "1...4", "1..2000", "a", "1,,2", "1..500"])
def test_odd_ks_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="-k "):
        parse_ks(text)


@pytest.mark.shared
def test_blood_cells(shared_voc: Path) -> None:
    bccd = Dataset(shared_voc / "bccd")
    result = kmeans(bccd, k=9)
    assert (result.boxes, result.images, result.problems) == (1870, 120, 0)
    assert result.avg_iou > 0.883
    assert result.bpr == 1.0
    assert sum(result.counts) == 1870
    assert kmeans(bccd, k=5, split="train").avg_iou > 0.85
    assert kmeans(bccd, k=5, center="median", polish=False).avg_iou > kmeans(bccd, k=5, center="mean").avg_iou


@pytest.mark.shared
def test_sizes_of_zero_without_images(shared_voc: Path) -> None:
    result = kmeans(Dataset(shared_voc / "radar_xml"), k=5)
    assert {f.code for f in result.failures} == {"E-SIZE-MISSING"}
    assert 200 < result.problems <= 251
    assert 0 < result.boxes < 1928
    assert min(result.counts) > 0
