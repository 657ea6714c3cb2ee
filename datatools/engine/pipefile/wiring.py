"""How the stages hang together: order, what is skipped, what each reads, and whether it can read it."""

import graphlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datatools.core import kinds
from datatools.core.errors import escape
from datatools.core.kinds import Kinds
from datatools.core.op import Op, ParamSpecOf
from datatools.engine.pipefile import links, parameters
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.links import Link, Names
from datatools.engine.pipefile.outputs import Outputs
from datatools.engine.pipefile.problems import Problems
from datatools.engine.pipeline import Stage, generalised


@dataclass(frozen=True)
class _Given:
    """A file or folder that a stage gives to those that name it: its output, or what it works in."""

    path: Path | None = None
    kinds: Kinds = kinds.UNKNOWN


@dataclass
class _Known:
    """What is found out about the stages one after the other, each after those that it needs."""

    given: dict[str, _Given] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


def connect(drafts: Sequence[Draft], problems: Problems) -> list[Stage]:
    """The stages in the order in which they run. What is wrong is noted; then some stages are missing."""
    return _Wiring(drafts, problems).stages()


class _Wiring:
    def __init__(self, drafts: Sequence[Draft], problems: Problems) -> None:
        self.drafts = drafts
        self.problems = problems
        self.names = Names(drafts)
        self.outputs = Outputs()
        self.arguments: dict[str, dict[str, Any]] = {}
        self.known = _Known()

    def stages(self) -> list[Stage]:
        for draft in self.drafts:
            self.arguments[draft.id] = self.own_arguments(draft)
            if draft.uses is not None:
                self.outputs.add(draft, draft.uses, self.arguments[draft.id])
        read = {draft.id: self.links(draft) for draft in self.drafts}
        made = []
        for draft in self.in_order(read):
            reason = draft.skipped_because or self.reason_to_skip(read[draft.id])
            if reason:
                self.known.skipped[draft.id] = reason
            if draft.uses is None:
                self.known.broken.add(draft.id)
            else:
                made.append(self.stage(draft, draft.uses, read[draft.id]))
        self.outputs.refuse_shared(self.known.skipped, self.problems)
        self.refuse_repeats_in_one_place(made)
        return made

    def own_arguments(self, draft: Draft) -> dict[str, Any]:
        """The parameters and the output."""
        if draft.uses is None:
            return {}
        values = parameters.check(draft, draft.uses, self.problems)
        spec = _out(draft.uses)
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
        read = links.files(draft, draft.uses, self.arguments[draft.id], self.outputs)
        return [*links.inputs(draft, first, self.names, self.outputs), *read]

    def in_order(self, read: dict[str, list[Link]]) -> Iterator[Draft]:
        """The stages in the order of the files, each moved behind those that it needs; none if they form a circle."""
        place = {draft.id: i for i, draft in enumerate(self.drafts)}
        sorter = graphlib.TopologicalSorter({i: {s.id for link in read[i] for s in link.stages} for i in place})
        try:
            sorter.prepare()
        except graphlib.CycleError as error:
            circle = error.args[1][::-1]
            draft = self.drafts[min(place[i] for i in circle)]
            start = circle.index(draft.id)
            told = " -> ".join([*circle[start:-1], *circle[:start], draft.id])
            self.problems.add(draft.spot.at("in"), f"the stages need each other: {told}")
            return
        ready: list[int] = []
        while sorter.is_active():
            for name in sorter.get_ready():
                heapq.heappush(ready, place[name])
            draft = self.drafts[heapq.heappop(ready)]
            yield draft
            sorter.done(draft.id)

    def reason_to_skip(self, read: list[Link]) -> str:
        for link in read:
            if link.stages and all(s.id in self.known.skipped for s in link.stages):
                return f"needs {link.stages[0].id}, which is skipped"
        return ""

    def chosen(self, link: Link) -> list[Draft]:
        """The stages of a link that run; all, where none does."""
        return [s for s in link.stages if s.id not in self.known.skipped] or list(link.stages)

    def stage(self, draft: Draft, operation: Op[..., Any], read: list[Link]) -> Stage:
        first = operation.params[0]
        inputs: list[_Given] = []
        sources = []
        for link in read:
            self.check_existence(draft, link)
            gets = list(self.gets(link))
            self.check_kinds(operation, self.arguments[draft.id], link, gets)
            if link.parameter == first.name:
                inputs += gets
                sources += [given.path for given in gets if given.path and not link.stages]
                self.check_number(operation, first, link, gets)
        paths = tuple(given.path for given in inputs if given.path)
        if not first.many and len(draft.inputs) > 1:
            self.problems.add(draft.spot.at("in"), f"{operation.name} takes one input (got {len(draft.inputs)})")
        arguments = self.arguments[draft.id] | ({first.name: paths if first.many else paths[0]} if paths else {})
        self.known.given[draft.id] = self.gives(operation, arguments, inputs)
        return Stage(
            id=draft.id,
            op=operation,
            inputs=paths,
            sources=tuple(sources),
            needs=tuple(dict.fromkeys(s.id for link in read for s in self.chosen(link))),
            out=arguments.get("out"),
            arguments=arguments,
            place=draft.spot.where,
            when=draft.when,
            skipped_because=self.known.skipped.get(draft.id, ""),
        )

    def gets(self, link: Link) -> Iterator[_Given]:
        """What a link stands for: a path, or what the stages that it names give."""
        if link.path is not None:
            for output in link.outputs[:1]:
                operation = output.draft.uses
                assert operation is not None
                arguments = self.arguments[output.draft.id]
                yield _Given(link.path, kinds.handed_on(operation, output.spec.name, arguments, kinds.UNKNOWN))
            if not link.outputs:
                yield _Given(link.path)
            return
        for stage in self.chosen(link):
            given = self.known.given.get(stage.id, _Given())
            if given.path is None and stage.id not in self.known.broken:
                self.problems.add(link.spot, f"the stage {stage.id!r} makes nothing that another can read")
            yield given

    def gives(self, operation: Op[..., Any], arguments: dict[str, Any], inputs: list[_Given]) -> _Given:
        spec = _out(operation)
        if spec is not None and "out" in arguments and spec.param.writes in ("file", "folder"):
            read = frozenset().union(*(given.kinds for given in inputs))
            return _Given(arguments["out"], kinds.handed_on(operation, "out", arguments, read))
        return inputs[0] if len(inputs) == 1 else _Given()

    def check_existence(self, draft: Draft, link: Link) -> None:
        if not link.must_exist or draft.id in self.known.skipped or link.path is None or link.path.exists():
            return
        if link.spot.path[-1] == link.parameter:
            self.problems.add(link.spot, f"there is no {escape(link.path)}, and no stage makes it")
        else:
            hint = self.names.hint(link.name, draft.prefix)
            self.problems.add(link.spot, f"{escape(link.name)} is neither a stage nor a path that exists{hint}")

    def check_number(self, operation: Op[..., Any], first: ParamSpecOf, link: Link, gets: list[_Given]) -> None:
        if not first.many and len(gets) > 1:
            ids = [stage.id for stage in self.chosen(link)]
            self.problems.add(
                link.spot,
                f"{link.name} is repeated {len(ids)} times and {operation.name} takes one input: name one of them "
                f"({ids[0]}), or repeat this stage, too, with the matrix's values in the name",
            )

    def check_kinds(self, operation: Op[..., Any], arguments: dict[str, Any], link: Link, gets: list[_Given]) -> None:
        want = kinds.declared(operation, link.parameter, arguments)
        wrong = next((given for given in gets if not kinds.fits(given.kinds, want)), None)
        if wrong is None:
            return
        reader = operation.name if link.parameter == operation.params[0].name else f"`{link.parameter}`"
        message = f"{reader} reads {kinds.phrase(want)}, and {link.name!r} is {kinds.phrase(wrong.kinds)}"
        self.problems.add(link.spot, message)

    def refuse_repeats_in_one_place(self, stages: list[Stage]) -> None:
        """Note repeats of a stage that all change the folder that they are given."""
        seen: set[tuple[str, tuple[Path, ...]]] = set()
        spots = {draft.id: draft.spot for draft in self.drafts}
        for stage in stages:
            spec = _out(stage.op)
            if stage.out or stage.skipped_because or spec is None or spec.param.writes == "file":
                continue
            base = generalised(stage.id)[-1]
            if base != stage.id and (base, stage.inputs) in seen:
                message = (
                    f"every repeat of {base!r} would change the folder that it is given: give it an `out` of its own"
                )
                self.problems.add(spots[stage.id].at("matrix"), message)
            seen.add((base, stage.inputs))


def _out(operation: Op[..., Any]) -> ParamSpecOf | None:
    """The parameter that names the output."""
    return next((spec for spec in operation.params if spec.name == "out"), None)
