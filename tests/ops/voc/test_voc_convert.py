"""voc convert: exact files, round trips, losses, and what is refused."""

import json
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.records import Annotation, Box
from datatools.core.types import Dataset
from datatools.io.voc.document import annotation, parse
from datatools.io.voc.write import render
from datatools.ops.voc.convert import Conversion, convert


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\0" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def make(
    root: Path, items: dict[str, Sequence[Box]], *, coords: str = "voc", size: tuple[int, int] = (64, 32)
) -> Dataset:
    for stem, boxes in items.items():
        xml = root / "Annotations" / f"{stem}.xml"
        image = root / "JPEGImages" / f"{stem}.png"
        xml.parent.mkdir(parents=True, exist_ok=True)
        image.parent.mkdir(parents=True, exist_ok=True)
        record = Annotation(stem, image.name, size, 1, tuple(boxes))
        xml.write_bytes(render(record, coords="zero" if coords == "zero" else "voc"))
        image.write_bytes(png(*size))
    return Dataset(root)


def lists(root: Path, **splits: str) -> None:
    (root / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
    for split, ids in splits.items():
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{i}\n" for i in ids.split()))


def files(root: Path) -> list[str]:
    return sorted(
        p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and ".datatools" not in p.parts
    )


def snapshot(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in files(root)}


def corners(root: Path) -> dict[str, list[tuple[str, ...]]]:
    """Labels and corner texts of each XML, by stem."""
    found = {}
    for path in sorted((root / "Annotations").glob("*.xml")):
        parsed = parse(path.read_bytes(), path.name)
        found[path.stem] = [
            (o.name.text, *(c.text for c in o.bndbox.corners if c)) for o in parsed.objects if o.name and o.bndbox
        ]
    return found


CAT = Box("cat", (0, 0, 32, 16))
DOG = Box("dog", (15, 7, 64, 32), difficult=True, truncated=True, occluded=True, pose="Left")
RICH = Box(
    "cat", (1, 1, 9, 9), parts=(Box("head", (2, 2, 4, 4)),), polygon=((1, 1), (9, 1), (5, 9)), attributes=(("a", "b"),)
)


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    src = make(tmp_path / "src", {"a": [CAT, DOG], "b": [], "c": [RICH]})
    lists(src, train="a b", val="c")
    return src


def test_yolo_exactly(small: Dataset, tmp_path: Path) -> None:
    before = snapshot(small)
    result = convert(small, out=tmp_path / "out", to="yolo")
    assert files(tmp_path / "out") == [
        "data.yaml",
        "images/train/a.png",
        "images/train/b.png",
        "images/val/c.png",
        "labels/train/a.txt",
        "labels/train/b.txt",
        "labels/val/c.txt",
        "run.json",
    ]
    assert (tmp_path / "out/labels/train/a.txt").read_text() == (
        "0 0.250000 0.250000 0.500000 0.500000\n1 0.617188 0.609375 0.765625 0.781250\n"
    )
    assert (tmp_path / "out/labels/train/b.txt").read_bytes() == b""
    assert (tmp_path / "out/data.yaml").read_text() == (
        "datatools_coords: voc # how the VOC files counted; datatools voc convert --from yolo goes by it\n"
        'train: images/train\nval: images/val\nnc: 2\nnames:\n  0: "cat"\n  1: "dog"\n'
    )
    assert result.splits == {"train": 2, "val": 1}
    assert result.lost == {
        "part": 1, "polygon": 1, "difficult": 1, "truncated": 1, "occluded": 1, "pose": 1, "attribute": 1,
    }  # fmt: skip
    assert (tmp_path / "out/images/train/a.png").stat().st_ino == (small / "JPEGImages/a.png").stat().st_ino
    assert snapshot(small) == before


def test_coco_exactly(small: Dataset, tmp_path: Path) -> None:
    result = convert(small, out=tmp_path / "out", to="coco")
    assert files(tmp_path / "out") == [
        "annotations/instances_train.json",
        "annotations/instances_val.json",
        "images/a.png",
        "images/b.png",
        "images/c.png",
        "run.json",
    ]
    value = json.loads((tmp_path / "out/annotations/instances_train.json").read_bytes())
    assert [image["file_name"] for image in value["images"]] == ["a.png", "b.png"]
    assert [entry["bbox"] for entry in value["annotations"]] == [[0, 0, 32, 16], [15, 7, 49, 25]]
    assert [entry["ignore"] for entry in value["annotations"]] == [0, 1]
    assert [category["id"] for category in value["categories"]] == [1, 2]
    assert result.lost == {"part": 1}


def test_yolo_txt_exactly(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "out", to="yolo-txt")
    images = small / "JPEGImages"
    assert (tmp_path / "out/train.txt").read_text() == (f"{images}/a.png 1,1,32,16,0 16,8,64,32,1\n{images}/b.png\n")
    assert (tmp_path / "out/val.txt").read_text() == f"{images}/c.png 2,2,9,9,0\n"
    assert (tmp_path / "out/classes.txt").read_text() == "cat\ndog\n"


def test_jsonl_is_the_whole_xml(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "out", to="jsonl")
    lines = (tmp_path / "out/train.jsonl").read_text().splitlines()
    first, second = (json.loads(line)["annotation"] for line in lines)
    assert [o["name"] for o in first["object"]] == ["cat", "dog"]
    assert second["filename"] == "b.png"
    value = json.loads((tmp_path / "out/val.jsonl").read_text())["annotation"]["object"]
    assert value[0]["part"][0]["name"] == "head"


def test_voc_is_clean_and_keeps_everything(small: Dataset, tmp_path: Path) -> None:
    result = convert(small, out=tmp_path / "out", to="voc")
    assert files(tmp_path / "out") == [
        *(f"Annotations/{s}.xml" for s in "abc"),
        *(f"ImageSets/Main/{s}.txt" for s in ("train", "trainval", "val")),
        *(f"JPEGImages/{s}.png" for s in "abc"),
        "classes.txt",
        "run.json",
    ]
    assert (tmp_path / "out/Annotations/c.xml").read_bytes() == (small / "Annotations/c.xml").read_bytes()
    assert not result.lost


def back(src: Dataset, target: str, folder: Path) -> Path:
    convert(src, out=folder / target, to=target)  # type: ignore[arg-type]
    convert(Dataset(folder / target), out=folder / "back", to="voc", source_format=target)  # type: ignore[arg-type]
    return folder / "back"


@pytest.mark.parametrize("target", ["yolo", "coco"])
@pytest.mark.parametrize("coords", ["voc", "zero"])
def test_whole_pixels_come_back_as_the_same_text(tmp_path: Path, target: str, coords: str) -> None:
    src = make(tmp_path / "src", {"a": [CAT, DOG], "b": [Box("dog", (0, 1, 63, 31))]}, coords=coords)
    lists(src, train="a", test="b")
    found = back(src, target, tmp_path)
    assert corners(found) == corners(src)
    assert files(found / "ImageSets/Main") == ["test.txt", "train.txt", "trainval.txt"]


def pair(side: int) -> st.SearchStrategy[tuple[float, float]]:
    """Left and right inside, such that a 1-based file holds them exactly."""
    number = st.floats(1, side) | st.integers(1, side).map(float)
    return st.tuples(number, number).filter(lambda v: v[0] != v[1]).map(lambda v: (min(v) - 1, max(v)))


BOXES = st.lists(
    st.builds(
        lambda label, x, y, difficult, pose: Box(label, (x[0], y[0], x[1], y[1]), difficult=difficult, pose=pose),
        st.sampled_from(["cat", "a=b:c", "小猫"]),
        pair(640),
        pair(480),
        st.booleans(),
        st.sampled_from(["", "Left", "Unspecified", "a & b", "左"]),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BOXES, st.sampled_from(["voc", "zero"]))
def test_coco_and_back_is_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, boxes: list[Box], coords: str) -> None:
    folder = tmp_path_factory.mktemp("rt")
    whole = [Box("cat", (0, 0, 640, 480)), *boxes]  # pins down the convention
    src = make(folder / "src", {"a": whole}, coords=coords, size=(640, 480))
    data = (back(src, "coco", folder) / "Annotations/a.xml").read_bytes()
    assert data == (src / "Annotations/a.xml").read_bytes()
    assert annotation(parse(data, "a"), "a", coords).boxes == tuple(whole)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bccd", "vott_unicode"])
def test_real_sets_come_back(shared_voc: Path, tmp_path: Path, name: str) -> None:
    clean = tmp_path / "clean"
    convert(Dataset(shared_voc / name), out=clean, to="voc", link="copy")
    assert corners(back(Dataset(clean), "coco", tmp_path / "coco")) == corners(clean)
    yolo = corners(back(Dataset(clean), "yolo", tmp_path / "yolo"))
    for stem, rows in corners(clean).items():
        for old, new in zip(rows, yolo[stem], strict=True):
            assert old[0] == new[0]
            assert all(abs(float(a) - float(b)) < 0.01 for a, b in zip(old[1:], new[1:], strict=True))


def test_boxes_that_do_not_fit(tmp_path: Path) -> None:
    bad = [
        Box("cat", (-5, 0, 10, 10)),  # zero-based, sticks out
        Box("cat", (5, 5, 5, 9)),  # empty
        Box("cat", (9, 9, 5, 5)),  # inverted
        Box("cat", (70, 1, 80, 9)),  # outside
        Box("cat", (1, 1, 9, 9)),
    ]
    src = make(tmp_path / "src", {"a": bad}, coords="zero")
    result = convert(src, out=tmp_path / "yolo", to="yolo")
    assert (result.boxes, result.rejected_boxes, result.problems) == (2, 3, 0)
    assert result.changed == {
        "box cut at the image's edge": 1,
        "inverted or empty box left out": 2,
        "box wholly outside of the image left out": 1,
    }
    result = convert(src, out=tmp_path / "coco", to="coco")
    assert (result.boxes, result.rejected_boxes) == (3, 2)


def test_fractions_are_rounded_in_yolo_txt(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {"a": [Box("cat", (0.5, 1, 9.4, 9))]})
    result = convert(src, out=tmp_path / "out", to="yolo-txt")
    assert (tmp_path / "out/train.txt").read_text().split()[1] == "2,2,9,9,0"
    assert result.changed == {"box with fractions, rounded to whole pixels": 1}


def test_every_item_is_accounted_for(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {s: [CAT] for s in "abcde"})
    lists(src, train="a b c", val="c d")
    (src / "Annotations/b.xml").write_bytes(b"<annotation>")
    (src / "JPEGImages/z.png").write_bytes(png(4, 4))
    result = convert(src, out=tmp_path / "out", to="yolo")
    assert result.items == 6
    assert (result.splits, result.rejected) == ({"train": 2, "val": 1}, 1)
    assert result.skipped == {"in no list": ("e",), "image without XML": ("z",)}
    assert [f.path for f in result.failures] == ["Annotations/b.xml"]
    assert result.lost["second split"] == 1


def test_no_lists_make_one_train_split(tmp_path: Path) -> None:
    result = convert(make(tmp_path / "src", {"a": [CAT]}), out=tmp_path / "out", to="coco")
    assert result.splits == {"train": 1}
    assert any("everything is train" in line for line in result.lines() if isinstance(line, str))


def test_an_empty_set(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    result = convert(Dataset(tmp_path / "src"), out=tmp_path / "out", to="yolo")
    assert (result.items, result.classes) == (0, ())


def test_trees_are_flattened_without_collisions(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / "src" / name, {"a": [CAT], f"only_{name}": [DOG]})
    convert(Dataset(tmp_path / "src"), out=tmp_path / "out", to="voc")
    assert files(tmp_path / "out/JPEGImages") == ["one_a.png", "only_one.png", "only_two.png", "two_a.png"]
    assert b"<filename>two_a.png<" in (tmp_path / "out/Annotations/two_a.xml").read_bytes()


def test_sizes_come_from_the_header_or_the_item_fails(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {"a": [CAT], "b": [CAT]}, size=(64, 32))
    for stem in "ab":
        (src / f"Annotations/{stem}.xml").write_bytes(render(Annotation(stem, f"{stem}.png", (0, 0), boxes=(CAT,))))
    (src / "JPEGImages/b.png").unlink()
    result = convert(src, out=tmp_path / "out", to="yolo")
    assert (tmp_path / "out/labels/train/a.txt").read_text() == "0 0.250000 0.250000 0.500000 0.500000\n"
    assert [(f.path, f.code) for f in result.failures] == [("b", "E-SIZE-MISSING")]
    assert result.rejected == 1


def test_class_order_is_kept(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {"a": [CAT, DOG]})
    (src / "classes.txt").write_bytes(b"\xef\xbb\xbfdog\r\nunused\r\ncat\r\n")
    assert (back(src, "coco", tmp_path) / "classes.txt").read_text() == "dog\nunused\ncat\n"


def test_a_path_with_a_blank_is_refused_before_writing(tmp_path: Path) -> None:
    src = make(tmp_path / "my src", {"a": [CAT]})
    with pytest.raises(UsageError, match="rename the file or its folder"):
        convert(src, out=tmp_path / "out", to="yolo-txt")
    assert [p.name for p in tmp_path.iterdir()] == ["my src"]


def test_jsonl_needs_xml(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "coco", to="coco")
    with pytest.raises(UsageError, match="jsonl"):
        convert(Dataset(tmp_path / "coco"), out=tmp_path / "out", to="jsonl", source_format="coco")


def test_a_dtd_never_reaches_xmltodict(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {"a": [CAT]})
    (src / "Annotations/b.xml").write_bytes(b'<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>')
    result = convert(src, out=tmp_path / "out", to="jsonl")
    assert [f.code for f in result.failures] == ["E-XML-DTD"]
    assert len((tmp_path / "out/train.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("source", ["yolo", "coco"])
def test_a_folder_of_another_format_is_a_usage_error(small: Dataset, tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError):
        convert(small, out=tmp_path / "out", to="voc", source_format=source)  # type: ignore[arg-type]


def test_coco_failures_name_the_annotation(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "coco", to="coco")
    path = tmp_path / "coco/annotations/instances_train.json"
    value = json.loads(path.read_bytes())
    value["images"].append({"id": 9, "file_name": "../x.png", "width": 1, "height": 1})
    value["annotations"][0]["bbox"] = [1, 2, -3, 4]
    path.write_text(json.dumps(value))
    result = convert(Dataset(tmp_path / "coco"), out=tmp_path / "out", to="voc", source_format="coco")
    assert [f.message.partition(":")[0] for f in result.failures] == ["image 9", "annotation 1"]
    assert (result.items, result.rejected, sum(result.splits.values())) == (4, 1, 3)
    assert result.rejected_boxes == 1


def test_coco_files_as_others_lay_them_out(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "coco", to="coco", link="copy")
    root = tmp_path / "coco"
    (root / "annotations/captions_train.json").write_text("{}")
    for split, stems in (("train", "ab"), ("val", "c")):
        (root / f"{split}2017").mkdir()
        (root / f"annotations/instances_{split}.json").rename(root / f"annotations/instances_{split}2017.json")
        for stem in stems:
            (root / f"images/{stem}.png").rename(root / f"{split}2017/{stem}.png")
    result = convert(Dataset(root), out=tmp_path / "one", to="voc", source_format="coco")
    assert (result.splits, result.problems, result.lost) == ({"train": 2, "val": 1}, 0, {})
    for split in ("train", "val"):  # a file a folder, beside its images
        (root / f"annotations/instances_{split}2017.json").rename(root / f"{split}2017/_annotations.coco.json")
    (root / "annotations/captions_train.json").unlink()
    result = convert(Dataset(root), out=tmp_path / "two", to="voc", source_format="coco")
    assert (result.splits, result.problems, result.lost) == ({"train": 2, "val": 1}, 0, {})


def test_yolo_failures_reject_the_item(small: Dataset, tmp_path: Path) -> None:
    convert(small, out=tmp_path / "yolo", to="yolo", link="copy")
    (tmp_path / "yolo/labels/train/a.txt").write_text("0 0.5 0.5 1 1\n7 0.5 0.5 1 1\n")
    (tmp_path / "yolo/images/train/b.png").write_bytes(b"no image")
    result = convert(Dataset(tmp_path / "yolo"), out=tmp_path / "out", to="voc", source_format="yolo")
    assert [(f.path, f.line) for f in result.failures] == [("labels/train/a.txt", 2), ("images/train/b.png", 0)]
    assert (result.items, result.rejected, result.splits) == (3, 2, {"val": 1})


def test_coords_can_be_told(tmp_path: Path) -> None:
    src = make(tmp_path / "src", {"a": [Box("cat", (1, 1, 9, 9))]}, coords="zero")
    convert(src, out=tmp_path / "coco", to="coco", coords="zero")
    value = json.loads((tmp_path / "coco/annotations/instances_train.json").read_bytes())
    assert value["annotations"][0]["bbox"] == [1, 1, 8, 8]
    convert(Dataset(tmp_path / "coco"), out=tmp_path / "voc", to="voc", source_format="coco", coords="voc")
    assert corners(tmp_path / "voc") == {"a": [("cat", "2", "2", "9", "9")]}


def test_dry_run_says_the_same_and_writes_nothing(small: Dataset, tmp_path: Path) -> None:
    dry = convert(small, out=tmp_path / "out", to="coco", dry_run=True)
    assert files(tmp_path) == [f"src/{name}" for name in files(small)]
    wet = convert(small, out=tmp_path / "out", to="coco")
    assert {**vars(dry), "dry_run": False} == vars(wet)
    assert isinstance(wet, Conversion)


@pytest.mark.parametrize("how", ["hard", "sym", "copy"])
def test_the_command(small: Dataset, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "voc",
        "convert",
        str(small),
        "-o",
        str(tmp_path / "out"),
        "--to",
        "yolo",
        "--from",
        "voc",
        "--coords",
        "voc",
    ]
    assert main([*words, "--link", how]) == 0
    image = tmp_path / "out/images/train/a.png"
    assert image.is_symlink() is (how == "sym")
    assert image.read_bytes() == (small / "JPEGImages/a.png").read_bytes()
    capsys.readouterr()
    assert main([*words[:-2], "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "yolo"


def test_names_that_are_not_utf_8_are_written_or_named(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path / "set")
    os.makedirs(root)
    for name in (b"a", b"\xff\xfe"):
        with open(root + b"/" + name + b".xml", "wb") as file:
            file.write(
                b"<annotation><size><width>9</width><height>9</height></size><object><name>x</name><bndbox><xmin>1</xmin>"
                b"<ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>"
            )
    for to, written in (("coco", 1), ("voc", 1), ("yolo", 2), ("jsonl", 2)):
        result = convert(Dataset(tmp_path / "set"), out=tmp_path / to, to=to)  # type: ignore[arg-type]
        assert sum(result.splits.values()) == written
        assert result.rejected == 2 - written
        json.dumps(result.to_json()).encode()
