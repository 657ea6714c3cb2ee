"""voc fix and undo: each rule byte for byte, nothing else touched, kills survived."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.ops.voc.fix import fix
from datatools.ops.voc.lint import lint
from datatools.ops.voc.mend import Job, mend_file
from datatools.ops.voc.rules import RULES, Plan, parse_rules
from datatools.ops.voc.undo import undo

JPEG_8X4 = bytes.fromhex("ffd8ffc0001108000400080301110002110103110100ffd9")  # a header; nobody decodes it
BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


def xml(*objects: str, size: str = "<size><width>8</width><height>4</height><depth>3</depth></size>") -> str:
    return f"<annotation><filename>a.jpg</filename>{size}{''.join(objects)}</annotation>\n"


def thing(*corners: object, name: str = "cat") -> str:
    return f"<object><name>{name}</name>{BOX.format(*corners)}</object>"


def make(root: Path, text: str | bytes, image: bytes | None = JPEG_8X4, name: str = "a") -> Path:
    for folder in ("Annotations", "JPEGImages"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "Annotations" / f"{name}.xml").write_bytes(text.encode() if isinstance(text, str) else text)
    if image is not None:
        (root / "JPEGImages" / f"{name}.jpg").write_bytes(image)
    return root


def fixed(root: Path, *rules: str, **options: object) -> bytes:
    fix(root, in_place=True, rule=rules, **options)
    return (root / "Annotations" / "a.xml").read_bytes()


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(root).parts)
    }


def size(width: object, height: object, depth: object = 3) -> str:
    return f"<size><width>{width}</width><height>{height}</height><depth>{depth}</depth></size>"


@pytest.mark.parametrize(
    "wrong", [size(0, 0), size(4, 8), size(9, 9), size("8.0", "4.0"), size("x", ""), size(8, 4, 1), size(-8, 4)]
)
def test_size_comes_from_the_header_of_the_image(tmp_path: Path, wrong: str) -> None:
    assert fixed(make(tmp_path, xml(size=wrong)), "size") == xml().encode()


def test_a_missing_size_is_inserted_and_lint_is_content(tmp_path: Path) -> None:
    text = "<annotation>\n\t<filename>a.jpg</filename>\n</annotation>\n"
    out = fixed(make(tmp_path, text), "size").decode()
    assert "\n\t<size>\n\t\t<width>8</width>\n\t\t<height>4</height>\n\t\t<depth>3</depth>\n\t</size>\n" in out
    assert out.replace(out[out.index("\n\t<size>") : out.index("</size>") + 7], "") == text


def test_without_an_image_decimals_of_the_size_are_rounded_half_up_and_the_rest_stays(tmp_path: Path) -> None:
    assert fixed(make(tmp_path / "1", xml(size=size("8.5", "4.4")), None)) == xml(size=size(9, 4)).encode()
    assert fixed(make(tmp_path / "2", xml(size=size(0, 0)), None)) == xml(size=size(0, 0)).encode()


def with_orientation(value: int) -> bytes:
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([value]) + b"\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    return JPEG_8X4[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + JPEG_8X4[2:]


@pytest.mark.parametrize(
    ("declared", "wanted"), [(size(8, 4), size(8, 4)), (size(4, 8), size(4, 8)), (size(0, 0), size(4, 8))]
)
def test_of_a_turned_image_the_displayed_and_the_stored_size_are_right(
    tmp_path: Path, declared: str, wanted: str
) -> None:
    make(tmp_path, xml(size=declared), with_orientation(6))
    assert fixed(tmp_path, "size") == xml(size=wanted).encode()


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("corners", (5, 1, 2, 3), (2, 1, 5, 3)),
        ("corners", ("5.25", 3, "2.125", 1), ("2.125", 1, "5.25", 3)),
        ("round", ("1.5", "2.4", "3.5", "3.0"), (2, 2, 4, 3)),
        ("round", (" 1.5 ", 1, 3, 3), (2, 1, 3, 3)),
        ("round", ("2.1", 1, "2.3", 3), (2, 1, 3, 3)),  # not to a box without area
        ("round", ("1.234567890123456789", 1, 3, 3), (1, 1, 3, 3)),
        ("clip", (-3, 1, 9, 7), (0, 1, 8, 4)),
        ("clip", (9, 1, 12, 3), (9, 1, 12, 3)),  # nothing of it is in the image
        ("clip", ("nan", 1, 12, 3), ("nan", 1, 12, 3)),
        ("corners,round,clip", ("12.5", 1, "-2.5", 3), (1, 1, 8, 3)),  # no xmin is below 1: counted from 1
    ],
)
def test_boxes(tmp_path: Path, rule: str, before: tuple[object, ...], after: tuple[object, ...]) -> None:
    assert fixed(make(tmp_path, xml(thing(*before))), rule) == xml(thing(*after)).encode()


def test_parts_of_objects_are_mended_too(tmp_path: Path) -> None:
    text = "<object><name>man</name>{}<part><name>head</name>{}</part></object>"
    wrong, right = BOX.format(1, 1, 9, 4), BOX.format(1, 1, 8, 4)
    assert fixed(make(tmp_path / "1", xml(text.format(wrong, wrong)))) == xml(text.format(right, right)).encode()
    comment = text.format(wrong, wrong + "<!-- c -->")
    assert fixed(make(tmp_path / "2", xml(comment))) == xml(text.format(right, right + "<!-- c -->")).encode()


@pytest.mark.parametrize(("coords", "lowest"), [("voc", 1), ("zero", 0), ("auto", 0)])
def test_coords_say_where_the_image_begins(tmp_path: Path, coords: str, lowest: int) -> None:
    assert fixed(make(tmp_path, xml(thing(-1, 0, 3, 3))), coords=coords) == xml(thing(lowest, lowest, 3, 3)).encode()


@pytest.mark.parametrize(("other", "lowest"), [(1, 1), (0, 0)])
def test_the_whole_set_decides_about_a_zero_that_a_swap_brings_to_xmin(tmp_path: Path, other: int, lowest: int) -> None:
    make(tmp_path, xml(thing(5, 1, 0, 3)))
    make(tmp_path, xml(thing(other, 1, 3, 3)).replace("a.jpg", "b.jpg"), name="b")
    assert fixed(tmp_path) == xml(thing(lowest, 1, 5, 3)).encode()


def test_keep_float_boxes_rounds_sizes_alone(tmp_path: Path) -> None:
    make(tmp_path, xml(thing("1.5", 1, 3, 3), size=size("8.0", 4)))
    assert fixed(tmp_path, keep_float_boxes=True) == xml(thing("1.5", 1, 3, 3)).encode()


def test_labels_lose_their_outer_blanks_alone(tmp_path: Path) -> None:
    make(tmp_path, xml(thing(1, 1, 3, 3, name=" traffic  light\t"), thing(2, 2, 3, 3, name=" ")))
    assert fixed(tmp_path) == xml(thing(1, 1, 3, 3, name="traffic  light"), thing(2, 2, 3, 3, name=" ")).encode()


@pytest.mark.parametrize(("said", "wanted"), [("b.png", "a.jpg"), ("a", "a"), ("C:\\x\\a.jpg", "C:\\x\\a.jpg")])
def test_filename_is_that_of_the_image(tmp_path: Path, said: str, wanted: str) -> None:
    make(tmp_path, xml().replace("a.jpg", said))
    assert fixed(tmp_path) == xml().replace("a.jpg", wanted).encode()


def test_a_name_that_xml_gives_a_meaning_to_is_escaped(tmp_path: Path) -> None:
    make(tmp_path, xml().replace("a.jpg", "old.jpg"), name="R&D")
    fix(tmp_path, in_place=True)
    assert (tmp_path / "Annotations" / "R&D.xml").read_bytes() == xml().replace("a.jpg", "R&amp;D.jpg").encode()


def test_of_duplicates_the_first_stays_also_after_other_repairs(tmp_path: Path) -> None:
    twins = (thing(1, 1, 3, 3), thing(1, 1, 3, 3, name="dog"), thing(3, 1, 1, "3.0"), thing(1, 1, 3, 3, name="cat "))
    assert fixed(make(tmp_path, xml(*twins))) == xml(*twins[:2]).encode()


def test_boxes_without_area_go_only_when_that_is_asked_for(tmp_path: Path) -> None:
    text = xml(thing(2, 1, 2, 3), thing(1, 1, 3, 3), thing(20, 1, 22, 3))
    make(tmp_path, text)
    assert fixed(tmp_path) == text.encode()
    assert fixed(tmp_path, "zero-area") == xml(thing(1, 1, 3, 3), thing(20, 1, 22, 3)).encode()
    assert fixed(tmp_path, "default,zero-area") == xml(thing(1, 1, 3, 3)).encode()


ODD = [
    "<?xml version='1.0' encoding='UTF-8'?>\r\n<annotation verified=\"yes\"  a='1'>\r\n\t<!-- keep > me -->\r\n"
    "\t<size>\r\n\t\t<depth>3</depth><height>4</height>\r\n\t\t<width>{w}</width></size>\r\n\t<unknown x='<'/>\r\n"
    "\t<object>\r\n\t\t<bndbox><ymax>{y}</ymax><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax></bndbox>\r\n"
    "\t\t<name><![CDATA[cat]]></name>\r\n\t</object>\r\n</annotation>\r\n\r\n",
    "\ufeff<annotation><?pi x?><size><width>{w}</width><height>4</height><depth>3</depth></size>"
    "<object><name>caf\u00e9 &amp; &#233;</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>{y}</ymax>"
    "</bndbox></object></annotation>",
    "<annotation>\n  <size><width>{w}</width>\n<height>4</height></size>\n  <object><name>\u56fe</name><bndbox><xmin>1"
    "</xmin><ymin>1</ymin><xmax>3</xmax><ymax>{y}</ymax></bndbox><difficult/></object></annotation>",
]


@pytest.mark.parametrize("odd", [text.replace("x='<'", "x='&lt;'") for text in ODD])
def test_only_the_named_texts_change(tmp_path: Path, odd: str) -> None:
    assert fixed(make(tmp_path, odd.format(w="99", y="7"))).decode() == odd.format(w="8", y="4")


def test_latin_1_stays_latin_1(tmp_path: Path) -> None:
    text = "<?xml version='1.0' encoding='iso-8859-1'?>" + xml(thing(1, 1, 3, "{}", name="caf\u00e9"))
    assert fixed(make(tmp_path, text.format(7).encode("latin-1"))) == text.format(4).encode("latin-1")


corner = st.one_of(
    st.integers(-20, 30).map(str), st.floats(-5, 12, allow_nan=False).map(lambda v: f"{v:.3f}"), st.just("")
)
objects = st.lists(
    st.builds(
        lambda name, corners, note: thing(*corners, name=name).replace("</name>", "</name>" + note),
        st.sampled_from(["cat", "cat ", "\tdog", ""]),
        st.tuples(corner, corner, corner, corner),
        st.sampled_from(["", "\n", "<!-- c -->", "<pose/>"]),
    ),
    max_size=4,
)
sizes = st.builds(size, *[st.sampled_from(["8", "4", "0", "8.0", "x", "3"])] * 3) | st.just("")


@settings(max_examples=50, deadline=None)
@given(objects=objects, declared=sizes, image=st.booleans(), low=st.sampled_from([0, 1]))
def test_twice_is_once_and_the_quick_way_is_the_long_way(
    tmp_path_factory: pytest.TempPathFactory, objects: list[str], declared: str, image: bool, low: int
) -> None:
    root = tmp_path_factory.mktemp("set")
    plan = Plan(parse_rules(["default,zero-area"]), low)
    for text in (xml(*objects, size=declared), xml(*objects, size=declared) + "<!-- no plain form -->"):
        make(root, text)
        job = Job(
            f"{root}/Annotations/a.xml", "a.xml", f"{root}/JPEGImages/a.jpg" if image else "", "a.jpg" * image, True
        )
        once = mend_file(job, plan=plan)
        assert not once.failures
        make(root, once.new)
        twice = mend_file(job, plan=plan)
        assert twice.edits == ()
        assert twice.new == once.new
        if text.endswith(">\n"):
            quick = once.new
    assert once.new == quick + b"<!-- no plain form -->"


def test_lint_no_longer_names_what_was_mended(tmp_path: Path) -> None:
    make(
        tmp_path,
        xml(
            thing(5, 1, 2, 3),
            thing("1.5", 1, 3, 3, name=" cat"),
            thing(-1, 1, 20, 3, name="dog"),
            thing("2.0", 1, 5, 3),
            size=size("4.0", 8, 1),
        ).replace("a.jpg", "z.png"),
    )
    codes = {finding.code for finding in lint(tmp_path, min_size=0).findings}
    assert {"E-BOX-INVERTED", "W-BOX-FRACTION", "E-BOX-OUTSIDE", "W-LABEL-BLANKS", "W-FILENAME-MISMATCH"} <= codes
    fix(tmp_path, in_place=True)
    assert not lint(tmp_path, min_size=0).findings


def test_a_copy_is_complete_and_leaves_the_input_alone(tmp_path: Path) -> None:
    src = make(tmp_path / "src", xml(size=size(0, 0)))
    make(src, "<annotation><broken>", name="b")
    make(src, xml().replace("a.jpg", "c.jpg"), name="c")
    (src / "ImageSets" / "Main").mkdir(parents=True)
    (src / "ImageSets" / "Main" / "train.txt").write_text("a\nb\n")
    (src / "classes.txt").write_text("cat\n")
    before = tree(src)
    result = fix(src, out=tmp_path / "out")
    assert tree(src) == before
    after = tree(tmp_path / "out")
    assert after.pop("run.json")
    assert after == {**before, "Annotations/a.xml": xml().encode()}
    assert (result.files_total, result.files_changed, result.problems) == (3, 1, 1)
    assert result.failures[0].path == "Annotations/b.xml"
    assert result.failures[0].code == "E-XML-BROKEN"
    assert list(result.lines())[-1].endswith(f"datatools voc lint {tmp_path}/out")
    assert (tmp_path / "out" / "JPEGImages" / "a.jpg").stat().st_nlink == 2
    assert (tmp_path / "out" / "Annotations" / "c.xml").stat().st_nlink == 1  # never shared with the input


@pytest.mark.parametrize(("link", "is_link"), [("sym", True), ("copy", False)])
def test_images_are_linked_as_asked(tmp_path: Path, link: str, is_link: bool) -> None:
    fix(make(tmp_path / "src", xml()), out=tmp_path / "out", link=link)
    image = tmp_path / "out" / "JPEGImages" / "a.jpg"
    assert (image.is_symlink(), image.read_bytes()) == (is_link, JPEG_8X4)


def test_undo_twice_undoes_two_fixes(tmp_path: Path) -> None:
    make(tmp_path, xml(thing("1.5", 1, 9, 3), size=size(0, 0)))
    states = [tree(tmp_path)]
    for rule in ("size", "round", "clip"):
        result = fix(tmp_path, in_place=True, rule=(rule,))
        assert result.backup is not None
        states.append(tree(tmp_path))
    assert undo(tmp_path, dry_run=True).replaced == ("Annotations/a.xml",)
    for state in (states[2], states[1], states[0]):
        assert undo(tmp_path).reason == "voc fix"
        assert tree(tmp_path) == state
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(tmp_path)


def test_a_clean_set_makes_no_backup(tmp_path: Path) -> None:
    result = fix(make(tmp_path, xml(thing(1, 1, 3, 3))), in_place=True)
    assert (result.backup, result.files_changed, result.problems) == (None, 0, 0)


def test_links_are_refused_in_place_and_the_others_are_mended(tmp_path: Path) -> None:
    src = make(tmp_path / "src", xml(size=size(0, 0)))
    make(src, xml(size=size(0, 0)).replace("a.jpg", "b.jpg"), name="b")
    os.link(src / "Annotations" / "b.xml", tmp_path / "elsewhere.xml")
    result = fix(src, in_place=True)
    assert [(f.path, f.code) for f in result.failures] == [("Annotations/b.xml", "E-FILE-LINK")]
    assert (result.files_changed, result.edits) == (1, {"size": 2})
    assert (src / "Annotations" / "a.xml").read_bytes() == xml().encode()
    assert b"<width>0<" in (tmp_path / "elsewhere.xml").read_bytes()


def test_dry_run_shows_a_diff_and_writes_nothing(tmp_path: Path) -> None:
    make(tmp_path, xml(size="\r\n<size>\r\n<width>0</width>\r\n<height>4</height>\r\n<depth>3</depth></size>"))
    before = tree(tmp_path)
    result = fix(tmp_path, dry_run=True)
    assert tree(tmp_path) == before
    assert not (tmp_path / ".datatools").exists()
    lines = result.diff[0].split("\n")
    assert lines[:3] == ["--- a/Annotations/a.xml", "+++ b/Annotations/a.xml", "@@ -2,3 +2,3 @@"]
    assert "-<width>0</width>" in lines
    assert "+<width>8</width>" in lines
    assert fix(tmp_path, dry_run=True, out=tmp_path / "out").files_changed == 1
    assert not (tmp_path / "out").exists()


def test_wrong_calls(tmp_path: Path) -> None:
    make(tmp_path, xml())
    with pytest.raises(UsageError, match=r"-o OUT .* --in-place"):
        fix(tmp_path)
    with pytest.raises(UsageError, match="not both"):
        fix(tmp_path, out=tmp_path / "x", in_place=True)
    with pytest.raises(UsageError, match="did you mean corners"):
        fix(tmp_path, in_place=True, rule=("corner",))
    with pytest.raises(UsageError, match="not a folder"):
        undo(tmp_path / "none")


def turned_jpeg() -> bytes:
    import numpy as np

    from datatools.io.images import encode_jpeg

    tagged = with_orientation(6)
    exif = tagged[2 : 4 + int.from_bytes(tagged[4:6], "big")]
    data = encode_jpeg(np.zeros((4, 8, 3), np.uint8))
    return data[:2] + exif + data[2:]


def test_exif_turns_the_pixels_where_the_boxes_mean_the_displayed_picture(tmp_path: Path) -> None:
    make(tmp_path, xml(size=size(4, 8)), turned_jpeg())
    assert fix(tmp_path, in_place=True).backup is None  # not one of the default rules
    result = fix(tmp_path, in_place=True, rule=("exif", "size"))
    assert (result.images_changed, result.files_changed, result.edits) == (1, 0, {"exif": 1})
    assert (tmp_path / "Annotations" / "a.xml").read_bytes() == xml(size=size(4, 8)).encode()
    assert not lint(tmp_path, deep=True).findings
    undo(tmp_path)
    assert (tmp_path / "JPEGImages" / "a.jpg").read_bytes() == turned_jpeg()


def test_exif_takes_the_tag_back_where_the_boxes_mean_the_stored_picture(tmp_path: Path) -> None:
    src = make(tmp_path / "src", xml(), turned_jpeg())
    result = fix(src, out=tmp_path / "out", rule=("all",))
    assert (result.images_changed, result.files_changed) == (1, 0)
    assert (src / "JPEGImages" / "a.jpg").read_bytes() == turned_jpeg()
    assert len((tmp_path / "out" / "JPEGImages" / "a.jpg").read_bytes()) == len(turned_jpeg())
    assert not lint(tmp_path / "out", deep=True).findings


def test_rules_are_documented_and_named() -> None:
    assert parse_rules(["all"]) == set(RULES)
    assert all(f"      {rule} " in fix.function.__doc__ for rule in RULES)


def test_an_empty_set(tmp_path: Path) -> None:
    assert fix(tmp_path, in_place=True).files_total == 0


def test_an_unreadable_image_is_named_and_the_rest_is_mended(tmp_path: Path) -> None:
    make(tmp_path, xml(thing("1.5", 1, 3, 3)), b"<html>404</html>")
    result = fix(tmp_path, in_place=True)
    assert [(f.path, f.code) for f in result.failures] == [("JPEGImages/a.jpg", "E-IMAGE-UNREADABLE")]
    assert result.edits == {"round": 1}


FIX_FOREVER = """
import os, signal, sys
from pathlib import Path
from datatools.io import atomic, backup, images, voc
from datatools.io.voc import edit, layout, pieces
from datatools.ops.voc.fix import fix
for _ in sys.stdin:
    pid = os.fork()
    if not pid:
        fix(Path(sys.argv[1]), in_place=True)
        signal.pause()
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("dead", flush=True)
"""


def test_killed_at_any_moment_each_file_is_old_or_new_and_undo_gives_the_originals_back(tmp_path: Path) -> None:
    rng = random.Random(3)
    old, new = {}, {}
    for i in range(300):
        text = xml(thing(1, 1, 3, 3), size=size("{}", 4)).replace("a.jpg", f"{i}.jpg")
        make(tmp_path, text.format(0), name=str(i))
        old[f"{i}.xml"], new[f"{i}.xml"] = text.format(0).encode(), text.format(8).encode()
    done = []
    command = [sys.executable, "-c", FIX_FOREVER, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        for _ in range(20):
            print(file=server.stdin, flush=True)
            pid = int(server.stdout.readline())
            time.sleep(rng.uniform(0.0, 0.08))
            os.kill(pid, signal.SIGKILL)
            assert server.stdout.readline() == "dead\n"
            found = tree(tmp_path / "Annotations")
            assert found.keys() == old.keys()
            assert all(data in (old[name], new[name]) for name, data in found.items())
            done.append(sum(found[name] == new[name] for name in new))
            if done[-1] == len(new):  # go on with the originals
                while tree(tmp_path / "Annotations") != old:
                    undo(tmp_path)
    assert min(done) < len(new)  # some were killed early enough
    fix(tmp_path, in_place=True)
    assert tree(tmp_path / "Annotations") == new
    assert not list(tmp_path.rglob(".dt-tmp-*"))
    while tree(tmp_path / "Annotations") != old:
        undo(tmp_path)


@pytest.mark.parametrize("stem", [b"\xff\xfe", b"a\x1b[31m"])
def test_a_name_that_xml_cannot_hold_is_named_and_the_rest_mended(tmp_path: Path, stem: bytes) -> None:
    root = os.fsencode(tmp_path / "set")
    os.makedirs(root)
    ok, jpeg = cv2.imencode(".jpg", np.zeros((6, 8, 3), np.uint8))
    assert ok
    with open(root + b"/" + stem + b".jpg", "wb") as file:
        file.write(jpeg.tobytes())
    with open(root + b"/" + stem + b".xml", "wb") as file:
        file.write(
            b"<annotation><filename>b.jpg</filename><size><width>9</width><height>6</height></size></annotation>"
        )
    result = fix(Dataset(tmp_path / "set"), out=tmp_path / "out")
    assert [failure.code for failure in result.failures] == ["E-TEXT-CONTROL"]
    with open(os.fsencode(tmp_path / "out") + b"/" + stem + b".xml", "rb") as file:
        assert file.read() == (
            b"<annotation><filename>b.jpg</filename><size><width>8</width><height>6</height></size></annotation>"
        )
