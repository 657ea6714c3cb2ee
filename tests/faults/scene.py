"""What the fault campaign needs: runs to disturb, and what has to hold after every fault."""

import contextlib
import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import xxhash

from datatools.io.journal import JOURNAL, Journal
from tests.faults.shims import at_call, calls_told

ROOT = Path(__file__).resolve().parents[2]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
"""How often each thing is disturbed: a few times where every change is tested, 200 times in `make faults`."""
FEW = 50
"""Up to so many rounds, calls are disturbed that are drawn; else every one of them."""

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
    """A command to disturb. out: what it makes. in_place: whether it changes its input. before: a command that made
    an earlier `out`, which this one replaces."""

    name: str
    words: tuple[str, ...]
    out: str
    in_place: bool = False
    before: tuple[str, ...] = ()


JOBS = (
    Job("split", ("voc", "split", "raw", "-o", "out"), "out"),
    Job("fix", ("voc", "fix", "raw", "-o", "out"), "out"),
    Job("fix in place", ("voc", "fix", "raw", "--in-place"), "raw", in_place=True),
    Job("image", ("haze", "remove", "raw", "out", "--refine", "none", "-j", "2"), "out"),
    Job("pipeline", ("run", "p.yaml", "-j", "2"), "work"),
)


class Scene:
    """A working directory in which a job is run, disturbed, and run again. shim: Python that the job runs first.

    calls: how often the job changes the disk when nobody disturbs it. whole_s: how long it takes then.
    """

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
        self.here = place / "start"  # where the job runs
        self.raw = contents(self.here / "raw")
        if job.before:
            self._undisturbed(job.before)
        self.old = contents(self.out)
        self.here = place / "here"
        self.reset()
        self.calls = self._undisturbed(job.words)
        self.whole = contents(self.out)

    def at(self, here: Path) -> "Scene":
        """The same scene elsewhere."""
        moved = copy.copy(self)
        moved.here = here
        return moved

    @property
    def out(self) -> Path:
        """What the job makes."""
        return self.here / self.job.out

    def reset(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.place / "start", self.here)

    def copy_from(self, stand: Path) -> None:
        """Go back to how things stood in a folder, to the times of the files."""
        shutil.rmtree(self.here, ignore_errors=True)
        subprocess.run(["cp", "-a", stand, self.here], check=True)

    def start(self, shim: str = "", wrap: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start the job in a session of its own."""
        return self._start(self.job.words, shim, wrap)

    @contextlib.contextmanager
    def running(self, shim: str = "") -> Iterator["subprocess.Popen[str]"]:
        """The job while it runs; it is killed, with all its workers, when the block ends."""
        process = self.start(shim)
        try:
            yield process
        finally:
            kill(process, whole_group=True)

    def _start(self, words: Sequence[str], shim: str, wrap: Sequence[str] = ()) -> "subprocess.Popen[str]":
        code = f"{shim}\nfrom datatools.__main__ import main\nmain()\n"
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [*wrap, sys.executable, "-c", code, *words], cwd=self.here, env=env, text=True,
            start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def _undisturbed(self, words: Sequence[str]) -> int:
        """Run a command to its end; return how often it changed the disk."""
        started = time.monotonic()
        process = self._start(words, at_call(0, ""))
        _, err = process.communicate(timeout=120)
        self.whole_s = time.monotonic() - started
        assert process.returncode == 0, err
        return calls_told(err)

    def run(
        self, shim: str = "", wrap: Sequence[str] = (), timeout_s: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run the job to its end."""
        process = self.start(shim, wrap)
        out, err = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def count(self, calls: Sequence[str]) -> int:
        """How many of these calls the job makes; about as many where only a few of them are disturbed."""
        if ROUNDS <= FEW:
            return self.calls
        self.reset()
        return calls_told(self.run(at_call(0, "", calls=calls)).stderr)

    def check(self, group: int = 0) -> None:
        """What has to hold after any fault, then: one more run gives the undisturbed bytes."""
        if group:
            assert nobody_left(group), "a process is still there after 5 s"
        self.check_files()
        self.check_again()

    def check_again(self, shim: str = "") -> None:
        """One more run gives the undisturbed bytes and leaves nothing beside them."""
        again = self.run(shim)
        assert again.returncode == 0, again.stderr
        assert contents(self.out) == self.whole
        left = [p for p in self.here.rglob("*") if is_temporary(p) or p.name.endswith((".partial", ".old"))]
        assert not left, left

    def check_files(self) -> None:
        """The input is what it was; every output file is whole; the journal names only files that match."""
        raw = contents(self.here / "raw")
        if self.job.in_place:
            assert raw.keys() == self.raw.keys(), "the input is not complete"
            for name, data in raw.items():
                assert data in (self.raw[name], self.whole[name]), f"{name} is not old or new"
        else:
            assert raw == self.raw, "the input is not what it was"
            now = contents(self.out)
            assert not self.job.before or now in (self.old, self.whole), "it is neither the old one nor the new"
            for name, data in now.items() if not self.job.before else ():
                if not any(part.endswith(".partial") for part in Path(name).parts):
                    assert data == self.whole.get(name), f"{name} is not whole"
        for journal in self.here.rglob(JOURNAL):
            with Journal(journal) as lines:
                for row in lines.rows():
                    for one in row.outputs:
                        path = journal.parent.parent / one.name
                        assert path.is_file(), f"{path} is not there, but has a row"
                        assert xxhash.xxh3_128_hexdigest(path.read_bytes()) == one.digest, f"{path} is not as its row"


class Scenes(Protocol):
    """Gives the scene of a job, to be moved (`Scene.at`). pictures: in its input."""

    def __call__(self, job: Job, pictures: int = 3) -> Scene: ...


def never_mixed(scene: Scene, together: int, shim: str = "") -> None:
    """Start so many runs at once: one works; the others say who does, or that there is nothing left to do."""
    processes = [scene.start(shim) for _ in range(together)]
    ended = [(p.returncode, said, err) for p in processes for said, err in [p.communicate(timeout=120)]]
    codes = [code for code, _, _ in ended]
    worked = [code == 0 and "up to date" not in said for code, said, _ in ended]
    assert set(codes) <= {0, 5}, f"runs at once end with {codes}: {ended}"
    assert sum(worked) == 1, f"of runs at once {sum(worked)} worked: {ended}"
    assert all("making it" in err or "finished it" in err for code, _, err in ended if code == 5)


def contents(root: Path) -> dict[str, bytes]:
    """The bytes of what readers see: hidden files hold what a folder remembers about itself."""
    files = {p.relative_to(root): p for p in sorted(root.rglob("*")) if p.is_file()} if root.exists() else {}
    return {str(n): p.read_bytes() for n, p in files.items() if not any(part.startswith(".") for part in n.parts)}


def is_temporary(path: Path) -> bool:
    """Whether a file is one that only a run that goes on may have."""
    return path.name.startswith(".dt-tmp-") or path.name == "journal.ordered"


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


def stopped(process: "subprocess.Popen[str]") -> bool:
    """Wait until a job stops itself (see `shims.STOP`); False where it ends before."""
    told = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return told is not None and told.si_code == os.CLD_STOPPED


def kill(process: "subprocess.Popen[str]", whole_group: bool) -> None:
    """SIGKILL: the parent alone, or all of them."""
    with contextlib.suppress(ProcessLookupError):
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate(timeout=60)


def some(calls: int, rounds: int) -> Sequence[int]:
    """So many of the numbers from 1 to `calls`, the same ones every time; all of them in the long form."""
    numbers = range(1, calls + 1)
    return numbers if ROUNDS > FEW else sorted(random.Random(1).sample(numbers, min(calls, rounds)))


def journal_ids(out: Path) -> list[str]:
    """The ids in a journal."""
    return [json.loads(line)["id"] for line in (out / JOURNAL).read_text().splitlines()]
