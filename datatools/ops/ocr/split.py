"""`datatools ocr split`: detection, recognition and direction dealt together, each source image to one split."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.census import count_of
from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.textset import TextSet
from datatools.core.types import SERIAL, Dataset, DryRun, Force, OutFolder, Run, Seed
from datatools.ops.ocr.options import FormatOption
from datatools.ops.ocr.sources import Sources, find_sources
from datatools.ops.ocr.training import Ledger, training_files
from datatools.ops.voc.derived import Link, closing, write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
TOLERANCE = 1e-6
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class SplitCount:
    """What one split got. sources: images that all of it comes from; regions: of its pages, without `ignored`."""

    name: str
    sources: int
    pages: int
    regions: int
    ignored: int
    lines: int
    directions: int


@dataclass(frozen=True)
class Split(Result):
    """How a set was split.

    splits: what each got. before: how many images the label files had in each split. tied: sources that are kept with
    another one, for equal bytes or by --group. items: all samples, which are written or left out by `failures`.
    """

    src: Path
    out: Path
    splits: tuple[SplitCount, ...]
    before: dict[str, int]
    items: int
    tied: int
    ungrouped: int
    seed: int
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many lines and images could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """What each split got, what was left out, and where the lists lie."""
        yield from map(str, self.failures[:SHOWN_FAILURES])
        if len(self.failures) > SHOWN_FAILURES:
            yield f"... and {len(self.failures) - SHOWN_FAILURES:,} more that could not be used (--json lists all)"
        header = ("split", "sources", "pages", "regions", "ignored", "lines", "directions")
        rows = ((s.name, s.sources, s.pages, s.regions, s.ignored, s.lines, s.directions) for s in self.splits)
        yield Table(header, tuple(rows))
        told = {name: count for name, count in self.before.items() if name}
        if told:
            yield f"the label files had {', '.join(f'{n} in {s}' for s, n in told.items())}; all were dealt anew"
        if self.tied:
            yield f"{count_of(self.tied, 'source')} stay with another one (equal bytes, or --group)"
        if self.ungrouped:
            yield f"{count_of(self.ungrouped, 'source')} that --group does not match are dealt alone"
        yield closing(self.out, self.dry_run, "train on {out}; the paths count from the folder of each label file")


@op("ocr.split", version=1)
def split(
    src: Dataset,
    *,
    out: OutFolder,
    train: Annotated[float | None, Param("share of the source images for training (0.8)", ge=0, le=1)] = None,
    val: Annotated[float | None, Param("share for validation (0.1)", ge=0, le=1)] = None,
    test: Annotated[float | None, Param("share for the test (0.1)", ge=0, le=1)] = None,
    group: Annotated[
        str | None, Param("sources that must stay together: by a part of their name", metavar="REGEX")
    ] = None,
    format: FormatOption = "auto",
    link: Link = "hard",
    seed: Seed = 0,
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Split:
    """Split a text set into train, val and test by source image: detection, recognition and direction consistently.

    A line cut from a page (`<page>_crop_<number>`) goes where its page goes, images of equal bytes stay together, and
    regions and lines are spread in the same shares. OUT is a complete set; labels are kept byte for byte, SRC stays.
    """
    import numpy as np

    from datatools.io.textsets import sets

    shares = _shares({"train": train, "val": val, "test": test})
    found = sets.read(src, format, run)
    sources = find_sources(found)
    units, tied, ungrouped, unreadable = _units(found, sources, group, run)
    of_source = _deal(found, sources, units, shares, seed)
    names = [list(shares)[s] for s in of_source.tolist()]
    dealt = replaced(found, sources, names)
    ledger = Ledger()
    entries = training_files(dealt, ledger)
    if dry_run:
        deque(entries, maxlen=0)
    else:
        write(entries, out, link=link, force=force, inputs=(src,))
    before: dict[str, int] = {}
    for name in (s.split for kind in (found.pages, found.lines, found.directions) for s in kind):
        before[name] = before.get(name, 0) + 1
    return Split(
        src=src,
        out=out,
        splits=tuple(_count(dealt, name, int(np.sum(of_source == k))) for k, name in enumerate(shares)),
        before={name: before[name] for name in (*SHARES, "") if name in before},
        items=len(found.pages) + len(found.lines) + len(found.directions),
        tied=tied,
        ungrouped=ungrouped,
        seed=seed,
        dry_run=dry_run,
        failures=(*found.failures, *unreadable, *ledger.failures),
    )


def _shares(plain: dict[str, float | None]) -> dict[str, float]:
    """The share of each split. Raises UsageError where they do not sum to 1."""
    given = {name: share for name, share in plain.items() if share is not None}
    # shares that are whole by themselves leave nothing to the defaults: --train 0.9 --val 0.1
    rest = dict.fromkeys(SHARES, 0.0) if abs(sum(given.values()) - 1) <= TOLERANCE else SHARES
    shares = rest | given
    total = sum(shares.values())
    if not abs(total - 1) <= TOLERANCE:
        told = ", ".join(f"{name} {share:g}{'' if name in given else ' by default'}" for name, share in shares.items())
        raise UsageError(f"the shares must sum to 1, they sum to {total:g} ({told})")
    return shares


def _units(
    found: TextSet, sources: Sources, group: str | None, run: Run
) -> tuple[list[int], int, int, tuple[DataError, ...]]:
    """The unit of each source; how many are tied to another one, how many --group does not match, unreadable images."""
    from datatools.ops.voc.groups import joined
    from datatools.ops.voc.leaks import image_digests

    n = len(sources.keys)
    labels: list[str | None] = [None] * n
    if group:
        try:
            pattern = re.compile(group)
        except re.error as error:
            raise UsageError(f"--group {escape(group)} is no regular expression: {error}") from None
        matches = [pattern.search(key) for key in sources.keys]
        labels = [m.group(1 if pattern.groups else 0) or None if m else None for m in matches]
    of_image = dict(zip([s.image for s in found.pages], sources.pages, strict=True))
    with_page = set(sources.pages)
    alone = zip((*found.lines, *found.directions), (*sources.lines, *sources.directions), strict=True)
    of_image.update((sample.image, number) for sample, number in alone if number not in with_page)
    root = str(found.root)
    digests, unreadable = image_digests(
        [f"{root}/{image}" for image in of_image], lambda path: path.removeprefix(root).lstrip("/"), run
    )
    numbers = list(of_image.values())
    of_images = joined((numbers, digests, [labels[number] for number in numbers]), len(numbers))
    units = dict(zip(numbers, of_images, strict=True))
    tied = len(sources.keys) - len(set(units.values()))
    order = {unit: place for place, unit in enumerate(dict.fromkeys(units[n] for n in range(len(sources.keys))))}
    in_order = [order[units[n]] for n in range(len(sources.keys))]
    return in_order, tied, labels.count(None) if group else 0, unreadable


def _deal(
    found: TextSet, sources: Sources, units: Sequence[int], shares: dict[str, float], seed: int
) -> "NDArray[np.int64]":
    """The split of each source: sizes as `shares` say, and pages, regions and lines in the same shares."""
    import numpy as np

    from datatools.kernels import split as kernel

    ignored = [sum(r.ignore for r in page.record.regions) for page in found.pages]
    counted: list[tuple[Sequence[int], Sequence[int]]] = [
        (sources.pages, [1] * len(found.pages)),
        (sources.pages, [len(p.record.regions) - i for p, i in zip(found.pages, ignored, strict=True)]),
        (sources.pages, ignored),
        (sources.lines, [1] * len(found.lines)),
        (sources.directions, [1] * len(found.directions)),
    ]
    items = [np.repeat(np.array(who, np.int64), np.array(many, np.int64)) for who, many in counted]
    kinds = np.repeat(np.arange(len(items)), [each.size for each in items])
    item_unit = np.array(units, np.int64)
    tallied = kernel.tally(item_unit, np.concatenate(items), kinds, len(items))
    targets = kernel.share_out(item_unit.size, list(shares.values()))
    dealt = kernel.assign(tallied, targets, np.random.default_rng(seed), fixed=np.full(tallied.sizes.size, -1))
    return np.asarray(dealt[item_unit])


def replaced(found: TextSet, sources: Sources, names: Sequence[str]) -> TextSet:
    """The set with the splits of the sources, by their numbers, in place of its own."""
    return replace(
        found,
        pages=tuple(replace(s, split=names[n]) for s, n in zip(found.pages, sources.pages, strict=True)),
        lines=tuple(replace(s, split=names[n]) for s, n in zip(found.lines, sources.lines, strict=True)),
        directions=tuple(replace(s, split=names[n]) for s, n in zip(found.directions, sources.directions, strict=True)),
    )


def _count(dealt: TextSet, name: str, sources: int) -> SplitCount:
    regions = [region for page in dealt.pages if page.split == name for region in page.record.regions]
    return SplitCount(
        name=name,
        sources=sources,
        pages=sum(page.split == name for page in dealt.pages),
        regions=sum(not region.ignore for region in regions),
        ignored=sum(region.ignore for region in regions),
        lines=sum(line.split == name for line in dealt.lines),
        directions=sum(direction.split == name for direction in dealt.directions),
    )
