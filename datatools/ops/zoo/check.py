"""`datatools zoo check`: whether a set can be learnt at all, and which of its labels look wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, OutFolder, Run, Seed
from datatools.ops.zoo import choices, scores
from datatools.ops.zoo.scores import Answer, Bounds, ClassScore

if TYPE_CHECKING:
    from datatools.zoo.pictures import Pictures

FEWEST = 8
"""Fewer pictures are no set to judge."""
SHOWN = 10
"""So many suspicious labels are named on a terminal; labels.csv and JSON have all."""


@dataclass(frozen=True)
class Check(Result):
    """The verdict over a set.

    few: pictures that were to be learnt by heart; never: those of them that never were. accuracy: of answers about
    pictures that the network had not seen. control: the same with shuffled labels. gain: by how much the first is
    better, with its interval. contradictions: groups of pictures with equal pixels and different labels.
    suspicious: labels that the network does not believe, the least believed first. loose: pictures were mixed of so
    many others that a picture may have been judged by a network that saw a part of it. per_class, confusion: of the
    answers about unseen pictures.
    """

    src: Path
    model: str
    classes: tuple[str, ...]
    pictures: int
    few: int
    memory_steps: int
    never: tuple[str, ...]
    accuracy: float
    accuracy_interval: Bounds
    control: float
    gain: float
    gain_interval: Bounds
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    contradictions: tuple[tuple[str, ...], ...]
    suspicious: tuple[Answer, ...]
    loose: bool
    failures: tuple[DataError, ...]
    out: Path | None

    @property
    def learnable(self) -> bool:
        """Whether a few pictures can be learnt by heart, and the rule behind the labels from others."""
        return not self.never and self.gain_interval[0] > 0

    @property
    def problems(self) -> int:
        """Pictures that could not be used, contradictions, and 1 where the set is not learnable."""
        return len(self.failures) + len(self.contradictions) + (not self.learnable)

    def lines(self) -> Iterator[str | Table]:
        """The classes, what is suspicious, the verdict with its reasons."""
        yield from map(str, self.failures)
        yield scores.class_table(self.per_class)
        yield from scores.confused(self.confusion, self.classes, 5)
        for group in self.contradictions[:SHOWN]:
            yield f"the same pixels with different labels: {', '.join(map(escape, group))}"
        rows = ((escape(s.key), escape(s.label), s.own, escape(s.predicted), s.score) for s in self.suspicious[:SHOWN])
        if self.suspicious:
            yield Table(("suspicious label", "is", "believed", "rather", "believed"), tuple(rows))
            yield f"{len(self.suspicious):,} of {self.pictures:,} labels are suspicious; look at the pictures to decide"
        if not self.never:
            yield f"learns {self.few} pictures by heart in {self.memory_steps} steps"
        else:
            yield (
                f"does not learn {self.few} pictures by heart in {self.memory_steps} steps: "
                f"{len(self.never)} stay wrong: {', '.join(map(escape, self.never[:5]))}"
            )
        yield (
            f"accuracy on pictures not seen {scores.between(self.accuracy, self.accuracy_interval)}, "
            f"with shuffled labels {self.control:.3f}: {scores.signed(self.gain, self.gain_interval)}"
        )
        yield f"{escape(self.src)} {'can be learnt' if self.learnable else 'FAILS: ' + self._why()} ({self.model})"
        if self.loose:
            yield "pictures are mixed of so many others that parts of those judged were seen in training"
        if self.out and self.suspicious:
            yield f"written: {escape(self.out)}; next: look at {escape(self.out / 'suspicious.jpg')}"
        elif self.out:
            yield f"written: {escape(self.out)}"
        else:
            yield "next: the same with -o OUT draws the suspicious pictures"

    def _why(self) -> str:
        if self.never:
            return "not even a few pictures can be learnt by heart"
        return "what is learnt helps no more than shuffled labels"


@op("zoo.check", version=1)
def check(
    src: Dataset,
    *,
    out: OutFolder | None = None,
    model: choices.Model = choices.QUICK,
    size: choices.Size = "64",
    steps: choices.Steps = 200,
    batch: choices.Batch = 32,
    lr: choices.AdamRate = choices.RATES["adam"],
    jitter: choices.Jitter = 0.1,
    n: Annotated[int, Param("suspicious pictures on the sheet", flags=("-n",), ge=1, le=400)] = 48,
    device: choices.DeviceName = "auto",
    seed: Seed = 0,
    force: Force = False,
    run: Run = SERIAL,
) -> Check:
    """Find out in minutes whether a set can be learnt, and which labels look wrong.

    First a network learns two batches by heart, which it must. Then it is trained on three quarters of the set and
    asked about the last one, four times over, so that every picture is judged by a network that has not seen it; and
    the same with shuffled labels. The set is learnable where the true labels do better for certain (paired bootstrap,
    95 %). A label is suspicious where another class is believed as much as such pictures usually are (confident
    learning: Northcutt, Jiang and Chuang, 2021).

    Exit code 1 where it fails. OUT holds labels.csv (every picture, the least believed label first), classes.csv,
    confusion.svg and suspicious.jpg.
    """
    choices.require()
    import numpy as np

    from datatools.io import folders
    from datatools.io.classified import opening
    from datatools.kernels import classification, counts, intervals
    from datatools.ops.zoo import sets
    from datatools.zoo import devices, judging, pictures
    from datatools.zoo.training import Recipe

    size_wh = choices.input_size(size)
    if out is not None:
        folders.check(out, force=force, inputs=[src])
    found = opening.open_set(src, run)
    sets.two_classes(src, found.classes)
    loaded = pictures.load(found.examples, size_wh, run)
    if len(loaded) < FEWEST:
        raise UsageError(f"{escape(src)}: {len(loaded)} pictures are too few to judge; {FEWEST} are the least")
    chosen, classes = devices.choose(device), len(found.classes)
    recipe = Recipe(
        model=choices.network(model, classes, size_wh, chosen),
        classes=classes,
        steps=steps,
        batch=batch,
        lr=lr,
        warmup=steps // 20,
        jitter=jitter,
        seed=seed,
    )
    judged = judging.judge(loaded, size_wh, recipe, chosen, run)
    predicted = judged.probability.argmax(axis=1)
    right, by_chance = predicted == loaded.label, judged.control.argmax(axis=1) == judged.shuffled
    gain = intervals.paired_bootstrap(
        right[None].astype(float) - by_chance[None], loaded.group, np.random.default_rng([seed, 4])
    )
    confusion = counts.cross_table(loaded.label, predicted, (classes, classes))
    quality = classification.label_quality(judged.probability, loaded.label)
    said = scores.answers(loaded, judged.probability, found.classes)
    ranked = sorted(range(len(said)), key=lambda i: (said[i].own, said[i].key))
    result = Check(
        src=src,
        model=recipe.model,
        classes=found.classes,
        pictures=len(loaded),
        few=len(judged.few),
        memory_steps=judged.memory.steps,
        never=tuple(loaded.examples[judged.few[i]].key for i in judged.memory.wrong),
        accuracy=float(right.mean()),
        accuracy_interval=scores.bounds(intervals.wilson(right.sum(), len(right))),
        control=float(by_chance.mean()),
        gain=gain.mean,
        gain_interval=(gain.low, gain.high),
        per_class=scores.class_scores(confusion, found.classes),
        confusion=tuple(map(tuple, confusion.tolist())),
        contradictions=_contradictions(loaded, found.classes),
        suspicious=tuple(said[i] for i in ranked if quality.suspicious[i]),
        loose=loaded.loose,
        failures=(*found.failures, *loaded.failures),
        out=out,
    )
    if out is not None:
        _write(out, result, loaded, tuple(said[i] for i in ranked), n, force, run)
    return result


def _contradictions(loaded: "Pictures", classes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Groups of pictures with equal pixels and several labels, each as `key (label)`."""
    groups: dict[int, list[int]] = {}
    for i, digest in enumerate(loaded.digest.tolist()):
        groups.setdefault(digest, []).append(i)
    mixed = [g for g in groups.values() if len(set(loaded.label[g].tolist())) > 1]
    return tuple(tuple(f"{loaded.examples[i].key} ({classes[loaded.label[i]]})" for i in g) for g in mixed)


def _write(
    out: Path, result: Check, loaded: "Pictures", ranked: tuple[Answer, ...], n: int, force: bool, run: Run
) -> None:
    import numpy as np

    from datatools.io import atomic, images
    from datatools.ops.zoo import pictures
    from datatools.report import learning

    with atomic.folder(out, force=force, inputs=[result.src]) as partial:
        atomic.write_bytes(partial / "classes.csv", scores.class_csv(result.per_class))
        atomic.write_bytes(partial / "labels.csv", scores.answers_csv(ranked, {s.key for s in result.suspicious}))
        drawn = learning.confusion_svg(np.array(result.confusion), result.classes, title="Taken for (columns), unseen")
        atomic.write_bytes(partial / "confusion.svg", drawn)
        if shown := result.suspicious[:n]:
            by_key = {e.key: e for e in loaded.examples}
            remarks = [f"{s.label}, rather {s.predicted} {s.score:.2f}" for s in shown]
            title = f"{len(shown)} of {len(result.suspicious)} suspicious labels, the least believed first"
            sheet = pictures.sheet([by_key[s.key] for s in shown], remarks, title, run)
            atomic.write_bytes(partial / "suspicious.jpg", images.encode_jpeg(sheet, 92))
