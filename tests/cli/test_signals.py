"""Interrupted: a known exit code at once, no traceback, nobody left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def large_set(tmp_path: Path, fixture_voc: Path) -> Path:
    """A set whose images take some seconds to decode: the scenes many times over, by hard links."""
    for folder in ("Annotations", "JPEGImages"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for path in sorted((fixture_voc / folder).iterdir()):
            copy = tmp_path / "set" / folder / f"0_{path.name}"
            copy.write_bytes(path.read_bytes())
            for number in range(1, 150):
                os.link(copy, copy.with_name(f"{number}_{path.name}"))
    return tmp_path / "set"


def alive_in_group(group: int) -> list[str]:
    """The processes of the group that run; those that have ended and wait to be counted out do not."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                alive.append(stat.parent.name)
    return alive


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once(large_set: Path, sent: signal.Signals, code: int, jobs: str) -> None:
    words = [sys.executable, "-m", "datatools", "voc", "lint", str(large_set), "--deep", "-j", jobs, "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    time.sleep(1.5)
    assert process.poll() is None, "the set is too small for this machine"
    process.send_signal(sent)
    sent_at = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert time.monotonic() - sent_at < 2
    assert (out, err) == ("", "")
    until = time.monotonic() + 0.5
    while (left := alive_in_group(process.pid)) and time.monotonic() < until:
        time.sleep(0.02)
    assert left == []


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_that_comes_where_python_drops_exceptions_is_not_lost(sent: str, code: int) -> None:
    script = f"""
import os, signal, time
from datatools import __main__
from datatools.cli import app

class Cleared:
    def __del__(self):
        os.kill(os.getpid(), signal.{sent})

def work(words):
    Cleared()
    time.sleep(20)

app.main = work
__main__.main()
"""
    words = [sys.executable, "-c", script, "voc", "lint"]
    started = time.monotonic()
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    assert time.monotonic() - started < 5
