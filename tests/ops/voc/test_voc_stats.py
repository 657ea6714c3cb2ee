"""`datatools voc stats` and `voc classes` as users call them."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from lxml import html

from datatools import voc
from datatools.core.errors import MissingExtra, UsageError
from datatools.core.result import Table

Boxes = list[tuple[str, int, int, int, int]]


def xml(boxes: Boxes, size: tuple[int, int] | None = (200, 100), *, flags: str = "", filename: str = "") -> str:
    declared = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>" if size else ""
    objects = "".join(
        f"<object><name>{name}</name>{flags}<bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for name, a, b, c, d in boxes
    )
    named = f"<filename>{filename}</filename>" if filename else ""
    return f"<annotation>{named}{declared}{objects}</annotation>"


def save_image(path: Path, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1].tobytes())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Six annotations: two splits and one unlisted, one without a box, one without image and size, one broken."""
    root = tmp_path / "small"
    (root / "Annotations").mkdir(parents=True)
    texts = {
        "a": xml([("car", 1, 1, 20, 10), ("dog", 101, 1, 200, 100)], flags="<difficult>1</difficult>"),
        "b": xml([("car", 1, 1, 40, 40), ("car", 5, 5, 4, 9)]),
        "c": xml([]),
        "d": xml([("dog", 1, 1, 10, 10)], None, flags="<truncated>1</truncated>"),
        "e": xml([("car", 1, 1, 30, 50)], None),
        "f": "<annotation><object>",
    }
    for stem, text in texts.items():
        (root / "Annotations" / f"{stem}.xml").write_text(text)
    for stem in "abcdfz":
        save_image(root / "JPEGImages" / f"{stem}.png", 60 if stem == "d" else 200, 100)
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split, ids in {"train": "abf", "val": "c", "trainval": "abcf", "test": "d"}.items():
        (lists / f"{split}.txt").write_text("".join(f"{i}\n" for i in ids))
    return root


def test_exact_numbers(small):
    got = voc.stats(small)
    counted = got.census
    assert (counted.images, counted.empty, counted.boxes, counted.degenerate, got.coords) == (
        5,
        1,
        6,
        1,
        "voc",
    )
    assert (counted.difficult, counted.truncated, counted.occluded) == (2, 1, 0)
    assert (got.images_missing, got.images_unannotated) == (1, 1)
    assert (got.sizes_from_images, counted.unknown_sizes) == (1, 1)
    assert (counted.small, counted.medium, counted.large) == (2, 2, 1)
    assert [(c.name, c.images, c.boxes, c.difficult, c.truncated) for c in counted.classes] == [
        ("car", 3, 4, 1, 0),
        ("dog", 2, 2, 1, 1),
    ]
    assert [(s.name, s.images, s.empty, s.boxes) for s in counted.splits] == [
        ("train", 2, 0, 4),
        ("val", 1, 1, 0),
        ("test", 1, 0, 1),
        ("unlisted", 1, 0, 1),
    ]
    assert counted.classes[0].splits["train"].boxes == 3
    assert [(s.width, s.height, s.images) for s in counted.image_sizes] == [(200, 100, 3), (60, 100, 1)]
    assert (counted.width.minimum, counted.width.median, counted.width.maximum) == (10, 30, 100)
    assert counted.co_occurrence.images == ((3, 1), (1, 2))
    assert [f.code for f in got.failures] == ["E-XML-BROKEN"]
    assert got.problems == 1


def test_coordinates_as_asked(small):
    assert voc.stats(small, coords="zero").census.width.maximum == 99


def test_hints_say_what_to_do(small):
    hints = "\n".join(voc.stats(small).hints())
    for part in (
        "1 image without a box",
        "no box in val: car, dog",
        "1 box without area",
        "1 image of unknown size",
        "1 annotated image in no list",
        "1 annotation without an image",
        "1 image without an annotation",
        "40% of the boxes are small",
    ):
        assert part in hints
    assert "no box in unlisted" not in hints


def test_lines_begin_with_the_classes_and_end_with_what_to_do(small):
    lines = list(voc.stats(small).lines())
    assert lines[0] == f"{small}: 5 annotated images, 6 boxes, 2 classes (coordinates: voc)"
    assert isinstance(lines[1], Table)
    assert lines[1].header[:6] == ("class", "boxes", "share %", "images", "train", "val")
    assert lines[1].rows[0][:6] == ("car", 4, pytest.approx(66.67, abs=0.01), 3, 3, 0)
    assert [t.title for t in lines if isinstance(t, Table)] == ["classes", "splits", "sizes"]
    assert lines[-1] == f"next: datatools voc lint {small}"
    assert any(str(line).startswith("Annotations/f.xml:1: E-XML-BROKEN") for line in lines)


