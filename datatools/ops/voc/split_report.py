"""What `datatools voc split` answers: sizes, the balance of the classes, leaks, files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from datatools.core.errors import DataError, escape
from datatools.core.result import Result, Table

if TYPE_CHECKING:
    from datatools.ops.voc.leaks import Leak

MOST_FOLDERS = 4
"""Named in one line."""


@dataclass(frozen=True, slots=True)
class ClassBalance:
    """One class. objects, images: of each split, in the order of `Split.sizes`.

    shares: the share of the class's objects that each split has. errors: how far that is from the split's share of the
    images, relative to it (0.1: ten per cent too many); None where the class has fewer than 1 / share objects, so that
    not even one object is due.
    """

    name: str
    objects: tuple[int, ...]
    images: tuple[int, ...]
    shares: tuple[float, ...]
    errors: tuple[float | None, ...]


@dataclass(frozen=True)
class Split(Result):
    """Which lists were made and how good they are.

    sizes, wanted: items of each split, and how many were asked for. kept: items that had a place already.
    balance: each class. worst_error: the largest of its errors, None where no class is large enough.
    tied: images whose bytes another one has as well; they stay together. groups: units that --group named, 0 without.
    ungrouped: items without a group. no_image: XML without an image. leaks: what the splits share.
    lists: the lists that changed; unchanged: how many did not. backup: where the old lists are.
    failures: XML that could not be read (such items are in no list), and what else is wrong.
    """

    src: Path
    out: Path
    seed: int
    sizes: dict[str, int]
    wanted: dict[str, int]
    kept: int
    balance: tuple[ClassBalance, ...]
    worst_error: float | None
    tied: int
    groups: int
    ungrouped: int
    no_image: int
    leaks: "tuple[Leak, ...]"
    lists: tuple[Path, ...]
    unchanged: int
    backup: Path | None
    failures: tuple[DataError, ...]
    strict: bool = field(default=False, repr=False)
    dry_run: bool = False

    @property
    def problems(self) -> int:
        """Failures, and with --strict the leaks."""
        return len(self.failures) + (sum(leak.count for leak in self.leaks) if self.strict else 0)

    @property
    def written(self) -> tuple[Path, ...]:
        """The lists."""
        return () if self.dry_run else self.lists

    def lines(self) -> Iterator[str | Table]:
        """Sizes, balance, what was tied, leaks, files."""
        n = sum(self.sizes.values())
        yield f"{n} items: " + ", ".join(f"{name} {size}" for name, size in self.sizes.items()) + f" (seed {self.seed})"
        if off := {s: n - self.wanted[s] for s, n in self.sizes.items() if n != self.wanted[s]}:
            yield "off the sizes asked for: " + ", ".join(f"{name} {by:+d}" for name, by in off.items())
        if self.balance:
            yield self._table()
        if self.worst_error is not None:
            yield f"worst relative error of a class's share: {self.worst_error:.2%} (of classes that are due an object)"
        yield from self._ties()
        yield from map(str, self.failures)
        yield from self._leaks()
        yield from self._files()

    def _table(self) -> Table:
        header = ["class", "objects", "images"]
        for name in self.sizes:
            header += [name, "share %", "error %"]
        rows = []
        for row in self.balance:
            # a label with blanks around it is a class of its own, which one should see
            name = escape(row.name) if row.name == row.name.strip() else repr(row.name)
            cells: list[object] = [name, sum(row.objects), sum(row.images)]
            for objects, share, error in zip(row.objects, row.shares, row.errors, strict=True):
                cells += [objects, 100 * share, None if error is None else 100 * error]
            rows.append(tuple(cells))
        return Table(tuple(header), tuple(rows), "objects of each class", digits=2)

    def _ties(self) -> Iterator[str]:
        if self.kept:
            yield f"{self.kept} items keep the place that they had"
        if self.groups:
            alone = f"; {self.ungrouped} items have no group and stand alone" if self.ungrouped else ""
            yield f"{self.groups} groups kept whole{alone}"
        if self.tied:
            yield f"{self.tied} images have the bytes of another one: such twins are kept together"
        if self.no_image:
            yield f"{self.no_image} XML have no image (datatools voc lint names them)"
        if empty := [name for name, size in self.sizes.items() if self.wanted[name] and not size]:
            yield f"empty, because there are too few groups: {', '.join(empty)}"

    def _leaks(self) -> Iterator[str]:
        if not self.leaks:
            yield "leaks: none (ids, image bytes, groups, neighbour frames)"
        for leak in self.leaks:
            more = " ..." if leak.count > len(leak.examples) else ""
            yield f"leak: {leak.kind}: {leak.count}: {escape('; '.join(leak.examples))}{more}"
            if leak.kind == "neighbour frames":
                yield "  (frames of one video are nearly the same picture: --group '^(.*)_' keeps them together)"

    def _files(self) -> Iterator[str]:
        if not self.lists:
            yield f"nothing to write: all {self.unchanged} lists are as they should be"
        else:
            folders = sorted({escape(path.parent) for path in self.lists})
            folders = folders if len(folders) <= MOST_FOLDERS else [*folders[:MOST_FOLDERS], "..."]
            verb = "would write" if self.dry_run else "wrote"
            same = f"; {self.unchanged} were right already" if self.unchanged else ""
            yield f"{verb} {len(self.lists)} lists in {', '.join(folders)}{same}"
        if self.dry_run:
            yield "next: the same without --dry-run"
        else:
            undo = f" (datatools voc undo {escape(self.out)} takes this back)" if self.backup else ""
            yield f"next: datatools voc stats {escape(self.src)}{undo}"
