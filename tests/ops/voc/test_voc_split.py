"""datatools voc split: every option once, on sets of a few files."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.ops.voc.split import split

OBJECT = "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"  # noqa: E501


def add(root: Path, name: str, objects: Sequence[str | tuple[str, int]] = ("cat",), image: bytes | None = None) -> None:
    """One image with its XML; an object is a label, or a label and whether it is difficult."""
    text = "".join(OBJECT.format(*((o, 0) if isinstance(o, str) else o)) for o in objects)
    folder = name.rpartition("/")[0]
    xml = f"<annotation><folder>{folder or 'here'}</folder><filename>{name}.jpg</filename>{text}</annotation>"
    for where, suffix, data in (
        ("Annotations", ".xml", xml.encode()),
        ("JPEGImages", ".jpg", f"picture {root} {name}".encode() if image is None else image),
    ):
        path = root / where / (name + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Twenty images: a cat in each, a dog in ten, a horse in five."""
    root = tmp_path / "set"
    for i in range(20):
        add(root, f"{i * 7:06d}", ["cat"] + ["dog"] * (i % 2) + ["horse"] * (i % 4 == 0))
    return root


def read(root: Path, name: str) -> list[str]:
    data = (root / "ImageSets" / "Main" / f"{name}.txt").read_bytes()
    assert b"\r" not in data
    assert not data or data.endswith(b"\n")
    return data.decode().split("\n")[:-1]


def listing(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_lists(voc):
    result = split(voc)
    parts = {name: read(voc, name) for name in ("train", "val", "test", "trainval")}
    assert {name: len(ids) for name, ids in parts.items()} == {"train": 16, "val": 2, "test": 2, "trainval": 18}
    assert sorted(parts["train"] + parts["val"] + parts["test"]) == [f"{i * 7:06d}" for i in range(20)]
    assert parts["trainval"] == sorted(parts["train"] + parts["val"])
    assert all(ids == sorted(ids) for ids in parts.values())
    assert result.sizes == result.wanted == {"train": 16, "val": 2, "test": 2}
    by_class = {row.name: row for row in result.balance}
    assert by_class["cat"].objects == (16, 2, 2)
    assert by_class["dog"].objects == (8, 1, 1)
    assert by_class["dog"].errors == (0.0, 0.0, 0.0)
    assert by_class["horse"].objects == (4, 1, 0) or by_class["horse"].objects == (4, 0, 1)
    assert by_class["horse"].errors[1:] == (None, None)  # half an object is due: nobody judges that
    assert result.worst_error == 0
    assert result.leaks == ()
    assert result.problems == 0


def test_second_run_writes_nothing(voc):
    split(voc)
    before = {p: p.stat().st_mtime_ns for p in voc.rglob("*")}
    result = split(voc)
    assert result.lists == ()
    assert result.unchanged == 4
    assert any("nothing to write" in line for line in result.lines() if isinstance(line, str))
    assert {p: p.stat().st_mtime_ns for p in voc.rglob("*")} == before


def test_dry_run_writes_nothing(voc):
    before = listing(voc)
    result = split(voc, dry_run=True)
    assert len(result.lists) == 4
    assert result.written == ()
    assert listing(voc) == before


def test_undo_gives_the_old_lists_back(voc):
    from datatools.io import backup

    old = voc / "ImageSets" / "Main" / "train.txt"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"000000\r\n")
    assert split(voc).backup is not None
    assert old.read_bytes() != b"000000\r\n"
    backup.restore(voc)
    assert old.read_bytes() == b"000000\r\n"
    assert not old.with_name("val.txt").exists()


def test_out(voc, tmp_path):
    before = listing(voc)
    split(voc, out=tmp_path / "lists")
    assert listing(voc) == before
    assert len(read(tmp_path / "lists", "train")) == 16


def test_several_trees(tmp_path):
    for year in ("VOC2007", "VOC2012"):
        for i in range(10):
            add(tmp_path / year, f"{i:04d}", ["cat"])
    split(tmp_path)
    parts = [read(tmp_path / year, name) for year in ("VOC2007", "VOC2012") for name in ("train", "val", "test")]
    assert sum(map(len, parts)) == 20
    split(tmp_path, out=tmp_path / "o", seed=1)
    assert (tmp_path / "o" / "VOC2012" / "ImageSets" / "Main" / "val.txt").exists()