def test_many_classes_do_not_flood(tmp_path):
    boxes = [(f"class {i:03}", 1, 1, 9, 9) for i in range(60)]
    (tmp_path / "a.xml").write_text(xml(boxes))
    save_image(tmp_path / "a.png", 200, 100)
    table = next(t for t in voc.stats(tmp_path).lines() if isinstance(t, Table))
    assert len(table.rows) == 20
    assert "20 commonest of 60" in table.title
    assert len(voc.stats(tmp_path).to_json()["classes"]) == 60
    voc.stats(tmp_path, html=tmp_path / "stats.html")
    assert "Table of all 60 rows" in (tmp_path / "stats.html").read_text()


def test_json_keys_are_stable(small):
    got = voc.stats(small).to_json()
    json.dumps(got, allow_nan=False)
    assert list(got) == [
        "src", "coords", "images", "empty", "boxes", "degenerate", "difficult", "truncated", "occluded", "small",
        "medium", "large", "unknown_sizes", "classes", "splits", "width", "height", "area", "aspect_ratio",
        "image_share", "boxes_per_image", "position_map", "image_sizes", "co_occurrence", "images_missing",
        "images_unannotated", "sizes_from_images", "failures", "written", "hints",
    ]  # fmt: skip
    assert list(got["classes"][0]) == [
        "name", "images", "boxes", "difficult", "truncated", "occluded", "small", "medium", "large", "median_width",
        "median_height", "splits",
    ]  # fmt: skip
    assert got["classes"][0]["splits"]["train"] == {"images": 2, "boxes": 3, "difficult": 1, "truncated": 0}
    assert list(got["splits"][0]) == ["name", "images", "empty", "boxes", "difficult", "truncated"]
    assert list(got["width"]) == [
        "count", "mean", "minimum", "p5", "p25", "median", "p75", "p95", "maximum", "edges", "counts",
    ]  # fmt: skip
    assert got["co_occurrence"] == {"classes": ["car", "dog"], "images": [[3, 1], [1, 2]]}


