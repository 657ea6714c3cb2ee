"""Writing: old or new and whole, whatever kills the writer; no temporary file stays."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.core.errors import DataError, StorageError
from datatools.io import atomic, syncing, temporary


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def write_all(paths: list[Path], data: bytes, error: BaseException | None = None) -> None:
    with atomic.Batch() as batch:
        for path in paths:
            batch.write(path, data)
        if error:
            raise error


def failing(call: Callable[..., object], nth: int, number: int) -> Callable[..., object]:
    """The system call, which fails when it is called for the nth time and from then on."""
    calls = 0

    def wrapped(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls >= nth:
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    return wrapped


def test_write_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / os.fsdecode(b"\xff" * 255)
    for data in (b"one", b"", b"three" * 100_000):
        atomic.write_bytes(path, data)
        assert path.read_bytes() == data
    assert names(tmp_path) == [str(path.relative_to(tmp_path))]


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    atomic.write_bytes(Path("a.txt"), b"x")
    assert names(tmp_path) == ["a.txt"]


def test_mode_is_kept_and_the_umask_respected(tmp_path: Path) -> None:
    path = tmp_path / "a"
    old = os.umask(0o027)
    try:
        atomic.write_bytes(path, b"x")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o606)
        atomic.write_bytes(path, b"y")
        assert stat.S_IMODE(path.stat().st_mode) == 0o606
    finally:
        os.umask(old)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    os.chown(path, 1234, 4321)
    atomic.write_bytes(path, b"y")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_links_and_odd_targets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, what in [("link", "symbolic link"), ("folder", "a folder"), ("pipe", "not a regular file")]:
        with pytest.raises(DataError, match=f"E-FILE-TARGET: cannot be replaced: it is .*{what}"):
            atomic.write_bytes(tmp_path / name, b"new")
    os.link(tmp_path / "file", tmp_path / "twin")
    with atomic.Batch(refuse_links=True) as batch:
        with pytest.raises(DataError, match="2 hard links"):
            batch.write(tmp_path / "twin", b"new")
        batch.write(tmp_path / "good", b"new")
    assert names(tmp_path) == ["file", "good", "link", "pipe", "twin"]
    assert (tmp_path / "twin").read_bytes() == b"old"
    atomic.write_bytes(tmp_path / "twin", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_batch_writes_many(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i % 20}" / f"{i}.txt" for i in range(2 * atomic.BATCH_FILES + 7)]
    with atomic.Batch() as batch:
        for i, path in enumerate(paths):
            batch.write(path, str(i).encode())
        batch.write(paths[0], b"later")
        assert paths[1].read_bytes() == b"1"  # a full group is there before the end
        assert not paths[-1].exists()
    assert [p.read_bytes() for p in paths] == [b"later", *(str(i).encode() for i in range(1, len(paths)))]
    assert len(names(tmp_path)) == len(paths)


def test_empty_batch() -> None:
    with atomic.Batch():
        pass


def test_batch_drops_what_is_pending_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_all([path], b"new", KeyboardInterrupt())
    assert names(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("nth", [1, 2, 5])
@pytest.mark.parametrize("call", ["write", "open", "fchmod", "replace", "fsync", "makedirs", "lstat"])
def test_errors_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int) -> None:
    paths = [tmp_path / f"{i}" / "a.xml" for i in range(6)]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(getattr(os, call), nth, errno.ENOSPC))
        with pytest.raises(StorageError) as caught:
            write_all(paths, b"new data")
    assert str(caught.value).startswith(f"cannot write {tmp_path}/")
    assert str(caught.value).endswith(": No space left on device")
    assert names(tmp_path) == [f"{i}/a.xml" for i in range(6)]
    assert {p.read_bytes() for p in paths} <= {b"old", b"new data"}
    write_all(paths, b"new data")  # the same again, with the disk mended
    assert {p.read_bytes() for p in paths} == {b"new data"}


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))
    atomic.write_bytes(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_without_syncfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_syncfs", None)
    write_all([tmp_path / f"{i}" for i in range(20)], b"x")
    assert len(names(tmp_path)) == 20


def test_failing_syncfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_syncfs", failing(print, 1, errno.EIO))
    with pytest.raises(StorageError, match="Input/output error"):
        write_all([tmp_path / f"{i}" for i in range(20)], b"x")
    assert names(tmp_path) == []


REWRITER = """
import itertools, sys
from pathlib import Path
from datatools.io import atomic
folder = Path(sys.argv[1])
atomic.sweep(folder)
print("ready", flush=True)
for n in itertools.count():
    with atomic.Batch() as batch:
        for i in range(30):
            batch.write(folder / f"{i}.xml", b"%d:" % i + b"%d " % n * 2000 + b"end")