def test_two_trees_with_one_folder_of_lists(tmp_path):
    for i in range(10):
        add(tmp_path, f"{i:04d}")
        second = tmp_path / "Labels" / f"{i:04d}.xml"
        second.parent.mkdir(exist_ok=True)
        second.write_bytes((tmp_path / "Annotations" / f"{i:04d}.xml").read_bytes())
    split(tmp_path)
    parts = [read(tmp_path, name) for name in ("train", "val", "test")]
    assert sorted(i for ids in parts for i in ids) == [f"{i:04d}" for i in range(10)]


def test_out_is_extended_where_it_has_lists(voc, tmp_path):
    split(voc, seed=1)
    split(voc, out=tmp_path / "o", extend=True, seed=9)
    assert read(tmp_path / "o", "test") == read(voc, "test")
    (tmp_path / "o" / "ImageSets" / "Main" / "test.txt").write_text("")
    split(voc, out=tmp_path / "o", extend=True, test=0.0, val=0.1, train=0.9)
    assert read(tmp_path / "o", "test") == []


def test_trainval_alone_is_for_training(voc):
    lists = voc / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "trainval.txt").write_text("000000\n000007\n")
    (lists / "test.txt").write_text("000014\n")
    split(voc, extend=True)
    assert {"000000", "000007"} <= set(read(voc, "train"))
    assert "000014" in read(voc, "test")


def test_empty_set(tmp_path):
    result = split(tmp_path)
    assert result.lists == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shares", "sizes"),
    [
        ({"train": 0.5, "val": 0.25, "test": 0.25}, (10, 5, 5)),
        ({"train": 0.9, "val": 0.1}, (18, 2, 0)),
        ({"train": 0.7, "val": 0.2}, (14, 4, 2)),
        ({"trainval": 0.9, "train_of_trainval": 0.5}, (9, 9, 2)),
        ({"trainval": 1.0}, (18, 2, 0)),
        ({"train": 1 / 3, "val": 1 / 3, "test": 1 / 3}, (7, 7, 6)),
    ],
)
def test_shares(voc, shares, sizes):
    assert tuple(split(voc, **shares, dry_run=True).sizes.values()) == sizes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 0.8, "trainval": 0.9}, "not both"),
        ({"train": 0.5}, r"must sum to 1, they sum to 0\.7 \(train 0\.5, val 0\.1 by default"),
        ({"train": 0.5, "val": 0.5, "test": 0.5}, r"sum to 1\.5"),
        ({"train": float("nan")}, "must be a number"),
        ({"train": float("inf")}, "must be at most 1"),
        ({"val": -0.1}, "at least 0"),
        ({"folds": 3, "train": 0.5}, "does not go with shares"),
        ({"folds": 3, "extend": True}, "does not go with --folds"),
        ({"group": "("}, "no regular expression"),
        ({"group": "xml:../x"}, "no tag"),
        ({"group": "csv:absent.csv"}, "cannot be read"),
    ],
)
def test_wrong_calls(voc, options, message):
    before = listing(voc)
    with pytest.raises(UsageError, match=message):
        split(voc, **options)
    assert listing(voc) == before


def test_without_stratify(voc):
    assert split(voc, stratify=False, dry_run=True).sizes == {"train": 16, "val": 2, "test": 2}


def test_folds(voc):
    result = split(voc, folds=3)
    vals = [read(voc, f"fold_{k}_val") for k in range(3)]
    assert sorted(map(len, vals)) == [6, 7, 7]
    assert len({i for ids in vals for i in ids}) == 20
    for k in range(3):
        assert set(read(voc, f"fold_{k}_train")) == {i for ids in vals for i in ids} - set(vals[k])
    assert not (voc / "ImageSets" / "Main" / "train.txt").exists()
    assert list(result.sizes) == ["fold_0", "fold_1", "fold_2"]


def grouped(root: Path) -> dict[str, str]:
    """Six videos of five frames in a folder each, and the group of each id."""
    ids = {f"place{v % 2}/video{v}_{f:03d}": f"video{v}" for v in range(6) for f in range(5)}
    for i in ids:
        add(root, i)
    return ids


def assert_whole(root: Path, groups: dict[str, str]) -> None:
    of_split = {name: {groups[i] for i in read(root, name)} for name in ("train", "val", "test")}
    assert sum(map(len, of_split.values())) == len(set(groups.values()))


