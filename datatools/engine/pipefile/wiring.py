"""How the stages hang together: what each needs, in which order they run, and which do not run."""

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
        return made

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
            spec = out_of(stage.op)
            if stage.out or stage.skipped_because or spec is None or spec.param.writes == "file":
                continue
            base = generalised(stage.id)[-1]
            if base != stage.id and (base, stage.inputs) in seen:
                message = f"every repeat of {base!r} would change the folder that it is given: it needs an `out`"
                self.problems.add(spots[stage.id].at("matrix"), message)
            seen.add((base, stage.inputs))


def in_order(drafts: Sequence[Draft], read: Mapping[str, list[Link]], problems: Problems) -> Iterator[Draft]:
    """The stages in the order of the files, each moved behind those that it needs; none if they form a circle."""
    place = {draft.id: i for i, draft in enumerate(drafts)}
    # lists, not sets: which of several circles is found may not depend on how texts are hashed
    sorter = graphlib.TopologicalSorter({i: [stage.id for link in read[i] for stage in link.stages] for i in place})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        circle = error.args[1][:0:-1]  # each needs the next; the first comes again at the end, and is left out here
        start = circle.index(min(circle, key=place.__getitem__))
        circle = [*circle[start:], *circle[: start + 1]]
        problems.add(drafts[place[circle[0]]].spot.at("in"), f"the stages need each other: {' -> '.join(circle)}")
        return
    ready: list[int] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, place[name])
        draft = drafts[heapq.heappop(ready)]
        yield draft
        sorter.done(draft.id)
