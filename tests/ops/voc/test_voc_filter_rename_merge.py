"""voc filter, rename, merge: lossless edits, true lists, no collisions."""

import json
from pathlib import Path

import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.io.voc.layout import open_set
from datatools.io.voc.scan import read_table
from datatools.ops.voc.derived import stems
from datatools.ops.voc.filter import filter
from datatools.ops.voc.merge import merge
from datatools.ops.voc.rename import rename


def xml(stem: str, *objects: tuple[str, int, int], corner: int = 1) -> bytes:
    """Windows line ends, a comment, an unknown tag: all that an edit has to keep. objects: name, side, difficult."""
    lines = ["<annotation>", f"\t<filename>{stem}.jpg</filename>", "\t<!-- by hand -->", "\t<mood>good</mood>"]
    for name, side, difficult in objects:
        box = f"<xmin>{corner}</xmin><ymin>{corner}</ymin><xmax>{side}</xmax><ymax>{side}</ymax>"
        lines += ["\t<object>", f"\t\t<name>{name}</name>", f"\t\t<difficult>{difficult}</difficult>"]
        lines += [f"\t\t<bndbox>{box}</bndbox>", "\t</object>"]
    return "\r\n".join([*lines, "</annotation>", ""]).encode()


def make(root: Path, items: dict[str, bytes], lists: dict[str, str] | None = None) -> Dataset:
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for stem, data in items.items():
        (root / f"Annotations/{stem}.xml").write_bytes(data)
        (root / f"JPEGImages/{stem}.jpg").write_bytes(f"{root.name} {stem}".encode())
    for name, ids in (lists or {}).items():
        (root / f"ImageSets/Main/{name}.txt").write_text(ids)
    return Dataset(root)


def files(root: Path) -> dict[str, bytes]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file() and ".datatools" not in p.parts)  # that holds times
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


def classes(root: Path) -> tuple[str, ...]:
    return read_table(open_set(root)).classes


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    items = {
        "a": xml("a", ("cat", 10, 0), ("dog", 20, 0)),
        "b": xml("b", ("dog", 5, 1)),
        "c": xml("c", ("cat", 10, 1)),
        "d": xml("d"),
    }
    lists = {
        "train": "a\nb\nc\n",
        "val": "d\n",
        "cat_train": "a  1\nb -1\nc  0\n",
        "dog_train": "a  1\nb  0\nc -1\n",
        "notes": "mine",
    }
    src = make(tmp_path / "src", items, lists)
    (src / "labelmap.txt").write_text("background:0,0,0::\ndog:1,2,3::\ncat:4,5,6::\n")
    (src / "README.md").write_text("hello")
    return src


def test_filter_changes_only_what_it_names(small: Dataset, tmp_path: Path) -> None:
    before = files(small)
    result = filter(small, out=tmp_path / "out", drop=("dog",))
    after = files(tmp_path / "out")
    assert after.pop("run.json")
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"Annotations/a.xml", "Annotations/b.xml", "labelmap.txt", "ImageSets/Main/dog_train.txt"}
    assert after["Annotations/a.xml"] == xml("a", ("cat", 10, 0))
    assert after["Annotations/b.xml"] == xml("b")
    assert after["labelmap.txt"] == b"background:0,0,0::\ncat:4,5,6::\n"
    assert "ImageSets/Main/dog_train.txt" not in after
    assert (result.objects, result.removed, result.kept) == ({"cat": 2}, {"dog": 2}, 4)
    assert files(small) == before
    assert (tmp_path / "out/Annotations/d.xml").stat().st_nlink == 1
    assert (tmp_path / "out/JPEGImages/d.jpg").stat().st_nlink == 2


def test_filter_keep_and_drop_empty(small: Dataset, tmp_path: Path) -> None:
    result = filter(small, out=tmp_path / "out", keep=("cat",), drop_empty=True)
    after = files(tmp_path / "out")
    assert result.dropped == ("b", "d")
    assert sorted(n for n in after if n.startswith(("Ann", "JPEG"))) == [
        "Annotations/a.xml", "Annotations/c.xml", "JPEGImages/a.jpg", "JPEGImages/c.jpg",
    ]  # fmt: skip
    assert after["ImageSets/Main/train.txt"] == b"a\nc\n"
    assert after["ImageSets/Main/val.txt"] == b""
    assert after["ImageSets/Main/cat_train.txt"] == b"a  1\nc  0\n"
    assert after["ImageSets/Main/notes.txt"] == b"mine"