def test_group_by_expression(tmp_path):
    groups = grouped(tmp_path)
    result = split(tmp_path, group=r"(video\d)_", train=0.6, val=0.2, test=0.2, strict=True)
    assert_whole(tmp_path, groups)
    assert result.groups == 6
    assert result.leaks == ()
    assert max(abs(result.sizes[s] - result.wanted[s]) for s in result.sizes) <= 5


def test_group_by_folder(tmp_path):
    groups = grouped(tmp_path)
    split(tmp_path, group="parent", train=0.5, val=0.5)
    assert_whole(tmp_path, {i: i.partition("/")[0] for i in groups})


def test_group_by_tag(tmp_path):
    groups = grouped(tmp_path)
    split(tmp_path, group="xml:folder", train=0.5, val=0.5)
    assert_whole(tmp_path, {i: i.partition("/")[0] for i in groups})


def test_group_by_table(tmp_path):
    groups = grouped(tmp_path / "set")
    table = tmp_path / "groups.csv"
    table.write_text("id,group\n" + "".join(f"{i},{g}\r\n" for i, g in list(groups.items())[:25]))
    result = split(tmp_path / "set", group=f"csv:{table}")
    assert (result.groups, result.ungrouped) == (5, 5)
    assert_whole(tmp_path / "set", {i: g if g != "video5" else i for i, g in groups.items()})


@pytest.mark.parametrize(
    ("text", "message"),
    [("000000,a\n000007\n", ":2: two columns"), ("000000,a\n000000,b\n", ":2: 000000 is in two"), ("x,a\n", "none of")],
)
def test_bad_tables(voc, tmp_path, text, message):
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        split(voc, group=f"csv:{tmp_path / 'g.csv'}")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=25), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_groups_never_cross(tmp_path_factory, members, seed):
    root = tmp_path_factory.mktemp("groups")
    groups = {f"g{g}-x{i}": f"g{g}" for i, g in enumerate(members)}
    for i in groups:
        add(root, i)
    split(root, group="^(g[0-9])", seed=seed)
    assert_whole(root, groups)
    assert sorted(i for name in ("train", "val", "test") for i in read(root, name)) == sorted(groups)


def test_twins_stay_together(voc):
    for i in range(6):
        add(voc, f"twin{i}x", image=b"same")
    result = split(voc)
    assert result.tied == 6
    assert result.leaks == ()
    assert sum(any(i.startswith("twin") for i in read(voc, name)) for name in ("train", "val", "test")) == 1


def test_order_of_files_and_seed(voc, tmp_path):
    split(voc, seed=3)
    again = tmp_path / "again"
    files = [p for p in voc.rglob("*") if p.is_file() and p.suffix != ".txt" and ".datatools" not in p.parts]
    for path in reversed(files):
        copy = again / path.relative_to(voc)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    split(again, seed=3)
    assert read(voc, "train") == read(again, "train")
    assert any(split(again, seed=s, dry_run=True).lists for s in range(4, 8))


def test_extend_keeps_what_is_there(voc):
    split(voc, seed=1)
    before = {name: read(voc, name) for name in ("train", "val", "test")}
    for i in range(10):
        add(voc, f"new{i}x", ["dog"])
    result = split(voc, seed=2, extend=True)
    after = {name: read(voc, name) for name in ("train", "val", "test")}
    assert all(set(before[name]) <= set(after[name]) for name in before)
    assert {name: len(ids) for name, ids in after.items()} == {"train": 24, "val": 3, "test": 3}
    assert result.kept == 20
    assert split(voc, seed=2, extend=True).lists == ()


def test_extend_tells_leaks(voc):
    main_lists = voc / "ImageSets" / "Main"
    main_lists.mkdir(parents=True)
    add(voc, "copy", image=(voc / "JPEGImages" / "000007.jpg").read_bytes())
    (main_lists / "train.txt").write_text("000000\n000007\n")
    (main_lists / "val.txt").write_text("\ufeff000000\r\ncopy\r\nwithout_xml\n", encoding="utf-8")
    result = split(voc, extend=True)
    kinds = {leak.kind: leak for leak in result.leaks}
    assert kinds["same id"].examples == ("000000 (train, val)",)
    assert kinds["same image bytes"].examples == ("000007 (train)", "copy (val)")
    assert result.problems == 0
    strict = split(voc, extend=True, strict=True)
    assert strict.problems == 3
    assert {"000000", "copy", "without_xml"} <= set(read(voc, "val"))


