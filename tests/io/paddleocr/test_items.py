"""Pages and lines of a whole set, and what is left out by name."""

from pathlib import Path

from datatools.core.records import TextRegion
from datatools.io.paddleocr import items, layout

PAGE = '[{"transcription": "a", "points": [[0, 0], [9, 0], [9, 5], [0, 5]]}]'


def make(root: Path, files: dict[str, str]) -> layout.OcrSet:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return layout.open_set(root)


def test_pages_lines_and_directions(tmp_path: Path) -> None:
    images = dict.fromkeys(("det/a.jpg", "rec/b.jpg", "rec/c 1.png", "cls/d.jpg"), "")
    labels = {
        "det/train.txt": f"a.jpg\t{PAGE}\n",
        "rec/train.txt": '["b.jpg", "c 1.png"]\tone\n',
        "cls/train.txt": "d.jpg\t180\n",
    }
    opened = make(tmp_path, images | labels)
    (page,), failures = items.read_pages(opened)
    assert not failures
    assert (page.image, page.number, page.record.item_id, page.record.filename) == ("det/a.jpg", 1, "det/a", "a.jpg")
    assert page.record.regions == (TextRegion(((0, 0), (9, 0), (9, 5), (0, 5)), "a"),)
    lines, _ = items.read_lines(opened)
    assert [(line.image, line.record.text) for line in lines] == [("rec/b.jpg", "one"), ("rec/c 1.png", "one")]
    (direction,), _ = items.read_directions(opened)
    assert (direction.record.text, direction.file.split) == ("180", "train")


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    opened = make(
        tmp_path,
        {
            "a.jpg": "", "a.png": "",
            "det.txt": f"a.jpg\t{PAGE}\na.jpg\t[]\na.png\t[]\ngone.jpg\t[]\na.jpg\nx.jpg\t[{{\n",
            "more.txt": f"a.jpg\t{PAGE}\n",
        },
    )  # fmt: skip
    pages, failures = items.read_pages(opened)
    assert [p.image for p in pages] == ["a.jpg"]
    assert sorted((f.path, f.line, f.code) for f in failures) == [
        ("det.txt", 2, "E-IMAGE-DUPLICATE"),
        ("det.txt", 3, "E-STEM-DUPLICATE"),
        ("det.txt", 4, "E-IMAGE-MISSING"),
        ("det.txt", 5, "E-LABEL-LINE"),
        ("det.txt", 6, "E-IMAGE-MISSING"),
        ("more.txt", 1, "E-IMAGE-DUPLICATE"),
    ]
    (tmp_path / "x.jpg").write_text("")
    _, failures = items.read_pages(layout.open_set(tmp_path))
    assert any(f.line == 6 and f.code == "E-LABEL-LINE" for f in failures)


def test_a_label_file_that_goes_away(tmp_path: Path) -> None:
    opened = make(tmp_path, {"rec.txt": "a.jpg\tone\n"})
    (tmp_path / "rec.txt").unlink()
    lines, (failure,) = items.read_lines(opened)
    assert not lines
    assert failure.code == "E-FILE-READ"
