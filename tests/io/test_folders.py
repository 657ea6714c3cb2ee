"""Making folders: whole or absent, one maker at a time, nothing of the user's is ever removed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datatools.core.errors import InUse, StorageError, UsageError
from datatools.io import atomic, files, folders, lineage, syncing
from datatools.io.journal import JOURNAL, Journal


def content(folder: Path) -> dict[str, bytes]:
    """The bytes of all files but of the journal, which holds times."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "journal.jsonl")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_a_journal_says_how_the_files_were_when_the_folder_appeared(tmp_path: Path) -> None:
    with lineage.announced({"op": "voc.fix"}, {}):
        make(tmp_path / "out")
    with Journal(tmp_path / "out" / JOURNAL) as rows:
        one, record = (one for row in rows.rows() for one in row.outputs)
    assert record.name == "run.json"
    status = (tmp_path / "out" / "sub" / "a.txt").stat()
    assert (one.name, one.size, one.mtime_ns) == ("sub/a.txt", status.st_size, status.st_mtime_ns)
    assert one.digest == files.digest(tmp_path / "out" / "sub" / "a.txt")


def make(out: Path, text: bytes = b"x", **options: object) -> None:
    with atomic.folder(out, **options) as partial:  # type: ignore[arg-type]
        atomic.write_bytes(partial / "sub" / "a.txt", text)


def test_appears_when_the_block_ends(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with lineage.announced({"op": "voc.fix", "parameters": {"src": Path("é")}}, {}), atomic.folder(out) as partial:
        atomic.write_bytes(partial / "a.txt", b"x")
        assert not out.exists()
        assert os.listdir(out.parent) == ["out.partial"]
    told = json.loads((out / "run.json").read_text())
    assert (told["op"], told["parameters"]) == ("voc.fix", {"src": "é"})
    assert (told["outputs"]["files"], told["outputs"]["bytes"]) == (1, 1)
    assert os.listdir(out.parent) == ["out"]
    assert sorted(os.listdir(out)) == [".datatools", "a.txt", "run.json"]


def test_relative_and_empty_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    make(Path("out"))
    make(Path("out2/"))
    assert sorted(os.listdir()) == ["out", "out2"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with atomic.folder(tmp_path / "out") as partial:
            atomic.write_bytes(partial / "deep" / "er" / "a.txt", b"x")
            (partial / "link").symlink_to("/")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []
    make(tmp_path / "out")


def test_what_exists_is_not_touched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="not made by datatools"):
            make(out, force=force)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "none")
    for name in ("file", "file/out", "link"):
        with pytest.raises(UsageError):
            make(tmp_path / name, force=True)
    assert content(tmp_path) == {"out/thesis.txt": b"mine", "file": b"mine"}


@pytest.mark.parametrize("in_one_step", [True, False])
def test_force_replaces_what_datatools_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool) -> None:
    if not in_one_step:
        monkeypatch.setattr(syncing, "_renameat2", None)
    out = tmp_path / "out"
    make(out, b"one")
    with pytest.raises(UsageError, match="--force"):
        make(out)
    with pytest.raises(ZeroDivisionError), atomic.folder(out, force=True):
        raise ZeroDivisionError
    assert content(out)["sub/a.txt"] == b"one"
    make(out, b"two", force=True)
    assert sorted(content(out)) == ["run.json", "sub/a.txt"]
    assert content(out)["sub/a.txt"] == b"two"
    assert os.listdir(tmp_path) == ["out"]


def test_output_and_input_are_apart(tmp_path: Path) -> None:
    src = tmp_path / "set"
    (src / "sub").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(src)
    (src / "run.json").write_text("{}")
    for out, what in [
        (src, "is the input"),
        (tmp_path / "sub" / ".." / "set", "is the input"),
        (tmp_path / "alias" / "out", "inside the input"),
        (src / "out", "inside the input"),
        (tmp_path, "inside the output"),
    ]:
        with pytest.raises(UsageError, match=what):
            make(out, force=True, inputs=[tmp_path / "elsewhere", src])
    make(tmp_path / "set2", inputs=[src])  # not inside, for all that its name begins alike
    assert sorted(content(tmp_path)) == ["set/run.json", "set2/run.json", "set2/sub/a.txt"]


KILLED = """
import os, signal, sys
from pathlib import Path
from datatools.io import atomic, folders, syncing
out, moment = Path(sys.argv[1]), sys.argv[2]
kill = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
if moment == "no exchange":
    syncing._renameat2 = None
    rename, calls = os.rename, []
    os.rename = lambda *args: kill() if calls else (calls.append(1), rename(*args))
elif moment != "body":
    owner, name = {"sync": (folders, "sync_tree"), "rename": (folders, "sync_folders"), "clear": (os, "rmdir")}[moment]
    setattr(owner, name, kill)
with atomic.folder(out, force=True) as partial:
    atomic.write_bytes(partial / "sub" / "a.txt", b"new")
    if moment == "body":
        kill()
"""


