"""How the stages hang together: what each needs, in which order they run, and which do not run."""

import dataclasses
import graphlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datatools.core.op import Op
from datatools.engine.pipefile import links, parameters
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.links import Link, Names
from datatools.engine.pipefile.outputs import Outputs
from datatools.engine.pipefile.problems import Problems
from datatools.engine.pipefile.reading import Given, Reading, out_of
from datatools.engine.pipeline import Stage, generalised


def connect(drafts: Sequence[Draft], problems: Problems) -> list[Stage]:
    """The stages in the order in which they run. What is wrong is noted; then some stages are missing."""
    return _Wiring(drafts, problems).stages()


class _Wiring:
    def __init__(self, drafts: Sequence[Draft], problems: Problems) -> None:
        self.drafts = drafts
        self.problems = problems
        self.names = Names(drafts)
        self.reading = Reading(self.names, problems)
        self.outputs = Outputs()
        self.arguments: dict[str, dict[str, Any]] = {}
        self.skipped: dict[str, str] = {}

    def stages(self) -> list[Stage]:
        for draft in self.drafts:
            self.arguments[draft.id] = self.own_arguments(draft)
            if draft.uses is not None:
                self.outputs.add(draft, draft.uses, self.arguments[draft.id])
        read = {draft.id: self.links(draft) for draft in self.drafts}
        made = []
        for draft in in_order(self.drafts, read, self.problems):
            if reason := draft.skipped_because or self.reason_to_skip(read[draft.id]):
                self.skipped[draft.id] = reason
            if draft.uses is None:
                self.reading.broken(draft)
            else:
                made.append(self.stage(draft, draft.uses, read[draft.id]))
        self.outputs.refuse_shared(self.skipped, self.problems)
        self.refuse_repeats_in_one_place(made)
        return writers_first(made)

    def own_arguments(self, draft: Draft) -> dict[str, Any]:
        """The parameters and the output."""
        if draft.uses is None:
            return {}
        values = parameters.check(draft, draft.uses, self.problems)
        spec = out_of(draft.uses)
        if draft.out is None:
            if spec is not None and spec.required:
                self.problems.add(draft.spot, f"{draft.uses.name} needs an `out`")
            return values
        if spec is None:
            self.problems.add(draft.spot.at("out"), f"{draft.uses.name} makes no output of its own")
            return values
        return values | {"out": Path(draft.out)}

    def links(self, draft: Draft) -> list[Link]:
        if draft.uses is None:
            return []
        first = draft.uses.params[0].name
        read = links.files(draft, draft.uses, self.arguments[draft.id], self.names, self.outputs)
        return [*links.inputs(draft, first, self.names, self.outputs), *read]

    def reason_to_skip(self, read: list[Link]) -> str:
        """A stage is skipped with what it needs; of several repeats of a stage one that runs is enough."""
        for link in read:
            if link.stages and all(stage.id in self.skipped for stage in link.stages):
                return f"needs {link.stages[0].id}, which is skipped"
        return ""

    def chosen(self, link: Link) -> list[Draft]:
        """The stages of a link that run; all, where none does."""
        return [stage for stage in link.stages if stage.id not in self.skipped] or list(link.stages)

    def stage(self, draft: Draft, operation: Op[..., Any], read: list[Link]) -> Stage:
        first = operation.params[0]
        arguments = self.arguments[draft.id]
        inputs: list[Given] = []
        sources: list[Path] = []
        makers: list[Draft] = []
        for link in read:
            chosen = self.chosen(link)
            given = self.reading.of(link, chosen)
            if draft.id not in self.skipped:
                self.reading.check_existence(draft, operation, link)
            self.reading.check_kinds(draft, operation, arguments, link, given)
            if link.parameter == first.name:
                self.reading.check_number(first, operation, link, chosen)
                inputs += given
                makers += chosen
                sources += [link.path] if link.path and not link.stages else []
        if not first.many and len(draft.inputs) > 1:
            self.problems.add(draft.spot.at("in"), f"{operation.name} takes one input (got {len(draft.inputs)})")
        paths = tuple(given.path for given in inputs if given.path)
        if paths:
            arguments[first.name] = paths if first.many else paths[0]
        self.reading.note(draft, operation, arguments, inputs, makers)
        return Stage(
            id=draft.id,
            op=operation,
            inputs=paths,
            sources=tuple(sources),
            needs=tuple(dict.fromkeys(stage.id for link in read for stage in self.chosen(link))),
            out=arguments.get("out"),
            arguments=arguments,
            place=draft.spot.where,
            when=draft.when,
            skipped_because=self.skipped.get(draft.id, ""),
        )

    def refuse_repeats_in_one_place(self, stages: list[Stage]) -> None:
        """Note repeats of a stage that all change the folder that they are given."""
        seen: set[tuple[str, tuple[Path, ...]]] = set()
        spots = {draft.id: draft.spot for draft in self.drafts}
        for stage in stages:
            if not writes_into_its_input(stage):
                continue
            base = generalised(stage.id)[-1]
            if base != stage.id and (base, stage.inputs) in seen:
                message = f"every repeat of {base!r} would change the folder that it is given: it needs an `out`"
                self.problems.add(spots[stage.id].at("matrix"), message)
            seen.add((base, stage.inputs))


