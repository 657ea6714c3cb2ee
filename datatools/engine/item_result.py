"""What a run over items hands back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError, escape
from datatools.core.result import Result, Table

FAILURES = "failures.jsonl"
"""The file in an output that lists the items that failed, a JSON line each."""
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class ItemsRun(Result):
    """What became of the items of a set.

    items: how many there are: made, kept and failed together. incomplete: of the made and kept ones, those of which
    something could not be read. carried: files beside them that came along unchanged. removed: items of the earlier
    output that are gone from the input. reasons: why items were done, or would be, with counts. failures: the first of
    the failed; all stand in OUT/failures.jsonl. told: the first things that were said of the others. counts: what else
    there is to count in the output, as the kind of set that it is counts it. shown: what a dry run tells of the items
    themselves. up_to_date: there was nothing to do. workers_lost, nodes_lost: processes that died on the way, machines
    that went away.
    """

    op: str
    src: Path
    out: Path
    items: int
    made: int
    kept: int
    failed: int
    carried: int
    removed: int
    reasons: dict[str, int]
    failures: tuple[dict[str, Any], ...] = ()
    told: tuple[dict[str, Any], ...] = ()
    incomplete: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    dry_run: bool = False
    shown: tuple[str, ...] = ()
    up_to_date: bool = field(default=False, repr=False)
    workers_lost: int = field(default=0, repr=False)
    nodes_lost: int = field(default=0, repr=False)

    @property
    def problems(self) -> int:
        """Items that failed, or lost something."""
        return 0 if self.dry_run else self.failed + self.incomplete

    def lines(self) -> Iterator[str | Table]:
        """What was done, what failed, what to do next."""
        for failure in (*self.failures[:SHOWN_FAILURES], *self.told[:SHOWN_FAILURES]):
            yield str(DataError(*(failure[k] for k in ("path", "line", "code", "message", "remedy"))))
        if self.failures and self.failed > SHOWN_FAILURES:
            yield f"and {self.failed - SHOWN_FAILURES} more failed"
        if self.up_to_date:
            yield f"{escape(self.out)} is up to date (same input, parameters and version): nothing was written"
        elif self.dry_run:
            yield from self.shown
            yield f"would do {self.made}, keep {self.kept}, remove {self.removed} of {self.items} items"
            yield from (f"  {count} because: {reason}" for reason, count in self.reasons.items())
        else:
            parts = [f"{self.made} made", f"{self.kept} kept"]
            parts += [f"{self.removed} removed"] if self.removed else []
            parts += [f"{self.failed} failed"] if self.failed else []
            parts += [f"{self.incomplete} incomplete"] if self.incomplete else []
            parts += [f"{self.carried} other files carried over"] if self.carried else []
            yield f"{self.items} items: {', '.join(parts)}"
            yield from (f"{what}: {count:,}" for what, count in self.counts.items())
        if self.failed and not self.dry_run:
            yield f"the failed ones stand in {escape(self.out / FAILURES)}; try them again with --retry-failed"
        if not self.up_to_date and not self.dry_run:
            yield f"written: {escape(self.out)}"

    def remarks(self) -> Iterator[str]:
        """Processes that died, machines that went away."""
        if self.nodes_lost:
            yield f"{self.nodes_lost} nodes of the cluster went away; their items were done again by the others"
        if self.workers_lost:
            yield f"{self.workers_lost} worker processes died; their items were done again, or stand as failed"
