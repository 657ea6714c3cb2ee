"""`datatools zoo train`: a network that learns the classes of a set, epoch by epoch, and can be stopped at any."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from datatools.core.census import count_of
from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Dataset, Force, OutFolder, Run, Seed
from datatools.ops.zoo import choices
from datatools.ops.zoo.costs import loaded_lines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.zoo.history import Epoch
    from datatools.zoo.loading import Loaded, Taken

SHOWN_EPOCHS = 20
"""So many epochs are shown on a terminal, the last ones; history.csv has all."""


@dataclass(frozen=True)
class Trained(Result):
    """What a training came to.

    classes: in the order of the network's outputs. trained_on, validated_on: pictures. how: where the latter come from.
    best: the epoch whose weights are best.safetensors. per_class: recall on the validation pictures with those, as
    (class, pictures, share). unused: classes without a picture. loaded: what became of the checkpoint's tensors.
    leaked: pictures to validate on that are also trained on, pixel by pixel.
    """

    src: Path
    out: Path
    model: str
    classes: tuple[str, ...]
    size: tuple[int, int]
    trained_on: int
    validated_on: int
    how: str
    device: str
    best: "Epoch"
    history: "tuple[Epoch, ...]"
    per_class: tuple[tuple[str, int, float], ...]
    unused: tuple[str, ...]
    failures: tuple[DataError, ...]
    loaded: "Loaded | None" = None
    leaked: int = 0

    @property
    def problems(self) -> int:
        """Pictures that could not be used, and those that are validated on although they were trained on."""
        return len(self.failures) + self.leaked

    def lines(self) -> Iterator[str | Table]:
        """The epochs, the classes, then the best epoch."""
        yield from map(str, self.failures)
        if self.loaded:
            yield from loaded_lines(self.loaded)
        yield (
            f"{self.model} at {self.size[0]} x {self.size[1]} px on {self.device}: {len(self.classes)} classes, "
            f"{count_of(self.trained_on, 'picture')} to train on, {self.validated_on:,} to validate on ({self.how})"
        )
        if self.leaked:
            yield (
                f"leak: {self.leaked:,} of {self.validated_on:,} pictures to validate on are also trained on; "
                "what they show says nothing"
            )
        rows = tuple((e.epoch, e.lr, e.loss, e.val_loss, e.val_accuracy) for e in self.history[-SHOWN_EPOCHS:])
        yield Table(("epoch", "rate", "loss", "validation loss", "accuracy"), rows, digits=4)
        yield Table(("class", "pictures", "recall"), tuple((escape(n), c, r) for n, c, r in self.per_class))
        if self.unused:
            yield f"without a picture: {', '.join(map(escape, self.unused))}"
        yield f"best: epoch {self.best.epoch}, accuracy {self.best.val_accuracy:.4f}; written: {escape(self.out)}"
        yield f"next: datatools zoo evaluate SET --checkpoint {escape(self.out / 'best.safetensors')}"


@op("zoo.train", version=1)
def train(
    src: Dataset,
    *,
    out: OutFolder = Path("runs/train"),
    model: choices.Model = "mobilenet_v3_small",
    checkpoint: Annotated[
        Path | None, Param("begin with these weights (safetensors or torch's) instead of fresh ones", metavar="FILE")
    ] = None,
    partial: Annotated[bool, Param("load the tensors whose name and shape agree, leave the others fresh")] = False,
    epochs: Annotated[int, Param("times that every picture is seen", ge=1, le=100_000)] = 20,
    val: Annotated[
        Path | None, Param("set to validate on (the set's own list, or a fifth of it that is held out)", metavar="SET")
    ] = None,
    size: choices.Size = "64",
    batch: choices.Batch = 32,
    optimizer: choices.OptimizerName = "adam",
    lr: choices.Rate = None,
    warmup: Annotated[float, Param("epochs in which the learning rate rises from 0", ge=0)] = 1.0,
    smoothing: Annotated[float, Param("label smoothing: share of the label that all classes get", ge=0, lt=1)] = 0.1,
    ema: Annotated[
        float, Param("keep averaged weights, of which this much stays in a step, as 0.99; 0: no average", ge=0, lt=1)
    ] = 0.0,
    jitter: choices.Jitter = 0.1,
    mixed: Annotated[bool, Param("half precision on a GPU")] = True,
    device: choices.DeviceName = "auto",
    threads: Annotated[
        int, Param("threads of the network on a CPU; another number gives other last digits", ge=1, le=256)
    ] = 1,
    seed: Seed = 0,
    resume: Annotated[bool, Param("go on where a stopped run of the same command ended", steers=True)] = True,
    force: Force = False,
    run: Run = SERIAL,
) -> Trained:
    """Train a network to tell the classes of a set apart.

    SRC is a folder of class folders, a Pascal VOC set (the crops of its boxes) or a list of lines `path TAB label`, as
    PaddleOCR has it for text direction. Pictures are scaled to the input, and while training shifted and scaled a
    little; nothing else is done to them, so that what the set holds is what is measured. The learning rate warms up,
    then falls along a cosine.

    OUT holds best.safetensors and last.safetensors, history.csv, an event file for TensorBoard, and loss, accuracy and
    confusion as pictures. While it is trained all of that lies in OUT.partial. A run that was stopped goes on by the
    same command, and ends with the same bytes as one that was not.
    """
    choices.require()
    from datatools.io import atomic, folders
    from datatools.ops.zoo import sets
    from datatools.zoo import devices
    from datatools.zoo.session import Session
    from datatools.zoo.training import Recipe

    size_wh = choices.input_size(size)
    chosen = devices.choose(device, mixed=mixed, threads=threads)
    data = sets.for_training(src, val, size_wh, seed, run)
    if checkpoint and not checkpoint.is_file():
        raise UsageError(f"--checkpoint: {escape(checkpoint)}: no such file")
    if partial and not checkpoint:
        raise UsageError("--partial needs --checkpoint FILE")
    full = choices.network(model, len(data.classes), size_wh, chosen)
    steps = -(-len(data.train) // batch)
    recipe = Recipe(
        model=full,
        classes=len(data.classes),
        steps=epochs * steps,
        batch=batch,
        optimizer=optimizer,
        lr=choices.RATES[optimizer] if lr is None else lr,
        warmup=round(warmup * steps),
        smoothing=smoothing,
        ema=ema,
        jitter=jitter,
        seed=seed,
    )
    note = {"model": full, "num_classes": len(data.classes), "classes": data.classes, "size": size_wh}
    inputs = [path for path in (src, val, checkpoint) if path is not None]
    with devices.settled(chosen):
        taken = _taken(full, checkpoint, len(data.classes), partial, seed) if checkpoint else None
        begun = (taken.model, taken.form) if taken else (None, {})
        session = Session(recipe, data.train, data.val, chosen, epochs, note | begun[1], begun[0])
        with folders.resumable(out, inputs=inputs, keep=session.identity, force=force, recorded=True) as folder:
            confusion = session.fit(folder, run, resume=resume)
            for name, drawing in _drawings(session.history, confusion, data.classes).items():
                atomic.write_bytes(folder / name, drawing)
    support, hits = confusion.sum(axis=1).tolist(), confusion.diagonal().tolist()
    return Trained(
        src=src,
        out=out,
        model=full,
        classes=data.classes,
        size=size_wh,
        trained_on=len(data.train),
        validated_on=len(data.val),
        how=data.how,
        device=chosen.kind,
        best=session.best,
        history=tuple(session.history),
        per_class=tuple((n, s, h / s if s else 0.0) for n, s, h in zip(data.classes, support, hits, strict=True)),
        unused=data.unused,
        leaked=data.leaked,
        failures=data.failures,
        loaded=taken.loaded if taken else None,
    )


def _taken(name: str, path: Path, classes: int, partial: bool, seed: int) -> "Taken":
    import torch

    from datatools.zoo import loading

    torch.manual_seed(seed)  # what the file lacks is drawn
    return loading.take(name, path, classes=classes, partial=partial)


def _drawings(history: "list[Epoch]", confusion: "NDArray[np.int64]", classes: tuple[str, ...]) -> dict[str, bytes]:
    """The pictures of a finished training by the names of their files."""
    from datatools.report import learning

    loss = {"training": [e.loss for e in history], "validation": [e.val_loss for e in history]}
    accuracy = {"validation": [e.val_accuracy for e in history]}
    return {
        "loss.svg": learning.curves_svg(loss, title="Loss", label="cross entropy"),
        "accuracy.svg": learning.curves_svg(accuracy, title="Accuracy", label="share that is right"),
        "confusion.svg": learning.confusion_svg(confusion, classes, title="Taken for (columns), best epoch"),
    }
