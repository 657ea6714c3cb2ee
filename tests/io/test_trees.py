"""What a folder holds: every change is seen, nothing else counts, and nothing is read twice."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.io import files, trees
from datatools.io.trees import TICK_NS, Tree, fingerprint, settled


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with five files, one of them below two folders."""
    for name in ("a", "b", "sub/a", "sub/deep/c", "sub.x"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    return tmp_path / "set"


def put_back(path: Path, data: bytes) -> None:
    """Write other bytes of the same number, and set the time of the content back."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def copied(path: Path) -> None:
    """Another file with the same bytes and time under the name."""
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda root: (root / "a").write_text("this is A"),
    "other bytes, same time": lambda root: put_back(root / "a", b"this is A"),
    "one byte more": lambda root: (root / "sub/deep/c").write_text("this is sub/deep/c."),
    "a new file": lambda root: (root / "sub/new").write_text(""),
    "a file less": lambda root: (root / "b").unlink(),
    "another name": lambda root: (root / "a").rename(root / "z"),
    "another folder": lambda root: (root / "sub/deep").rename(root / "sub/deeper"),
    "two names swapped": lambda root: [
        (root / one).rename(root / two) for one, two in (("a", "t"), ("b", "a"), ("t", "b"))
    ],
    "a link instead": lambda root: [(root / "b").unlink(), (root / "b").symlink_to("a")],
}
TOUCHES: dict[str, Callable[[Path], object]] = {
    "touched": lambda root: os.utime(root / "a"),
    "rights": lambda root: (root / "a").chmod(0o600),
    "a second name": lambda root: os.link(root / "a", root.parent / "elsewhere"),
    "a copy instead": lambda root: copied(root / "a"),
}
NOTHING: dict[str, Callable[[Path], object]] = {
    "read": lambda root: (root / "a").read_bytes(),
    "hidden file": lambda root: (root / "sub/.hidden").write_text("x"),
    "hidden folder": lambda root: [(root / ".git").mkdir(), (root / ".git/config").write_text("x")],
    "link": lambda root: (root / "link").symlink_to("/etc/passwd"),
    "loop": lambda root: (root / "loop").symlink_to("."),
    "pipe": lambda root: os.mkfifo(root / "pipe"),
    "empty folder": lambda root: (root / "empty").mkdir(),
}


@pytest.mark.parametrize("what", [*CHANGES, *TOUCHES])
def test_every_change_and_every_touch_gives_another_fingerprint(root: Path, what: str) -> None:
    before = fingerprint(root)
    assert fingerprint(root) == before
    time.sleep(TICK_NS / 1e9)
    (CHANGES | TOUCHES)[what](root)
    assert fingerprint(root).digest != before.digest


@pytest.mark.parametrize("what", NOTHING)
def test_what_no_walk_shows_changes_nothing(root: Path, what: str) -> None:
    before, content = fingerprint(root), Tree(root).digest
    NOTHING[what](root)
    assert fingerprint(root) == before
    assert Tree(root).digest == content


def test_a_second_name_elsewhere_does_not_change_the_content(root: Path) -> None:
    before = fingerprint(root)
    os.link(root / "a", root.parent / "elsewhere")
    assert fingerprint(root).content == before.content
    (root / "a").write_text("this is A!")
    assert fingerprint(root).content != before.content


def test_a_fingerprint_counts_and_knows_the_latest_change(root: Path) -> None:
    assert fingerprint(root).files == 5
    latest = max(p.stat().st_ctime_ns for p in root.rglob("*") if p.is_file())
    assert fingerprint(root).newest_ns == latest
    (root / "empty").mkdir()
    nothing = fingerprint(root / "empty")
    assert (nothing.files, nothing.newest_ns) == (0, 0)


def test_one_file_has_a_fingerprint_too(root: Path) -> None:
    before = fingerprint(root / "a")
    assert before.files == 1
    (root / "a").write_text("more than before")
    assert fingerprint(root / "a").digest != before.digest
    with pytest.raises(UsageError, match="absent: no such file or folder"):
        fingerprint(root / "absent")


def test_a_tree_without_end_is_refused(root: Path) -> None:
    (root / "/".join("d" * (files.MAX_DEPTH + 2))).mkdir(parents=True)
    for look in (fingerprint, Tree):
        with pytest.raises(UsageError, match="nested more than 32 deep"):
            look(root)


def test_a_young_fingerprint_is_not_settled(root: Path) -> None:
    (root / "a").write_text("just now")
    assert not fingerprint(root).settled
    found = settled(root)
    assert found.settled
    assert found.digest == fingerprint(root).digest


def test_a_change_from_the_future_never_settles(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 10**12)  # the clock was set back
    assert not settled(root).settled


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_is_of_names_and_bytes(root: Path, what: str) -> None:
    before = Tree(root).digest
    CHANGES[what](root)
    assert Tree(root).digest != before


@pytest.mark.parametrize("what", TOUCHES)
def test_the_digest_is_of_nothing_else(root: Path, what: str) -> None:
    before = Tree(root).digest
    TOUCHES[what](root)
    assert Tree(root).digest == before


def test_the_digest_of_one_file_is_that_of_its_bytes(root: Path) -> None:
    assert Tree(root / "a").digest == files.digest(root / "a")
    (root / "copy").write_bytes((root / "a").read_bytes())
    assert Tree(root / "copy").digest == Tree(root / "a").digest


class Read:
    """Counts the files that are read for their digest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        digest = files.digest

        def counted(path: str | Path) -> str:
            self.names.append(os.path.basename(path))
            return digest(path)

        monkeypatch.setattr(files, "digest", counted)

    def take(self) -> list[str]:
        """The names since the last call."""
        names, self.names = sorted(self.names), []
        return names


def test_only_what_was_touched_is_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = root.parent / "cache.jsonl"
    read = Read(monkeypatch)
    first = Tree(root, cache)
    assert read.take() == ["a", "a", "b", "c", "sub.x"]
    time.sleep(3 * TICK_NS / 1e9)
    Tree(root, cache)  # the first was too young to be believed
    read.take()
    again = Tree(root, cache)
    assert read.take() == []
    assert (again.digest, again.by_inode()) == (first.digest, first.by_inode())
    put_back(root / "b", b"this is B")
    changed = Tree(root, cache)
    assert read.take() == ["b"]
    assert changed.digest != first.digest
    assert changed.digest == Tree(root).digest


def test_a_change_right_behind_the_reading_is_seen(root: Path) -> None:
    cache = root.parent / "cache.jsonl"
    for letter in b"0123456789":
        before = Tree(root, cache).digest
        put_back(root / "a", b"this is " + bytes([letter]))
        assert Tree(root, cache).digest != before


def test_links_that_we_make_ourselves_are_no_touch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = root.parent / "cache.jsonl"
    time.sleep(2 * TICK_NS / 1e9)
    tree = Tree(root, cache)
    for name in ("a", "b"):
        os.link(root / name, root.parent / name)
    time.sleep(2 * TICK_NS / 1e9)
    tree.save()
    read = Read(monkeypatch)
    assert Tree(root, cache).digest == tree.digest
    assert read.take() == []


def test_a_second_name_is_known_by_its_inode(root: Path) -> None:
    os.link(root / "a", root.parent / "elsewhere")
    status = os.stat(root.parent / "elsewhere")
    known = Tree(root).by_inode()
    assert known[status.st_ino, status.st_size, status.st_mtime_ns] == files.digest(root / "a")


@pytest.mark.parametrize("damage", [b"", b"no json\n", b"[]\n", b'{"fingerprint": 1}\n', b"\xff\xfe", b"{}\n[1]\n"])
def test_a_damaged_cache_costs_reading_and_nothing_else(root: Path, damage: bytes) -> None:
    cache = root.parent / "cache.jsonl"
    whole = Tree(root, cache).digest
    cache.write_bytes(damage)
    assert Tree(root, cache).digest == whole
    cache.write_bytes(damage)
    (root / "a").write_text("this is A")
    assert Tree(root, cache).digest == Tree(root).digest != whole


def test_rows_are_the_files_in_the_order_of_a_walk(root: Path) -> None:
    rows = Tree(root).rows
    assert [one.name for one in rows] == ["a", "b", "sub.x", "sub/a", "sub/deep/c"]
    assert all(one.digest == files.digest(root / one.name) for one in rows)
    assert all(one.same_stat(os.stat(root / one.name)) for one in rows)


def test_names_that_are_no_text_work(root: Path) -> None:
    before = Tree(root, root.parent / "cache").digest
    path = os.fsencode(root) + b"/\xff\xfe"
    with open(path, "wb") as file:
        file.write(b"x")
    assert Tree(root, root.parent / "cache").digest not in (before, "")
    assert fingerprint(root).files == 6
    assert trees.settled(root).settled


def test_folders_looked_at_anew_give_the_fingerprint_of_all(root: Path) -> None:
    before = fingerprint(root)
    (root / "sub" / "a").write_bytes(b"other")
    (root / "sub" / "deep" / "new").write_bytes(b"new")
    (root / "z").mkdir()
    (root / "z" / "1").write_bytes(b"1")
    assert trees.refreshed(root, before, ["sub/", "sub/deep/", "z/"]) == fingerprint(root)
    with_z = fingerprint(root)
    (root / "z" / "1").unlink()
    (root / "z").rmdir()
    assert trees.refreshed(root, with_z, ["z/"]) == fingerprint(root)
