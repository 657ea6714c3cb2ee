"""Reading: regular files, bounded, in the order of their bytes."""

import os
import socket
from pathlib import Path, PurePosixPath

import pytest
import xxhash

from datatools.core.errors import DataError, StorageError, UsageError
from datatools.io import files

ODD_NAME = os.fsdecode(b"\xff\xfe.xml")


def test_reads_all_bytes(tmp_path: Path) -> None:
    for size in (0, 1, 70_000):
        path = tmp_path / ODD_NAME
        path.write_bytes(b"x" * size)
        assert files.read_bytes(path) == b"x" * size
        assert files.read_head(path, 10) == (b"x" * min(size, 10), size)
        assert files.digest(path) == xxhash.xxh3_128_hexdigest(b"x" * size)


def test_reads_a_file_whose_size_is_not_known() -> None:
    assert files.read_bytes("/proc/self/status").startswith(b"Name:")


def test_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"12345")
    assert files.read_bytes(path, 5) == b"12345"
    with pytest.raises(DataError, match=r"a\.xml: E-FILE-READ: it has 5 bytes, more than 4"):
        files.read_bytes(path, 4)
    with pytest.raises(DataError, match="more than 100 bytes"):
        files.read_bytes("/proc/self/status", 100)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with one of each thing that is not a file."""
    (tmp_path / "file.txt").write_text("secret")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "file.txt")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder_link").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(tmp_path)  # the address of a socket may not be long
        server.bind("socket.jpg")
        os.chdir(here)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder.jpg", "it is a folder"),
        ("link.jpg", "it is a symbolic link"),
        ("loop.jpg", "it is a symbolic link"),
        ("dangling.jpg", "it is a symbolic link"),
        ("pipe.jpg", "it is not a regular file"),
        ("socket.jpg", "it is not a regular file"),
        ("none.jpg", "no such file"),
        ("file.txt/a.jpg", "no such file"),
        ("x" * 300, "the name is too long"),
        ("a\0b", "no file can have this name"),
    ],
)
def test_odd_files_are_refused_at_once(odd: Path, name: str, message: str) -> None:
    for read in (files.read_bytes, files.read_head, files.digest):
        with pytest.raises(DataError) as caught:
            read(odd / name)
        assert (caught.value.code, caught.value.message) == ("E-FILE-READ", message)
        assert len(str(caught.value).splitlines()) == 1


def test_a_device_is_no_file() -> None:
    with pytest.raises(DataError, match="not a regular file"):
        files.read_bytes("/dev/zero")


def test_rights_and_disk_are_storage_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a\nb.xml"
    path.write_bytes(b"x")

    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    for call, read in (("read", files.read_bytes), ("pread", files.read_head), ("read", files.digest)):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(StorageError) as caught:
                read(path)
            assert str(caught.value) == f"cannot read {tmp_path}/a\\nb.xml: Input/output error"
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(StorageError):
        files.read_bytes(path)


def test_walk_sees_regular_files_only(odd: Path) -> None:
    (odd / "folder.jpg" / ".hidden").write_text("")
    (odd / ".git").mkdir()
    (odd / "folder.jpg" / "a.xml").write_text("")
    assert list(files.walk(odd)) == [
        (PurePosixPath(), ["folder.jpg"], ["file.txt"]),
        (PurePosixPath("folder.jpg"), [], ["a.xml"]),
    ]


def test_walk_sorts_by_bytes(tmp_path: Path) -> None:
    names = ["b", "a", "B", "é", "z", "\uffee", "\U0001f600", ODD_NAME, "10", "9"]
    for name in names:
        (tmp_path / name).write_text("")
        (tmp_path / (name + ".d")).mkdir()
    [(_, folders, found), *_] = files.walk(tmp_path)
    assert found == sorted(names, key=os.fsencode)
    assert folders == sorted((n + ".d" for n in names), key=os.fsencode)


def test_walk_can_be_pruned_and_follows_the_root_only(tmp_path: Path) -> None:
    (tmp_path / "set" / "keep").mkdir(parents=True)
    (tmp_path / "set" / "skip").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "set")
    seen = []
    for relative, folders, _ in files.walk(tmp_path / "link"):
        seen.append(str(relative))
        folders[:] = [f for f in folders if f != "skip"]
    assert seen == [".", "keep"]


def test_walk_refuses_what_it_cannot_walk(tmp_path: Path) -> None:
    deep = tmp_path / "d" / "/".join("d" * files.MAX_DEPTH)
    deep.mkdir(parents=True)
    with pytest.raises(UsageError, match="more than 32 deep"):
        list(files.walk(tmp_path))
    for none in (tmp_path / "none", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="no such folder"):
            list(files.walk(none))


@pytest.mark.parametrize("name", ["cat", "a.b", " ", "...", "ネコ", "-rf", ODD_NAME, "x" * 255, "é" * 127])
def test_safe_components(name: str) -> None:
    assert files.safe_component(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/", "a/b", "..\\..", "a\0", "a\n", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]  # noqa: RUF005
    + ["x" * 256, "é" * 128],
)
def test_unsafe_components(name: str) -> None:
    assert not files.safe_component(name)
