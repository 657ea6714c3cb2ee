"""What the fault campaign needs: runs to disturb, and what has to hold after every fault."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from datatools.io.journal import JOURNAL, Journal

ROOT = Path(__file__).resolve().parents[2]

PIPELINE = """
version: 1
stages:
  - {id: fixed, uses: voc.fix, in: raw, out: work/fixed}
  - {id: clear, uses: haze.remove, in: fixed, out: work/clear, with: {refine: none}}
  - {id: lists, uses: voc.split, in: raw, out: work/lists}
  - {id: names, uses: voc.stats, in: fixed, with: {classes: work/classes.txt}}
"""


@dataclass(frozen=True)
class Job:
    """A command to disturb. out: what it makes. in_place: whether it changes its input."""

    name: str
    words: tuple[str, ...]
    out: str
    in_place: bool = False


JOBS = (
    Job("split", ("voc", "split", "raw", "-o", "out"), "out"),
    Job("fix", ("voc", "fix", "raw", "-o", "out"), "out"),
    Job("fix in place", ("voc", "fix", "raw", "--in-place"), "raw", in_place=True),
    Job("image", ("haze", "remove", "raw", "out", "--refine", "none", "-j", "2"), "out"),
    Job("pipeline", ("run", "p.yaml", "-j", "2"), "work"),
)


class Scene:
    """A working directory in which a job is run, disturbed, and run again. shim: Python that the job runs first."""

    def __init__(self, place: Path, job: Job, pictures: int = 12) -> None:
        self.place = place
        self.job = job
        source = ROOT / "fixtures" / "voc"
        for folder in ("Annotations", "JPEGImages"):
            (place / "start" / "raw" / folder).mkdir(parents=True)
            for path in sorted((source / folder).iterdir())[:pictures]:
                wrong = path.read_bytes().replace(b"<width>320<", b"<width>321.0<")  # something to mend in each
                (place / "start" / "raw" / folder / path.name).write_bytes(wrong)
        (place / "start" / "p.yaml").write_text(PIPELINE)
        self.reset()
        self.raw = contents(place / "here" / "raw")
        done = self.run()
        assert done.returncode == 0, done.stderr
        self.whole = contents(self.out)

    @property
    def here(self) -> Path:
        """Where the job runs."""
        return self.place / "here"

    @property
    def out(self) -> Path:
        """What the job makes."""
        return self.here / self.job.out

    def reset(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.place / "start", self.here)

    def start(self, shim: str = "", wrap: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start the job in a session of its own."""
        code = f"{shim}\nfrom datatools.__main__ import main\nmain()\n"
        words = [*wrap, sys.executable, "-c", code, *self.job.words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            words, cwd=self.here, env=env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(
        self, shim: str = "", wrap: Sequence[str] = (), timeout_s: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run the job to its end."""
        process = self.start(shim, wrap)
        out, err = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def check(self, group: int = 0) -> None:
        """What has to hold after any fault, then: one more run gives the undisturbed bytes."""
        if group:
            assert nobody_left(group), "a process is still there after 5 s"
        self.check_files()
        again = self.run()
        assert again.returncode == 0, again.stderr
        assert contents(self.out) == self.whole
        left = [p for p in self.here.rglob("*") if p.name.startswith(".dt-tmp-") or p.name.endswith(".partial")]
        assert not left, left

    def check_files(self) -> None:
        """The input is what it was; every output file is whole; the journal names only files that match."""
        raw = contents(self.here / "raw")
        if self.job.in_place:
            assert raw.keys() == self.raw.keys()
            assert all(data in (self.raw[name], self.whole[name]) for name, data in raw.items())
        else:
            assert raw == self.raw
            for name, data in contents(self.out).items():
                if not any(part.endswith(".partial") for part in Path(name).parts):
                    assert data == self.whole.get(name), f"{name} is not whole"
        for journal in self.here.rglob(JOURNAL):
            with Journal(journal) as lines:
                for row in lines.rows():
                    for one in row.outputs:
                        path = journal.parent.parent / one.name
                        assert xxhash.xxh3_128_hexdigest(path.read_bytes()) == one.digest, f"{path} is not as its row"


def contents(root: Path) -> dict[str, bytes]:
    """The bytes of what readers see: hidden files hold what a folder remembers about itself."""
    files = {p.relative_to(root): p for p in sorted(root.rglob("*")) if p.is_file()} if root.exists() else {}
    return {str(n): p.read_bytes() for n, p in files.items() if not any(part.startswith(".") for part in n.parts)}


def members(group: int) -> list[int]:
    """The processes of a session that run; those that have ended and wait to be counted out do not."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                alive.append(int(stat.parent.name))
    return alive


def nobody_left(group: int, within_s: float = 5.0) -> bool:
    """Whether all processes of a session end soon."""
    until = time.monotonic() + within_s
    while members(group):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def kill(process: "subprocess.Popen[str]", whole_group: bool) -> None:
    """SIGKILL: the parent alone, or all of them."""
    with contextlib.suppress(ProcessLookupError):
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate(timeout=60)


def at_call(number: int, then: str) -> str:
    """A shim that does something at the n-th call of the system that changes the disk, and counts the calls.

    then: Python; `error` is what OSError is raised with where it ends with raising.
    """
    return f"""
import os, signal, errno
_count, _then = [0], compile({then!r}, 'then', 'exec')
def _wrapped(function):
    def call(*args, **named):
        _count[0] += 1
        if _count[0] == {number}:
            exec(_then)
        return function(*args, **named)
    return call
from datatools.io import syncing
for _owner, _names in ((os, ('write', 'fsync', 'rename', 'replace', 'mkdir', 'link', 'ftruncate', 'unlink')),
                       (syncing, ('_syncfs', '_renameat2'))):
    for _name in _names:
        setattr(_owner, _name, _wrapped(getattr(_owner, _name)))
import atexit, sys
atexit.register(lambda: print('calls', _count[0], file=sys.stderr))
"""


def calls_of(run: "Callable[[], subprocess.CompletedProcess[str]]") -> int:
    """How many calls a run makes that a shim counts."""
    done = run()
    return int(done.stderr.split("calls ")[-1].split()[0])


def journal_ids(out: Path) -> list[str]:
    """The ids in a journal."""
    return [json.loads(line)["id"] for line in (out / JOURNAL).read_text().splitlines()]
