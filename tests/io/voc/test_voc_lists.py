"""Split lists and class lists."""

from pathlib import Path

import pytest

from datatools.core.errors import DataError
from datatools.io.voc.layout import open_set
from datatools.io.voc.lists import list_bytes, per_class_bytes, read_lists, splits_of, unlisted


def make(root: Path, ids: list[str], **lists: bytes) -> Path:
    for i in ids:
        path = root / "Annotations" / f"{i}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<annotation/>")
    (root / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
    for name, data in lists.items():
        (root / "ImageSets" / "Main" / f"{name}.txt").write_bytes(data)
    return root


def test_lines(tmp_path: Path) -> None:
    root = make(tmp_path, ["a", "b c", "s/d"], train=b'\xef\xbb\xbfa\r\n\r\n  "b c" \r\ns/d.jpg\r\na\r\nmissing')
    (tree,) = open_set(root).trees
    assert read_lists(tree) == {"train": {"a": 1, "b c": 3, "s/d": 4, "missing": 6}}


def test_per_class_lists_are_no_splits(tmp_path: Path) -> None:
    root = make(tmp_path, ["a", "b", "b 1"], train=b"a  1\nb -1\n", val=b"b 1\n", test=b"")
    assert read_lists(open_set(root).trees[0]) == {"val": {"b 1": 1}, "test": {}}


def test_no_lists(tmp_path: Path) -> None:
    root = make(tmp_path, ["a"])
    assert splits_of(open_set(root)) == {}
    assert unlisted(open_set(root)) == []


def test_splits_over_trees(tmp_path: Path) -> None:
    make(tmp_path / "one", ["a", "b", "c"], train=b"b\n", val=b"a\nmissing\n", trainval=b"a\nb\nc\n")
    make(tmp_path / "two", ["a", "b"], trainval=b"a\n", test=b"b\n")
    voc_set = open_set(tmp_path)
    assert splits_of(voc_set) == {
        "train": ["one/b"],
        "val": ["one/a"],
        "trainval": ["two/a"],
        "test": ["two/b"],
    }
    assert unlisted(voc_set) == ["one/c"]


def test_a_list_that_is_not_utf8(tmp_path: Path) -> None:
    root = make(tmp_path, ["a"], train=b"a\n\xff\n")
    with pytest.raises(DataError) as caught:
        splits_of(open_set(root))
    assert (caught.value.code, caught.value.line) == ("E-LIST-ENCODING", 2)


def test_writing() -> None:
    assert list_bytes([]) == b""
    assert list_bytes(["a", "图"]) == "a\n图\n".encode()
    assert per_class_bytes({"a": 1, "b": -1, "c": 0}) == b"a  1\nb -1\nc  0\n"
