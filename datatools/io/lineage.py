"""What made an output: the record that stands in it as run.json.

The runner announces the operation that is about to run; whatever makes the output folder asks for the record and puts
it inside before the folder appears, so that no finished output is ever without one.
"""

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import datatools

Digests = Mapping[tuple[int, int, int], str]
"""The digests of input files by inode, size and modification time: a link to one of them need not be read."""

_current: ContextVar[tuple[dict[str, Any], Digests] | None] = ContextVar("lineage", default=None)


def current() -> dict[str, Any]:
    """Return the record of the operation that is running; a bare one where a function was called directly."""
    announced = _current.get()
    return announced[0] if announced else {"datatools": datatools.__version__}


def known_digests() -> Digests:
    """Return the digests of the input files of the operation that is running."""
    announced = _current.get()
    return announced[1] if announced else {}


@contextmanager
def announced(record: dict[str, Any], digests: Digests) -> Iterator[None]:
    """Make `record` the current one inside the block."""
    token = _current.set((record, digests))
    try:
        yield
    finally:
        _current.reset(token)


def packages() -> dict[str, str]:
    """Return the versions of what decides bytes beside our own code."""
    names = ("numpy", "opencv-python", "simplejpeg", "soundfile", "torch")
    found = _installed({name.replace("-", "_"): name for name in names})
    if "numpy" not in found:  # which is always there: packages are recorded in another way
        from importlib import metadata  # takes longer than all else here

        for name in set(names) - found.keys():
            with suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(name)
    return {"python": platform.python_version(), **{name: found[name] for name in names if name in found}}


def _installed(wanted: Mapping[str, str]) -> dict[str, str]:
    """The versions of packages by the names of their `.dist-info` folders. wanted: what these begin with, and names."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            package, _, version = entry.removesuffix(".dist-info").partition("-")
            if version and entry.endswith(".dist-info") and package in wanted:
                found.setdefault(wanted[package], version)
    return found
