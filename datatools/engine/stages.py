"""Running a checked pipeline: each stage once, and again only what changed.

A stage on items looks after its items itself (engine/items.py). A stage on a whole set is kept when what it was made of
(its key) is the same and its files are untouched; files that a later stage rewrote, as `voc.split` does with the lists
inside the set that it is given, are that stage's.

Stages that do not need each other run side by side, each in a process of its own, and share the processes of the run.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError
from datatools.core.result import Result
from datatools.core.types import Run
from datatools.engine import stage_changes
from datatools.engine.executors import LocalRun
from datatools.engine.item_result import ItemsRun
from datatools.engine.items import ItemRunner, run_items
from datatools.engine.pipeline import Pipeline, Stage
from datatools.engine.stage_memory import Memory, State, left_behind, made_paths, owns
from datatools.engine.stage_report import NOT_SELECTED, Became, PipelineRun, Plan, StageReport
from datatools.engine.stage_task import Ended, StageDied, StageTask, do_stage

SHOWN_LINES = 30
"""How much of a stage's own report is shown; the stage's command prints all of it."""


@dataclass(frozen=True)
class Selection:
    """Which stages a run may take.

    only: one stage, all repeats of one, or all stages of an include; start: these and all behind them. force: whatever
    changed.
    """

    only: str = ""
    start: str = ""
    force: bool = False

    def check(self, pipeline: Pipeline) -> None:
        """Raise UsageError where a name is no stage's."""
        for name in (self.only, self.start):
            if name:
                pipeline.select(name)

    def takes(self, stage: Stage, pipeline: Pipeline) -> bool:
        """Whether the stage belongs to the selection."""
        if self.only:
            return stage.id in pipeline.select(self.only)
        return not self.start or bool(pipeline.select(self.start) & {stage.id, *pipeline.upstream(stage.id)})


@dataclass(frozen=True)
class Policy:
    """What a run does about items that fail; the options of the same names of an operation on items."""

    on_error: str = "skip"
    max_failures: float = 1.0
    retry_failed: bool = False
    item_timeout: float = 0.0


def run_pipeline(
    pipeline: Pipeline,
    run: Run,
    selection: Selection = Selection(),
    policy: Policy = Policy(),
    *,
    dry_run: bool = False,
    show: Callable[[Stage, Result], object] | None = None,
) -> PipelineRun:
    """Run what changed. A stage that fails stops those that need it; the others go on, unless the policy says stop.

    show: called after every stage that ran. Raises UsageError, InUse where another run of the pipeline is going on,
    Cancelled.
    """
    selection.check(pipeline)
    state = State(pipeline.path)
    with contextlib.nullcontext() if dry_run else state.locked():
        return _Runner(pipeline, run, selection, policy, state, dry_run, show).run()


