"""Classified sets: class folders in their forms, crops of VOC sets, lists of labels, and what is wrong with each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.io.classified import opening
from datatools.io.classified.examples import ClassifiedSet, as_numbered_by

PNG = b"\x89PNG\r\n\x1a\n"  # these tests look at names alone


def place(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def labels(found: ClassifiedSet) -> dict[str, str]:
    return {e.key: found.classes[e.label] for e in found.examples}


def test_class_folders_with_folders_inside(tmp_path: Path) -> None:
    found = opening.open_set(place(tmp_path, "dog/a.JPG", "cat/x/b.png", "cat/c.webp", "cat/notes.txt"))
    assert (found.kind, found.classes, found.splits) == ("folders", ("cat", "dog"), ())
    assert labels(found) == {"cat/c.webp": "cat", "cat/x/b.png": "cat", "dog/a.JPG": "dog"}


def test_a_folder_around_the_class_folders(tmp_path: Path) -> None:
    found = opening.open_set(place(tmp_path, "Dataset/0/a.png", "Dataset/1/b.png", "README.md"))
    assert labels(found) == {"Dataset/0/a.png": "0", "Dataset/1/b.png": "1"}


def test_folders_of_splits(tmp_path: Path) -> None:
    found = opening.open_set(place(tmp_path, "set/Train/a/1.png", "set/Train/b/2.png", "set/valid/a/3.png"))
    assert found.splits == ("train", "val")
    assert [e.key for e in found.part("val")] == ["set/valid/a/3.png"]
    assert found.classes == ("a", "b")


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    found = opening.open_set(place(tmp_path, "test/1.png", "work/2.png"))
    assert found.classes == ("test", "work")


def test_pictures_outside_of_classes_and_empty_classes_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = opening.open_set(place(tmp_path, "a/1.png", "b/2.png", "stray.png"))
    assert [(f.path, f.code) for f in found.failures] == [("stray.png", "E-CLASS-MISSING")]
    assert found.unused == ("empty",)


def test_pictures_that_are_mixed_of_several_classes(tmp_path: Path) -> None:
    root = place(tmp_path, "a/1.png", "a/2.png", "b/3.png", "b/4.png", "b/5.png")
    rows = [
        "image,a,b,c", "a/1.png,1,0,0", "a/2.png,0.25,0.75,0", "b/3.png,2.5e-01,0.75,0", "b/4.png,0.5,0,0.5",
        "b/5.png,0.5,0.1,0", "b/5.png,nan,1,0", "b/5.png,1_0,0,0", "gone.png,1,0,0", "b/5.png,1",
    ]  # fmt: skip
    (root / "labels.csv").write_text("\n".join(rows))
    found = opening.open_set(root)
    assert {e.key: (e.label, e.shares) for e in found.examples} == {
        "a/1.png": (0, ()),
        "a/2.png": (1, ((0, 0.25), (1, 0.75))),  # its class is that with the largest share
        "b/3.png": (1, ((0, 0.25), (1, 0.75))),
        "b/5.png": (1, ()),
    }
    told = [(f.path, f.line, f.code) for f in found.failures]
    lines = [("labels.csv", n, "E-LABEL-LINE") for n in (6, 7, 8, 10)]
    assert sorted(told) == sorted([*lines, ("labels.csv", 9, "E-IMAGE-MISSING"), ("b/4.png", 0, "E-CLASS-UNKNOWN")])
    kept, strange = as_numbered_by(found, found.examples, ("b", "a"))
    assert [e.shares for e in kept if e.shares] == [((1, 0.25), (0, 0.75))] * 2
    assert not strange
    (root / "labels.csv").write_bytes(b"file;class\nx\x00y\n")  # somebody else's file of that name
    assert not opening.open_set(root).failures


def test_the_manifest_of_an_augmented_set_tells_origins(tmp_path: Path) -> None:
    root = place(tmp_path, "a/1.png", "a/1_1.png", "b/2.png")
    lines = [
        '{"files": ["a/1.png"], "source": "a/1.png"}',
        '{"files": ["a/1_1.png"], "source": "a/1.png", "copy": 1, "donors": ["b/2.png"]}',
        '{"files": "a/1.png"}', "[]", "", '{"files": [',
    ]  # fmt: skip
    (root / "manifest.jsonl").write_text("\n".join(lines))
    found = opening.open_set(root)
    assert {e.key: e.origins for e in found.examples} == {
        "a/1.png": ("a/1.png",), "a/1_1.png": ("a/1.png", "b/2.png"), "b/2.png": (),
    }  # fmt: skip
    assert [(f.path, f.line, f.code) for f in found.failures] == [("manifest.jsonl", 6, "E-JSON-BROKEN")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = place(tmp_path / "outside", "secret.png")
    root = place(tmp_path / "set", "a/1.png", "b/2.png")
    (root / "a" / "link.png").symlink_to(outside / "secret.png")
    (root / "c").symlink_to(outside)
    assert labels(opening.open_set(root)) == {"a/1.png": "a", "b/2.png": "b"}


def test_a_name_that_is_no_text_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "set" / "a").mkdir(parents=True)
    odd = bytes(tmp_path / "set") + b"/\xff\xfe"
    Path(str(odd, "utf-8", "surrogateescape")).mkdir()
    place(tmp_path / "set", "a/1.png")
    (Path(str(odd, "utf-8", "surrogateescape")) / "2.png").write_bytes(PNG)
    assert opening.open_set(tmp_path / "set").classes == ("a", "\\xff\\xfe")


def test_crops_of_a_voc_set(fixture_voc: Path) -> None:
    found = opening.open_set(fixture_voc)
    assert found.kind == "boxes"
    assert "car" in found.classes
    assert len(found.examples) == 302
    first = found.examples[0]
    assert first.key == "JPEGImages/street_a_0001.jpg#1"
    assert first.xyxy is not None
    assert first.size_wh == (320, 240)


def test_the_lists_of_a_voc_set_are_its_splits(fixture_voc: Path, tmp_path: Path) -> None:
    shutil.copytree(fixture_voc, tmp_path / "set")
    lists = tmp_path / "set" / "ImageSets" / "Main"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "train.txt").write_text("street_a_0001\nstreet_a_0002\n")
    (lists / "val.txt").write_text("street_b_0001\n")
    found = opening.open_set(tmp_path / "set")
    assert found.splits == ("train", "val")
    assert {e.key.partition("#")[0] for e in found.part("val")} == {"JPEGImages/street_b_0001.jpg"}
    assert {e.split for e in found.examples} == {"train", "val", ""}


def test_boxes_without_picture_or_area_are_told(fixture_defects: Path) -> None:
    found = opening.open_set(fixture_defects)
    assert {"E-IMAGE-MISSING", "E-BOX-EMPTY"} <= {f.code for f in found.failures}
    assert all(e.xyxy and e.xyxy[2] - e.xyxy[0] >= 1 and e.xyxy[3] - e.xyxy[1] >= 1 for e in found.examples)


def test_a_direction_set(tmp_path: Path) -> None:
    root = place(tmp_path / "train_data" / "cls", "img/1.png", "img/2.png", "img/3.png")
    (root / "cls_gt_train.txt").write_bytes("\ufeffimg/1.png\t0\r\n\ncls/img/2.png\t180\n".encode())
    (root / "cls_gt_test.txt").write_text("train_data/cls/img/3.png\t0")
    found = opening.open_set(root)
    assert (found.kind, found.classes, found.splits) == ("list", ("0", "180"), ("train", "test"))
    assert labels(found) == {"img/1.png": "0", "img/2.png": "180", "img/3.png": "0"}
    alone = opening.open_set(root / "cls_gt_train.txt")
    assert labels(alone) == {"img/1.png": "0", "img/2.png": "180"}


def test_lines_that_are_no_examples_are_told_with_their_numbers(tmp_path: Path) -> None:
    place(tmp_path, "1.png", "2.png")
    lines = [b"1.png\t0", b"2.png\t1", b"gone.png\t0", b"1.png 0", b"../1.png\t0", b"/etc/passwd\t0", b"\xff.png\t0"]
    (tmp_path / "labels.txt").write_bytes(b"\n".join([*lines, b'1.png\t[{"points": []}]', b"1.png\t"]))
    found = opening.open_set(tmp_path)
    assert len(found.examples) == 2
    assert [(f.line, f.code) for f in found.failures] == [
        (3, "E-IMAGE-MISSING"), (4, "E-LABEL-LINE"), (5, "E-IMAGE-MISSING"), (6, "E-IMAGE-MISSING"),
        (7, "E-LABEL-LINE"), (8, "E-LABEL-LINE"), (9, "E-LABEL-LINE"),
    ]  # fmt: skip


def test_a_list_of_text_pages_is_no_classified_set(tmp_path: Path) -> None:
    place(tmp_path, "1.png")
    (tmp_path / "Label.txt").write_text('1.png\t[{"transcription": "a", "points": []}]\n')
    with pytest.raises(UsageError, match="holds no classified picture"):
        opening.open_set(tmp_path)


def test_nothing_and_nowhere_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no classified picture"):
        opening.open_set(tmp_path)
    with pytest.raises(UsageError, match="absent"):
        opening.open_set(tmp_path / "absent")
    with pytest.raises(UsageError, match="holds no picture"):
        opening.open_pictures(tmp_path)


def test_pictures_without_classes(tmp_path: Path) -> None:
    found = opening.open_pictures(place(tmp_path, "b/1.png", "a.jpg", "x.txt"))
    assert [(e.key, e.label) for e in found.examples] == [("a.jpg", -1), ("b/1.png", -1)]
    assert [e.key for e in opening.open_pictures(tmp_path / "a.jpg").examples] == ["a.jpg"]


def test_numbers_of_another_list_of_classes(tmp_path: Path, colours: Callable[..., Path]) -> None:
    found = opening.open_set(colours(tmp_path / "set", per_class=2))
    kept, strange = as_numbered_by(found, found.examples, ("red", "blue"))
    assert {e.key.partition("/")[0]: e.label for e in kept} == {"red": 0, "blue": 1}
    assert [f.code for f in strange] == ["E-CLASS-UNKNOWN"]
    assert "'green' (2 pictures)" in str(strange[0])