def writes_into_its_input(stage: Stage) -> bool:
    """Whether the stage changes the folder that it is given, as `voc.split` does without an output of its own."""
    spec = out_of(stage.op)
    return not (stage.out or stage.skipped_because or spec is None or spec.param.writes == "file")


def writers_first(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, those that write into the folder that they are given before the others that are given the same one.

    What the others find there would depend on who is faster. Writers into one folder take turns as they stand in the
    file; a stage that a writer needs comes before it all the same.
    """
    needs = {stage.id: list(stage.needs) for stage in stages}
    writers = [stage for stage in stages if writes_into_its_input(stage)]
    for number, writer in enumerate(writers):
        first = {writer.id, *(stage.id for stage in writers[:number]), *_upstream(writer.id, needs)}
        for stage in stages:
            if set(stage.inputs) & set(writer.inputs) and stage.id not in first and writer.id not in needs[stage.id]:
                needs[stage.id].append(writer.id)
    place = {stage.id: i for i, stage in enumerate(stages)}
    ordered = [
        stages[i] for i in _in_order({place[s]: [place[n] for n in of if n in place] for s, of in needs.items()})
    ]
    return [dataclasses.replace(stage, needs=tuple(needs[stage.id])) for stage in ordered]


def _upstream(stage_id: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [stage_id]
    while waiting:
        fresh = set(needs.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return found


def in_order(drafts: Sequence[Draft], read: Mapping[str, list[Link]], problems: Problems) -> Iterator[Draft]:
    """The stages in the order of the files, each moved behind those that it needs; none if they form a circle."""
    place = {draft.id: i for i, draft in enumerate(drafts)}
    # lists, not sets: which of several circles is found may not depend on how texts are hashed
    needs = {i: [place[stage.id] for link in read[name] for stage in link.stages] for name, i in place.items()}
    try:
        yield from (drafts[i] for i in _in_order(needs))
    except graphlib.CycleError as error:
        circle = error.args[1][:0:-1]  # each needs the next; the first comes again at the end, and is left out here
        start = circle.index(min(circle))
        names = [drafts[i].id for i in [*circle[start:], *circle[: start + 1]]]
        problems.add(drafts[min(circle)].spot.at("in"), f"the stages need each other: {' -> '.join(names)}")


def _in_order(needs: Mapping[int, list[int]]) -> list[int]:
    """The numbers in their order, each moved behind those that it needs. Raises CycleError."""
    sorter = graphlib.TopologicalSorter(needs)
    sorter.prepare()
    ready: list[int] = []
    order: list[int] = []
    while sorter.is_active():
        for number in sorter.get_ready():
            heapq.heappush(ready, number)
        order.append(heapq.heappop(ready))
        sorter.done(order[-1])
    return order