def test_filter_by_area(small: Dataset, tmp_path: Path) -> None:
    result = filter(small, out=tmp_path / "out", min_area=100)  # 1-based corners: (1, 10) is 10 x 10
    assert result.removed == {"dog": 1}
    assert (tmp_path / "out/ImageSets/Main/dog_train.txt").read_bytes() == b"a  1\nb -1\nc -1\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"keep": ("cats",)}, "did you mean 'cat'"),
        ({"drop": ("zebra",)}, "no class 'zebra'"),
        ({"keep": ("cat",), "drop": ("dog",)}, "exclude each other"),
        ({}, "nothing to filter by"),
        ({"min_area": -1.0}, "at least 0"),
    ],
)
def test_filter_refuses(small: Dataset, tmp_path: Path, words: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        filter(small, out=tmp_path / "out", **words)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_broken_xml_is_left_out_and_named(small: Dataset, tmp_path: Path) -> None:
    (small / "Annotations/c.xml").write_bytes(b"<annotation>")
    result = filter(small, out=tmp_path / "out", keep=("cat",))
    assert [f.path for f in result.failures] == ["Annotations/c.xml"]
    assert (result.items, result.kept, result.problems) == (4, 3, 1)
    assert not (tmp_path / "out/JPEGImages/c.jpg").exists()
    assert (tmp_path / "out/ImageSets/Main/train.txt").read_bytes() == b"a\nb\n"


def test_rename_changes_names_alone(small: Dataset, tmp_path: Path) -> None:
    result = rename(small, out=tmp_path / "out", map=("cat=chat & fils",))
    after = files(tmp_path / "out")
    assert after["Annotations/a.xml"] == xml("a", ("chat &amp; fils", 10, 0), ("dog", 20, 0))
    assert after["Annotations/b.xml"] == xml("b", ("dog", 5, 1))
    assert after["labelmap.txt"] == b"background:0,0,0::\ndog:1,2,3::\nchat & fils:4,5,6::\n"
    assert after["ImageSets/Main/chat & fils_train.txt"] == b"a  1\nb -1\nc  0\n"
    assert "ImageSets/Main/cat_train.txt" not in after
    assert result.renamed == {"cat": 2}


def test_two_classes_become_one(small: Dataset, tmp_path: Path) -> None:
    result = rename(small, out=tmp_path / "out", map=("cat=dog",))
    assert classes(tmp_path / "out") == ("dog",)
    assert (tmp_path / "out/ImageSets/Main/dog_train.txt").read_bytes() == b"a  1\nb  0\nc  0\n"
    assert "Several classes are one now: dog" in list(result.lines())


def test_two_names_are_swapped_at_once(small: Dataset, tmp_path: Path) -> None:
    rename(small, out=tmp_path / "out", map=("cat=dog", "dog=cat"))
    assert (tmp_path / "out/Annotations/a.xml").read_bytes() == xml("a", ("dog", 10, 0), ("cat", 20, 0))


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf# mine\r\ncat=bird\r\n\r\ndog=fish=\r\n", b' {"cat": "bird", "dog": "fish="}']
)
def test_names_come_from_a_file(small: Dataset, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "names").write_bytes(content)
    assert rename(small, out=tmp_path / "out", map_file=tmp_path / "names").names == {"cat": "bird", "dog": "fish="}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cta=x",), "did you mean 'cat'"),
        (("cat",), "OLD=NEW"),
        (("cat=",), "no name"),
        (("cat=a\x1bb",), "no name"),
        (("cat=a", "cat=b"), "two names"),
        ((), "nothing to rename"),
    ],
)
def test_rename_refuses(small: Dataset, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rename(small, out=tmp_path / "out", map=words)


@pytest.mark.parametrize("content", [b'{"cat": "a", "cat": "b"}', b'{"cat": 1}', b"cat", b"\xff=a", b'{"cat": NaN}'])
def test_a_bad_file_of_names(small: Dataset, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "names").write_bytes(content)
    with pytest.raises(UsageError):
        rename(small, out=tmp_path / "out", map_file=tmp_path / "names")


def test_a_class_name_never_becomes_a_path(small: Dataset, tmp_path: Path) -> None:
    rename(small, out=tmp_path / "out", map=("cat=../../evil",))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "src"]
    names = {p.name for p in (tmp_path / "out/ImageSets/Main").iterdir()}
    assert names == {"train.txt", "val.txt", "dog_train.txt", "notes.txt"}


