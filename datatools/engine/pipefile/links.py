"""What the names of a stage stand for: under `in` a stage or a path, in parameters files that a stage may make."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from datatools.core.op import Op
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.outputs import Output, Outputs
from datatools.engine.pipefile.problems import Spot
from datatools.engine.pipeline import generalised, near


@dataclass(frozen=True)
class Link:
    """One thing that a stage reads.

    parameter: of the operation; name: as the file has it. stages: those that make it, or those that are named.
    outputs: who makes exactly this path. path: None where stages are named.
    must_exist: whether it has to be there already, as no stage makes it.
    """

    parameter: str
    name: str
    spot: Spot
    stages: tuple[Draft, ...]
    outputs: tuple[Output, ...] = ()
    path: Path | None = None
    must_exist: bool = False


class Names:
    """The stages by every name under which they may be meant."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._drafts: dict[str, list[Draft]] = {}
        broken = [draft for draft in drafts if draft.uses is None]
        self._lost_ids = tuple(f"{draft.id}." for draft in broken)
        self._lost_paths = [PurePath(os.path.abspath(draft.out)) for draft in broken if draft.out]
        for draft in drafts:
            for name in generalised(draft.id):
                self._drafts.setdefault(name, []).append(draft)

    def find(self, name: str, prefix: str) -> tuple[Draft, ...]:
        """The stages of that name in the file of the prefix: one, all repeats of one, or none."""
        return tuple(self._drafts.get(prefix + name, ()))

    def is_lost(self, name: str, prefix: str) -> bool:
        """Whether it may be a stage of a file that could not be included, or what a stage makes whose operation there
        is not; that was told already, or that a variable is none."""
        path = PurePath(os.path.abspath(name))
        return (
            (prefix + name).startswith(self._lost_ids)
            or any(path.is_relative_to(lost) for lost in self._lost_paths)
            or "${" in name
        )

    def hint(self, name: str, prefix: str) -> str:
        """What may have been meant by a name that is none."""
        local = [known.removeprefix(prefix) for known in self._drafts if known.startswith(prefix)]
        inside = [known for known in local if known.startswith(f"{name}.") and "[" not in known]
        if inside:
            return f"; {name} is a file that is included: name one of its stages, {', '.join(inside)}"
        return near(name, local)


def inputs(draft: Draft, parameter: str, names: Names, outputs: Outputs) -> Iterator[Link]:
    """What stands under `in`. A name is a stage's where there is one, else a path."""
    for name, spot in draft.inputs:
        if found := names.find(name, draft.prefix):
            yield Link(parameter, name, spot, found)
        else:
            yield _path(parameter, name, draft.prefix, spot, names, outputs)


def files(
    draft: Draft, operation: Op[..., Any], arguments: Mapping[str, Any], names: Names, outputs: Outputs
) -> Iterator[Link]:
    """The files and folders that parameters name and that the operation reads, or into whose folder it writes.

    In a text of the form `word:FILE` the file counts where a stage makes it.
    """
    for spec in operation.params:
        value = arguments.get(spec.name)
        spot = draft.spot.at("out") if spec.name == "out" else draft.spot.at("with", spec.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Path) and spec.param.writes:
                others = [output.draft for output in outputs.around(one, whole=True) if output.draft.id != draft.id]
                if others:
                    yield Link(spec.name, str(one), spot, tuple(others), path=one)
            elif isinstance(one, Path):
                link = _path(spec.name, str(one), draft.prefix, spot, names, outputs)
                if link.stages or one != spec.default:  # a default is a word of the operation's own, and no file
                    yield link
            elif isinstance(one, str) and ":" in one:
                link = _path(spec.name, one.partition(":")[2], draft.prefix, spot, names, outputs)
                if link.stages:
                    yield link


def _path(parameter: str, name: str, prefix: str, spot: Spot, names: Names, outputs: Outputs) -> Link:
    path = Path(name)
    exact = tuple(outputs.at(path))
    makers = {output.draft.id: output.draft for output in exact or outputs.around(path)}
    must_exist = not makers and not names.is_lost(name, prefix)
    return Link(parameter, name, spot, tuple(makers.values()), exact, path, must_exist)
