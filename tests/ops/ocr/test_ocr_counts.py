"""ocr.dict, ocr.stats and ocr.preview."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.io import images
from datatools.io.paddleocr import dictionary
from datatools.ops.ocr.dict import dict_
from datatools.ops.ocr.preview import preview
from datatools.ops.ocr.stats import stats


def rec_set(root: Path, **splits: list[str]) -> Dataset:
    """A recognition set whose images are those of the fixture's first line."""
    for split, texts in splits.items():
        (root / split).mkdir(parents=True)
        for number in range(len(texts)):
            (root / split / f"{number}.png").write_bytes(images.encode_png(np.full((20, 60, 3), 90, np.uint8)))
        lines = (f"{split}/{number}.png\t{text}\n" for number, text in enumerate(texts))
        (root / f"{split}.txt").write_text("".join(lines), encoding="utf-8")
    return Dataset(root)


# --- dict


def test_every_character_in_the_order_of_unicode(tmp_path: Path) -> None:
    src = rec_set(tmp_path / "set", train=["ba é", "中a\u200d", "b\u0007"])
    result = dict_(src, out=tmp_path / "dict.txt")
    assert result.characters == {"a": 2, "b": 2, "é": 1, "\u200d": 1, "中": 1}
    assert (result.blanks, result.unseen, result.texts) == (1, {"\u0007": 1}, 3)
    assert dictionary.read(tmp_path / "dict.txt").characters == tuple(result.characters)


def test_ignored_regions_do_not_count(fixture_ocr: Path, tmp_path: Path) -> None:
    result = dict_(Dataset(fixture_ocr / "det"), out=tmp_path / "dict.txt")
    assert (tmp_path / "dict.txt").read_bytes() == (fixture_ocr / "dict.txt").read_bytes()
    assert "#" not in result.characters
    assert result.texts == 42


def test_what_of_another_set_is_covered(tmp_path: Path) -> None:
    src = rec_set(tmp_path / "a", train=["abc", "bcd"])
    other = rec_set(tmp_path / "b", test=["abc", "cx x", "dé"])
    coverage = dict_(src, coverage=other).coverage
    assert coverage
    assert (coverage.texts, coverage.covered_texts) == (3, 1)
    assert (coverage.characters, coverage.covered_characters) == (8, 5)
    assert coverage.missing == {"x": 2, "é": 1}


