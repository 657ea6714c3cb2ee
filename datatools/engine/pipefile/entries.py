"""What stands in one pipeline file: its keys, and that they have the right form. No name is looked up yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core import op
from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Op
from datatools.engine.pipefile.problems import Problems, Spot
from datatools.engine.pipefile.variables import NAME, Scalar
from datatools.engine.pipeline import ID, near

_TOP = ("version", "seed", "vars", "stages")
_STAGE = ("id", "uses", "in", "out", "with", "when", "matrix")
_INCLUDE = ("id", "include", "with", "when", "matrix")


@dataclass(frozen=True)
class Entry:
    """One entry of `stages`: an operation (`uses`) or the stages of another file (`include`).

    uses: None in an include, and where the file names no operation that there is.
    """

    spot: Spot
    id: str
    uses: Op[..., Any] | None
    include: str
    inputs: tuple[tuple[str, Spot], ...]
    out: str | None
    parameters: dict[str, Any]
    when: str | bool
    matrix: dict[str, list[Any]]


@dataclass(frozen=True)
class PipelineFile:
    """A pipeline file as it stands. seed: None where it names none."""

    path: Path
    spot: Spot
    seed: int | None
    variables: dict[str, Scalar]
    entries: tuple[Entry, ...]


def read(path: Path, problems: Problems) -> PipelineFile:
    """Read a file and check its form. Raises UsageError where it is no YAML that can be taken."""
    from datatools.io import config, files

    try:
        data = files.read_bytes(path, limit=config.MAX_BYTES)
    except DataError as error:
        raise UsageError(f"{escape(path)}: {error.message}") from None
    spot = Spot(config.load_marked(data, str(path)))
    problems.enter(spot)
    top = spot.document.value
    if not isinstance(top, dict):
        raise UsageError(f"{spot.where}: a pipeline has the keys version and stages")
    _refuse_unknown(top, _TOP, spot, problems)
    if top.get("version") != 1 or top["version"] is True:
        problems.add(spot.at("version"), f"must be 1 (got {top.get('version')!r})")
    listed = top.get("stages")
    if not isinstance(listed, list) or not listed:
        problems.add(spot.at("stages"), "must be a list with at least one stage")
        listed = []
    reader = _Reader(spot, problems)
    entries = [entry for i, value in enumerate(listed) if (entry := reader.entry(value, spot.at("stages", i)))]
    return PipelineFile(path, spot, reader.seed(top), reader.variables(top), tuple(entries))


class _Reader:
    def __init__(self, spot: Spot, problems: Problems) -> None:
        self.spot = spot
        self.problems = problems
        self.ids: set[str] = set()

    def seed(self, top: dict[str, Any]) -> int | None:
        if "seed" not in top:
            return None
        seed = top["seed"]
        if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**32:
            return seed
        self.problems.add(self.spot.at("seed"), f"must be a whole number from 0 to 4294967295 (got {_shown(seed)})")
        return None

    def variables(self, top: dict[str, Any]) -> dict[str, Scalar]:
        at = self.spot.at("vars")
        kept = {}
        for name, value in self.mapping(top.get("vars"), at, "names with values").items():
            if not NAME.fullmatch(name):
                self.problems.add(at.at(name), "a variable's name is letters, digits and _, no digit first")
            elif not isinstance(value, Scalar):
                self.problems.add(at.at(name), "must be text, a number, true or false")
            else:
                kept[name] = value
        return kept

    def entry(self, value: Any, at: Spot) -> Entry | None:
        if not isinstance(value, dict):
            self.problems.add(at, "a stage has the keys id, uses, in, out, with")
            return None
        included = "include" in value
        known = _INCLUDE if included else _STAGE
        misspelt = _refuse_unknown(value, known, at, self.problems)
        name = value.get("id")
        if not isinstance(name, str) or not ID.fullmatch(name):
            self.problems.add(at.at("id"), "every stage needs an id: a letter, then letters, digits, - and _")
            return None
        if name in self.ids:
            self.problems.add(at.at("id"), f"{name!r} is the id of an earlier stage, too")
            return None
        self.ids.add(name)
        return Entry(
            spot=at,
            id=name,
            uses=None if included or "uses" in misspelt else self.operation(value.get("uses"), at.at("uses")),
            include=self.text(value.get("include"), at.at("include"), "must be the path of a pipeline file") or "",
            inputs=() if included or "in" in misspelt else self.inputs(value.get("in"), at.at("in")),
            out=self.text(value.get("out"), at.at("out"), "must be a path") if "out" in value else None,
            parameters=self.mapping(value.get("with"), at.at("with"), "parameters with values"),
            when=self.condition(value.get("when", True), at.at("when")),
            matrix=self.matrix(value.get("matrix"), at.at("matrix")),
        )

    def operation(self, name: Any, at: Spot) -> Op[..., Any] | None:
        if not isinstance(name, str):
            self.problems.add(at, "every stage names its operation (uses: voc.fix) or a file (include: other.yaml)")
            return None
        try:
            return op.find(name)
        except UsageError as error:
            self.problems.add(at, str(error))
            return None

    def inputs(self, given: Any, at: Spot) -> tuple[tuple[str, Spot], ...]:
        if isinstance(given, str) and given:
            return ((given, at),)
        if isinstance(given, list) and given and all(isinstance(one, str) and one for one in given):
            return tuple((one, at.at(i)) for i, one in enumerate(given))
        self.problems.add(at, "names a stage or a path, or several in a list")
        return ()

    def condition(self, given: Any, at: Spot) -> str | bool:
        if isinstance(given, bool) or (isinstance(given, str) and given.strip()):
            return given
        self.problems.add(at, "must be a condition, as \"${name} == 'value'\"")
        return True

    def matrix(self, given: Any, at: Spot) -> dict[str, list[Any]]:
        kept = {}
        for name, values in self.mapping(given, at, "names with lists of values").items():
            if not NAME.fullmatch(name):
                self.problems.add(at.at(name), "a name here is letters, digits and _, no digit first")
            elif not isinstance(values, list) or not values:
                self.problems.add(at.at(name), "must be a list of values")
            else:
                kept[name] = values
        return kept

    def mapping(self, given: Any, at: Spot, what: str) -> dict[str, Any]:
        if given is None or isinstance(given, dict):
            return given or {}
        self.problems.add(at, f"must be {what}")
        return {}

    def text(self, given: Any, at: Spot, message: str) -> str | None:
        if given is None and at.path not in at.document.places:
            return None
        if isinstance(given, str) and given:
            return given
        self.problems.add(at, message)
        return None


def _refuse_unknown(given: Iterable[str], known: tuple[str, ...], at: Spot, problems: Problems) -> set[str]:
    """Note the keys that there are not; return those that seem to be meant."""
    meant = set()
    for key in given:
        if key not in known:
            hint = near(key, known)
            problems.add(at.at(key), f"there is no such key{hint or '; there are ' + ', '.join(known)}")
            meant.add(hint.removeprefix("; did you mean ").removesuffix("?"))
    return meant


def _shown(value: Any) -> str:
    return escape(repr(value)[:60])
