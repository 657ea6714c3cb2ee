"""Disks to be full, read-only, or without power: small ones that the tests mount, or what comes near to it."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from datatools.io import syncing
from tests.faults.shims import in_workers

_FREEZE, _THAW = 0xC0045877, 0xC0045878  # FIFREEZE and FITHAW of linux/fs.h


@functools.cache
def may_mount() -> bool:
    """Whether file systems can be mounted here, from files too."""
    with tempfile.TemporaryDirectory() as place:
        try:
            with _image(Path(place), "try", 1 << 20):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextlib.contextmanager
def small(place: Path, size_kb: int) -> Iterator[Path]:
    """A tmpfs of that size."""
    place.mkdir()
    _do("mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", place)
    try:
        yield place
    finally:
        _unmount(place)


def remount(place: Path, options: str) -> None:
    """Change a mounted file system: its size, or whether it may be written."""
    _do("mount", "-o", f"remount,{options}", place)


class Disk(Protocol):
    """A place to work, whose power can be cut.

    folder: the place. shim: what a job has to run first.
    """

    folder: Path
    shim: str

    def settle(self) -> None:
        """Have all that is there safe."""

    def cut(self, *, committed: bool = False) -> contextlib.AbstractContextManager[Path]:
        """Cut the power now; what is found then is in the folder that the block gets, whenever it is entered.

        committed: after names came to the disk as another program's sync brings them there; not so their bytes.
        """


class Ext4(Disk):
    """An ext4 file system in a file, which lies in a second one: while that is frozen, the first one's disk stands
    still, whatever is being written.

    What ext4 does for programs that forget to sync before they rename (auto_da_alloc) is switched off, as XFS and
    others never had it.
    """

    shim = ""

    def __init__(self, place: Path, held: contextlib.ExitStack) -> None:
        self._place = place
        self._outer = held.enter_context(_image(place, "outer", 64 << 20))
        self.folder = held.enter_context(_image(self._outer, "disk", 16 << 20, "noauto_da_alloc"))
        self._number = 0

    def settle(self) -> None:
        """See `Disk`."""
        syncing.sync_tree(str(self.folder))

    def cut(self, *, committed: bool = False) -> contextlib.AbstractContextManager[Path]:
        """See `Disk`."""
        if committed:
            with open(self.folder / "other", "a") as other:
                other.write(".")
                os.fsync(other)
        self._number += 1
        copy = self._place / f"cut{self._number}.img"
        fd = os.open(self._outer, os.O_RDONLY)
        fcntl.ioctl(fd, _FREEZE, 0)
        try:
            shutil.copyfile(self._outer / "disk.img", copy)
        finally:
            fcntl.ioctl(fd, _THAW, 0)
            os.close(fd)
        return _mounted(copy, self._place / f"cut{self._number}")


class Simulated(Disk):
    """A folder, for those who may not mount: after the cut a file has only the bytes that were synced.

    Every name is there, as the worst of file systems would have it.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self.folder = place / "disk"
        self.folder.mkdir()
        self._log = place / "syncs"
        self._number = 0
        noting = f"""
import os, time
from datatools.io import syncing
def _noted(function, whole):
    def call(fd):
        at, status = time.time_ns(), os.fstat(fd)
        function(fd)
        with open({str(self._log)!r}, 'a') as log:
            log.write(f"{{at}} {{status.st_size}} {{0 if whole else status.st_ino}}\\n")
    return call
os.fsync, syncing._syncfs = _noted(os.fsync, False), _noted(syncing._syncfs, True)
"""
        self.shim = noting + in_workers(noting)  # stages of a pipeline run there

    def settle(self) -> None:
        """See `Disk`."""
        self._safe_ns = time.time_ns()

    def cut(self, *, committed: bool = False) -> contextlib.AbstractContextManager[Path]:
        """See `Disk`."""
        self._number += 1
        after = self._place / f"cut{self._number}"
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        all_at = self._safe_ns
        own: dict[int, tuple[int, int]] = {}
        for at, size, inode in (map(int, line.split()) for line in lines):
            if inode:
                own[inode] = (at, size)
            else:
                all_at = max(all_at, at)
        shutil.copytree(self.folder, after)  # times of content stay
        for path in self.folder.rglob("*"):
            copy = after / path.relative_to(self.folder)
            if path.is_file() and copy.exists():
                at, size = own.get(path.stat().st_ino, (0, 0))
                if copy.stat().st_mtime_ns > max(all_at, at):
                    os.truncate(copy, min(size, copy.stat().st_size))
        return contextlib.nullcontext(after)


@contextlib.contextmanager
def disk_at(place: Path, kind: str) -> Iterator[Disk]:
    """kind: `ext4` or `simulated`."""
    place.mkdir()
    with contextlib.ExitStack() as held:
        yield Ext4(place, held) if kind == "ext4" else Simulated(place)


@contextlib.contextmanager
def _image(place: Path, name: str, size: int, options: str = "noatime") -> Iterator[Path]:
    """Make an ext4 file system in a file and mount it."""
    image = place / f"{name}.img"
    with open(image, "wb") as file:
        file.truncate(size)
    _do("mkfs.ext4", "-q", "-F", image)
    with _mounted(image, place / name, options) as folder:
        yield folder


@contextlib.contextmanager
def _mounted(image: Path, place: Path, options: str = "noatime") -> Iterator[Path]:
    place.mkdir()
    _do("mount", "-o", f"loop,{options}", image, place)
    try:
        yield place
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    """Let go of it; where somebody is still in there, as soon as he has left."""
    try:
        _do("umount", place)
    except subprocess.CalledProcessError:
        _do("umount", "--lazy", place)
    place.rmdir()


def _do(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


DISKS = ("ext4", "simulated") if may_mount() else ("simulated",)
"""What there is of disks whose power can be cut, the best first."""