def test_the_dictionary_of_the_command_line(
    fixture_ocr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["ocr", "dict", str(fixture_ocr), "-o", str(tmp_path / "d.txt"), "--coverage", str(fixture_ocr)]
    assert main(said) == 0
    shown = capsys.readouterr().out
    assert "100.00% of 356 characters" in shown
    assert "cjk" in shown
    assert main(["ocr", "dict", str(tmp_path)]) == 2


# --- stats


def test_everything_is_counted(fixture_ocr: Path) -> None:
    c = stats(Dataset(fixture_ocr)).census
    assert (c.pages, c.empty, c.regions, c.ignored, c.lines, c.directions) == (12, 0, 42, 6, 42, 10)
    assert c.corners == {4: 45, 8: 3}
    assert c.degrees == {"0": 5, "180": 5}
    assert c.texts == 84
    assert sum(c.characters.values()) == 384
    assert [(s.name, s.pages, s.regions, s.ignored, s.lines, s.directions) for s in c.splits] == [
        ("train", 8, 28, 4, 28, 8),
        ("val", 2, 7, 1, 7, 0),
        ("test", 2, 7, 1, 7, 2),
    ]
    assert c.tall == 0  # signs that run downwards are measured along their text
    assert (c.text_length.count, c.text_length.minimum, c.text_length.maximum) == (84, 2, 9)
    assert c.regions_per_page.mean == 4
    assert c.line_height.count == 42
    assert [(s.width, s.height, s.images) for s in c.page_sizes] == [(320, 240, 12)]


def test_what_only_val_and_test_show_is_named(tmp_path: Path) -> None:
    result = stats(rec_set(tmp_path, train=["abc"] * 30, val=["abd"], test=["xd"]))
    assert result.census.strange == {"d": 2, "x": 1}
    assert [(s.name, s.strange) for s in result.census.splits] == [("train", 0), ("val", 1), ("test", 2)]
    hints = "\n".join(result.census.hints())
    assert "2 characters of val and test that train never shows: dx" in hints
    assert "94% of the texts are 'abc'" in hints


def test_long_low_and_wide_texts_are_counted(tmp_path: Path) -> None:
    src = rec_set(tmp_path, train=["a" * 26])
    (tmp_path / "train" / "0.png").write_bytes(images.encode_png(np.zeros((10, 70, 3), np.uint8)))
    low = "[[0, 0], [30, 0], [30, 7], [0, 7]]"
    (tmp_path / "det.txt").write_text(f'train/0.png\t[{{"transcription": "b", "points": {low}}}]\n')
    c = stats(src).census
    assert (c.long, c.low, c.squeezed) == (1, 1, 1)
    assert len(list(c.hints())) == 3


def test_the_page_holds_the_charts_and_escapes_data(tmp_path: Path) -> None:
    src = rec_set(tmp_path / "set", train=["<script>", "abc", "abc"])
    result = stats(src, html=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert result.written == (tmp_path / "page.html",)
    assert "<script>" not in text
    assert "Length of texts" in text
    assert "Occurrences a character" in text


def test_stats_of_what_is_broken(fixture_ocr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(fixture_ocr, tmp_path / "set")
    (tmp_path / "set" / "rec" / "train" / "wall_00_crop_0.jpg").write_bytes(b"x")
    with (tmp_path / "set" / "rec" / "train.txt").open("a") as file:
        file.write("broken\n")
    assert main(["ocr", "stats", str(tmp_path / "set")]) == 1
    shown = capsys.readouterr().out
    assert "E-LABEL-LINE" in shown
    assert "E-IMAGE-UNREADABLE" in shown


# --- preview


@pytest.mark.parametrize("kind", ["det", "rec"])
def test_a_sheet_shows_what_was_chosen(kind: str, fixture_ocr: Path, tmp_path: Path) -> None:
    sheets = []
    for seed in (1, 1, 2):
        result = preview(Dataset(fixture_ocr), out=tmp_path / "s.png", kind=kind, n=4, side=128, seed=seed)
        assert len(result.shown) == 4
        sheets.append((tmp_path / "s.png").read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]
    drawn = images.decode(sheets[0], name="s.png")
    assert drawn.std() > 20


def test_a_sheet_of_one_split_and_of_lines_where_there_are_no_pages(fixture_ocr: Path, tmp_path: Path) -> None:
    result = preview(Dataset(fixture_ocr), out=tmp_path / "s.jpg", split="val")
    assert result.candidates == 2
    result = preview(Dataset(fixture_ocr / "rec"), out=tmp_path / "s.jpg", n=400, side=64)
    assert (result.kind, len(result.shown)) == ("rec", 42)


def test_a_picture_that_cannot_be_read_leaves_its_place(fixture_ocr: Path, tmp_path: Path) -> None:
    shutil.copytree(fixture_ocr / "det", tmp_path / "set")
    (tmp_path / "set" / "val" / "wall_08.jpg").write_bytes(b"no picture")
    result = preview(Dataset(tmp_path / "set"), out=tmp_path / "s.png", split="val")
    assert len(result.shown) == 2
    assert [f.code for f in result.failures] == ["E-IMAGE-DAMAGED"]


@pytest.mark.parametrize(
    ("out", "more", "message"),
    [
        ("s.gif", {}, "must end in"),
        ("s.png", {"kind": "rec"}, "no line to show"),
        ("s.png", {"split": "test", "kind": "rec"}, "in test"),
    ],
)
def test_what_cannot_be_shown(out: str, more: dict[str, str], message: str, fixture_ocr: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        preview(Dataset(fixture_ocr / "det"), out=tmp_path / out, **more)


def test_a_sheet_never_replaces_an_image_of_the_set(fixture_ocr: Path, tmp_path: Path) -> None:
    shutil.copytree(fixture_ocr / "det", tmp_path / "set")
    with pytest.raises(UsageError, match="is an image of the set"):
        preview(Dataset(tmp_path / "set"), out=tmp_path / "set" / "val" / "wall_08.jpg")


def test_counts_add_up(fixture_ocr: Path) -> None:
    c = stats(Dataset(fixture_ocr)).census
    texts = [
        line.partition("\t")[2] for p in (fixture_ocr / "rec").glob("*.txt") for line in p.read_text().splitlines()
    ]
    assert dict(c.characters) == {k: 2 * v for k, v in Counter("".join(texts)).items()}
