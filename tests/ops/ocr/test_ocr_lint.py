"""ocr.lint as a user meets it: every code, the formats, the baseline, the exit code."""

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.ops.ocr.codes import CODES
from datatools.ops.ocr.lint import Lint, lint

SQUARE = [[4, 4], [40, 4], [40, 16], [4, 16]]


def jpeg(width: int = 64, height: int = 48, shade: int = 128) -> bytes:
    """A plain JPEG; each shade has bytes of its own."""
    ok, data = cv2.imencode(".jpg", np.full((height, width, 3), shade, np.uint8))
    assert ok
    return bytes(data.tobytes())


def region(text: str, points: Sequence[Sequence[float]] = SQUARE, **more: Any) -> dict[str, Any]:
    """A region as a label has it."""
    return {"transcription": text, "points": points, **more}


def page(image: str, *regions: dict[str, Any]) -> str:
    """A line of a detection label file."""
    return f"{image}\t{json.dumps(list(regions), ensure_ascii=False)}\n"


def make(root: Path, files: dict[str, str | bytes]) -> Dataset:
    """Write files; images that are named but not given are made."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Dataset(root)


A = {"a.jpg": jpeg()}
WIDE = [[4, 4], [60, 4], [60, 14], [4, 14]]


def codes(result: Lint) -> list[str]:
    return [f.code for f in result.findings]


def turned(data: bytes) -> bytes:
    """The JPEG with EXIF orientation 6."""
    body = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


# what makes each code, alone: the files, and the place that is named
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "E-LABEL-LINE": ({**A, "det.txt": page("a.jpg", region("ab")) + "b.jpg\n"}, "det.txt:2"),
    "E-LABEL-BOM": ({**A, "rec.txt": "\ufeffa.jpg\tab\n"}, "rec.txt:1"),
    "W-LABEL-CRLF": ({**A, "rec.txt": "a.jpg\tab\r\n"}, "rec.txt:1"),
    "W-LABEL-BLANK": ({**A, "rec.txt": "a.jpg\tab\n\n"}, "rec.txt:2"),
    "W-LABEL-UNENDED": ({**A, "b.jpg": jpeg(shade=9), "rec.txt": "a.jpg\tab\nb.jpg\tcd"}, "rec.txt:2"),
    "E-IMAGE-MISSING": ({**A, "rec.txt": "a.jpg\tab\nz.jpg\tcd\n"}, "rec.txt:2"),
    "E-IMAGE-AMBIGUOUS": (
        {"x/b.jpg": jpeg(), "y/b.jpg": jpeg(shade=9), **A, "rec.txt": "a.jpg\tab\nx/b.jpg\tc\ny/b.jpg\tc\nb.jpg\td\n"},
        "rec.txt:4",
    ),
    "E-PATH-OUTSIDE": ({**A, "rec.txt": "a.jpg\tab\n../../b.jpg\tcd\n"}, "rec.txt:2"),
    "W-PATH-FOREIGN": ({"x/a.jpg": jpeg(), "rec.txt": "/home/me/x/a.jpg\tab\n"}, "rec.txt:1"),
    "E-IMAGE-UNREADABLE": ({"a.jpg": b"", "rec.txt": "a.jpg\tab\n"}, "a.jpg:1"),
    "E-IMAGE-DAMAGED": ({"a.jpg": jpeg(300, 300)[:-300], "rec.txt": "a.jpg\tab\n"}, "a.jpg:1"),
    "W-IMAGE-EXIF": ({"a.jpg": turned(jpeg()), "rec.txt": "a.jpg\tab\n"}, "a.jpg:1"),
    "W-IMAGE-UNLISTED": ({**A, "b.jpg": jpeg(shade=9), "rec.txt": "a.jpg\tab\n"}, ".:1"),
    "W-LINE-REPEATED": ({**A, "rec.txt": "a.jpg\tab\n./a.jpg\tab\n"}, "rec.txt:2"),
    "E-IMAGE-DUPLICATE": ({**A, "rec.txt": "a.jpg\tab\na.jpg\tac\n"}, "rec.txt:2"),
    "E-SPLIT-LEAK": ({**A, "rec_test.txt": "a.jpg\tab\n", "rec_train.txt": "a.jpg\tab\n"}, "rec_train.txt:1"),
    "W-PAGE-EMPTY": ({**A, "det.txt": "a.jpg\t[]\n"}, "det.txt:1"),
    "E-POLY-CROSSED": ({**A, "det.txt": page("a.jpg", region("ab", [SQUARE[i] for i in (0, 2, 1, 3)]))}, "det.txt:1"),
    "E-POLY-ORDER": ({**A, "det.txt": page("a.jpg", region("ab", SQUARE[::-1]))}, "det.txt:1"),
    "W-POLY-START": ({**A, "det.txt": page("a.jpg", region("abcdef", [*WIDE[2:], *WIDE[:2]]))}, "det.txt:1"),
    "E-POLY-EMPTY": ({**A, "det.txt": page("a.jpg", region("ab", [[1, 1], [9, 1], [30, 1], [5, 1]]))}, "det.txt:1"),
    "W-POLY-TINY": ({**A, "det.txt": page("a.jpg", region("ab", [[4, 4], [30, 4], [30, 6], [4, 6]]))}, "det.txt:1"),
    "E-POLY-OUTSIDE": (
        {**A, "det.txt": page("a.jpg", region("ab", [[70, 4], [90, 4], [90, 16], [70, 16]]))},
        "det.txt:1",
    ),
    "W-POLY-BOUNDS": (
        {**A, "det.txt": page("a.jpg", region("ab", [[40, 4], [65, 4], [65, 16], [40, 16]]))},
        "det.txt:1",
    ),
    "E-REGION-REPEATED": ({**A, "det.txt": page("a.jpg", region("ab"), region("ac"))}, "det.txt:1"),
    "E-TEXT-EMPTY": ({**A, "rec.txt": "a.jpg\t\n"}, "rec.txt:1"),
    "E-TEXT-CHARACTER": ({**A, "rec.txt": "a.jpg\tab\u00e9\n", "dict.txt": "a\nb\n"}, "rec.txt:1"),
    "W-TEXT-LONG": ({**A, "rec.txt": f"a.jpg\t{'ab' * 13}\n"}, "rec.txt:1"),
    "W-TEXT-BLANKS": ({**A, "rec.txt": "a.jpg\tab \n"}, "rec.txt:1"),
    "W-TEXT-INVISIBLE": ({**A, "rec.txt": "a.jpg\ta\u200bb\n"}, "rec.txt:1"),
    "E-DICT-LINE": ({**A, "rec.txt": "a.jpg\tab\n", "dict.txt": "a\nb\na\n"}, "dict.txt:3"),
}


def test_every_code_has_a_case_and_the_page_is_up_to_date() -> None:
    assert set(CASES) == set(CODES)
    docs = Path(__file__).resolve().parents[3] / "docs" / "ocr-lint-codes.md"
    assert docs.read_text() == CODES.markdown(), "write datatools.ops.ocr.codes.CODES.markdown() into it"


@pytest.mark.parametrize("code", CASES)
def test_each_code_alone_and_at_its_place(code: str, tmp_path: Path) -> None:
    files, place = CASES[code]
    (one,) = lint(make(tmp_path, files)).findings
    assert one.code == code
    assert f"{one.file}:{one.line}" == place
    assert str(one).startswith(f"{place}: {code} {one.severity} ")
    assert one.remedy


def test_a_sound_set_has_no_finding(fixture_ocr: Path) -> None:
    result = lint(Dataset(fixture_ocr))
    assert not result.findings
    assert (result.label_files, result.labels, result.images) == (8, 64, 64)
    assert result.outside == {}


@pytest.mark.parametrize(
    "label",
    ["[{", "{}", "[1]", '[{"transcription": "a"}]', "[{'transcription': 'a', 'points': []}]", "[" * 9999],
)
def test_a_broken_page_is_named_and_the_others_are_checked(label: str, tmp_path: Path) -> None:
    good = page("a.jpg", region("ab", SQUARE[::-1]))
    result = lint(make(tmp_path, {**A, "b.jpg": jpeg(shade=9), "det.txt": good * 1 + f"b.jpg\t{label}\n"}))
    assert codes(result) == ["E-POLY-ORDER", "E-LABEL-LINE"]
    assert result.findings[1].line == 2


def test_characters_outside_of_the_dictionary_are_counted(tmp_path: Path) -> None:
    src = make(tmp_path, {**A, "b.jpg": jpeg(shade=9), "rec.txt": "a.jpg\tab\u00e9 \u00e9c\nb.jpg\tc\n"})
    (tmp_path / "my.txt").write_text("a\nb\n")
    result = lint(src, dictionary=tmp_path / "my.txt")
    assert result.outside == {"c": 2, "é": 2}
    assert codes(result) == ["E-TEXT-CHARACTER"] * 2
    assert "'é' (U+00E9), 'c' (U+0063)" in result.findings[0].message
    assert any("1 blank in texts" in note for note in result.notes)
    assert lint(src).outside is None


def test_regions_that_are_ignored_have_no_text_to_check(tmp_path: Path) -> None:
    files = {**A, "det.txt": page("a.jpg", region("###"), region("\u200b", WIDE, difficult=True))}
    assert not lint(make(tmp_path, files)).findings


@pytest.mark.parametrize(
    ("points", "text", "found"),
    [
        (WIDE, "abc", False),
        ([WIDE[1], WIDE[2], WIDE[3], WIDE[0]], "abc", True),  # its first side is short and runs downwards
        ([WIDE[3], WIDE[0], WIDE[1], WIDE[2]], "abc", True),  # ... upwards
        ([WIDE[1], WIDE[2], WIDE[3], WIDE[0]], "a", False),  # of one letter nobody knows
        ([[4, 4], [14, 4], [14, 44], [4, 44]], "abc", False),  # letters below each other
        ([[14, 4], [14, 44], [4, 44], [4, 4]], "abc", False),  # a line that runs downwards
    ],
)
def test_where_an_outline_begins(points: list[list[int]], text: str, found: bool, tmp_path: Path) -> None:
    result = lint(make(tmp_path, {**A, "det.txt": page("a.jpg", region(text, points))}))
    assert codes(result) == ["W-POLY-START"] * found


def test_polygons_are_checked_like_quads(tmp_path: Path) -> None:
    ring = [[4, 10], [20, 4], [40, 4], [56, 10], [56, 20], [40, 14], [20, 14], [4, 20]]
    crossed = [ring[i] for i in (0, 1, 2, 3, 4, 6, 5, 7)]
    files = {**A, "det.txt": page("a.jpg", region("ab", ring), region("cd", ring[::-1]), region("ef", crossed))}
    assert codes(lint(make(tmp_path, files))) == ["E-POLY-CROSSED", "E-POLY-ORDER"]


def test_sizes_and_lengths_are_options(tmp_path: Path) -> None:
    src = make(tmp_path, {**A, "det.txt": page("a.jpg", region("abcdef"))})
    assert codes(lint(src, min_size=12.5, max_length=5)) == ["W-POLY-TINY", "W-TEXT-LONG"]
    assert not lint(src, min_size=12, max_length=6).findings


def test_without_deep_only_headers_are_read(tmp_path: Path) -> None:
    src = make(tmp_path, CASES["E-IMAGE-DAMAGED"][0])
    assert codes(lint(src)) == ["E-IMAGE-DAMAGED"]
    assert not lint(src, deep=False).findings


def test_the_same_bytes_in_two_splits_are_a_leak(tmp_path: Path) -> None:
    files = {"a.jpg": jpeg(), "b.jpg": jpeg(), "rec_test.txt": "a.jpg\tab\n", "rec_train.txt": "b.jpg\tab\n"}
    src = make(tmp_path, files)
    (leak,) = lint(src).findings
    assert leak.code == "E-SPLIT-LEAK"
    assert "the same bytes, a.jpg" in leak.message
    assert not lint(src, deep=False).findings


def test_lines_of_several_tasks_share_images(tmp_path: Path) -> None:
    files = {**A, "rec.txt": "a.jpg\tab\n", "cls.txt": "a.jpg\t180\n", "det.txt": page("a.jpg", region("ab"))}
    assert not lint(make(tmp_path, files)).findings


def test_formats_ignoring_and_baseline(tmp_path: Path) -> None:
    src = make(tmp_path / "set", {**A, "rec.txt": "a.jpg\tab \nz<&>.jpg\tx\x1b\n"})
    result = lint(src, format="json")
    assert codes(result) == ["W-TEXT-BLANKS", "E-IMAGE-MISSING", "W-TEXT-INVISIBLE"]
    text = "\n".join(map(str, result.lines()))
    assert [f["code"] for f in json.loads(text)["findings"]] == codes(result)
    (tmp_path / "old.json").write_text(text)
    assert lint(src, baseline=tmp_path / "old.json").known == 3
    assert codes(lint(src, ignore=("w-text-blanks,E-IMAGE-MISSING",))) == ["W-TEXT-INVISIBLE"]
    sarif = json.loads("\n".join(map(str, lint(src, format="sarif").lines())))
    assert sarif["runs"][0]["tool"]["driver"]["name"] == "datatools ocr lint"
    assert len(sarif["runs"][0]["results"]) == 3
    suites = ET.fromstring("\n".join(map(str, lint(src, format="junit").lines())).encode())
    assert suites.attrib["failures"] == "1"
    shown = "\n".join(map(str, lint(src).lines()))
    assert "\x1b" not in shown
    with pytest.raises(UsageError, match="did you mean"):
        lint(src, ignore=("E-TEXT-EMPTYY",))


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = make(tmp_path, {**A, "rec.txt": "a.jpg\tab \n"})
    assert main(["ocr", "lint", str(src)]) == 0
    assert "W-TEXT-BLANKS" in capsys.readouterr().out
    (tmp_path / "rec.txt").write_text("z.jpg\tab\n")
    assert main(["ocr", "lint", str(src)]) == 1
    assert main(["ocr", "lint", str(src), "--dict", str(tmp_path / "absent")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "rec.txt").unlink()
    assert main(["ocr", "lint", str(src)]) == 2
    assert "no PaddleOCR label file" in capsys.readouterr().err


def test_links_pipes_and_folders_are_no_images(tmp_path: Path) -> None:
    src = make(tmp_path / "set", {**A, "rec.txt": "a.jpg\tab\nlink.jpg\tcd\npipe.jpg\tef\nfolder.jpg\tgh\n"})
    (tmp_path / "outside.jpg").write_bytes(jpeg())
    (src / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    os.mkfifo(src / "pipe.jpg")
    (src / "folder.jpg").mkdir()
    result = lint(src)
    assert codes(result) == ["E-IMAGE-MISSING"] * 3


def test_bombs_and_pictures_of_other_kinds(tmp_path: Path) -> None:
    png = bytearray(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    bomb = bytes(png[:16]) + (50_000).to_bytes(4, "big") * 2 + bytes(png[24:])
    files = {"a.jpg": bytes(png), "b.png": bomb, "c.jpg": b"%PDF-1.4 no picture", "rec.txt": ""}
    files["rec.txt"] = "a.jpg\tab\nb.png\tcd\nc.jpg\tef\n"
    found = {f.file: f.code for f in lint(make(tmp_path, files)).findings}
    assert found == {"b.png": "E-IMAGE-DAMAGED", "c.jpg": "E-IMAGE-UNREADABLE"}


def test_names_that_are_no_text_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = make(tmp_path, {**A, "rec.txt": "a.jpg\tab\n"})
    with open(os.fsencode(tmp_path) + b"/\xff\x1b.jpg", "wb") as file:
        file.write(jpeg(shade=9))
    assert main(["ocr", "lint", str(src), "--json"]) == 0
    assert main(["ocr", "stats", str(src)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("icdar2015_mini", {}),
        ("wire_labels", {"E-IMAGE-MISSING": 1000, "W-PATH-FOREIGN": 2, "E-REGION-REPEATED": 9}),
        ("textlines_mixed", {"W-LABEL-CRLF": 1, "W-PATH-FOREIGN": 1}),
    ],
)
def test_what_is_known_of_real_sets_is_found(shared_ocr: Path, name: str, expected: dict[str, int]) -> None:
    found = codes(lint(Dataset(shared_ocr / name)))
    assert {code: found.count(code) for code in set(found)} == expected
