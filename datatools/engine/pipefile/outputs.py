"""Which stage makes which file or folder, and that no two get into each other's way."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from datatools.core.op import Op, ParamSpecOf
from datatools.engine.pipefile.drafts import Draft
from datatools.engine.pipefile.problems import Problems
from datatools.engine.pipeline import parts


@dataclass(frozen=True)
class Output:
    """A path that a stage makes. spec: the parameter that names it. operation, arguments: of the stage."""

    draft: Draft
    path: Path
    spec: ParamSpecOf
    operation: Op[..., Any]
    arguments: Mapping[str, Any]


class Outputs:
    """The outputs of all stages, by path."""

    def __init__(self) -> None:
        self._by_path: dict[str, list[Output]] = {}

    def add(self, draft: Draft, operation: Op[..., Any], arguments: Mapping[str, Any]) -> None:
        """Note every path that the arguments of the stage name and that it writes."""
        for spec in operation.params:
            path = arguments.get(spec.name)
            if spec.param.writes and isinstance(path, Path):
                output = Output(draft, path, spec, operation, arguments)
                self._by_path.setdefault(os.path.abspath(path), []).append(output)

    def at(self, path: PurePath) -> list[Output]:
        """Who makes the path itself."""
        return self._by_path.get(os.path.abspath(path), [])

    def around(self, path: PurePath, *, whole: bool = False) -> list[Output]:
        """Who makes the innermost folder in which the path lies, where anybody does.

        whole: only those that make the folder as a whole; other stages may add files to one that was there before.
        """
        ways = ("folder",) if whole else ("folder", "files")
        for parent in PurePath(os.path.abspath(path)).parents:
            if found := [output for output in self._by_path.get(str(parent), ()) if output.spec.param.writes in ways]:
                return found
        return []

    def refuse_shared(self, skipped: Iterable[str], problems: Problems) -> None:
        """Note each path that two stages make, of those that may run in the same run.

        Files of different operations may come into a folder that was there before.
        """
        left_out = set(skipped)
        for outputs in self._by_path.values():
            alive = [output for output in outputs if output.draft.id not in left_out]
            for later in alive[1:]:
                both_add = alive[0].spec.param.writes == later.spec.param.writes == "files"
                if not both_add or alive[0].operation is later.operation:
                    _note_shared(alive[0].draft, later, problems)


def _note_shared(earlier: Draft, later: Output, problems: Problems) -> None:
    keys = ("out",) if later.spec.name == "out" else ("with", later.spec.name)
    at = later.draft.spot.at(*keys)
    if earlier.spot.path == later.draft.spot.path and earlier.spot.document is later.draft.spot.document:
        problems.add(at, _how_to_tell_apart(earlier.id, later.draft.id))
    else:
        problems.add(at, f"{earlier.id!r} writes there, too")


def _how_to_tell_apart(earlier: str, later: str) -> str:
    """What to do where one entry of a file, repeated or included more than once, writes to one place."""
    *around, (name, values) = parts(later)
    if values and parts(earlier)[:-1] == around:
        first = values.strip("[").partition("=")[0]
        return f"every repeat of {name!r} would write there: put ${{matrix.{first}}} into it"
    return f"{earlier!r} and {later!r} would both write there: give the file that is included its place in a variable"