"""


def test_killed_at_any_moment_each_file_is_old_or_new(tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i}.xml").write_bytes(b"%d:" % i + b"old " * 2000 + b"end")
    moments = random.Random(7)
    for _ in range(20):
        writer = subprocess.Popen([sys.executable, "-c", REWRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0, 0.06))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        for i in range(30):
            head, _, rest = (tmp_path / f"{i}.xml").read_bytes().partition(b":")
            word = rest.split(b" ", 1)[0]
            assert (head, rest) == (b"%d" % i, (word + b" ") * 2000 + b"end")
    atomic.sweep(tmp_path)
    assert names(tmp_path) == sorted(f"{i}.xml" for i in range(30))


def test_sweep_removes_what_the_dead_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "sub").mkdir()
    left = [
        f".dt-tmp-{dead.pid}-0",
        f"sub/.dt-tmp-{dead.pid}-1",
        f".dt-tmp-{os.getpid()}-99999",
        f".dt-tmp-{'9' * 30}-1",
    ]
    kept = [f".dt-tmp-{os.getppid()}-0", ".dt-tmp-x-1", f"sub/x.dt-tmp-{dead.pid}-1", "a.xml"]
    for name in left + kept:
        (tmp_path / name).write_bytes(b"")
    assert atomic.sweep(tmp_path) == len(left)
    with atomic.Batch() as batch:
        batch.write(tmp_path / "b.xml", b"")
        assert atomic.sweep(tmp_path) == 0, "it is being written"
    assert names(tmp_path) == sorted([*kept, "b.xml"])


def test_a_leftover_with_our_number_is_no_obstacle(tmp_path: Path) -> None:
    atomic.write_bytes(tmp_path / "a", b"x")
    from datatools.io import temporary

    number = next(temporary._numbers)
    for i in range(1, 4):
        (tmp_path / f".dt-tmp-{os.getpid()}-{number + i}").write_bytes(b"left")
    atomic.write_bytes(tmp_path / "a", b"y")
    assert (tmp_path / "a").read_bytes() == b"y"


@pytest.mark.parametrize("how", ["hard", "sym", "copy"])
def test_link_or_copy(tmp_path: Path, how: str) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "new" / "b.jpg"
    source.write_bytes(b"x" * 3_000_000)
    atomic.link_or_copy(source, target, how)  # type: ignore[arg-type]
    assert target.read_bytes() == source.read_bytes()
    assert target.is_symlink() == (how == "sym")
    assert source.samefile(target) == (how != "copy")
    with pytest.raises(StorageError, match="File exists"):
        atomic.link_or_copy(source, target, how)  # type: ignore[arg-type]
    assert names(tmp_path) == ["a.jpg", "new/b.jpg"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP])
def test_where_there_are_no_links_a_copy_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(os, "link", failing(os.link, 1, number))
    atomic.link_or_copy(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "a").samefile(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x"


def test_a_link_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match="symbolic link"):
        atomic.link_or_copy(tmp_path / "a", tmp_path / "b")


def test_copy_to_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    monkeypatch.setattr(os, "write", failing(os.write, 2, errno.ENOSPC))
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/b: No space left"):
        atomic.link_or_copy(tmp_path / "a", tmp_path / "b", "copy")
    assert names(tmp_path) == ["a"]


def test_a_rename_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    made = temporary.write(str(tmp_path), b"x")
    with pytest.raises(IsADirectoryError):
        temporary.rename(made, str(tmp_path / "a"))
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_that_the_dead_left_goes_with_all_in_it(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".dt-tmp-{dead.pid}-0"
    left.mkdir()
    (left / "half.jpg").write_bytes(b"x")
    mine = temporary.make_folder(str(tmp_path))
    assert atomic.sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == [os.path.basename(mine)]
    temporary.remove_folder(mine)
    assert not names(tmp_path)