def test_extend_tells_a_crossing_group(tmp_path):
    grouped(tmp_path)
    main_lists = tmp_path / "ImageSets" / "Main"
    main_lists.mkdir(parents=True)
    (main_lists / "train.txt").write_text("place0/video0_000\n")
    (main_lists / "val.txt").write_text("place0/video0_001\n")
    result = split(tmp_path, extend=True, group=r"(video\d)_")
    assert [leak.kind for leak in result.leaks] == ["same group"]
    assert result.leaks[0].count == 5


def test_neighbour_frames(tmp_path, capsys):
    for i in range(20):
        add(tmp_path, f"cam_{i:04d}")
    result = split(tmp_path)
    (leak,) = result.leaks
    assert leak.kind == "neighbour frames"
    assert leak.count >= 2
    assert len(leak.examples) <= 3
    assert main(["voc", "split", str(tmp_path), "--strict"]) == 1
    assert "neighbour frames" in capsys.readouterr().out


def test_plain_numbers_are_no_frames(tmp_path):
    for i in range(20):
        add(tmp_path, f"{i:06d}")
    assert split(tmp_path).leaks == ()


def test_per_class(tmp_path):
    add(tmp_path, "a", ["cat", ("cat", 1), ("dog", 1)])
    add(tmp_path, "b", ["dog"])
    add(tmp_path, "c", [])
    split(tmp_path, train=1.0, per_class=True)
    lists = tmp_path / "ImageSets" / "Main"
    assert (lists / "cat_train.txt").read_bytes() == b"a  1\nb -1\nc -1\n"
    assert (lists / "dog_train.txt").read_bytes() == b"a  0\nb  1\nc -1\n"
    assert (lists / "dog_trainval.txt").read_bytes() == b"a  0\nb  1\nc -1\n"
    assert (lists / "dog_val.txt").read_bytes() == b""


def test_class_names_that_are_no_file_names(tmp_path):
    add(tmp_path, "a", ["../up", "cat", "x" * 250])
    result = split(tmp_path, train=1.0, per_class=True)
    assert [f.code for f in result.failures] == ["E-CLASS-NAME", "E-CLASS-NAME"]
    assert (tmp_path / "ImageSets" / "Main" / "cat_train.txt").exists()
    assert not list(tmp_path.rglob("up_*"))


def test_broken_xml_is_listed_and_not_placed(voc):
    (voc / "Annotations" / "000007.xml").write_bytes(b"<annotation>")
    result = split(voc)
    assert [f.code for f in result.failures] == ["E-XML-BROKEN"]
    assert result.problems == 1
    assert sum(result.sizes.values()) == 19
    assert "000007" not in read(voc, "trainval") + read(voc, "test")


def test_names_that_no_list_can_hold(voc):
    add(voc, "two\nlines")
    result = split(voc)
    assert [f.code for f in result.failures] == ["E-ITEM-NAME"]
    assert sum(result.sizes.values()) == 20


def test_missing_images_are_counted(voc):
    (voc / "JPEGImages" / "000007.jpg").unlink()
    assert split(voc).no_image == 1


def test_two_jobs_give_the_same(voc, tmp_path, capsys):
    for i in range(5):
        add(voc, f"twin{i}x", image=b"same")
    for jobs in ("1", "2"):
        assert main(["voc", "split", str(voc), "-o", str(tmp_path / jobs), "-j", jobs, "--group", "xml:folder"]) == 0
    capsys.readouterr()
    one, two = (listing(tmp_path / jobs / "ImageSets") for jobs in ("1", "2"))
    assert one == two


def test_command_line(voc, tmp_path, capsys):
    words = [
        "--trainval",
        "0.8",
        "--train-of-trainval",
        "0.75",
        "--no-stratify",
        "--seed",
        "5",
        "--per-class",
        "--json",
    ]
    assert main(["voc", "split", str(voc), "-o", str(tmp_path / "o"), *words]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["sizes"] == {"train": 12, "val": 4, "test": 4}
    assert answer["seed"] == 5
    assert len(answer["lists"]) == 16
    assert main(["voc", "split", str(voc), "--train", "0.8", "--trainval", "0.9"]) == 2
    assert main(["voc", "split", str(voc)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "20 items: train 16, val 2, test 2 (seed 0)"
    assert out[-1].startswith("next: ")


@pytest.mark.shared
def test_real_sets(shared_voc, tmp_path):
    for source in sorted(p for p in shared_voc.iterdir() if p.is_dir()):
        result = split(source, out=tmp_path / source.name)
        assert result.sizes == result.wanted
        assert {leak.kind for leak in result.leaks} <= {"neighbour frames"}
