"""What stages read, and what they give to those that name them: that it is there, and that the one fits the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core import kinds
from datatools.core.errors import escape
from datatools.core.kinds import Kinds
from datatools.core.op import Op, ParamSpecOf
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.links import Link, Names
from datatools.engine.pipefile.problems import Problems


@dataclass(frozen=True)
class Given:
    """A file or folder. path: None where a stage that names its output wrongly, or not at all, would make it."""

    path: Path | None = None
    kinds: Kinds = kinds.UNKNOWN


class Reading:
    """What the stages give, found out one after the other, each after those that it needs."""

    def __init__(self, names: Names, problems: Problems) -> None:
        self.names = names
        self.problems = problems
        self._given: dict[str, Given] = {}
        self._inputs: dict[str, list[str]] = {}

    def broken(self, draft: Draft) -> None:
        """Remember a stage of which nothing is known; nothing more is told about what it gives."""
        self._given[draft.id] = Given(Path(draft.out or "."))

    def of(self, link: Link, chosen: Sequence[Draft]) -> list[Given]:
        """What a link stands for: a path, or what the chosen ones of the stages that it names give."""
        if link.path is None:
            return list(self._of_stages(link, chosen))
        makers = {stage.id for stage in chosen}
        made = next((output for output in link.outputs if output.draft.id in makers), None)
        if made is None:
            return [Given(link.path)]
        given = self._given[made.draft.id]
        if given.path == made.path:
            return [Given(link.path, given.kinds)]
        return [Given(link.path, kinds.declared(made.operation, made.spec.name, made.arguments))]

    def _of_stages(self, link: Link, chosen: Sequence[Draft]) -> Iterator[Given]:
        for stage in chosen:
            given = self._given[stage.id]
            if given.path is None:
                self.problems.add(link.spot, f"the stage {stage.id!r} makes nothing that another can read")
            else:
                yield given

    def note(
        self,
        draft: Draft,
        operation: Op[..., Any],
        arguments: dict[str, Any],
        inputs: Sequence[Given],
        stages: Sequence[Draft],
    ) -> None:
        """Remember what the stage gives: its output, or what it works in. stages: that its inputs come from."""
        spec = out_of(operation)
        given = inputs[0] if len(inputs) == 1 else Given()
        if spec is not None and "out" in arguments and spec.param.writes in ("file", "folder"):
            read = frozenset[str]().union(*(one.kinds for one in inputs))
            given = Given(arguments["out"], kinds.handed_on(operation, "out", arguments, read))
        self._given[draft.id] = given
        self._inputs[draft.id] = [stage.id for stage in stages]

    def check_existence(self, draft: Draft, operation: Op[..., Any], link: Link) -> None:
        """Note where a path that no stage makes is not there."""
        if not link.must_exist or link.path is None or link.path.exists():
            return
        if link.parameter != operation.params[0].name:
            self.problems.add(link.spot, f"there is no {escape(link.path)}, and no stage makes it")
            return
        hint = self.names.hint(link.name, draft.prefix)
        self.problems.add(link.spot, f"{escape(link.name)} is neither a stage nor a path that exists{hint}")

    def check_kinds(
        self,
        draft: Draft,
        operation: Op[..., Any],
        arguments: dict[str, Any],
        link: Link,
        given: Sequence[Given],
    ) -> None:
        """Note where what is given is not what the operation, or its parameter, reads."""
        want = kinds.declared(operation, link.parameter, arguments)
        for one in given:
            if not kinds.fits(one.kinds, want):
                reader = operation.name if link.parameter == operation.params[0].name else f"`{link.parameter}`"
                told = f"{reader} reads {kinds.phrase(want)}, and {link.name!r} is {kinds.phrase(one.kinds)}"
                self.problems.add(link.spot, told + self._better(link, want, draft.prefix))
                return

    def _better(self, link: Link, want: Kinds, prefix: str) -> str:
        """The nearest stage of the same file, before those of the link, that gives what is wanted."""
        waiting = [stage.id for stage in link.stages]
        for stage in waiting:
            if stage.startswith(prefix) and (have := self._given[stage].kinds) and kinds.fits(have, want):
                return f"; did you mean {stage.removeprefix(prefix)}?"
            waiting += [need for need in self._inputs.get(stage, ()) if need not in waiting]
        return ""

    def check_number(self, first: ParamSpecOf, operation: Op[..., Any], link: Link, chosen: Sequence[Draft]) -> None:
        """Note where a stage that is repeated is the input of an operation that takes one."""
        if not first.many and link.path is None and len(chosen) > 1:
            self.problems.add(
                link.spot,
                f"{link.name} is repeated {len(chosen)} times and {operation.name} takes one input: name one of them "
                f"({chosen[0].id}), or repeat this stage, too, with the values of its matrix in the name",
            )


def out_of(operation: Op[..., Any]) -> ParamSpecOf | None:
    """The parameter that names the output."""
    return next((spec for spec in operation.params if spec.name == "out"), None)
