"""What made an output: the record that stands in it as run.json.

The runner announces the operation that is about to run; whatever makes the output folder asks for the record and puts
it inside before the folder appears, so that no finished output is ever without one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import datatools

_current: ContextVar[dict[str, Any] | None] = ContextVar("lineage", default=None)


def current() -> dict[str, Any]:
    """Return the record of the operation that is running; a bare one where a function was called directly."""
    return _current.get() or {"datatools": datatools.__version__}


@contextmanager
def announced(record: dict[str, Any]) -> Iterator[None]:
    """Make `record` the current one inside the block."""
    token = _current.set(record)
    try:
        yield
    finally:
        _current.reset(token)
