"""voc.lint as a user meets it: every code, the formats, the baseline, the exit code."""

import functools
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from datatools.core.errors import UsageError
from datatools.core.types import Run
from datatools.ops.voc.codes import CODES
from datatools.ops.voc.lint import Lint, lint

LINE = re.compile(
    r"(?P<file>[^:]+):(?P<line>[1-9][0-9]*): (?P<code>[EW]-[A-Z-]+) (?P<severity>error|warning) .+ \(.+\)"
)

Obj = tuple[str, tuple[object, object, object, object]]
CAT: Obj = ("cat", (5, 6, 30, 40))


def write_xml(root: Path, stem: str, *objects: Obj, size: str | None = "64 48 3", filename: str | None = None) -> None:
    tags = ("width", "height", "depth")
    parts = [f"<filename>{filename or stem.rpartition('/')[2] + '.jpg'}</filename>"]
    if size is not None:
        parts.append(
            "<size>" + "".join(f"<{t}>{v}</{t}>" for t, v in zip(tags, size.split(), strict=False)) + "</size>"
        )
    for label, box in objects:
        corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        inner = "".join(f"<{t}>{v}</{t}>" for t, v in corners)
        parts.append(f"<object><name>{label}</name><bndbox>{inner}</bndbox></object>")
    path = root / "Annotations" / f"{stem}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<annotation>\n" + "\n".join(parts) + "\n</annotation>\n")


def write_image(
    root: Path, name: str, wh: tuple[int, int] = (64, 48), seed: int | None = None, grey: bool = False
) -> Path:
    path = root / "JPEGImages" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(name.encode()) if seed is None else seed)
    shape = (wh[1], wh[0]) if grey else (wh[1], wh[0], 3)
    path.write_bytes(cv2.imencode(path.suffix, rng.integers(0, 255, shape, np.uint8))[1].tobytes())
    return path


