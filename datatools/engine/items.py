"""An operation on items, run over a set: only what changed is done, whatever happened to the run before.

The output holds a journal with a row an item (io/journal.py). An item whose files, parameters and operation are what
they were is kept: its outputs get a second name in OUT.partial, which becomes OUT in one step at the end. All others
are handed to workers. What they made counts once it was brought to the disk and stands in the journal of OUT.partial,
so that a killed run goes on there.
"""

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import ItemOptions, Op
from datatools.core.result import plain
from datatools.core.types import Run
from datatools.core.values import Source, printable
from datatools.engine import item_finish, item_names, runner
from datatools.engine.committer import Committer
from datatools.engine.executors import LocalRun
from datatools.engine.item_job import CARRIED, Done, ItemJob
from datatools.engine.item_memory import Memory
from datatools.engine.item_plan import Decision, Planner
from datatools.engine.item_result import ItemsRun
from datatools.engine.item_update import Update
from datatools.engine.tally import Tally
from datatools.engine.workers import Lost, Outcome

FEW = 4096
"""So many items that have to be done are remembered from when they were decided about."""


def run_items(
    operation: Op[..., Any], arguments: Mapping[str, Any], run: Run, *, others: frozenset[str] = frozenset()
) -> ItemsRun:
    """Run an operation on items. arguments: all that the command takes, by name.

    others: files in OUT, relative to it, that may be there or be changed although this operation did not make them.

    Raises UsageError, StorageError, InUse; DataError where a bad item is to end the run; Cancelled.
    """
    return ItemRunner(operation, arguments, run, others).run()


