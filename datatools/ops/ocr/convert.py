"""`datatools ocr convert`: the same texts in another format, and a report of what that format cannot say."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from datatools.core.errors import DataError
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, DryRun, Force, OutFolder, Run
from datatools.ops.ocr import targets
from datatools.ops.ocr.training import Ledger
from datatools.ops.voc.derived import Link, closing, write

SHOWN_FAILURES = 20

WHAT_BECOMES = {
    ("ppocrlabel", "outline of more than four corners"): "kept, though the tool cannot read its text anew",
    ("icdar", "outline of more than four corners"): "the smallest rectangle around it",
    ("cocotext", "text of an ignored region"): "left out",
}
"""What is lost in a conversion to a format, and what stands in the output instead."""

FOLLOWING = {
    "paddleocr": "datatools ocr lint {out}",
    "ppocrlabel": "open {out} in PPOCRLabel; a moved folder has to be confirmed anew",
    "icdar": "{out}/gt has a text file for each image",
    "cocotext": "{out}/cocotext.json names the images from {out}",
}
"""What one does next with each format."""


@dataclass(frozen=True)
class Conversion(Result):
    """What `ocr convert` did, or would do.

    source, target: the formats. splits: how many images were written to which ("" is none). items: of the source, each
    written or named in `failures`, but for those of tasks that the target has not (`lost`).
    lost: what the target cannot hold -> how often. changed: what was made to fit. skipped: why -> images left out.
    """

    out: Path
    source: str
    target: str
    items: int
    splits: dict[str, int]
    skipped: dict[str, int]
    lost: dict[str, int]
    changed: dict[str, int]
    dry_run: bool
    failures: tuple[DataError, ...]

    @property
    def problems(self) -> int:
        """How many things of the source could not be read or written."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """Losses, what was left out, and the figures."""
        yield from map(str, self.failures[:SHOWN_FAILURES])
        if len(self.failures) > SHOWN_FAILURES:
            yield f"... and {len(self.failures) - SHOWN_FAILURES:,} more that could not be used (--json lists all)"
        rows = [(what, count, WHAT_BECOMES.get((self.target, what), "left out")) for what, count in self.lost.items()]
        rows += [(what, count, "") for what, count in (*self.changed.items(), *self.skipped.items())]
        if rows:
            yield Table(("what", "count", "in the output"), tuple(rows), title=f"What changes in {self.target}")
        else:
            yield f"{self.target} holds every outline, text and mark that was read."
        splits = ", ".join(f"{split or 'in no split'} {count:,}" for split, count in self.splits.items())
        verb = "would be written" if self.dry_run else "written"
        yield f"{self.source} to {self.target}: {self.items:,} images, {sum(self.splits.values()):,} {verb} ({splits})"
        yield closing(self.out, self.dry_run, FOLLOWING[self.target])


@op("ocr.convert", version=1)
def convert(
    src: Dataset,
    *,
    out: OutFolder,
    to: Annotated[Literal["paddleocr", "ppocrlabel", "icdar", "cocotext"], Param("format of the output")],
    source_format: Annotated[
        Literal["auto", "paddleocr", "ppocrlabel", "icdar", "cocotext"],
        Param("format of SRC; auto finds it by the files that are there", flags=("--from",)),
    ] = "auto",
    link: Link = "hard",
    force: Force = False,
    dry_run: DryRun = False,
    run: Run = SERIAL,
) -> Conversion:
    """Convert a text set between PaddleOCR, PPOCRLabel, ICDAR and COCO-Text.

    To PaddleOCR from PaddleOCR puts a set in order: paths that lead to the images, UTF-8, `\\n`, one place for each
    task. Bad items are named in `failures`, the others are written; images are linked, never encoded again.
    """
    from datatools.io.textsets import sets

    found = sets.read(src, source_format, run)
    ledger = Ledger()
    entries = targets.TARGETS[to](found, out, ledger, run)
    if dry_run:
        deque(entries, maxlen=0)
    else:
        write(entries, out, link=link, force=force, inputs=(src,))
    lost = dict(sorted(found.lost.items())) | {what: count for what, count in sorted(ledger.lost.items()) if count}
    return Conversion(
        out=out,
        source=found.format,
        target=to,
        items=len(found.pages) + len(found.lines) + len(found.directions),
        splits={split: ledger.written[split] for split in found.splits if ledger.written[split]},
        skipped=found.skipped,
        lost=lost,
        changed={what: count for what, count in sorted(ledger.changed.items()) if count},
        dry_run=dry_run,
        failures=(*found.failures, *ledger.failures),
    )
