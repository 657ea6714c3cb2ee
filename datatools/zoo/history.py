"""What is known of a training after each epoch: as a CSV log, and as events for TensorBoard."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datatools.io import tables, tensorboard


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. step: steps done. lr: of the last step. loss: mean over the epoch's steps; val_loss and val_accuracy:
    on the validation pictures afterwards, with the averaged weights where there are such."""

    epoch: int
    step: int
    lr: float
    loss: float
    val_loss: float
    val_accuracy: float


def better(one: Epoch, other: Epoch | None) -> bool:
    """Whether the first is the better of two: by accuracy, then by loss. Nothing is worse than any."""
    if other is None:
        return True
    return (one.val_accuracy, -one.val_loss) > (other.val_accuracy, -other.val_loss)


def csv_log(history: Iterable[Epoch]) -> bytes:
    """The history as CSV, a row an epoch."""
    header = [f.name for f in dataclasses.fields(Epoch)]
    return tables.csv_bytes(header, (dataclasses.astuple(e) for e in history))


def event(epoch: Epoch) -> bytes:
    """An epoch as an event of TensorBoard."""
    curves = {
        "loss/train": epoch.loss,
        "loss/val": epoch.val_loss,
        "accuracy/val": epoch.val_accuracy,
        "learning rate": epoch.lr,
    }
    return tensorboard.event(epoch.step, curves)


def from_note(rows: Iterable[dict[str, Any]]) -> tuple[Epoch, ...]:
    """The history that `dataclasses.asdict` made plain. Raises TypeError where it is of another form."""
    return tuple(Epoch(**row) for row in rows)
