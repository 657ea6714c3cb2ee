"""What every kind of classified set comes down to: pictures, or parts of them, with the number of a class."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from datatools.core.errors import DataError, escape
from datatools.core.records import XYXY

Kind = Literal["folders", "boxes", "list"]
Split = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Example:
    """A picture with its class, or the part of a picture that a box cuts out.

    key: the path inside the set, `#2` behind it for the second box of a picture. file: its path. label: the class's
    number; -1 where it has none. split: "" where the set does not say. xyxy: the box in float pixels, as the
    annotation counts them; None for the whole. size_wh: of the picture that the annotation means; (0, 0) where it does
    not say. shares: (class number, share) of a picture that is mixed of several classes; empty where it is wholly its
    label, which else is the class with the largest share. origins: what it was made from, the main one first, in a set
    that was augmented.
    """

    key: str
    file: str
    label: int
    split: str = ""
    xyxy: XYXY | None = None
    size_wh: tuple[int, int] = (0, 0)
    shares: tuple[tuple[int, float], ...] = ()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassifiedSet:
    """A set, in an order that no machine changes.

    root: its folder. kind: how it was read. classes: the names, in the order of their numbers; each has an example.
    unused: declared classes, and class folders, without any. failures: what could not be read or belongs to no class.
    """

    root: Path
    kind: Kind
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    unused: tuple[str, ...] = ()
    failures: tuple[DataError, ...] = ()

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that the set has."""
        present = {example.split for example in self.examples}
        return tuple(split for split in SPLITS if split in present)

    def part(self, split: str) -> tuple[Example, ...]:
        """The examples of one split."""
        return tuple(example for example in self.examples if example.split == split)


def numbered(
    root: Path,
    kind: Kind,
    declared: tuple[str, ...],
    named: list[tuple[Example, str]],
    failures: tuple[DataError, ...],
) -> ClassifiedSet:
    """Give examples, which come with the names of their classes, the numbers of those that occur."""
    used = {name for _, name in named}
    classes = tuple(name for name in declared if name in used)
    number = {name: i for i, name in enumerate(classes)}
    examples = tuple(replace(e, label=number[name]) for e, name in named)
    unused = tuple(name for name in declared if name not in used)
    return ClassifiedSet(root, kind, classes, examples, unused, failures)


def as_numbered_by(
    found: ClassifiedSet, examples: tuple[Example, ...], classes: tuple[str, ...]
) -> tuple[tuple[Example, ...], tuple[DataError, ...]]:
    """Number examples of a set by another list of classes.

    Those of a class that is not in the list are left out; each such class is a failure E-CLASS-UNKNOWN.
    """
    number = {name: i for i, name in enumerate(classes)}
    kept: list[Example] = []
    strangers: dict[str, int] = {}
    for example in examples:
        own = [found.classes[n] for n, _ in example.shares or ((example.label, 1.0),)]
        if strange := [name for name in own if name not in number]:
            strangers[strange[0]] = strangers.get(strange[0], 0) + 1
            continue
        shares = tuple((number[found.classes[n]], share) for n, share in example.shares)
        kept.append(replace(example, label=number[found.classes[example.label]], shares=shares))
    remedy = f"known are {', '.join(map(escape, classes[:20]))}"
    failures = (
        DataError(found.root, 0, "E-CLASS-UNKNOWN", f"the class {name!r} ({count} pictures) is not known", remedy)
        for name, count in strangers.items()
    )
    return tuple(kept), tuple(failures)
