"""`datatools zoo evaluate`: how good a trained network is on a set, and how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, OutFolder, Run
from datatools.ops.zoo import choices, scores
from datatools.ops.zoo.scores import Answer, Bounds, ClassScore

if TYPE_CHECKING:
    from datatools.zoo.pictures import Pictures

SHOWN = 5
"""So many confusions and pictures are named on a terminal."""


@dataclass(frozen=True)
class Evaluation(Result):
    """How a network did.

    top_k: share of the pictures whose label was among the `top` first choices. macro_f1: mean over the classes that
    have pictures. confusion: (C, C) counts, a row a label. mistakes: the least expected label first.
    """

    src: Path
    checkpoint: Path
    model: str
    classes: tuple[str, ...]
    pictures: int
    accuracy: float
    accuracy_interval: Bounds
    top: int
    top_k: float
    top_k_interval: Bounds
    macro_f1: float
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Answer, ...]
    failures: tuple[DataError, ...]
    out: Path | None

    @property
    def problems(self) -> int:
        """How many pictures could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The classes, what is confused, the totals."""
        yield from map(str, self.failures)
        yield f"{self.model} on {self.pictures:,} pictures of {escape(self.src)}"
        yield scores.class_table(self.per_class)
        yield from scores.confused(self.confusion, self.classes, SHOWN)
        for m in self.mistakes[:SHOWN]:
            yield f"{escape(m.key)}: {escape(m.predicted)} ({m.score:.2f}) rather than {escape(m.label)} ({m.own:.2f})"
        yield f"accuracy {scores.between(self.accuracy, self.accuracy_interval)}, macro F1 {self.macro_f1:.3f}"
        if self.top < len(self.classes):
            yield f"top-{self.top} accuracy {scores.between(self.top_k, self.top_k_interval)}"
        if self.out:
            yield f"written: {escape(self.out)}; next: look at {escape(self.out / 'worst.jpg')}"
        else:
            yield "next: the same with -o OUT draws the confusion and the worst pictures"


@op("zoo.evaluate", version=1)
def evaluate(
    src: Dataset,
    *,
    checkpoint: choices.Checkpoint,
    out: OutFolder | None = None,
    split: Annotated[
        Literal["train", "val", "test"] | None, Param("only the pictures of this list, or split folder, of the set")
    ] = None,
    top: Annotated[int, Param("also count labels among the K first choices", ge=1, le=1000, metavar="K")] = 5,
    worst: Annotated[int, Param("pictures on the sheet of the worst", ge=1, le=400)] = 24,
    device: choices.DeviceName = "auto",
    force: Force = False,
    run: Run = SERIAL,
) -> Evaluation:
    """Measure a trained network on a classified set, with 95 % intervals.

    Accuracy, precision and recall have Wilson's interval, F1 that of the share which it stands for. OUT holds
    classes.csv, predictions.csv (a row a picture), confusion.svg, and worst.jpg: the wrong answers whose true label got
    the least probability.
    """
    choices.require()
    import numpy as np

    from datatools.io import folders
    from datatools.io.classified import opening
    from datatools.io.classified.examples import as_numbered_by
    from datatools.kernels import classification, counts, intervals
    from datatools.zoo import classifier, devices, pictures

    if out is not None:
        folders.check(out, force=force, inputs=[src, checkpoint])
    network = classifier.read(checkpoint, devices.choose(device))
    found = opening.open_set(src, run)
    if split and split not in found.splits:
        raise UsageError(f"--split: {escape(src)} has no {split} (it has {', '.join(found.splits) or 'no splits'})")
    chosen, strange = as_numbered_by(found, found.part(split) if split else found.examples, network.classes)
    loaded = pictures.load(chosen, network.size_wh, run)
    failures = (*found.failures, *strange, *loaded.failures)
    if not len(loaded):
        raise UsageError(f"{escape(src)}: no picture is left to measure on ({failures[0]})")
    p = network.probabilities(loaded.rgb)
    classes, k = network.classes, min(top, len(network.classes))
    confusion = counts.cross_table(loaded.label, p.argmax(axis=1), (len(classes), len(classes)))
    right = np.array([np.trace(confusion), (classification.rank_of_label(p, loaded.label) < k).sum()])
    bounds = [(low, high) for low, high in intervals.wilson(right, len(loaded)).tolist()]
    said = scores.answers(loaded, p, classes)
    per_class = scores.class_scores(confusion, classes)
    result = Evaluation(
        src=src,
        checkpoint=checkpoint,
        model=network.name,
        classes=classes,
        pictures=len(loaded),
        accuracy=float(right[0] / len(loaded)),
        accuracy_interval=bounds[0],
        top=k,
        top_k=float(right[1] / len(loaded)),
        top_k_interval=bounds[1],
        macro_f1=scores.macro_f1(per_class),
        per_class=per_class,
        confusion=tuple(map(tuple, confusion.tolist())),
        mistakes=tuple(sorted((a for a in said if a.label != a.predicted), key=lambda a: (a.own, a.key))),
        failures=failures,
        out=out,
    )
    if out is not None:
        _write(out, result, loaded, said, worst, [src, checkpoint], force, run)
    return result


def _write(
    out: Path,
    result: Evaluation,
    loaded: "Pictures",
    said: tuple[Answer, ...],
    worst: int,
    inputs: list[Path],
    force: bool,
    run: Run,
) -> None:
    import numpy as np

    from datatools.io import atomic, images
    from datatools.ops.zoo import pictures
    from datatools.report import learning

    with atomic.folder(out, force=force, inputs=inputs) as partial:
        atomic.write_bytes(partial / "classes.csv", scores.class_csv(result.per_class))
        atomic.write_bytes(partial / "predictions.csv", scores.answers_csv(said))
        drawn = learning.confusion_svg(np.array(result.confusion), result.classes, title="Taken for (columns)")
        atomic.write_bytes(partial / "confusion.svg", drawn)
        if shown := result.mistakes[:worst]:
            by_key = {e.key: e for e in loaded.examples}
            title = f"{len(shown)} of {len(result.mistakes)} mistakes, the least expected first"
            sheet = pictures.sheet(
                [by_key[m.key] for m in shown], [f"{m.label} as {m.predicted} {m.score:.2f}" for m in shown], title, run
            )
            atomic.write_bytes(partial / "worst.jpg", images.encode_jpeg(sheet, 92))
