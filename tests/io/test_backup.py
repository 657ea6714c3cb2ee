"""Backups: kept before a rewrite, given back by restore, never in the way of what somebody changed since."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datatools.core.errors import DataError, InUse, StorageError, UsageError
from datatools.io import backup, files


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and ".datatools" not in p.parts
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "set" / "sub").mkdir(parents=True)
    (tmp_path / "set" / "a.xml").write_bytes(b"a1")
    (tmp_path / "set" / "sub" / "b.xml").write_bytes(b"b1")
    return tmp_path / "set"


def test_rewrite_keeps_the_old_files_in_a_numbered_folder(root: Path) -> None:
    folder = backup.rewrite(root, {"a.xml": b"a2", "sub/b.xml": b"b2", "new.txt": b"n"}, "voc fix")
    assert tree(root) == {"a.xml": b"a2", "sub/b.xml": b"b2", "new.txt": b"n"}
    assert folder == root / ".datatools" / "backup" / "0001"
    assert tree(folder / "files") == {}  # nothing of it is seen as part of the set
    assert (folder / "files" / "sub" / "b.xml").read_bytes() == b"b1"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["reason"] == "voc fix"
    assert manifest["files"]["a.xml"] == [backup.digest_of(b"a1"), backup.digest_of(b"a2")]
    assert manifest["files"]["new.txt"][0] == ""


def test_what_is_already_there_is_not_written(root: Path) -> None:
    assert backup.rewrite(root, {"a.xml": b"a1"}, "x") is None
    assert backup.newest(root) is None


def test_restore_gives_back_old_files_and_removes_new_ones(root: Path) -> None:
    before = tree(root)
    backup.rewrite(root, {"a.xml": b"a2", "new.txt": b"n"}, "voc split")
    restored = backup.restore(root)
    assert tree(root) == before
    assert (restored.reason, restored.replaced, restored.removed) == ("voc split", ("a.xml",), ("new.txt",))
    assert restored.backup.name == "0001.undone"
    assert (restored.backup / "files" / "a.xml").read_bytes() == b"a1"


def test_restoring_twice_gives_back_two_backups(root: Path) -> None:
    backup.rewrite(root, {"a.xml": b"a2"}, "first")
    backup.rewrite(root, {"a.xml": b"a3"}, "second")
    assert backup.restore(root).reason == "second"
    assert (root / "a.xml").read_bytes() == b"a2"
    assert backup.restore(root).reason == "first"
    assert (root / "a.xml").read_bytes() == b"a1"
    with pytest.raises(UsageError, match="nothing to undo"):
        backup.restore(root)
    assert backup.rewrite(root, {"a.xml": b"a4"}, "third").name == "0003"  # numbers are not used again


def test_dry_run_changes_nothing(root: Path) -> None:
    backup.rewrite(root, {"a.xml": b"a2"}, "x")
    assert backup.restore(root, dry_run=True).replaced == ("a.xml",)
    assert (root / "a.xml").read_bytes() == b"a2"
    assert backup.newest(root).name == "0001"


def test_what_somebody_changed_since_is_replaced_only_with_force_and_kept(root: Path) -> None:
    backup.rewrite(root, {"a.xml": b"a2", "sub/b.xml": b"b2"}, "x")
    (root / "a.xml").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"changed or deleted since 'x': a\.xml"):
        backup.restore(root)
    assert tree(root) == {"a.xml": b"mine", "sub/b.xml": b"b2"}
    restored = backup.restore(root, force=True)
    assert tree(root) == {"a.xml": b"a1", "sub/b.xml": b"b1"}
    assert (restored.backup / "replaced" / "a.xml").read_bytes() == b"mine"


def test_a_file_that_was_made_and_changed_since_stays(root: Path) -> None:
    backup.rewrite(root, {"new.txt": b"n"}, "x")
    (root / "new.txt").write_bytes(b"mine")
    assert backup.restore(root).kept == ("new.txt",)
    assert (root / "new.txt").read_bytes() == b"mine"


def test_a_damaged_backup_is_refused_before_anything_is_written(root: Path) -> None:
    folder = backup.rewrite(root, {"a.xml": b"a2", "sub/b.xml": b"b2"}, "x")
    (folder / "files" / "a.xml").write_bytes(b"rot")
    with pytest.raises(UsageError, match="damaged"):
        backup.restore(root)
    assert tree(root) == {"a.xml": b"a2", "sub/b.xml": b"b2"}


@pytest.mark.parametrize("name", ["../out.xml", "/etc/passwd", "sub/../../x", "..", "link/x"])
def test_a_manifest_cannot_lead_out_of_the_set(root: Path, tmp_path: Path, name: str) -> None:
    folder = backup.rewrite(root, {"a.xml": b"a2"}, "x")
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: manifest["files"]["a.xml"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="outside the set"):
        backup.restore(root, force=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "reason": "x", "files": {"a": 1}}'])
def test_a_manifest_that_is_not_one_is_refused(root: Path, text: str) -> None:
    folder = backup.rewrite(root, {"a.xml": b"a2"}, "x")
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UsageError):
        backup.restore(root)


def test_links_are_not_rewritten(root: Path, tmp_path: Path) -> None:
    (root / "s.xml").symlink_to(root / "a.xml")
    os.link(root / "sub" / "b.xml", tmp_path / "other.xml")
    for name in ("s.xml", "sub/b.xml"):
        with pytest.raises(DataError, match="E-FILE-LINK"):
            backup.rewrite(root, {name: b"x"}, "x")
    assert (tmp_path / "other.xml").read_bytes() == b"b1"


def test_links_of_our_own_backup_do_not_count(root: Path) -> None:
    """A run killed between backup and rewrite leaves two names of each file."""
    change = backup.Change(files.digest(root / "a.xml"), backup.digest_of(b"a2"))
    backup.save(root, {"a.xml": change}, "killed")
    assert os.stat(root / "a.xml").st_nlink == 2
    backup.rewrite(root, {"a.xml": b"a2"}, "again")
    assert backup.restore(root).reason == "again"
    assert backup.restore(root).replaced == ()
    assert (root / "a.xml").read_bytes() == b"a1"


def test_what_a_run_killed_while_saving_left_is_no_backup(root: Path) -> None:
    (root / ".datatools" / "backup" / "0001.partial" / "files").mkdir(parents=True)
    with pytest.raises(UsageError, match="nothing to undo"):
        backup.restore(root)
    assert backup.rewrite(root, {"a.xml": b"a2"}, "x").name == "0001"


def test_a_link_in_place_of_the_backup_folder_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / ".datatools").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="is a link"):
        backup.rewrite(root, {"a.xml": b"a2"}, "x")
    assert (root / "a.xml").read_bytes() == b"a1"


def test_a_second_process_is_told_that_the_folder_is_in_use(root: Path) -> None:
    code = "import sys; from pathlib import Path; from datatools.io import backup\nbackup.restore(Path(sys.argv[1]))"
    with backup.locked(root), backup.locked(root):
        other = subprocess.run([sys.executable, "-c", code, root], capture_output=True, text=True)
    assert InUse.__name__ in other.stderr
    with backup.locked(root):
        pass


def test_names_that_are_not_utf8_survive(root: Path) -> None:
    name = os.fsdecode(b"\xff.xml")
    (root / name).write_bytes(b"1")
    backup.rewrite(root, {name: b"2"}, "x")
    assert backup.restore(root).replaced == (name,)
    assert (root / name).read_bytes() == b"1"


def test_a_file_that_was_never_rewritten_is_left_even_if_changed_since(root: Path) -> None:
    change = backup.Change(files.digest(root / "a.xml"), backup.digest_of(b"a2"))
    backup.save(root, {"a.xml": change}, "killed")
    (root / "a.xml").write_bytes(b"mine")  # the same inode that the backup has a name of
    assert backup.restore(root).replaced == ()
    assert (root / "a.xml").read_bytes() == b"mine"


@pytest.mark.parametrize("call", ["mkdir", "link", "write", "fsync", "rename"])
def test_a_backup_that_cannot_be_written_leaves_nothing_and_changes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before = tree(root)
    backup.rewrite(root, {"a.xml": b"a2"}, "first")
    backup.restore(root)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises((StorageError, OSError), match="No space left"):
            backup.rewrite(root, {"a.xml": b"a2"}, "second")
    assert tree(root) == before
    assert [path.name for path in (root / ".datatools" / "backup").iterdir()] == ["0001.undone"]


def test_a_lock_that_fails_is_not_another_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", none_left)
    with pytest.raises(StorageError, match="No locks available"), backup.locked(root):
        pass
