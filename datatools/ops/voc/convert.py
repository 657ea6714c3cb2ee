"""`voc convert`: the same boxes in another format, and a report of what that format cannot say."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.kinds import Kind
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, DryRun, Force, OutFolder, Run
from datatools.ops.voc import derived, samples, targets
from datatools.ops.voc.derived import Link

WHAT_BECOMES = {
    "difficult": "the mark is lost, the box kept",
    "truncated": "the mark is lost, the box kept",
    "occluded": "the mark is lost, the box kept",
    "pose": "the pose is lost, the box kept",
    "part": "boxes of parts are left out",
    "attribute": "lost, the box kept",
    "polygon": "the outline is lost, the box kept",
    "mask": "run lengths of pixels are left out, the box kept",
    "iscrowd": "the mark is lost, the box kept as one object",
    "image": "there is none; the annotation alone is written",
    "second split": "items in several lists are written to the first of train, val, test",
}
"""What is lost in a conversion, and what that means for the output."""


FOLLOWING = {
    "yolo": "train on {out}/data.yaml",
    "coco": "{out}/annotations has an instances_<split>.json for each split",
    "voc": "datatools voc lint {out}",
    "yolo-txt": "give your trainer {out}/train.txt and {out}/classes.txt",
    "jsonl": "{out} has a <split>.jsonl for each split, a line for each XML",
}
"""What one does next with each format."""


@dataclass(frozen=True)
class Conversion(Result):
    """What `voc convert` did, or would do.

    items: of the source, each of them written (splits: how many to which), rejected (see `failures`) or skipped (why ->
    their keys).
    boxes: written; rejected_boxes: left out, as `changed` and `failures` say.
    lost: what the target cannot hold -> how often. changed: what was made to fit -> how often.
    coords: how VOC files count, "voc" from 1 or "zero".
    """

    out: Path
    target: str
    classes: tuple[str, ...]
    coords: str
    items: int
    splits: dict[str, int]
    rejected: int
    skipped: dict[str, tuple[str, ...]]
    boxes: int
    rejected_boxes: int
    lost: dict[str, int]
    changed: dict[str, int]
    listed: bool
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many things of the source could not be read or written."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Losses, what was left out, and the figures."""
        yield from map(str, self.failures)
        if self.lost or self.changed:
            rows = [(what, count, WHAT_BECOMES.get(what, "")) for what, count in self.lost.items()]
            rows += [(what, count, "") for what, count in self.changed.items()]
            yield Table(("what", "count", "in the output"), tuple(rows), title=f"What {self.target} cannot hold")
        else:
            yield f"{self.target} holds every box, label and mark that was read."
        for why, keys in self.skipped.items():
            yield f"{len(keys)} left out ({why}): {', '.join(map(escape, keys[:5]))}{' ...' if len(keys) > 5 else ''}"
        if not self.listed:
            yield "The source has no lists of splits: everything is train (datatools voc split makes lists)."
        splits = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        verb = "would be written" if self.dry_run else "written"
        yield (
            f"{self.items} items: {sum(self.splits.values())} {verb} ({splits or 'none'}), {self.rejected} rejected, "
            f"{sum(map(len, self.skipped.values()))} skipped; {self.boxes} boxes, {self.rejected_boxes} left out."
        )
        yield derived.closing(self.out, self.dry_run, FOLLOWING[self.target])


@op("voc.convert", version=1)
def convert(
    src: Annotated[Dataset, Kind("{source_format}")],
    *,
    out: Annotated[OutFolder, Kind("{to}")],
    to: Annotated[Literal["yolo", "coco", "voc", "yolo-txt", "jsonl"], Param("format of the output")],
    source_format: Annotated[Literal["voc", "yolo", "coco"], Param("format of SRC", flags=("--from",))] = "voc",
    coords: Annotated[
        Literal["auto", "voc", "zero"],
        Param(
            "how VOC files count: from 1 with the last pixel inside (voc), from 0 (zero); auto finds or remembers it"
        ),
    ] = "auto",
    link: Link = "hard",
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Conversion:
    """Convert a set between Pascal VOC, YOLO and COCO, or write it as 2007_train.txt lines or JSON lines.

    Converting to COCO and back gives the same boxes bit for bit, to YOLO and back within its six decimals. Splits come
    from ImageSets/Main. Bad items are named in `failures`, the others are written.
    """
    if to == "jsonl" and source_format != "voc":
        raise UsageError("--to jsonl writes what stands in XML files: it needs --from voc")
    found = samples.read(src, source_format, coords, run)
    if to == "yolo-txt":
        targets.refuse_blanks(found)
    ledger = targets.Ledger()
    entries = targets.TARGETS[to](found, ledger, run)
    if dry_run:
        for _ in entries:
            pass
    else:
        derived.write(entries, out, link=link, force=force, inputs=(src,))
    skipped = sum(map(len, found.skipped.values()))
    return Conversion(
        out=out,
        target=to,
        classes=found.classes,
        coords=found.coords,
        items=len(found.samples) + found.rejected + skipped,
        splits={split: ledger.splits[split] for split in samples.SPLITS if ledger.splits[split]},
        rejected=found.rejected + len(ledger.failures),
        skipped=found.skipped,
        boxes=ledger.boxes,
        rejected_boxes=ledger.rejected_boxes + found.bad_boxes,
        lost={what: count for what, count in (found.lost | ledger.lost).items() if count},
        changed={what: count for what, count in ledger.changed.items() if count},
        listed=found.listed,
        dry_run=dry_run,
        failures=(*found.failures, *ledger.failures),
    )
