"""The sets of a training: which examples are trained on, which are held out, all decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.types import Run

if TYPE_CHECKING:
    from datatools.io.classified.examples import ClassifiedSet, Example
    from datatools.zoo.pictures import Pictures

HELD_OUT = 0.2
"""Share of a set without lists that is held out to validate."""


@dataclass(frozen=True, eq=False)
class Sets:
    """What is trained on and what is validated on.

    how: where the validation pictures come from, in words. unused: classes without a picture. failures: what could not
    be used of either.
    """

    classes: tuple[str, ...]
    train: "Pictures"
    val: "Pictures"
    how: str
    unused: tuple[str, ...]
    failures: tuple[DataError, ...]

    @property
    def leaked(self) -> int:
        """Pictures to validate on that are also trained on, pixel by pixel."""
        import numpy as np

        return int(np.isin(self.val.digest, self.train.digest).sum())


def for_training(src: Path, val: Path | None, size_wh: tuple[int, int], seed: int, run: Run) -> Sets:
    """Open and decode a set to train on, and what to validate on.

    That is `val` where it is given, else the validation list of the set, else a fifth of it: classes in their shares,
    crops of one picture, copies made from one, and equal pixels on the same side.

    UsageError where there are fewer than two classes or nothing to train or validate on.
    """
    import numpy as np

    from datatools.io.classified import opening
    from datatools.io.classified.examples import as_numbered_by
    from datatools.kernels import folds
    from datatools.zoo import pictures

    found = opening.open_set(src, run)
    two_classes(src, found.classes)
    pool = trained_part(found)
    failures = list(found.failures)
    if val is not None:
        other = opening.open_set(val, run)
        chosen, strange = as_numbered_by(other, held_out_part(other), found.classes)
        failures += [*other.failures, *strange]
        how = f"{escape(val)}"
    elif "train" in found.splits and "val" in found.splits:
        chosen, how = found.part("val"), "the set's own validation list"
    else:
        loaded = pictures.load(pool, size_wh, run)
        rng = np.random.default_rng([seed, 2])
        part = folds.parts(loaded.label, [loaded.group, loaded.digest], (1 - HELD_OUT, HELD_OUT), rng)
        train, held = (loaded.take(np.flatnonzero(part == p)) for p in (0, 1))
        how = f"{HELD_OUT:.0%} of the set, held out{', parts of them mixed into others' if loaded.loose else ''}"
        return _checked(src, Sets(found.classes, train, held, how, found.unused, (*failures, *loaded.failures)))
    train, held = pictures.load(pool, size_wh, run), pictures.load(chosen, size_wh, run)
    failures += [*train.failures, *held.failures]
    return _checked(src, Sets(found.classes, train, held, how, found.unused, tuple(failures)))


def trained_part(found: "ClassifiedSet") -> "tuple[Example, ...]":
    """The examples of a set that is trained on: those of its training list, or all."""
    return found.part("train") or found.examples


def held_out_part(found: "ClassifiedSet") -> "tuple[Example, ...]":
    """The examples of a set that is validated on: those of its validation list, its test list, or all."""
    return found.part("val") or found.part("test") or found.examples


def two_classes(src: Path, classes: Sequence[str]) -> None:
    """UsageError unless there are at least two classes."""
    if len(classes) < 2:
        only = escape(classes[0]) if classes else "none"
        raise UsageError(f"{escape(src)}: has one class ({only}); telling apart takes two")


def _checked(src: Path, sets: Sets) -> Sets:
    for pictures, what in ((sets.train, "train"), (sets.val, "validate")):
        if not len(pictures):
            first = f" ({sets.failures[0]})" if sets.failures else ""
            raise UsageError(f"{escape(src)}: no picture is left to {what} on{first}")
    return sets
