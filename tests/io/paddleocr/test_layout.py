"""Where label files are found, what they are, and which image a path means."""

import os
from pathlib import Path

import pytest

from datatools.core.errors import DataError, UsageError
from datatools.io.paddleocr import layout
from datatools.io.paddleocr.images import Images

PAGE = '[{"transcription": "a", "points": [[0, 0], [9, 0], [9, 5], [0, 5]]}]'


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_kinds_and_splits_are_found_by_content_and_name(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "det/train.txt": f"train/a.jpg\t{PAGE}\n",
            "det/val/labels.txt": "a.jpg\t[]\n",
            "rec/rec_gt_test.txt": "a.jpg\tone\n",
            "cls/cls.txt": "a.jpg\t0\nb.jpg\t180\n",
            "box/Label.txt": f"box/a.jpg\t{PAGE}\n",
            "box/fileState.txt": "/home/x/box/a.jpg\t1\n",
            "box/Cache.cach": f"box/a.jpg\t{PAGE}\n",
            "dict.txt": "a\nb\n",
            "notes.txt": "how to\tuse\n",
            "gt_img_1.txt": "1,2,3,4,5,6,7,8,a\n",
            ".hidden.txt": "a.jpg\tone\n",
        },
    )
    found = layout.open_set(tmp_path)
    assert [(f.name, f.kind, f.split) for f in found.label_files] == [
        ("box/Label.txt", "det", ""),
        ("cls/cls.txt", "cls", ""),
        ("det/train.txt", "det", "train"),
        ("det/val/labels.txt", "det", "val"),
        ("rec/rec_gt_test.txt", "rec", "test"),
    ]
    assert [f.name for f in found.of_kind("rec")] == ["rec/rec_gt_test.txt"]


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        ("a.jpg\t0\nb.jpg\t180\n", "x.txt", "cls"),
        ("a.jpg\t0\nb.jpg\t180\n", "rec/x.txt", "rec"),
        ("a.jpg\t0\nb.jpg\t18\n", "x.txt", "rec"),
        ("a.jpg\t[{'transcription': 'a'}]\n", "x.txt", "det"),
        ('a\t[{"x": 1}]\n', "x.txt", "det"),
        ("\ufeffa.jpg\tone\r\n", "x.txt", "rec"),
        ('["a.jpg", "b.jpg"]\tone\n', "x.txt", "rec"),
        ("a.jpg\tone\nbroken\n", "x.txt", None),
        ("a.jpg\tone\nb.jpg\ttwo\nbroken\n", "x.txt", "rec"),
        ("", "x.txt", None),
        ("a\tb\n", "x.txt", None),
    ],
)
def test_what_a_text_file_is(head: str, name: str, kind: str | None) -> None:
    assert layout.kind_of(head.encode(), name) == kind


@pytest.mark.parametrize(
    ("written", "folder", "expected"),
    [
        ("imgs/a.jpg", "det", ("det/imgs/a.jpg", "as written")),
        ("./imgs//a.jpg", "det", ("det/imgs/a.jpg", "as written")),
        ("det/imgs/a.jpg", "det", ("det/imgs/a.jpg", "as written")),
        ("imgs\\a.jpg", "det", ("det/imgs/a.jpg", "as written")),
        ("../rec/b c.jpg", "det", ("rec/b c.jpg", "as written")),
        ("set/rec/b c.jpg", "", ("rec/b c.jpg", "as written")),
        ("/home/x/set/det/imgs/a.jpg", "det", ("det/imgs/a.jpg", "by its end")),
        ("C:\\work\\imgs\\a.jpg", "det", ("det/imgs/a.jpg", "by its end")),
        ("train_data/rec/b c.jpg", "", ("rec/b c.jpg", "by its end")),
        ("b c.jpg", "", ("rec/b c.jpg", "by its end")),
        ("elsewhere/b c.jpg", "", ("", "missing")),
        ("z.jpg", "", ("", "missing")),
        ("two/same.jpg", "", ("two/same.jpg", "as written")),
        ("same.jpg", "", ("", "ambiguous")),
        ("same.jpg", "one", ("one/same.jpg", "as written")),
        ("../a.jpg", "", ("", "outside")),
        ("../../imgs/a.jpg", "det", ("", "outside")),
        ("/etc/../imgs/a.jpg", "det", ("", "outside")),
        ("", "", ("", "missing")),
        ("/", "", ("", "missing")),
        ("~/a.jpg", "", ("", "missing")),
        ("http://host/imgs/a.jpg", "", ("det/imgs/a.jpg", "by its end")),
    ],
)
def test_which_image_a_path_means(written: str, folder: str, expected: tuple[str, str]) -> None:
    images = Images(["det/imgs/a.jpg", "rec/b c.jpg", "one/same.jpg", "two/same.jpg"], "set")
    assert images.find(written, folder) == expected


def test_reading_a_file_gives_each_line_its_image(tmp_path: Path) -> None:
    make(tmp_path, {"rec.txt": 'a.jpg\tone\n["a.jpg", "gone.jpg"]\ttwo\nbroken\n../x.jpg\tthree\n', "a.jpg": ""})
    found = layout.open_set(tmp_path)
    (file,) = found.label_files
    lines, entries = found.read(file)
    assert [(e.line.number, e.written, e.image) for e in entries] == [
        (1, "a.jpg", "a.jpg"),
        (2, "a.jpg", "a.jpg"),
        (2, "gone.jpg", ""),
        (4, "../x.jpg", ""),
    ]
    assert [(e.line, e.code) for e in (*lines.failures, *layout.image_errors(file, entries))] == [
        (3, "E-LABEL-LINE"),
        (2, "E-IMAGE-MISSING"),
        (4, "E-LABEL-LINE"),
    ]


def test_a_folder_without_label_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no PaddleOCR label file"):
        layout.open_set(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        layout.open_set(tmp_path / "absent")


def test_pipes_and_links_are_no_label_files(tmp_path: Path) -> None:
    make(tmp_path, {"rec.txt": "a.jpg\tone\n"})
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to(tmp_path / "rec.txt")
    (tmp_path / "folder.txt").mkdir()
    found = layout.open_set(tmp_path)
    assert [f.name for f in found.label_files] == ["rec.txt"]
    (tmp_path / "rec.txt").unlink()
    with pytest.raises(DataError, match="no such file"):
        found.read(found.label_files[0])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "label_files", "found"),
    [
        ("icdar2015_mini", ["det test 16", "det train 24"], {"as written": 40}),
        ("wire_labels", ["det  1000", "det test 300", "rec test 300"], {"by its end": 600, "missing": 1000}),
        ("textlines_mixed", ["rec train 200"], {"by its end": 200}),
    ],
)
def test_real_sets(shared_ocr: Path, name: str, label_files: list[str], found: dict[str, int]) -> None:
    opened = layout.open_set(shared_ocr / name)
    told, counts = [], dict[str, int]()
    for file in opened.label_files:
        lines, entries = opened.read(file)
        assert not lines.failures
        told.append(f"{file.kind} {file.split} {len(entries)}")
        for entry in entries:
            counts[entry.how] = counts.get(entry.how, 0) + 1
    assert (told, counts) == (label_files, found)