def test_the_command_line(small, capsys):
    from datatools.cli.app import main

    assert main(["voc", "stats", str(small), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["boxes"] == 6
    assert main(["voc", "classes", str(small)]) == 1
    out, err = capsys.readouterr()
    assert out == "car\ndog\n"
    assert err.startswith("Annotations/f.xml:1: E-XML-BROKEN")
    (small / "Annotations" / "f.xml").unlink()
    assert main(["voc", "classes", str(small)]) == 0
    assert capsys.readouterr().out == "car\ndog\n"
    assert main(["voc", "classes", str(small), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"classes": ["car", "dog"]}


def test_an_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    got = voc.stats(tmp_path / "empty", html=tmp_path / "s.html", png=tmp_path / "png", classes=tmp_path / "c.txt")
    assert (got.census.images, got.census.boxes, got.census.classes, got.problems) == (0, 0, (), 0)
    assert list(got.lines())[-1].startswith("nothing to count")
    assert got.to_json()["width"]["median"] is None
    assert "There is no box in this set" in (tmp_path / "s.html").read_text()
    assert (tmp_path / "c.txt").read_bytes() == b""
    assert got.written == (tmp_path / "c.txt", tmp_path / "s.html")
    assert voc.classes(tmp_path / "empty").classes == ()


def test_a_source_that_is_no_folder(tmp_path):
    with pytest.raises(UsageError):
        voc.stats(tmp_path / "nowhere")


def test_names_from_data_do_no_harm(tmp_path):
    src = tmp_path / "set"
    src.mkdir()
    names = ["&lt;script&gt;alert(1)&lt;/script&gt;", "a&#x9b;31m red", "$\\bad", "名称"]
    (src / "a.xml").write_text(xml([(name, 1, 1, 50, 50) for name in names]), encoding="utf-8")
    save_image(src / "a.png", 200, 100)
    got = voc.stats(src, html=tmp_path / "stats.html", png=tmp_path / "png")
    page = (tmp_path / "stats.html").read_text(encoding="utf-8")
    root = html.document_fromstring(page.encode())
    assert not list(root.iter("script", "link", "img"))
    assert "<script" not in page
    assert "://" not in page
    assert "\x9b" not in page
    assert "<script>alert(1)</script>" in {td.text_content() for td in root.iter("td")}
    shown = "\n".join(str(line) for line in got.lines())
    assert "\x9b" not in shown


def test_the_page_of_a_set(small, tmp_path):
    got = voc.stats(small, html=tmp_path / "deep" / "stats.html")
    root = html.document_fromstring((tmp_path / "deep" / "stats.html").read_bytes())
    headings = [h.text for h in root.iter("h2")]
    assert headings == [
        "Worth a look", "Classes", "Splits", "Box sizes", "Images", "Where boxes lie, and what occurs together",
        "Problems",
    ]  # fmt: skip
    assert any("E-XML-BROKEN" in li.text_content() for li in root.iter("li"))
    assert got.written == (tmp_path / "deep" / "stats.html",)
    before = (tmp_path / "deep" / "stats.html").read_bytes()
    voc.stats(small, html=tmp_path / "deep" / "stats.html")
    assert (tmp_path / "deep" / "stats.html").read_bytes() == before


def test_png_plots(small, tmp_path):
    got = voc.stats(small, png=tmp_path / "png")
    names = ["classes", "box_sizes", "boxes_per_image", "image_sizes", "positions", "co_occurrence"]
    assert [p.name for p in got.written] == [f"{n}.png" for n in names]
    for path in got.written:
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).std() > 1
    before = [p.read_bytes() for p in got.written]
    assert [p.read_bytes() for p in voc.stats(small, png=tmp_path / "png").written] == before


def test_png_without_matplotlib_says_what_to_install(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"PNG plots needs: pip install 'datatools\[plot\]'"):
        voc.stats(small, png=tmp_path / "png")
    assert not (tmp_path / "png").exists()


def test_the_class_list_is_in_the_order_of_the_set(small, tmp_path):
    (small / "labelmap.txt").write_text("owl:0,0,0::\ndog:1,1,1::\n")
    got = voc.stats(small, classes=tmp_path / "classes.txt")
    assert (tmp_path / "classes.txt").read_bytes() == b"owl\ndog\ncar\n"
    assert "in the class list but without a box: owl" in list(got.hints())
    assert voc.classes(small).classes == ("owl", "dog", "car")


def test_a_class_with_a_line_break_is_refused_in_a_list(tmp_path):
    src = tmp_path / "set"
    src.mkdir()
    (src / "a.xml").write_text(xml([("a\nb", 1, 1, 50, 50)]))
    assert voc.classes(src).classes == ("a\nb",)
    assert list(voc.classes(src).lines()) == ["a\\nb"]
    with pytest.raises(UsageError, match="line break"):
        voc.stats(src, classes=tmp_path / "classes.txt")
    assert not (tmp_path / "classes.txt").exists()


def test_a_name_that_ends_with_a_blank_is_seen(tmp_path):
    (tmp_path / "a.xml").write_text(xml([("car ", 1, 1, 50, 50)]))
    got = voc.stats(tmp_path)
    assert "names that begin or end with blanks: 'car ': `datatools voc fix --rule labels`" in list(got.hints())
    table = next(t for t in got.lines() if isinstance(t, Table))
    assert table.rows[0][0] == "'car '"


def test_an_image_that_the_filename_names_is_not_missing(tmp_path):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "x.xml").write_text(xml([("car", 1, 1, 9, 9)], (0, 0), filename="other.png"))
    save_image(tmp_path / "JPEGImages" / "other.png", 30, 20)
    got = voc.stats(tmp_path)
    assert (got.images_missing, got.images_unannotated, got.sizes_from_images) == (0, 0, 1)
    assert [(s.width, s.height) for s in got.census.image_sizes] == [(30, 20)]


def test_an_image_without_a_readable_header_is_a_failure(tmp_path):
    (tmp_path / "a.xml").write_text(xml([("car", 1, 1, 9, 9)], None))
    (tmp_path / "a.png").write_bytes(b"no image")
    got = voc.stats(tmp_path)
    assert [(f.path, f.code) for f in got.failures] == [("a.png", "E-IMAGE-UNREADABLE")]
    assert (got.census.unknown_sizes, got.census.boxes) == (1, 1)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "images", "boxes", "classes"),
    [
        ("bccd", 120, 1870, {"RBC": 1593, "Platelets": 151, "WBC": 126}),
        (
            "microcontrollers",
            50,
            54,
            {"Heltec_ESP32_Lora": 16, "ESP8266": 15, "Arduino_Nano": 13, "Raspberry_Pi_3": 10},
        ),
        ("radar_xml", 375, 1928, {"B": 1928}),
        ("vott_unicode", 36, 41, {"dog": 24, "cat": 17}),
    ],
)
def test_real_sets(shared_voc, name, images, boxes, classes):
    got = voc.stats(shared_voc / name)
    assert (got.census.images, got.census.boxes, got.problems) == (images, boxes, 0)
    assert classes.items() <= {c.name: c.boxes for c in got.census.classes}.items()


@pytest.mark.shared
def test_a_real_set_with_most_images_missing(shared_voc):
    got = voc.stats(shared_voc / "robosub")
    assert (got.census.images, got.census.empty, got.census.boxes, got.images_missing) == (191, 52, 251, 152)
    assert (got.sizes_from_images, got.census.unknown_sizes) == (39, 152)
