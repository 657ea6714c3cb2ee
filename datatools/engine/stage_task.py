"""A stage that has to run, as it is run: in this process or in one of its own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core.errors import EXIT_PROBLEMS, Cancelled, DatatoolsError, UsageError
from datatools.core.result import Result
from datatools.core.types import Run
from datatools.engine import runner
from datatools.engine.executors import LocalRun
from datatools.engine.items import ItemRunner
from datatools.engine.pipeline import Stage
from datatools.engine.stage_memory import tree_cache


class StageDied(DatatoolsError):
    """The process that a stage ran in was killed, or crashed."""

    exit_code = EXIT_PROBLEMS


@dataclass(frozen=True)
class Ended:
    """What a stage handed back: a result, or the error that ended it."""

    seconds: float
    result: Result | None = None
    error: DatatoolsError | None = None


@dataclass(frozen=True)
class StageTask:
    """A stage with all that it is called with.

    why: what makes it run. key: of a stage on a whole set. parts: what it is made of, under names that a user knows.
    arguments: of the operation. made: what stands for the bytes of the folders that other stages made. others: files in
    its output that other stages wrote. jobs: processes that it may use in a process of its own. refused: why its output
    may not be replaced. items: what has looked at the items of the stage already, in this process.
    """

    stage: Stage
    why: str
    key: str
    parts: dict[str, Any]
    arguments: dict[str, Any]
    made: Mapping[Path, str]
    others: frozenset[str] = frozenset()
    jobs: int = 1
    refused: str = ""
    items: ItemRunner | None = None

    def do(self, run: Run) -> Ended:
        """Run the operation; an error of the data or the disk is handed back, not raised. Raises Cancelled."""
        started = time.perf_counter()
        try:
            result = self._result(run)
        except Cancelled:  # it ends the run, not this stage alone
            raise
        except DatatoolsError as error:
            return Ended(time.perf_counter() - started, error=error)
        return Ended(time.perf_counter() - started, result)

    def _result(self, run: Run) -> Result:
        operation = self.stage.op
        if self.refused:
            raise UsageError(self.refused)
        if operation.items:
            return (self.items or ItemRunner(operation, self.arguments, run, self.others)).run()
        inputs = runner.Inputs(operation, self.arguments, tree_cache, self.made)
        given = self.arguments | ({"run": run} if operation.takes_run else {})
        result = runner.announced(operation, self.arguments, inputs, self.key, given)
        inputs.save()
        return result


def do_stage(task: StageTask) -> Ended:
    """Run a stage in a process of its own."""
    return task.do(LocalRun(task.jobs, bars=False))
