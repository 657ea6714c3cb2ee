"""What became of the stages of a pipeline, and what would."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datatools.core.result import Result, Table

NOT_SELECTED = "not selected"
Became = Literal["ran", "kept", "would run", "skipped", "waits", "failed"]


@dataclass(frozen=True)
class Plan(Result):
    """How many items a stage does, keeps, removes, and why. A stage that works on the whole set is one item.

    exact: false where a stage before it has to run first, so that nobody can know yet.
    """

    run: int
    keep: int
    remove: int
    reasons: dict[str, int]
    exact: bool = True

    @property
    def about(self) -> str:
        """How many items run, for people."""
        if self.exact:
            return str(self.run)
        return f"up to {self.run}" if self.run else "?"

    def why(self) -> str:
        """The reasons in one line."""
        if len(self.reasons) == 1 and self.run <= 1:
            return next(iter(self.reasons))
        said = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
        return said or (f"{self.remove} removed" if self.remove else "")


@dataclass(frozen=True)
class StageReport(Result):
    """What became of a stage.

    state: `ran`, `kept` (nothing changed), `would run` (dry run), `skipped` (not selected, or a condition that does not
    hold), `waits` (a stage that it needs failed, or the run was stopped), `failed`. why: what made it run. plan: the
    same in numbers. outputs: the files and folders that it made. found: problems in the data. bad_items: items that
    failed.
    """

    id: str
    uses: str
    state: Became
    why: str
    outputs: tuple[str, ...] = ()
    plan: Plan | None = None
    seconds: float = 0.0
    found: int = 0
    bad_items: int = 0
    answer: dict[str, Any] | None = None
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class PipelineRun(Result):
    """What became of every stage, in the order of the pipeline."""

    pipeline: Path
    stages: tuple[StageReport, ...]
    dry_run: bool = False

    @property
    def problems(self) -> int:
        """The problems that the stages found in the data."""
        return sum(s.found for s in self.stages)

    @property
    def failed(self) -> StageReport | None:
        """The first stage that failed."""
        return next((s for s in self.stages if s.state == "failed"), None)

    @property
    def changes(self) -> bool:
        """Whether a stage would run."""
        return any(s.state == "would run" for s in self.stages)

    def lines(self) -> Iterator[str | Table]:
        """A table of the stages, then what to do next."""
        if self.dry_run:
            yield from self._plan_lines()
            return
        rows = tuple(
            (s.id, s.uses, s.state, round(s.seconds, 2), s.found, " ".join(s.outputs) or "-") for s in self.stages
        )
        yield Table(("stage", "operation", "state", "s", "problems", "output"), rows, str(self.pipeline), digits=2)
        yield from (f"{s.id}: skipped: {s.why}" for s in self.stages if s.state == "skipped" and s.why != NOT_SELECTED)
        if self.failed:
            yield "the stages before it stand; the same command goes on from there"
        elif not any(s.state == "ran" for s in self.stages):
            yield "nothing changed: nothing was run and nothing written"
        elif self.problems:
            yield f"done, and {self.problems} problems are left in the data: they are listed above, stage by stage"
        else:
            yield "done, without a problem in the data"

    def glance(self) -> Iterator[str]:
        """A line a stage."""
        width = max((len(s.id) for s in self.stages), default=0)
        for s in self.stages:
            plan = s.plan or Plan(0, 0, 0, {})
            failed = f", {s.bad_items} failed (--retry-failed)" if s.bad_items else ""
            if s.state == "kept":
                said = f"up to date, {plan.keep} kept"
            elif s.state == "skipped":
                said = f"skipped: {s.why}"
            else:
                of = f" of {plan.run + plan.keep}" if plan.exact else ""
                said = f"{s.state}: {plan.about}{of}, {s.why}"
            yield f"{s.id:<{width}}  {said}{failed}"

    def _plan_lines(self) -> Iterator[str | Table]:
        rows = []
        for s in self.stages:
            plan = s.plan or Plan(0, 0, 0, {})
            rows.append((s.id, s.uses, s.state, plan.about, plan.keep, plan.remove, s.why or "-"))
        yield Table(("stage", "operation", "state", "run", "keep", "remove", "why"), tuple(rows), str(self.pipeline))
        if self.changes:
            yield f"next: datatools run {self.pipeline}"
        else:
            yield "nothing changed: nothing would be run"
