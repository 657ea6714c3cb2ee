"""Pipelines: stages that were read from a file and checked in full, in the order in which they run.

    version: 1
    seed: 7
    vars: {root: my/set}
    stages:
      - {id: fixed, uses: voc.fix, in: "${root}", out: work/fixed}
      - {id: lists, uses: voc.split, in: fixed, with: {train: 0.8, val: 0.1, test: 0.1}}

`in` names a stage or a path; order comes from that. A stage without `out` whose input is a stage works in that stage's
output. How a file becomes stages is the subject of datatools.engine.pipefile.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core.errors import UsageError, escape
from datatools.core.op import Op

ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_PART = re.compile(rf"({ID.pattern})(\[[^\]]*\])?")


@dataclass(frozen=True)
class Stage:
    """One operation with its parameters.

    id: of an included file's stage after the include's: `prep.fixed`; of a repeat with its values: `anchors[k=5]`.
    inputs: paths as given, or the folder of the stage that makes them; sources: those that no stage makes.
    needs: ids of the stages that come first.
    out: None where the operation makes nothing of its own. arguments: everything that the operation is called with.
    place: `file:line:column`.
    when: the condition as written. skipped_because: why the stage does not run: its condition is false, or it needs one
    that does not run; empty for all others.
    """

    id: str
    op: Op[..., Any]
    inputs: tuple[Path, ...]
    sources: tuple[Path, ...]
    needs: tuple[str, ...]
    out: Path | None
    arguments: dict[str, Any]
    place: str
    when: str = ""
    skipped_because: str = ""


@dataclass(frozen=True)
class Pipeline:
    """A checked pipeline: stages in an order in which each comes after those it needs."""

    path: Path
    stages: tuple[Stage, ...]

    def upstream(self, stage_id: str) -> set[str]:
        """The ids of all stages that the stage depends on."""
        by_id = {s.id: s for s in self.stages}
        found: set[str] = set()
        waiting = list(by_id[stage_id].needs)
        while waiting:
            need = waiting.pop()
            if need not in found:
                found.add(need)
                waiting.extend(by_id[need].needs)
        return found

    def select(self, name: str) -> set[str]:
        """The ids that a user means: a stage, `anchors` for all its repeats, `prep` for all stages of the include.

        Raises UsageError with the nearest name where there is none.
        """
        if name not in self._names:
            raise UsageError(f"{escape(self.path)}: there is no stage {name!r}{near(name, self._names)}")
        return self._names[name]

    @functools.cached_property
    def _names(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        for stage in self.stages:
            for told in generalised(stage.id):
                words = [name + values for name, values in parts(told)]
                for end in range(1, len(words) + 1):
                    names.setdefault(".".join(words[:end]), set()).add(stage.id)
        return names


def load(path: Path, settings: Mapping[str, str] | None = None) -> Pipeline:
    """Read and check a pipeline file. settings: values that override the file's `vars`.

    Raises UsageError with every problem of the file and of those that it includes, a line each.
    """
    from datatools.engine.pipefile import drafts, wiring
    from datatools.engine.pipefile.problems import Problems

    if not path.is_file():
        raise UsageError(f"{escape(path)}: there is no such pipeline file")
    problems = Problems()
    stages = wiring.connect(drafts.gather(path, settings or {}, problems), problems)
    problems.raise_any()
    return Pipeline(path, tuple(stages))


def generalised(stage_id: str) -> list[str]:
    """The names under which a stage may be meant: with and without the values of its repeats, the barest last.

    >>> generalised("prep[k=5].lists[n=1]")
    ['prep[k=5].lists[n=1]', 'prep[k=5].lists', 'prep.lists[n=1]', 'prep.lists']
    """
    choices = [(name + values, name) if values else (name,) for name, values in parts(stage_id)]
    return [".".join(chosen) for chosen in itertools.product(*choices)]


def parts(stage_id: str) -> list[tuple[str, str]]:
    """The id of each include and of the stage itself, with the values of its repeat.

    >>> parts("prep[k=5].lists")
    [('prep', '[k=5]'), ('lists', '')]
    """
    return _PART.findall(stage_id)


def near(name: str, known: Iterable[object]) -> str:
    """A did-you-mean where one of the known names is close."""
    import difflib

    found = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f"; did you mean {found[0]}?" if found else ""
