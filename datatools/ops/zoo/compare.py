"""`datatools zoo compare`: whether one training set makes a better network than another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, OutFolder, Run, Seed
from datatools.ops.zoo import choices, scores
from datatools.ops.zoo.scores import Bounds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.zoo.pictures import Pictures

Verdict = Literal["helps", "hurts", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets. pictures: trained on. accuracy: a value a run. leaked: pictures to validate on that are in
    it, pixel by pixel."""

    name: str
    src: Path
    pictures: int
    accuracy: tuple[float, ...]
    mean: float
    leaked: int


@dataclass(frozen=True, slots=True)
class ClassChange:
    """One class. pictures: to validate on. a, b: the mean recall of all runs on each set."""

    name: str
    pictures: int
    a: float
    b: float


@dataclass(frozen=True)
class Comparison(Result):
    """What B is worth beside A.

    difference: mean accuracy with B less that with A, interval: its 95 % interval, above: how often a replicate of the
    bootstrap found B better. pictures: validated on. steps, batch: the budget of every training.
    """

    a: Side
    b: Side
    val: Path
    model: str
    classes: tuple[str, ...]
    pictures: int
    runs: int
    steps: int
    batch: int
    difference: float
    interval: Bounds
    above: float
    verdict: Verdict
    per_class: tuple[ClassChange, ...]
    failures: tuple[DataError, ...]
    out: Path | None

    @property
    def problems(self) -> int:
        """Pictures that could not be used, and those that are validated on although they were trained on."""
        return len(self.failures) + self.a.leaked + self.b.leaked

    def lines(self) -> Iterator[str | Table]:
        """The runs, the classes, the verdict."""
        yield from map(str, self.failures)
        a, b = self.a, self.b
        for side in (a, b):
            if side.leaked:
                yield (
                    f"leak: {side.leaked:,} of {self.pictures:,} pictures to validate on are also in "
                    f"{escape(side.src)}; what they show says nothing"
                )
        rows = tuple((i, x, y, y - x) for i, (x, y) in enumerate(zip(a.accuracy, b.accuracy, strict=True), 1))
        header = ("run", f"accuracy with {escape(a.name)}", f"with {escape(b.name)}", "difference")
        yield Table(header, (*rows, ("all", a.mean, b.mean, self.difference)))
        changes = tuple((escape(c.name), c.pictures, c.a, c.b, c.b - c.a) for c in self.per_class)
        yield Table(("class", "pictures", f"recall with {escape(a.name)}", f"with {escape(b.name)}", "change"), changes)
        yield (
            f"{self.model}, {self.runs} runs of {self.steps} steps of {self.batch} on each: {a.pictures:,} and "
            f"{b.pictures:,} pictures, validated on {self.pictures:,} of {escape(self.val)}"
        )
        yield f"difference {scores.signed(self.difference, self.interval)}"
        yield f"verdict: {escape(b.name)} {_SAID[self.verdict]} beside {escape(a.name)}"
        if self.out:
            yield f"written: {escape(self.out)}"
        if self.verdict == "cannot tell":
            yield "next: more pictures to validate on, or more --runs, narrow the interval"


_SAID: dict[str, str] = {"helps": "helps", "hurts": "hurts", "cannot tell": "makes no difference that can be told"}


