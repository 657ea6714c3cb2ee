"""Python that a job runs first: what disturbs it from inside, at a moment that is the same every time."""

from collections.abc import Sequence
from pathlib import Path

CHANGING = ("write", "fsync", "rename", "replace", "mkdir", "link", "ftruncate", "unlink")
"""The functions of `os` that change the disk or bring changes there; syncfs and renameat2 always come along."""

FALLIBLE = (*CHANGING, "open", "pwrite", "rmdir", "close")
"""All of which the disk may refuse. Opening counts where it is for writing; closing fails after it has closed."""

SPACE = ("write", "pwrite", "rename", "replace", "mkdir", "link", "open")
"""All of which need space."""

STOP = "os.kill(os.getpid(), signal.SIGSTOP)"
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def fails(error: str) -> str:
    """What a call does that fails. error: name of an errno."""
    return f"raise OSError(errno.{error}, os.strerror(errno.{error}))"


def at_call(number: int, then: str, *, calls: Sequence[str] = CHANGING, ever_after: bool = False) -> str:
    """Do something at the n-th of these calls, before the system does what it is asked for.

    number: from 1; 0 is none, and then the job says at its end how many there were. then: Python. ever_after: again at
    every later one.
    """
    return f"""
import atexit, os, signal, errno, sys
_count, _then = [0], compile({then!r}, 'then', 'exec')
def _wrapped(name, function):
    def call(*args, **named):
        if name == 'open' and not (len(args) > 1 and args[1] & (os.O_WRONLY | os.O_RDWR)):
            return function(*args, **named)
        _count[0] += 1
        due = _count[0] == {number} or ({ever_after} and _count[0] > {number})
        if due and name == 'close':
            function(*args, **named)
        if due:
            exec(_then)
        return function(*args, **named)
    return call
from datatools.io import syncing
for _owner, _names in ((os, {tuple(calls)!r}), (syncing, ('_syncfs', '_renameat2'))):
    for _name in _names:
        setattr(_owner, _name, _wrapped(_name, getattr(_owner, _name)))
if not {number}:
    atexit.register(lambda: print('calls', _count[0], file=sys.stderr))
"""


def instead(function: str, then: str) -> str:
    """Do something instead of a function. function: module, attributes, name."""
    owner, _, name = function.rpartition(".")
    return f"""
import errno, os, pkgutil
def _instead(*args, **named):
    {then}
setattr(pkgutil.resolve_name({owner!r}), {name!r}, _instead)
"""


def calls_told(said: str) -> int:
    """How many calls there were, as `at_call(0, ...)` told."""
    return int(said.rpartition("calls ")[2].split()[0])


def in_workers(shim: str) -> str:
    """Let the workers run it, not the job itself."""
    return f"""
import subprocess
class _Popen(subprocess.Popen):
    def __init__(self, words, **named):
        if 'datatools.engine.worker' in words[-1]:
            words = [*words[:-1], {shim!r} + chr(10) + words[-1]]
        super().__init__(words, **named)
subprocess.Popen = _Popen
"""


def clock_jumps(years: float) -> str:
    """What sets the clock: every time that is told from then on is years off. For `at_call`."""
    return f"""
import time
for _name, _unit in (('time', 1), ('time_ns', 10**9)):
    def _told(now=getattr(time, _name), off=int({years} * 365.25 * 86400) * _unit):
        return now() + off
    setattr(time, _name, _told)
"""


def at_exit(then: str) -> str:
    """Do something when all is done."""
    return f"""
import atexit, os, signal
atexit.register(lambda: {then})
"""


def meeting(place: Path, together: int) -> str:
    """Let so many runs wait for each other before any of them makes its output whole. place: a folder of their own."""
    return f"""
import os, time
from datatools.engine import item_finish
_finish_alone = item_finish.finish
def _meet(*args):
    os.makedirs({str(place)!r}, exist_ok=True)
    open(f'{place}/{{os.getpid()}}', 'w').close()
    until = time.monotonic() + 5
    while len(os.listdir({str(place)!r})) < {together} and time.monotonic() < until:
        time.sleep(0.01)
    return _finish_alone(*args)
item_finish.finish = _meet
"""


STOP_BEFORE_THE_END = f"""
import os, signal
from datatools.engine import item_finish
item_finish.finish = lambda *args: {STOP}
"""

STOP_BEHIND_THE_END = f"""
import os, signal
from datatools.engine import item_finish
_finish = item_finish.finish
def _stop(*args):
    _finish(*args)
    {STOP}
item_finish.finish = _stop
"""

NO_SYNC = """
import os
from datatools.io import syncing
os.fsync = syncing._syncfs = lambda fd: None
"""

PUBLISH_BEFORE_SYNC = f"""
import os, signal
from datatools.io import folders, syncing
_publish, folders.sync_tree = folders._publish, lambda folder: None
def _early(partial, target, *rest):
    _publish(partial, target, *rest)
    {STOP}
    syncing.sync_tree(target)
folders._publish = _early
"""

RENAME_BEFORE_SYNC = f"""
import os, signal
from datatools.io import atomic, syncing
def _late(folders):
    if not any('.datatools' in folder for folder in folders):  # these are the backup's
        {STOP}
    syncing.sync_folders(folders)
atomic.sync_files, atomic.sync_folders = lambda paths: None, _late
"""

JOURNAL_BEFORE_SYNC = f"""
import os, signal
from datatools.io import journal, syncing
_append, syncing.sync_tree = journal.JournalFile.append, lambda folder: None
def _early(self, lines):
    _append(self, lines)
    {STOP}
journal.JournalFile.append = _early
"""

NO_LOCK = """
import fcntl
fcntl.lockf = lambda *args: None
"""

EXISTENCE_ENOUGH = """
import os
from datatools.engine.item_plan import Planner
Planner._holds = lambda self, row, source: all(os.path.exists(f'{self.partial}/{one.name}') for one in row.outputs)
"""