class _Runner:
    def __init__(
        self,
        pipeline: Pipeline,
        run: Run,
        selection: Selection,
        policy: Policy,
        state: State,
        dry_run: bool,
        show: Callable[[Stage, Result], object] | None,
    ) -> None:
        self._pipeline = pipeline
        self._run = run
        self._selection = selection
        self._policy = policy
        self._state = state
        self._dry_run = dry_run
        self._show = show
        self._contents: dict[str, str] = {}  # what stands for the bytes that a stage made
        self._reports: dict[str, StageReport] = {}
        self._due: dict[str, StageTask] = {}
        self._running: set[str] = set()
        self._stopped = False

    def run(self) -> PipelineRun:
        """Take the stages as they become ready."""
        while ready := self.ready():
            if len(ready) > 1 and type(self._run) is LocalRun and self._run.jobs > 1:
                self._side_by_side(self._run)
            else:
                self._end(ready[0], ready[0].do(self._run))
        return PipelineRun(
            self._pipeline.path, tuple(self._reports[s.id] for s in self._pipeline.stages), self._dry_run
        )

    def ready(self) -> list[StageTask]:
        """The stages that have to run and can; those that need not run are reported on the way."""
        looking = True
        while looking:
            looking = False
            for stage in self._pipeline.stages:
                known = stage.id in self._reports or stage.id in self._due
                if not known and all(need in self._reports for need in stage.needs):
                    self._look_at(stage)
                    looking = looking or stage.id in self._reports
        return [t for name, t in self._due.items() if name not in self._reports and name not in self._running]

    def share(self) -> StageTask | None:
        """The next stage for a process of its own, with its share of the processes; None where none is ready."""
        ready = self.ready()
        if not ready:
            return None
        self._running.add(ready[0].stage.id)
        return dataclasses.replace(
            ready[0], items=None, jobs=max(1, self._run.jobs // (len(self._running) + len(ready) - 1))
        )

    def _side_by_side(self, run: LocalRun) -> None:
        for outcome in run.stream(do_stage, _Shares(self), 0, ahead=1):
            if outcome is None:
                continue
            task: StageTask = outcome.task
            self._running.discard(task.stage.id)
            if outcome.error is not None:
                raise outcome.error
            told = outcome.lost.told if outcome.lost else ""
            died = Ended(
                0.0, error=StageDied(f"its process died, each time (out of memory, or a crash) {told}".strip())
            )
            self._end(task, outcome.value or died)

    def _look_at(self, stage: Stage) -> None:
        """Report a stage that need not run, or find out why it has to."""
        memory = self._state.get(stage)
        if stage.skipped_because:
            self._contents[stage.id] = ""
            self._report(stage, "skipped", stage.skipped_because)
        elif not self._selection.takes(stage, self._pipeline):
            self._contents[stage.id] = _content(stage) or stage_changes.key_of(stage, self._contents)[0]
            self._report(stage, "skipped", NOT_SELECTED)
        elif self._stopped:
            self._report(stage, "waits", "the run was stopped")
        elif any(self._reports[need].state in ("failed", "waits") for need in stage.needs):
            self._report(stage, "waits", "a stage that it needs failed")
        elif first := next((need for need in stage.needs if self._reports[need].state == "would run"), ""):
            self._contents[stage.id] = ""
            why = f"stage {first} runs first"
            self._report(stage, "would run", why, plan=self._guess(stage, first))
        elif stage.op.items:
            self._look_at_items(stage)
        else:
            self._look_at_whole(stage, memory)

    def _look_at_whole(self, stage: Stage, memory: Memory | None) -> None:
        key, parts = stage_changes.key_of(stage, self._contents)
        self._contents[stage.id] = _content(stage) or key
        why = stage_changes.why(stage, key, parts, memory, self._state, self._pipeline)
        why = why or ("forced" if self._selection.force else "")
        if not why:
            self._tidy(stage)
            self._report(stage, "kept", "", memory, plan=Plan(0, 1, 0, {}))
        elif self._dry_run:
            self._report(stage, "would run", why, plan=Plan(1, 0, 0, {why: 1}))
        else:
            arguments, refused = dict(stage.arguments), ""
            if any(s.name == "force" for s in stage.op.params):
                ours = stage_changes.may_replace(stage, key, memory)
                arguments["force"] = self._selection.force or ours
                if ours and not self._selection.force:
                    refused = stage_changes.refusal(stage, self._state, self._pipeline)
            made = self._made(stage)
            self._due[stage.id] = StageTask(stage, why, key, parts, arguments, made, refused=refused)

    def _made(self, stage: Stage) -> dict[Path, str]:
        """What stands for the bytes of the inputs that other stages made, or wrote into."""
        before = [s for s in self._pipeline.stages if s.id in stage.needs]
        places = [(place, s.id) for s in before for place in ((s.out,) if s.out else s.inputs)]
        return {place: self._contents[need] for place, need in places if place in stage.inputs}

    def _look_at_items(self, stage: Stage) -> None:
        arguments = {**stage.arguments, **vars(self._policy), "force": self._selection.force}
        _, parts = stage_changes.key_of(stage, self._contents)
        others = stage_changes.inside(stage.out, stage_changes.files_of_others(stage, self._state, self._pipeline))
        if self._dry_run:
            found = run_items(stage.op, {**arguments, "dry_run": True}, self._run, others=others)
            plan = Plan(found.made, found.kept + found.failed, found.removed, found.reasons)
            changes = bool(found.made or found.removed)
            self._report(stage, "would run" if changes else "kept", plan.why(), self._state.get(stage), plan=plan)
            self._contents[stage.id] = _content(stage)
            return
        items = ItemRunner(stage.op, arguments, self._run, others)
        if there := items.standing():
            self._tidy(stage)
            self._kept_items(stage, parts, there)
        else:
            self._due[stage.id] = StageTask(stage, "", "", parts, arguments, {}, others, items=items)

    def _tidy(self, stage: Stage) -> None:
        """Finish what a run left undone that was cut off just as it had replaced an output."""
        from datatools.io import folders

        for path in () if self._dry_run else made_paths(stage):
            folders.clear_leftovers(path)

    def _kept_items(self, stage: Stage, parts: dict[str, Any], there: ItemsRun) -> None:
        self._contents[stage.id] = _content(stage)
        memory = Memory("", parts, {}, there.to_json(), there.problems, there.failed)
        plan = Plan(0, there.items, 0, {})
        self._report(stage, "kept", "", memory, plan=plan)

    def _end(self, task: StageTask, ended: Ended) -> None:
        """Remember and report what became of a stage that ran."""
        stage, result = task.stage, ended.result
        if result is None:
            assert ended.error
            self._stopped = isinstance(ended.error, DataError)  # by the policy: bad items alone end no stage
            self._report(stage, "failed", task.why, seconds=ended.seconds)
            self._reports[stage.id] = dataclasses.replace(
                self._reports[stage.id], error=str(ended.error), exit_code=ended.error.exit_code
            )
            return
        if isinstance(result, ItemsRun):
            if result.up_to_date:
                self._kept_items(stage, task.parts, result)
                return
            self._contents[stage.id] = _content(stage)
            plan = Plan(result.made, result.kept, result.removed, result.reasons)
            memory = Memory("", task.parts, {}, result.to_json(), result.problems, result.failed)
        else:
            self._contents[stage.id] = _content(stage) or task.key
            plan = Plan(1, 0, 0, {task.why: 1})
            memory = Memory(task.key, task.parts, left_behind(stage, result), result.to_json(), result.problems)
        self._state.remember(stage, memory)
        if self._show:
            self._show(stage, result)
        self._report(stage, "ran", plan.why(), memory, plan=plan, seconds=ended.seconds)

    def _guess(self, stage: Stage, first: str) -> Plan:
        """How much a stage will have to do that waits for another: as many items as that one has, at most."""
        if not stage.op.items:
            return Plan(1, 0, 0, {})
        before = self._reports[first].plan
        made_by_items = any(s.id == first and s.op.items for s in self._pipeline.stages)
        return Plan(before.run + before.keep if before and made_by_items else 0, 0, 0, {}, exact=False)

    def _report(
        self,
        stage: Stage,
        became: Became,
        why: str,
        memory: Memory | None = None,
        *,
        plan: Plan | None = None,
        seconds: float = 0.0,
    ) -> None:
        known = memory if became in ("ran", "kept") else None
        self._reports[stage.id] = StageReport(
            id=stage.id,
            uses=stage.op.name,
            state=became,
            why=why,
            outputs=tuple(str(path) for path in made_paths(stage)),
            plan=plan,
            seconds=round(seconds, 3),
            found=known.problems if known else 0,
            bad_items=known.bad_items if known else 0,
            answer=known.answer if known else None,
        )


class _Shares:
    """Hands out stages as they become ready: it may come to an end and go on later, when another stage has ended."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner

    def __iter__(self) -> "_Shares":
        return self

    def __next__(self) -> StageTask:
        task = self._runner.share()
        if task is None:
            raise StopIteration
        return task


def _content(stage: Stage) -> str:
    """What stands for the bytes of the output folder of a stage: its digest, so that a stage that makes the same bytes
    again changes nothing for those that need it. Empty where the stage makes no folder of its own."""
    from datatools.io import folders

    if stage.out is None or not (stage.op.items or owns(stage)):
        return ""
    outputs = folders.record_of(stage.out).get("outputs")
    return str(outputs.get("digest", "")) if isinstance(outputs, dict) else ""
