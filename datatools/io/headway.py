"""How far the items are that are being worked on and take long, as videos do; for bars and remaining times.

Each process that works on such an item keeps a small file below the folder that is being made, and whoever waits adds
them up. Nothing depends on these files: one that is lost or half written is passed over.
"""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

_FOLDER = ".datatools/headway"
_EVERY_S = 0.25
_STALE_S = 60.0


class Headway:
    """Tells how far one item is. root: the folder that is being made."""

    def __init__(self, root: str | Path) -> None:
        self._path = Path(root) / _FOLDER / str(os.getpid())
        self._told = time.monotonic()

    def tell(self, share: float) -> None:
        """Say what share of the item is done, 0 .. 1; kept to a few times a second."""
        now = time.monotonic()
        if now - self._told < _EVERY_S:
            return
        self._told = now
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(f"{min(max(share, 0.0), 1.0):.6f}\n")

    def end(self) -> None:
        """The item is done: it counts as a whole now."""
        with suppress(OSError):
            self._path.unlink()


def told(root: str | Path) -> float:
    """How many items are done by the parts of those that are being worked on."""
    done = 0.0
    with suppress(OSError):
        for path in (Path(root) / _FOLDER).iterdir():
            with suppress(OSError, ValueError):
                if time.time() - path.stat().st_mtime < _STALE_S:  # its process may have died
                    done += min(max(float(path.read_text()), 0.0), 1.0)
    return done


def remove(root: str | Path) -> None:
    """Remove what is left of them."""
    shutil.rmtree(Path(root) / _FOLDER, ignore_errors=True)