def test_merge_keeps_all_apart(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"a": xml("a", ("fox", 9, 0)), "e": xml("e")}, {"train": "e\n", "test": "a\n"})
    (other / "JPEGImages/lonely.jpg").write_bytes(b"no annotation")
    result = merge((small, other), out=tmp_path / "out")
    after = files(tmp_path / "out")
    assert [n for n in after if n.startswith("JPEG")] == [
        f"JPEGImages/{stem}.jpg" for stem in ("b", "c", "d", "e", "lonely", "other_a", "src_a")
    ]
    assert after["Annotations/other_a.xml"] == xml("other_a", ("fox", 9, 0))
    assert after["Annotations/b.xml"] == (small / "Annotations/b.xml").read_bytes()
    assert after["ImageSets/Main/train.txt"] == b"b\nc\ne\nsrc_a\n"
    assert after["ImageSets/Main/test.txt"] == b"other_a\n"
    assert after["classes.txt"] == b"dog\ncat\n"
    assert result.sets == {"src": 4, "other": 3}
    assert result.renamed == {"src_a": "src/a", "other_a": "other/a"}
    assert result.splits == {"train": 4, "val": 1, "test": 1}


def test_merge_is_the_same_every_time(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"A": xml("A")})
    merge((small, other), out=tmp_path / "one")
    merge((small, other), out=tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert (tmp_path / "one/JPEGImages/other_A.jpg").exists()  # a and A are one name on some disks


def test_merge_without_lists_somewhere_has_none(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"e": xml("e")})
    result = merge((small, other), out=tmp_path / "out")
    assert not result.splits
    assert not (tmp_path / "out/ImageSets").exists()
    assert any("other has none" in line for line in result.lines() if isinstance(line, str))


def test_merge_reports_the_same_image_and_leaks(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"x": xml("x"), "y": xml("y", ("cat", 7, 0))}, {"train": "y\n", "val": "x\n"})
    for mine, its in (("a", "x"), ("b", "y")):
        (other / f"JPEGImages/{its}.jpg").write_bytes((small / f"JPEGImages/{mine}.jpg").read_bytes())
    result = merge((small, other), out=tmp_path / "out")
    assert result.duplicates == (("a", "x"), ("b", "y"))
    assert result.leaks == (("a", "x"),)
    assert any(line == "The same image in different splits: a, x" for line in result.lines())


def test_merge_says_when_conventions_differ(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"e": xml("e", ("cat", 9, 0), corner=0)})
    result = merge((small, other), out=tmp_path / "out")
    assert result.coords == {"src": "voc", "other": "zero"}
    assert any("count from 0" in line for line in result.lines() if isinstance(line, str))


def test_merge_leaves_broken_xml_out(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"e": b"<a/>", "f": xml("f")})
    result = merge((small, other), out=tmp_path / "out")
    assert [f.path for f in result.failures] == ["other/Annotations/e.xml"]
    assert not (tmp_path / "out/JPEGImages/e.jpg").exists()


def test_merge_needs_two_sets(small: Dataset, tmp_path: Path) -> None:
    for srcs in ((small,), (small, small)):
        with pytest.raises(UsageError, match="two different sets"):
            merge(srcs, out=tmp_path / "out")


def test_stems_never_collide() -> None:
    keys = ["s/a", "t/a", "u/s_a", "A", "x/" + "n" * 250, "y/" + "n" * 250, "é", "z/e\u0301"]
    found = stems(keys)
    assert list(found) == keys
    assert len({stem.casefold() for stem in found.values()}) == len(keys)
    assert all(len(stem.encode()) <= 255 for stem in found.values())


@pytest.mark.parametrize("how", ["hard", "sym", "copy"])
def test_the_commands(small: Dataset, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = make(tmp_path / "other", {"e": xml("e")})
    names = tmp_path / "names"
    names.write_text("dog=wolf\n")
    end = ["--link", how]
    f = ["voc", "filter", str(small), "-o", str(tmp_path / "f")]
    assert main([*f, "--keep", "cat", "--keep", "dog", "--min-area", "2", "--drop-empty", *end]) == 0
    r = ["voc", "rename", str(small), "-o", str(tmp_path / "r"), "--map", "cat=lynx", "--map-file", str(names)]
    assert main([*r, *end]) == 0
    assert main(["voc", "merge", str(small), str(other), "-o", str(tmp_path / "m"), *end]) == 0
    for name in "frm":
        image = next((tmp_path / name / "JPEGImages").iterdir())
        assert image.is_symlink() is (how == "sym")
    assert classes(tmp_path / "r") == ("wolf", "lynx")
    capsys.readouterr()
    assert main(["voc", "filter", str(small), "-o", str(tmp_path / "n"), "--drop", "dog", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == {"dog": 2}
    assert not (tmp_path / "n").exists()


def test_dry_runs_write_nothing(small: Dataset, tmp_path: Path) -> None:
    other = make(tmp_path / "other", {"e": xml("e")})
    before = files(tmp_path)
    filter(small, out=tmp_path / "o", keep=("cat",), dry_run=True)
    rename(small, out=tmp_path / "o", map=("cat=x",), dry_run=True)
    merge((small, other), out=tmp_path / "o", dry_run=True)
    assert files(tmp_path) == before