class ItemRunner:
    """One run of one operation over the items of one set."""

    def __init__(self, operation: Op[..., Any], arguments: Mapping[str, Any], run: Run, others: frozenset[str]) -> None:
        for spec in operation.params:
            spec.check(arguments.get(spec.name))
        fields = (f.name for f in dataclasses.fields(ItemOptions))
        options = ItemOptions(**{name: arguments[name] for name in fields if name in arguments})
        own = {spec.name: arguments[spec.name] for spec in operation.own if spec.name in arguments}
        self._op = operation
        self._own = own
        self._options = options
        self._run = run if isinstance(run, LocalRun) else LocalRun(run.jobs, bars=False)
        self._others = others
        if not options.src.exists():
            raise UsageError(f"{escape(options.src)}: no such file or folder")
        root = options.src if options.src.is_dir() else options.src.parent
        self._job = ItemJob(
            operation=operation.name,
            arguments=own,
            root=os.path.abspath(root),
            partial=os.path.abspath(options.out) + ".partial",
            base="",
            seed=options.seed,
            copies=options.copies,
            keep_originals=options.keep_originals,
            format=options.format,
            stop=options.on_error == "stop",
        )
        if operation.generates and (options.copies > 1 or options.keep_originals):
            self._job = dataclasses.replace(self._job, tag=item_names.tag_for(self._sources(), options.copies))
        if operation.prepare:
            self._job = dataclasses.replace(self._job, prepared=operation.prepare(root, self._sources(), own))
        self._job = dataclasses.replace(self._job, base=self._base())
        self._memory = Memory(options.out, options.src)
        self._few: list[Source] | None = []
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def standing(self) -> ItemsRun | None:
        """The answer of the run that made the output, where nothing was touched since, and the policy takes it."""
        again = self._options.force or (self._retries and self._memory.failed)
        answer = None if again or self._options.dry_run else self._memory.answer(self._job.base)
        return None if answer is None or self._too_many(answer.failed, answer.items) else answer

    def run(self) -> ItemsRun:
        """Do what has to be done, and say what it was."""
        from datatools.io import folders

        options = self._options
        if options.src.is_file() and options.out.suffix.lower() in self._job.writer.suffixes:
            return self._file_to_file()
        if not self._memory.is_fresh:
            self._memory = Memory(options.out, options.src)
        memory = self._memory
        if answer := self.standing():
            folders.clear_leftovers(options.out)
            return answer
        if options.dry_run:
            return self._look_closer(memory)
        with self._run.ready_for(self._job, 1 if memory.finished else memory.inputs, options.item_timeout):
            return self._look_closer(memory)

    def _look_closer(self, memory: Memory) -> ItemsRun:
        """Look at every item, and do what has to be done."""
        from datatools.io import folders

        options = self._options
        planner = Planner(
            self._job.root, self._record(), self._job.base, options.out,
            retry=self._retries, force=options.force,
            untouched=memory.untouched(self._job.base), same=memory.same_folders, plain=self._is_plain(memory),
        )  # fmt: skip
        try:
            changes = self._plan(planner)
            if options.dry_run:
                return dataclasses.replace(self._result(dry_run=True), shown=self._preview(planner))
            self._refuse_foreign(planner, memory)
            self._refuse_failed()
            if not changes and memory.finished:
                folders.clear_leftovers(options.out)
                item_finish.refresh(options.out, planner.refreshed)
                return memory.remember(
                    self._job.base, dataclasses.replace(self._result(item_finish.Told(**memory.told)), up_to_date=True)
                )
            result, touched = self._write(planner)
        finally:
            planner.close()
        return memory.remember(self._job.base, result, touched)

    def _is_plain(self, memory: Memory) -> bool:
        """Whether all that decides about an item is one file, and nothing is known of it but what was made."""
        noted = self._job.tells_draws or self._job.writer.wants_rows or self._op.donors_parameter
        return not noted and memory.one_file_each

    def _preview(self, planner: Planner) -> tuple[str, ...]:
        """What a dry run shows of the items that would be done."""
        if not self._op.preview:
            return ()
        decided = planner.decided(self._sources())
        todo = [s for s, decision in decided if s.kind != CARRIED and decision.action == "make"]
        return tuple(line for one in self._run.map(self._job.preview, todo, "looking") for line in one)

    def _file_to_file(self) -> ItemsRun:
        """Make one file of one file: no folder, and no journal of it."""
        from datatools.io import files, folders

        options, (source,) = self._options, self._sources()
        out = options.out
        if os.path.realpath(out) == os.path.realpath(options.src):
            raise UsageError(f"{escape(out)}: the output is the input")
        if os.path.lexists(out) and not options.force:
            raise UsageError(f"{escape(out)}: exists; replace it with --force or choose another name")
        self._counts["items"] = self._counts["made"] = 1
        self._reasons["new"] += 1
        if options.dry_run:
            shown = tuple(self._job.preview(source)) if self._op.preview else ()
            return dataclasses.replace(self._result(dry_run=True), shown=shown)
        if not files.safe_component(out.name):
            raise UsageError(f"{escape(out)}: no file can have this name")
        with folders.beside(out) as place:
            self._job.alone(source, out.name, place)
        return self._result()

    def _base(self) -> str:
        """The digest of everything that decides the results beside the items themselves."""
        import xxhash

        read = [s for s in self._op.own if s.type is Path and not s.param.writes and self._own.get(s.name) is not None]
        digests = [runner.tree_digest(Path(self._own[s.name])) for s in read]
        record = self._record()
        del record["parameters"]["src"]  # the items tell by their bytes where they come from
        state = xxhash.xxh3_128(json.dumps([record, digests, plain(self._job.prepared)]).encode())
        if self._job.tag != ItemJob.tag:
            state.update(self._job.tag.encode())
        if self._op.donors_parameter:
            for source in self._sources():
                state.update(json.dumps([source.id, source.group, source.labels]).encode())
        return state.hexdigest()

    def _record(self) -> dict[str, Any]:
        given = {**vars(self._options), **self._own}
        parameters = runner.parameters(self._op, given)
        return {"op": self._op.name, "version": self._op.version, "parameters": parameters}

    def _sources(self) -> Iterator[Source]:
        """The items of the folder; where SRC is a file, that one."""
        if self._options.src.is_dir():
            yield from self._job.sources()
            return
        name = self._options.src.name
        found = next((s for s in self._job.sources() if s.files[0] == name and s.kind != CARRIED), None)
        if found is None:
            raise UsageError(f"{escape(self._options.src)}: is nothing that this command reads")
        yield found

    def _plan(self, planner: Planner) -> int:
        """Decide about every item; return how many things there are to do."""
        self._to_do = resumed = 0
        for source, decision in planner.decided(self._sources()):
            if decision.action == "make":
                self._to_do += 1
                if self._few is not None:
                    self._few.append(source)
                    self._few = self._few if self._to_do <= FEW else None
            resumed += decision.action == "resumed"
            self._count(source, decision)
        self._counts["removed"] = planner.removed
        return self._to_do + resumed + planner.removed

    def _count(self, source: Source, decision: Decision) -> None:
        if source.kind == CARRIED:
            self._counts["carried"] += 1
            return
        self._counts["items"] += 1
        if decision.action == "make":
            self._reasons[decision.why] += 1
            self._counts["made"] += 1
        else:
            self._counts["failed" if decision.failed else "kept"] += 1

    def _refuse_foreign(self, planner: Planner, memory: Memory) -> None:
        """Raise UsageError where OUT is not ours to replace."""
        if not memory.finished or self._options.force:
            return
        out = escape(self._options.out)
        if (made_by := memory.record.get("op")) != self._op.name:
            raise UsageError(f"{out}: was made by {escape(made_by)} (--force replaces it)")
        if memory.record.get("parameters", {}).get("src") != plain(self._options.src):
            raise UsageError(f"{out}: was made from another input (--force replaces it)")
        if memory.untouched(self._job.base):
            return
        foreign = [n for n in (*planner.changed, *memory.unknown_files(planner.earlier)) if n not in self._others]
        if foreign:
            more = f" and {len(foreign) - 1} more files were" if len(foreign) > 1 else " was"
            raise UsageError(f"{out}: {escape(foreign[0])}{more} changed since it was made (--force replaces it)")

    def _write(self, planner: Planner) -> tuple[ItemsRun, Collection[str] | None]:
        """Make the output; return what to say of it, and in which of its folders files are others than before, where
        those are few."""
        from datatools.io import folders
        from datatools.io.trees import Unlinkable

        options = self._options
        with folders.resumable(options.out, inputs=[options.src], keep=self._job.base) as partial:
            update = self._update(planner)
            try:
                if update:
                    update.link(partial)
            except Unlinkable:
                update = None
                planner.look_closer()
            tally = self._work(planner, partial, update)
            if update:
                update.write_rows(partial)
            # only then somebody wants to know the order, or rows of items that are gone may be among them
            told = self._job.tells_draws or self._job.writer.wants_rows
            ordered = told or planner.resumed or self._counts["failed"]
            sources = self._sources if ordered else None
            heard = item_finish.finish(self._job, sources, partial, self._record(), tally)
        return self._result(heard), update.folders(heard.files) if update else None

    def _update(self, planner: Planner) -> Update | None:
        """What stays of the output as a whole; None where every item has to be looked at."""
        if planner.updates and self._few is not None:
            try:
                return Update(planner, self._options.out, self._memory.record)
            except ValueError:  # the journal is damaged
                pass
        planner.look_closer()
        return None

    def _work(self, planner: Planner, partial: Path, update: Update | None) -> Tally:
        """Do what has to be done, and keep the rest; return what it adds up to."""
        total = self._counts["items"] + self._counts["carried"]
        tally = update.tally if update else Tally()
        with Committer(partial, planner.journal_end) as committer, self._run.bar(self._op.name, total) as advance:
            if update:
                tasks = iter(self._few or ())
                advance(total - self._to_do)
            else:
                tasks = self._tasks(planner, partial, committer, tally, advance)
            shown = 0.0
            for outcome in self._run.stream(self._job, tasks, self._to_do, self._options.item_timeout):
                if outcome is not None:
                    done = self._done(outcome)
                    committer.add(done.line)
                    if update:
                        update.made(done.line)
                    tally.join(done.tally)
                    self._failed(done)
                    advance(1)
                advance(self._run.begun - shown)
                shown = self._run.begun
                committer.tick()
        return tally

    def _tasks(
        self, planner: Planner, partial: Path, committer: Committer, tally: Tally, advance: Any
    ) -> Iterator[Source]:
        """Yield the items that have to be done; keep the others on the way."""
        out = self._options.out
        for source, decision in planner.decided(self._sources()):
            if decision.action == "make":
                yield source
                continue
            tally.add(decision.inputs, decision.outputs)
            if decision.action == "keep":
                committer.add(item_finish.keep(out, partial, decision))
            advance(1)

    def _done(self, outcome: Outcome) -> Done:
        if outcome.error is not None:
            raise outcome.error
        if outcome.lost is not None:
            return self._job.failure(outcome.task, self._lost(outcome.task, outcome.lost))
        done: Done = outcome.value
        return done

    def _lost(self, source: Source, lost: Lost) -> DataError:
        told = f"; its last words: {lost.told}" if lost.told else ""
        if lost.died:
            what = f"killed the process that worked on it, each time (out of memory, or a crash in native code){told}"
            error = DataError(printable(source.id), 0, "E-ITEM-DIED", what, "look at the file, or use fewer --jobs")
        else:
            what = f"took longer than --item-timeout {self._options.item_timeout:g} s"
            error = DataError(printable(source.id), 0, "E-ITEM-TIMEOUT", what, "raise it, or take the item out")
        if self._job.stop:
            raise error
        return error

    def _failed(self, done: Done) -> None:
        """Count a failure. Raises DataError where there are too many."""
        if not done.failed:
            return
        self._counts["made"] -= 1
        self._counts["failed"] += 1
        self._refuse_failed(json.loads(done.line)["error"])

    def _refuse_failed(self, last: Mapping[str, Any] | None = None) -> None:
        """Raise DataError where too many items failed, in this run or in those before it. last: the latest error."""
        failed, items = self._counts["failed"], self._counts["items"]
        if not self._too_many(failed, items):
            return
        what = f"{failed} of {items} items failed, more than --max-failures {self._options.max_failures:g}"
        if last is None:
            raise DataError(self._options.out, 0, "E-TOO-MANY-FAILURES", what, "--retry-failed tries them again")
        told = DataError(*(last[k] for k in ("path", "line", "code", "message", "remedy")))
        raise DataError(self._options.out, 0, "E-TOO-MANY-FAILURES", f"{what}; the last one: {told}")

    def _too_many(self, failed: int, items: int) -> bool:
        return failed > self._options.max_failures * items

    @property
    def _retries(self) -> bool:
        """Whether items that failed before are tried again: where the first failure is to end the run, it has to."""
        return self._options.retry_failed or self._options.on_error == "stop"

    def _result(self, told: item_finish.Told | None = None, *, dry_run: bool = False) -> ItemsRun:
        told = told or item_finish.Told()
        counts = self._counts
        return ItemsRun(
            op=self._op.name,
            src=self._options.src,
            out=self._options.out,
            items=counts["items"],
            made=counts["made"],
            kept=counts["kept"],
            failed=counts["failed"],
            carried=counts["carried"],
            removed=counts["removed"],
            reasons=dict(sorted(self._reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
            failures=told.failures,
            told=told.remarks,
            incomplete=told.incomplete,
            counts=told.counts,
            dry_run=dry_run,
            workers_lost=self._run.workers_lost,
            nodes_lost=self._run.nodes_lost,
        )
