"""Emptying a folder. Where little else is to be done it takes longest, so a large one is emptied by two processes."""

import itertools
import os
from collections.abc import Iterator, Sequence

from datatools.io.halves import both
from datatools.io.trees import MANY


def clear(place: str, keep: tuple[str, ...]) -> None:
    """Remove all below a folder but the files to keep at its top; links are removed, never followed. Raises OSError."""
    with os.scandir(place) as entries:
        inside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    if len(inside) > 1 and sum(1 for _ in itertools.islice(_files_below(place), MANY)) == MANY:
        both(_clear_all, inside[0::2], inside[1::2])
    _clear_all([place], keep)


def _files_below(place: str) -> Iterator[str]:
    for _, _, names in os.walk(place):
        yield from names


def _clear_all(places: Sequence[str], keep: tuple[str, ...] = ()) -> None:
    for place in places:
        for parent, folders, names in os.walk(place, topdown=False):
            for name in names:
                if parent != place or name not in keep:
                    os.unlink(os.path.join(parent, name))
            for name in folders:
                path = os.path.join(parent, name)
                (os.unlink if os.path.islink(path) else os.rmdir)(path)