def write_list(root: Path, split: str, *ids: str) -> None:
    path = root / "ImageSets" / "Main" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{i}\n" for i in ids))


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A set of six images without any fault, with lists."""
    root = tmp_path / "set"
    for i in range(6):
        write_image(root, f"a{i}.jpg")
        write_xml(root, f"a{i}", CAT, ("dog", (10 + i, 1, 64, 48)))
    write_list(root, "train", "a0", "a1")
    write_list(root, "val", "a2", "a3")
    write_list(root, "trainval", "a0", "a1", "a2", "a3")
    write_list(root, "test", "a4", "a5")
    return root


def codes(result: Lint) -> list[str]:
    return [f.code for f in result.findings]


def text_lines(result: Lint) -> list[str]:
    return [line for line in result.lines() if isinstance(line, str)]


# --- every code


@functools.cache
def deep_lint(root: Path) -> Lint:
    return lint(root, deep=True)


@pytest.mark.parametrize("code", [c for c in CODES if c != "E-LIST-ENCODING"])
def test_each_defect_of_the_fixture_is_found_once_and_its_name_tells_it(fixture_defects: Path, code: str) -> None:
    (one,) = [f for f in deep_lint(fixture_defects).findings if f.code == code]
    assert code[2:].lower().replace("-", "_") in f"{one.file}: {one.message}"
    assert (fixture_defects / one.file).is_file()
    assert one.severity == CODES[code].severity


def test_the_fixture_of_defects_has_no_other(fixture_defects: Path) -> None:
    result = deep_lint(fixture_defects)
    assert Counter(codes(result)) == Counter(c for c in CODES if c != "E-LIST-ENCODING")
    assert result.problems == sum(c.severity == "error" for c in CODES.values()) - 1
    assert set(codes(result)) - set(codes(lint(fixture_defects))) == {"E-IMAGE-DAMAGED"}


def test_a_clean_set_has_no_findings(clean: Path) -> None:
    result = lint(clean, deep=True)
    assert result.findings == ()
    assert result.problems == 0
    assert (result.files, result.images, result.coords) == (6, 6, "voc")
    assert text_lines(result) == ["6 XML files and 6 images: nothing found"]


def test_the_street_scenes_have_what_fix_mends_and_nothing_else(fixture_voc: Path) -> None:
    result = lint(fixture_voc, deep=True)
    expected = {
        "street_a_0005": {"E-SIZE-FRACTION"},
        "street_a_0012": {"E-SIZE-MISMATCH"},
        "street_b_0007": {"E-BOX-OUTSIDE"},
        "street_b_0014": {"W-BOX-FRACTION", "W-LABEL-BLANKS"},
    }
    found: dict[str, set[str]] = {}
    for f in result.findings:
        assert CODES[f.code].rule
        found.setdefault(Path(f.file).stem, set()).add(f.code)
    assert found == expected


def test_a_list_that_is_not_utf8(clean: Path) -> None:
    (clean / "ImageSets" / "Main" / "val.txt").write_bytes(b"a2\n\xff\xfe\n")
    (one,) = lint(clean).findings
    assert (one.file, one.line, one.code) == ("ImageSets/Main/val.txt", 2, "E-LIST-ENCODING")


def test_the_page_of_the_codes_is_up_to_date() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "voc-lint-codes.md"
    assert page.read_text() == CODES.markdown(), "write datatools.ops.voc.codes.CODES.markdown() into it"


def test_every_code_has_a_remedy_and_rules_are_those_of_fix() -> None:
    from datatools.ops.voc.rules import RULES

    for code in CODES.values():
        assert bool(code.rule) != bool(code.by_hand)
        assert not code.rule or code.rule in RULES


@pytest.mark.parametrize("rule", sorted({code.rule for code in CODES.values() if code.rule}))
def test_the_rule_that_a_remedy_names_mends_it(fixture_defects: Path, tmp_path: Path, rule: str) -> None:
    from datatools.ops.voc.fix import fix

    fix(fixture_defects, out=tmp_path / "fixed", rule=(rule,))
    left = {f.code for f in lint(tmp_path / "fixed").findings}
    assert not left & {code.name for code in CODES.values() if code.rule == rule}
    assert left <= set(codes(deep_lint(fixture_defects)))


def test_the_street_scenes_are_clean_once_fixed(fixture_voc: Path, tmp_path: Path) -> None:
    from datatools.ops.voc.fix import fix

    fix(fixture_voc, out=tmp_path / "fixed")
    assert lint(tmp_path / "fixed", deep=True).findings == ()


# --- what exactly is said


@pytest.mark.parametrize(
    ("box", "code", "message"),
    [
        (("NaN", 1, 5, 5), "E-BOX-INVALID", "xmin is not a number: 'NaN'"),
        (("1_0", 1, 50, 5), "E-BOX-INVALID", "xmin is not a number: '1_0'"),
        (("1e1", 1, 50, 5), "E-BOX-INVALID", "xmin is not a number: '1e1'"),
        (("", 1, "inf", 5), "E-BOX-INVALID", "xmin is not a number: '', xmax is not a number: 'inf'"),
        ((30, 1, 5, 20), "E-BOX-INVERTED", "xmin 30 > xmax 5"),
        ((30, 20, 5, 2), "E-BOX-INVERTED", "xmin 30 > xmax 5, ymin 20 > ymax 2"),
        ((7, 1, 7, 20), "E-BOX-EMPTY", "xmin = xmax = 7"),
        ((1, 1, 70, 50), "E-BOX-OUTSIDE", "xmax 70 > width 64, ymax 50 > height 48"),
        ((-2, 1, 30, 20), "E-BOX-OUTSIDE", "xmin -2 < 0"),
        ((1, 1, 10.0, 20), "W-BOX-FRACTION", "xmax 10.0"),
        ((1, 2, 2, 20), "W-BOX-TINY", "2 x 19 px, a side is shorter than 3"),
    ],
)
def test_box_problems(tmp_path: Path, box: tuple[object, ...], code: str, message: str) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", CAT, ("cat", box))  # type: ignore[arg-type]
    (one,) = lint(tmp_path).findings
    assert (one.file, one.line, one.code, one.message) == ("Annotations/a.xml", 5, code, message)


def test_a_box_with_several_problems_tells_each_once(tmp_path: Path) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", ("cat ", (70.5, 8, 3, 8)))
    assert codes(lint(tmp_path)) == [
        "E-BOX-EMPTY",
        "E-BOX-INVERTED",
        "E-BOX-OUTSIDE",
        "W-BOX-FRACTION",
        "W-LABEL-BLANKS",
    ]


def test_a_box_wholly_outside_is_not_said_to_be_clipped(tmp_path: Path) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", ("cat", (100, 1, 120, 20)))
    (one,) = lint(tmp_path).findings
    assert "clip" not in one.remedy


@pytest.mark.parametrize(("coords", "wrong", "read_as"), [("auto", 0, "zero"), ("zero", 0, "zero"), ("voc", 1, "voc")])
def test_a_corner_of_zero_is_outside_only_where_pixels_count_from_one(
    tmp_path: Path, coords: str, wrong: int, read_as: str
) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", ("cat", (0, 1, 64, 48)))
    result = lint(tmp_path, coords=coords)  # type: ignore[arg-type]
    assert codes(result) == ["E-BOX-OUTSIDE"] * wrong
    assert result.coords == read_as


def test_boxes_are_measured_by_the_image_where_the_size_is_wrong(tmp_path: Path) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", ("cat", (1, 1, 65, 40)), size="640 480 3")
    assert codes(lint(tmp_path)) == ["E-SIZE-MISMATCH", "E-BOX-OUTSIDE"]


def test_without_any_size_nothing_is_outside(tmp_path: Path) -> None:
    write_xml(tmp_path, "a", ("cat", (1, 1, 6500, 40)), size=None)
    result = lint(tmp_path)
    assert codes(result) == ["E-IMAGE-MISSING", "E-SIZE-MISSING"]
    assert "add the image" in result.findings[1].remedy
    assert any("no image was found" in line for line in text_lines(result))


@pytest.mark.parametrize(("min_size", "count"), [(0, 0), (3, 1), (10, 2)])
def test_min_size(tmp_path: Path, min_size: float, count: int) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", ("cat", (5, 5, 6, 40)), ("cat", (5, 5, 12, 40)))
    assert codes(lint(tmp_path, min_size=min_size)) == ["W-BOX-TINY"] * count


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("64 48", []),
        ("64.0 48.0 3", ["E-SIZE-FRACTION"]),
        ("63.5 48 3", ["E-SIZE-FRACTION"]),
        ("63.2 48 3", ["E-SIZE-FRACTION", "E-SIZE-MISMATCH"]),
        ("48 64 3", ["E-SIZE-SWAPPED"]),
        ("-64 48 3", ["E-SIZE-ZERO"]),
        ("nan 48 3", ["E-SIZE-INVALID"]),
        ("64", ["E-SIZE-INVALID"]),
        ("64 48 1", ["W-DEPTH-MISMATCH"]),
        ("64 48 rgb", ["W-DEPTH-MISMATCH"]),
    ],
)
def test_size(tmp_path: Path, size: str, expected: list[str]) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", CAT, size=size)
    assert codes(lint(tmp_path)) == expected


def test_a_grey_image_has_depth_1(tmp_path: Path) -> None:
    write_image(tmp_path, "a.png", grey=True)
    write_xml(tmp_path, "a", CAT, size="64 48 1", filename="a.png")
    write_image(tmp_path, "b.png", grey=True)
    write_xml(tmp_path, "b", CAT, size="64 48 3", filename="b.png")
    assert [(f.code, f.file) for f in lint(tmp_path).findings] == [("W-DEPTH-MISMATCH", "Annotations/b.xml")]


def turn(path: Path, orientation: int) -> None:
    """Put an EXIF orientation into a JPEG."""
    data = path.read_bytes()
    tag = b"\x01\x12\0\x03\0\0\0\x01" + orientation.to_bytes(2, "big") + b"\0\0"
    body = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + tag + b"\0\0\0\0"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:])


@pytest.mark.parametrize(
    ("orientation", "size", "expected", "says"),
    [
        (1, "64 48 3", [], ""),
        (6, "48 64 3", ["W-IMAGE-EXIF"], "that of the displayed picture"),
        (6, "64 48 3", ["W-IMAGE-EXIF"], "that of the stored picture"),
        (6, "10 10 3", ["E-SIZE-MISMATCH", "W-IMAGE-EXIF"], "no <size> tells"),
        (3, "64 48 3", ["W-IMAGE-EXIF"], "both sizes are equal"),
    ],
)
def test_exif(tmp_path: Path, orientation: int, size: str, expected: list[str], says: str) -> None:
    turn(write_image(tmp_path, "a.jpg"), orientation)
    write_xml(tmp_path, "a", ("cat", (1, 1, 40, 40)), size=size)
    result = lint(tmp_path)
    assert codes(result) == expected
    assert not expected or says in result.findings[-1].message


@pytest.mark.parametrize(
    ("filename", "count"),
    [("a.jpg", 0), ("a", 0), ("C:\\data\\a.jpg", 0), ("../x/a.jpg", 0), ("a.png", 1), ("b.jpg", 1), ("a.JPG", 1)],
)
def test_filename(tmp_path: Path, filename: str, count: int) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", CAT, filename=filename)
    assert codes(lint(tmp_path)) == ["W-FILENAME-MISMATCH"] * count


def test_an_image_that_only_filename_names_is_found_and_checked(tmp_path: Path) -> None:
    write_image(tmp_path, "photo.jpg")
    write_xml(tmp_path, "a", CAT, filename="photo.jpg", size="640 480 3")
    assert codes(lint(tmp_path)) == ["W-FILENAME-MISMATCH", "E-SIZE-MISMATCH"]


def test_similar_labels_are_told_once_by_the_rarer_spelling(tmp_path: Path) -> None:
    for i, labels in enumerate(
        [("traffic light", "dog"), ("traffic light", "Traffic_Light"), ("Traffic_Light ", "dog")]
    ):
        write_image(tmp_path, f"a{i}.jpg")
        write_xml(tmp_path, f"a{i}", *((label, (5 + k, 5, 40, 40)) for k, label in enumerate(labels)))
    write_xml(tmp_path, "a0", ("traffic light", (1, 1, 9, 9)), ("traffic light", (2, 1, 9, 9)), CAT)
    found = [f for f in lint(tmp_path).findings if f.code == "W-LABEL-SIMILAR"]
    (one,) = found
    assert (one.file, one.line) == ("Annotations/a1.xml", 5)
    assert one.message == "'Traffic_Light' (2x) is nearly 'traffic light' (3x)"
    assert one.remedy == "datatools voc rename --map 'Traffic_Light=traffic light'"


def test_parts_are_checked_too(tmp_path: Path) -> None:
    write_image(tmp_path, "a.jpg")
    write_xml(tmp_path, "a", CAT)
    path = tmp_path / "Annotations" / "a.xml"
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>99</xmax><ymax>9</ymax></bndbox></part>"
    path.write_text(path.read_text().replace("</object>", f"\n{part}</object>"))
    assert [(f.line, f.code) for f in lint(tmp_path).findings] == [(5, "E-BOX-OUTSIDE")]


# --- between the files


def test_copies_and_leaks(clean: Path) -> None:
    images = clean / "JPEGImages"
    shutil.copy(images / "a0.jpg", images / "a1.jpg")  # both in train
    shutil.copy(images / "a0.jpg", images / "a4.jpg")  # in test
    found = [(f.code, Path(f.file).name) for f in lint(clean).findings]
    assert found == [("W-IMAGE-DUPLICATE", "a1.jpg"), ("E-SPLIT-LEAK", "a4.jpg")]


def test_images_that_only_begin_alike_are_no_copies(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        path = write_image(tmp_path, name, (200, 200), seed=5)
        write_xml(tmp_path, path.stem, CAT, size="200 200 3", filename=name)
    data = bytearray(path.read_bytes())
    data[-30] ^= 255
    path.write_bytes(bytes(data))
    assert codes(lint(tmp_path)) == []
    assert codes(lint(tmp_path, deep=True)) == ["E-IMAGE-DAMAGED"]


def test_lists(clean: Path) -> None:
    write_list(clean, "test", "a4", "a3", "ghost")
    found = [(f.file, f.line, f.code) for f in lint(clean).findings]
    assert found == [
        ("ImageSets/Main/test.txt", 2, "E-SPLIT-OVERLAP"),  # a3 is in val and in trainval: told once
        ("ImageSets/Main/test.txt", 3, "E-SPLIT-NO-XML"),
        ("JPEGImages/a5.jpg", 1, "W-SPLIT-UNLISTED"),
    ]


def test_names(clean: Path) -> None:
    write_image(clean, "a0.png")
    write_image(clean, "A5.jpg")
    found = [(f.file, f.code) for f in lint(clean).findings]
    assert found == [
        ("JPEGImages/A5.jpg", "E-XML-MISSING"),
        ("JPEGImages/a0.png", "E-STEM-DUPLICATE"),
        ("JPEGImages/a5.jpg", "W-NAME-CASE"),
    ]


def test_several_trees_are_apart(tmp_path: Path) -> None:
    for tree in ("one", "two"):
        write_image(tmp_path / tree, "a.jpg", seed=len(tree))
        write_xml(tmp_path / tree, "a", CAT)
    shutil.copy(tmp_path / "one/JPEGImages/a.jpg", tmp_path / "two/JPEGImages/a.jpg")
    (one,) = lint(tmp_path).findings
    assert (one.file, one.code) == ("two/JPEGImages/a.jpg", "W-IMAGE-DUPLICATE")
    assert "one/JPEGImages/a.jpg" in one.message


# --- formats, ignoring, baseline


def test_text_lines_have_one_form_and_are_sorted(fixture_defects: Path) -> None:
    result = deep_lint(fixture_defects)
    lines = text_lines(result)[: len(result.findings)]
    assert all(LINE.fullmatch(line) for line in lines)
    keys = [(f.file.encode(), f.line, f.code) for f in result.findings]
    assert keys == sorted(keys)
    assert text_lines(result)[-2].endswith(f"{result.errors} errors, {len(result.findings) - result.errors} warnings")


def whole(result: Lint) -> str:
    return "\n".join(str(line) for line in result.lines())


def test_json(fixture_defects: Path) -> None:
    result = lint(fixture_defects, format="json")
    document = json.loads(whole(result))
    assert document == result.to_json()
    assert document["findings"][0] == {
        "file": "Annotations/box_duplicate.xml",
        "line": 28,
        "code": "W-BOX-DUPLICATE",
        "severity": "warning",
        "message": "'car': the same box stands above",
        "remedy": "datatools voc fix --rule duplicates",
    }


def test_sarif(fixture_defects: Path) -> None:
    log = json.loads(whole(lint(fixture_defects, format="sarif")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert (fixture_defects / place["artifactLocation"]["uri"]).exists()


def test_sarif_names_are_uris(tmp_path: Path) -> None:
    write_xml(tmp_path, "a b#ä", CAT)
    log = json.loads(whole(lint(tmp_path, format="sarif")))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "Annotations/a%20b%23%C3%A4.xml"


def test_junit(fixture_defects: Path, clean: Path) -> None:
    result = lint(fixture_defects, format="junit")
    suite = ET.fromstring(whole(result).encode())[0]
    assert int(suite.attrib["tests"]) == len(suite) == len(result.findings)
    assert int(suite.attrib["failures"]) == len(suite.findall("*/failure")) == result.errors
    (case,) = ET.fromstring(whole(lint(clean, format="junit")).encode())[0]
    assert len(case) == 0


def test_ignore(fixture_defects: Path) -> None:
    every = lint(fixture_defects)
    some = lint(fixture_defects, ignore=("E-XML-DTD,w-box-tiny", "E-SIZE-ZERO"))
    assert set(codes(every)) - set(codes(some)) == {"E-XML-DTD", "W-BOX-TINY", "E-SIZE-ZERO"}


def test_an_unknown_code_is_a_usage_error_with_the_nearest(clean: Path) -> None:
    with pytest.raises(UsageError, match=r"E-BOX-OUTSID.*did you mean E-BOX-OUTSIDE"):
        lint(clean, ignore=("E-BOX-OUTSID",))


def test_baseline_hides_what_was_there_whatever_its_line(clean: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    write_xml(clean, "a0", ("cat", (1, 1, 99, 40)), CAT)
    baseline.write_text(whole(lint(clean, format="json")))
    write_xml(clean, "a0", CAT, ("cat", (1, 1, 99, 40)))
    result = lint(clean, baseline=baseline)
    assert result.findings == ()
    assert result.known == 1
    assert "1 finding of the baseline not shown" in text_lines(result)
    write_xml(clean, "a0", CAT, ("cat", (1, 1, 99, 40)), ("dog", (1, 2, 99, 40)))
    assert codes(lint(clean, baseline=baseline)) == ["E-BOX-OUTSIDE"]


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b'{"findings": [1]}', b'{"findings": [{}]}', b"\xff"])
def test_a_baseline_that_is_none_is_a_usage_error(clean: Path, tmp_path: Path, content: bytes | None) -> None:
    baseline = tmp_path / "baseline.json"
    if content is not None:
        baseline.write_bytes(content)
    with pytest.raises(UsageError, match="baseline"):
        lint(clean, baseline=baseline)


# --- odd input


def test_an_empty_folder_is_a_set_without_findings(tmp_path: Path) -> None:
    result = lint(tmp_path)
    assert result.findings == ()
    assert (result.files, result.images) == (0, 0)
    assert text_lines(result)


def test_no_folder_and_bad_bounds_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        lint(tmp_path / "nothing")
    with pytest.raises(UsageError, match="--min-size"):
        lint(tmp_path, min_size=-1)


def test_names_and_labels_cannot_forge_lines(tmp_path: Path) -> None:
    write_xml(tmp_path, "a\nb: E-XML-DTD error", ("x\x85\u202ey ", (1, 1, 9, 9)))
    result = lint(tmp_path)
    assert all(line.isprintable() for line in text_lines(result))
    assert len(codes(result)) == 2
    ET.fromstring(whole(lint(tmp_path, format="junit")).encode())


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    write_xml(tmp_path, "a", CAT)
    odd = Path(str(tmp_path / "Annotations" / "a.xml").replace("a.xml", "\udcff.xml"))
    (tmp_path / "Annotations" / "a.xml").rename(odd)
    for format in ("text", "json", "sarif", "junit"):
        whole(lint(tmp_path, format=format)).encode()


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\x1f\x8b\x08\0", b"<annotation>", b"\0" * 100, b"<a/><b/>"])
def test_what_is_no_xml_is_a_finding(clean: Path, data: bytes) -> None:
    (clean / "Annotations" / "a3.xml").write_bytes(data)
    (one,) = lint(clean).findings
    assert (one.file, one.code) == ("Annotations/a3.xml", "E-XML-BROKEN")


def test_what_is_no_image_is_a_finding(clean: Path) -> None:
    (clean / "JPEGImages" / "a3.jpg").write_bytes(b"")
    (clean / "JPEGImages" / "a4.jpg").write_bytes(b"")
    assert codes(lint(clean, deep=True)) == ["E-IMAGE-UNREADABLE", "E-IMAGE-UNREADABLE"]


def test_damaged_files_never_stop_the_others(tmp_path: Path, fixture_voc: Path) -> None:
    rng = np.random.default_rng(7)
    write_image(tmp_path, "a0.jpg")
    for i, path in enumerate(sorted((fixture_voc / "Annotations").iterdir()) * 4):
        data = bytearray(path.read_bytes())
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            data[at] = rng.integers(0, 256)
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        (tmp_path / "Annotations" / f"a{i}.xml").write_bytes(data[: rng.integers(len(data) // 2, len(data) * 2)])
    result = lint(tmp_path)
    assert result.files == 160
    assert "E-XML-BROKEN" in codes(result)
    assert all(LINE.fullmatch(str(f)) for f in result.findings)


def test_the_order_of_the_work_does_not_matter(fixture_defects: Path) -> None:
    class Backwards(Run):
        def map(self, function: Callable, items: list, label: str, lost: object = None) -> list:  # type: ignore[override,type-arg]
            return [function(item) for item in reversed(items)][::-1]

    assert lint(fixture_defects, run=Backwards()) == lint(fixture_defects)


def test_the_command(fixture_defects: Path, clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from datatools.cli.app import main

    assert main(["voc", "lint", str(clean)]) == 0
    assert main(["voc", "lint", str(fixture_defects), "--format", "sarif", "--ignore", "E-XML-DTD"]) == 1
    capsys.readouterr()
    assert main(["voc", "lint", str(fixture_defects), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["findings"]) > 30
    assert main(["voc", "lint", str(fixture_defects), "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["findings"]) > 30
    assert main(["voc", "lint", str(clean), "--ignore", "E-NONE"]) == 2


# --- the real sets


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bccd", {}),
        ("microcontrollers", {}),
        ("radar_xml", {"E-IMAGE-MISSING": 375, "E-SIZE-ZERO": 251}),
        ("robosub", {"E-IMAGE-MISSING": 152, "E-SIZE-MISSING": 191}),
        ("vott_unicode", {"W-BOX-FRACTION": 41, "W-IMAGE-DUPLICATE": 6}),
    ],
)
def test_the_real_sets(shared_voc: Path, name: str, expected: dict[str, int]) -> None:
    assert Counter(codes(lint(shared_voc / name, deep=True))) == expected