@pytest.mark.parametrize("moment", ["body", "sync", "rename", "clear", "no exchange"])
def test_killed_anywhere_the_folder_is_old_or_new_and_the_next_run_works(tmp_path: Path, moment: str) -> None:
    out = tmp_path / "out"
    make(out, b"old")
    process = subprocess.run([sys.executable, "-c", KILLED, str(out), moment], check=False)
    assert process.returncode == -signal.SIGKILL
    if moment != "no exchange":
        assert content(out)["sub/a.txt"] in (b"old", b"new")
    make(out, b"next", force=True)
    assert content(out)["sub/a.txt"] == b"next"
    assert os.listdir(tmp_path) == ["out"]
    assert sorted(content(out)) == ["run.json", "sub/a.txt"]


def test_a_partial_folder_of_the_user_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine").write_text("x")
    (tmp_path / "file.partial").write_text("x")
    (tmp_path / "old.old").mkdir()
    (tmp_path / "old.old" / "mine").write_text("x")
    for name in ("out", "file"):
        with pytest.raises(UsageError, match="in the way"):
            make(tmp_path / name)
    make(tmp_path / "old")
    assert (tmp_path / "old.old" / "mine").exists()
    assert (tmp_path / "out.partial" / "mine").exists()


HOLDER = """
import sys
from pathlib import Path
from datatools.io import atomic
with atomic.folder(Path(sys.argv[1])) as partial:
    atomic.write_bytes(partial / "sub" / "a.txt", b"first")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_two_runs_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", HOLDER, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"ready\n"
        with pytest.raises(InUse, match=rf"out\.partial: process {first.pid} of .+ since .+ is making it"):
            make(out)
        first.communicate(b"")
    assert first.returncode == 0
    assert content(out)["sub/a.txt"] == b"first"


def test_a_process_does_not_make_a_folder_twice_at_once(tmp_path: Path) -> None:
    with atomic.folder(tmp_path / "out") as partial:
        atomic.write_bytes(partial / "a", b"x")
        with pytest.raises(InUse):
            make(tmp_path / "out")
    assert sorted(content(tmp_path / "out")) == ["a", "run.json"]


@pytest.mark.parametrize("call", ["mkdir", "rename", "write", "fsync", "makedirs"])
def test_errors_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StorageError, match=r"cannot write .*out.*: No space left on device"):
            make(tmp_path / "out")
    if call != "fsync":  # then it is there already
        assert os.listdir(tmp_path) == []
        make(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_that_cannot_be_locked_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError, match="No space left"):
        make(tmp_path / "out")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("in_one_step", [True, False])
def test_an_old_folder_that_could_not_be_removed_is_known_and_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool
) -> None:
    if not in_one_step:
        monkeypatch.setattr(syncing, "_renameat2", None)

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    out = tmp_path / "out"

    def remake(text: bytes) -> None:
        with folders.resumable(out, keep="mine") as partial:
            atomic.write_bytes(partial / "a.txt", text)
            folders.write_record(str(partial), {"datatools": "1"})

    remake(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_remove", broken)
        with pytest.raises(StorageError, match="Input/output error"):
            remake(b"new")
    assert (out / "a.txt").read_bytes() == b"new"
    assert len(os.listdir(tmp_path)) == 2
    folders.clear_leftovers(out)
    assert os.listdir(tmp_path) == ["out"]


def test_what_a_run_can_go_on_with_is_no_leftover(tmp_path: Path) -> None:
    def cut_off() -> None:
        with folders.resumable(tmp_path / "out", keep="mine"):
            raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        cut_off()
    folders.clear_leftovers(tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["out", "out.partial"]


def test_a_file_appears_whole_and_nothing_beside_it_stays(tmp_path: Path) -> None:
    for place in (f".dt-tmp-{2**22 + 1}-0", ""):  # what a killed run left there
        (tmp_path / place).mkdir(exist_ok=True)
    with folders.beside(tmp_path / "a.jpg") as place:
        Path(place, "a.jpg").write_bytes(b"x")
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == ["a.jpg"]


def test_without_syncfs_the_lock_still_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_syncfs", None)
    make(tmp_path / "out")
    assert folders.RECORD in os.listdir(tmp_path / "out")


@pytest.mark.parametrize("record", ["[1, 2]", '{"lr": 0.1}', "no JSON", ""])
def test_a_folder_with_a_record_of_others_is_never_replaced(tmp_path: Path, record: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text(record)
    (tmp_path / "out" / "model.pt").write_text("mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="not made by datatools"):
            make(tmp_path / "out", force=force)
    with pytest.raises(UsageError, match="not made by datatools"), folders.resumable(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "model.pt").read_text() == "mine"


@pytest.mark.parametrize("name", ["out.old", "out.partial"])
def test_a_copy_that_somebody_made_is_no_leftover(tmp_path: Path, name: str) -> None:
    make(tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / name)
    folders.clear_leftovers(tmp_path / "out")
    if name == "out.old":
        make(tmp_path / "out", force=True)
    else:
        with pytest.raises(UsageError, match="is in the way"):
            make(tmp_path / "out", force=True)
    assert (tmp_path / name / "sub" / "a.txt").read_bytes() == b"x"


def test_a_record_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "out")

    def broken(*args: object, **named: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("builtins.open", broken)
    with pytest.raises(StorageError, match=r"cannot read .*run.json: Input/output error"):
        make(tmp_path / "out", force=True)
    monkeypatch.setattr(os, "open", broken)
    with pytest.raises(StorageError, match=r"cannot read .*journal.jsonl: Input/output error"):
        Journal(tmp_path / "out" / JOURNAL)
