"""What made an output: the record that stands in it as run.json.

The runner announces the operation that is about to run; whatever makes the output folder asks for the record and puts
it inside before the folder appears, so that no finished output is ever without one.
"""

import platform
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
    from importlib import metadata

    found = {"python": platform.python_version()}
    for name in ("numpy", "opencv-python", "simplejpeg", "soundfile", "torch"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