@op("zoo.compare", version=1)
def compare(
    srcs: Annotated[tuple[Dataset, ...], Param("the two training sets, A and B", metavar="SET")],
    *,
    val: Annotated[Path, Param("set to validate on, the same for both", metavar="V")],
    out: OutFolder | None = None,
    runs: Annotated[int, Param("trainings on each set, with other first weights each time", ge=2, le=1000)] = 5,
    model: choices.Model = choices.QUICK,
    size: choices.Size = "64",
    steps: choices.Steps = 400,
    batch: choices.Batch = 32,
    lr: choices.AdamRate = choices.RATES["adam"],
    jitter: choices.Jitter = 0.1,
    device: choices.DeviceName = "auto",
    seed: Seed = 0,
    force: Force = False,
    run: Run = SERIAL,
) -> Comparison:
    """Measure what training set B is worth beside A: raw and augmented, hazy and dehazed.

    The same network is trained on each with the same first weights, the same number of steps and the same learning
    rates, and answers for the same pictures of V. Run by run and picture by picture the answers are compared; the
    interval of the mean difference is a bootstrap over runs and pictures both (Owen, 2007). "Helps" and "hurts" are
    said where it does not hold 0.

    Of sets with lists the training list is trained on, and of V the validation list is used. OUT holds runs.csv,
    classes.csv and difference.svg.
    """
    choices.require()
    import numpy as np

    from datatools.io import folders
    from datatools.io.classified import opening
    from datatools.io.classified.examples import as_numbered_by
    from datatools.kernels import intervals
    from datatools.ops.zoo import sets
    from datatools.zoo import comparing, devices, pictures
    from datatools.zoo.training import Recipe

    if len(srcs) != 2:
        raise UsageError(f"compare takes two training sets (got {len(srcs)})")
    size_wh = choices.input_size(size)
    if out is not None:
        folders.check(out, force=force, inputs=[*srcs, val])
    opened = [opening.open_set(path, run) for path in (*srcs, val)]
    classes = tuple(dict.fromkeys((*opened[0].classes, *opened[1].classes)))
    sets.two_classes(srcs[0], classes)
    parts = [*map(sets.trained_part, opened[:2]), sets.held_out_part(opened[2])]
    numbered = [as_numbered_by(found, part, classes) for found, part in zip(opened, parts, strict=True)]
    a, b, asked = (pictures.load(examples, size_wh, run) for examples, _ in numbered)
    for path, loaded in zip((*srcs, val), (a, b, asked), strict=True):
        if not len(loaded):
            raise UsageError(f"{escape(path)}: no picture is left to {'validate' if loaded is asked else 'train'} on")
    chosen = devices.choose(device)
    recipe = Recipe(
        model=choices.network(model, len(classes), size_wh, chosen),
        classes=len(classes),
        steps=steps,
        batch=batch,
        lr=lr,
        warmup=steps // 20,
        jitter=jitter,
        seed=seed,
    )
    right_a, right_b = comparing.answers(a, b, asked, size_wh, recipe, chosen, runs, run)
    rng = np.random.default_rng([seed, 5])
    found = intervals.paired_bootstrap(right_b.astype(float) - right_a, asked.group, rng)
    names = _names(srcs)
    result = Comparison(
        a=_side(names[0], srcs[0], a, asked, right_a),
        b=_side(names[1], srcs[1], b, asked, right_b),
        val=val,
        model=recipe.model,
        classes=classes,
        pictures=len(asked),
        runs=runs,
        steps=steps,
        batch=batch,
        difference=found.mean,
        interval=(found.low, found.high),
        above=found.above,
        verdict="helps" if found.low > 0 else "hurts" if found.high < 0 else "cannot tell",
        per_class=_per_class(classes, asked, right_a, right_b),
        failures=tuple(
            failure
            for found, (_, strange), loaded in zip(opened, numbered, (a, b, asked), strict=True)
            for failure in (*found.failures, *strange, *loaded.failures)
        ),
        out=out,
    )
    if out is not None:
        _write(out, result, [*srcs, val], force)
    return result


def _names(srcs: tuple[Path, ...]) -> tuple[str, str]:
    """What the sets are called: their last parts where those differ."""
    short = [path.name or str(path) for path in srcs]
    return (short[0], short[1]) if short[0] != short[1] else (str(srcs[0]), str(srcs[1]))


def _side(name: str, src: Path, trained: "Pictures", asked: "Pictures", right: "NDArray[np.bool_]") -> Side:
    import numpy as np

    accuracy = tuple(right.mean(axis=1).tolist())
    leaked = int(np.isin(asked.digest, trained.digest).sum())
    return Side(name, src, len(trained), accuracy, float(right.mean()), leaked)


def _per_class(
    classes: tuple[str, ...], asked: "Pictures", right_a: "NDArray[np.bool_]", right_b: "NDArray[np.bool_]"
) -> tuple[ClassChange, ...]:
    rows = []
    for i, name in enumerate(classes):
        mine = asked.label == i
        if mine.any():
            recalls = (float(right[:, mine].mean()) for right in (right_a, right_b))
            rows.append(ClassChange(name, int(mine.sum()), *recalls))
    return tuple(rows)


def _write(out: Path, result: Comparison, inputs: list[Path], force: bool) -> None:
    from datatools.io import atomic, tables
    from datatools.report import learning

    pairs = list(zip(result.a.accuracy, result.b.accuracy, strict=True))
    rows: list[list[Any]] = [[i, x, y, y - x] for i, (x, y) in enumerate(pairs, 1)]
    changes = ([c.name, c.pictures, c.a, c.b, c.b - c.a] for c in result.per_class)
    title = f"{result.b.name} less {result.a.name}: {result.b.name} {_SAID[result.verdict]}"
    drawn = learning.differences_svg(
        [y - x for x, y in pairs], result.difference, result.interval, title=title, label="difference in accuracy"
    )
    with atomic.folder(out, force=force, inputs=inputs) as partial:
        atomic.write_bytes(partial / "runs.csv", tables.csv_bytes(("run", "a", "b", "difference"), rows))
        header = ("class", "pictures", "recall_a", "recall_b", "change")
        atomic.write_bytes(partial / "classes.csv", tables.csv_bytes(header, changes))
        atomic.write_bytes(partial / "difference.svg", drawn)
