"""`voc filter`: a copy of a set with some of its objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, DryRun, Force, OutVocFolder, Run, VocFolder
from datatools.ops.voc import derived
from datatools.ops.voc.derived import Link, Rule


@dataclass(frozen=True)
class Filtered(Result):
    """What `voc filter` did, or would do.

    items: of the source: kept, dropped (their keys: no object was left) or named in `failures`.
    objects: class -> how many stay. removed: class -> how many were removed.
    """

    out: Path
    items: int
    kept: int
    dropped: tuple[str, ...]
    objects: dict[str, int]
    removed: dict[str, int]
    list_notes: tuple[str, ...]
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many items could not be read."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Classes with what stays and what goes, then the figures."""
        yield from map(str, self.failures)
        labels = sorted(self.objects.keys() | self.removed.keys())
        rows = tuple((label, self.objects.get(label, 0), self.removed.get(label, 0)) for label in labels)
        yield Table(("class", "objects kept", "removed"), rows)
        yield from self.list_notes
        yield (
            f"{self.items} items: {self.kept} kept, {len(self.dropped)} dropped empty, {len(self.failures)} rejected; "
            f"{sum(self.objects.values())} objects kept, {sum(self.removed.values())} removed."
        )
        yield derived.closing(self.out, self.dry_run)


@op("voc.filter", version=1)
def filter(
    src: VocFolder,
    *,
    out: OutVocFolder,
    keep: Annotated[tuple[str, ...], Param("class that stays; all others go", metavar="CLASS")] = (),
    drop: Annotated[tuple[str, ...], Param("class that goes; all others stay", metavar="CLASS")] = (),
    min_area: Annotated[float, Param("objects with a smaller area, in square pixels, go", ge=0, metavar="PX2")] = 0.0,
    drop_empty: Annotated[bool, Param("leave out items that have no object left")] = False,
    link: Link = "hard",
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Filtered:
    """Copy a set with some of its classes or without its smallest objects; the rest of each XML stays as it is.

    An image whose objects are all gone stays as background, unless `drop_empty` is set. Lists are kept true.
    UsageError for a class that the set does not have.
    """
    from datatools.io.voc.layout import open_set
    from datatools.io.voc.scan import read_table

    if keep and drop:
        raise UsageError("--keep and --drop exclude each other: name the classes that stay, or those that go")
    if not (keep or drop or min_area or drop_empty):
        raise UsageError("nothing to filter by: give --keep, --drop, --min-area or --drop-empty")
    voc_set = open_set(src)
    table = read_table(voc_set, run=run)
    derived.check_known((*keep, *drop), table.classes)
    staying = frozenset(keep) if keep else frozenset(table.classes) - frozenset(drop) if drop else None
    made = derived.derive(voc_set, Rule(staying, min_area, drop_empty=drop_empty), table.coords, run)
    if not dry_run:
        derived.write(run.track(made.entries, "write"), out, link=link, force=force, inputs=(src,))
    return Filtered(
        out=out,
        items=len(voc_set.items),
        kept=made.kept,
        dropped=made.dropped,
        objects=made.objects,
        removed=made.removed,
        list_notes=made.list_notes,
        dry_run=dry_run,
        failures=made.failures,
    )
