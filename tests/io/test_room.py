"""Where the outputs of an item go: whole or not at all, inside of the folder, with the digests of what was written."""

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import xxhash

from datatools.core.errors import DataError, StorageError
from datatools.io import files
from datatools.io.room import Room, seen


@pytest.fixture
def room(tmp_path: Path) -> Room:
    (tmp_path / "out.partial").mkdir()
    return Room(str(tmp_path / "out.partial"))


def there(room: Room) -> dict[str, bytes]:
    root = Path(room.root)
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def by_write(room: Room, name: str, data: bytes) -> None:
    room.write(name, data)


def by_file(room: Room, name: str, data: bytes) -> None:
    with room.file(name) as path:
        Path(path).write_bytes(data)


def by_link(room: Room, name: str, data: bytes) -> None:
    source = Path(room.root).with_name("source")
    source.write_bytes(data)
    room.link(str(source), name, files.digest(source))


WAYS = pytest.mark.parametrize("way", [by_write, by_file, by_link])
Way = Callable[[Room, str, bytes], None]


@WAYS
def test_what_was_made_is_there_and_known(room: Room, way: Way) -> None:
    for name, data in (("a.png", b"one"), ("sub/deep/b c.png", b""), ("sub/ünï.png", b"x" * 3_000_000)):
        way(room, name, data)
        made = room.made[-1]
        assert (made.name, made.size, made.digest) == (name, len(data), xxhash.xxh3_128_hexdigest(data))
        assert made.same_stat(os.stat(f"{room.root}/{name}"))
        assert there(room)[name] == data
    assert [one.name for one in room.made] == ["a.png", "sub/deep/b c.png", "sub/ünï.png"]


@WAYS
def test_what_a_run_before_left_is_replaced(room: Room, way: Way) -> None:
    Path(room.root, "a.png").write_bytes(b"a longer leftover")
    way(room, "a.png", b"new")
    assert there(room) == {"a.png": b"new"}


@WAYS
@pytest.mark.parametrize(
    "name", ["", "/etc/x", "../x", "a/../../x", "a//b", "a/", ".", "..", "a\\b", "a\nb", "a\x00b", "x" * 256, "\ud800"]
)
def test_no_name_leads_out(room: Room, way: Way, name: str) -> None:
    with pytest.raises(DataError) as told:
        way(room, name, b"x")
    assert told.value.code == "E-NAME"
    assert there(room) == {}
    assert room.made == []


@WAYS
def test_a_name_of_255_bytes_and_one_that_is_no_text_work(room: Room, way: Way) -> None:
    names = ["x" * 255, os.fsdecode(b"\xff\xfe.png")]
    for name in names:
        way(room, name, b"x")
    assert sorted(os.listdir(room.root)) == sorted(names)


@WAYS
def test_a_link_in_the_way_is_not_written_through(room: Room, way: Way, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    os.symlink(tmp_path / "precious", f"{room.root}/a.png")
    try:
        way(room, "a.png", b"x")
    except StorageError as told:
        assert "a.png" in str(told)
    else:
        assert not os.path.islink(f"{room.root}/a.png")
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_a_write_that_fails_leaves_nothing(room: Room) -> None:
    room.write("first.png", b"whole")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*a\.png: File too large"):
            room.write("a.png", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert there(room) == {"first.png": b"whole"}
    assert [one.name for one in room.made] == ["first.png"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(errno.ENOSPC, "No space left on device"), StorageError), (ValueError("no"), ValueError)],
)
def test_an_encoder_that_fails_leaves_nothing(room: Room, error: Exception, raised: type[Exception]) -> None:
    with pytest.raises(raised), room.file("a.png") as path:  # noqa: PT012  the block is what fails
        Path(path).write_bytes(b"half")
        raise error
    assert there(room) == {}
    assert room.made == []


def test_an_encoder_that_writes_anew_is_known_by_what_it_wrote(room: Room) -> None:
    with room.file("a.png") as path:
        os.unlink(path)
        Path(path).write_bytes(b"another file")
    assert room.made[0].same_stat(os.stat(path))
    assert room.made[0].digest == files.digest(path)


def test_a_link_is_a_second_name_or_else_a_copy(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"data")
    digest = files.digest(source)
    room.link(str(source), "a", digest)
    assert os.path.samefile(source, f"{room.root}/a")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    room.link(str(source), "b", digest)
    assert not os.path.samefile(source, f"{room.root}/b")
    assert there(room) == {"a": b"data", "b": b"data"}
    with pytest.raises((DataError, StorageError), match="absent"):
        room.link(str(tmp_path / "absent"), "c", digest)
    assert there(room) == {"a": b"data", "b": b"data"}


@WAYS
def test_what_a_failed_item_made_is_removed_and_nothing_else(room: Room, way: Way) -> None:
    Path(room.root, "other.png").write_bytes(b"another item's")
    for name in ("a.png", "sub/b.png"):
        way(room, name, b"x")
    os.unlink(f"{room.root}/a.png")
    room.discard()
    assert there(room) == {"other.png": b"another item's"}
    assert room.made == []
    way(room, "a.png", b"again")
    assert there(room)["a.png"] == b"again"


def test_a_file_that_was_seen_is_told_from_one_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    one = seen("a", os.stat(path), files.digest(path))
    assert one.same_stat(os.stat(path))
    os.link(path, tmp_path / "b")
    status = os.stat(path)
    assert one.same_content(status)
    assert one.same_content_as(seen("b", os.stat(tmp_path / "b"), ""))
    os.utime(path, ns=(0, 0))
    assert not one.same_content(os.stat(path))
    os.utime(path, ns=(0, one.mtime_ns))
    assert one.same_content(os.stat(path)), "times and number are all it goes by"
    assert not one.same_stat(os.stat(path))
    path.unlink()
    path.write_bytes(b"two!")
    assert not one.same_content(os.stat(path))
