"""One training from its first epoch to its files: what is written on the way, and how a stopped one goes on.

While it is trained the folder holds the log, the events, the best weights so far, and in .datatools/state.safetensors
all that the next step depends on, with a digest. That file is written last: what comes after it is done again, and
comes out the same.
"""

import copy
import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray
from torch import Tensor

from datatools.core.errors import DataError
from datatools.core.types import Run
from datatools.io import atomic, syncing, tensorboard
from datatools.kernels.counts import cross_table
from datatools.zoo import history, training, weights
from datatools.zoo.devices import Device
from datatools.zoo.history import Epoch
from datatools.zoo.network import Network
from datatools.zoo.pictures import Pictures
from datatools.zoo.training import Recipe, Trainer

SAVED_EVERY_S = 10.0
"""A stopped training loses at most about so much work."""

STATE = ".datatools/state.safetensors"
BEST, LAST, LOG = "best.safetensors", "last.safetensors", "history.csv"


class Session:
    """A training over so many epochs. Must be used inside `devices.settled`.

    note: what the checkpoints say about themselves, plain data. model: what to begin with; a fresh network where there
    is none. history: the epochs that are done.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: Pictures,
        val: Pictures,
        device: Device,
        epochs: int,
        note: Mapping[str, Any],
        model: Network | None = None,
    ) -> None:
        self.history: list[Epoch] = []
        self._epochs = epochs
        self._val = val
        self._note = dict(note)
        self._device = device
        begun = _digest(model.state_dict()) if model else ""
        self._trainer = Trainer(recipe, train.rgb, train.taught(recipe.classes), device, model)
        self._best: tuple[Epoch, dict[str, Tensor]] | None = None
        self._identity = _identity(recipe, train, val, device, epochs) + begun

    @property
    def identity(self) -> str:
        """A digest of all that decides the course of the training."""
        return self._identity

    @property
    def best(self) -> Epoch:
        """The best epoch so far; there must be one."""
        assert self._best
        return self._best[0]

    def fit(self, folder: Path, run: Run, *, resume: bool = True) -> NDArray[np.int64]:
        """Train what is left, and leave the finished files in the folder.

        resume: begin where the state in the folder ends, if there is one of this training. Returns the confusion of the
        validation pictures with the best weights, (C, C) counts, a row a label.
        """
        if not (resume and self._restore(folder)):
            self.history, self._best = [], None
        tensorboard.begin(folder / tensorboard.NAME, map(history.event, self.history))
        saved_s = time.monotonic()
        losses: list[Tensor] = []
        trainer = self._trainer
        for _ in run.track(range(trainer.step, self._epochs * trainer.steps_a_pass), "training"):
            rate = trainer.rate()
            losses.append(trainer.advance())
            if trainer.step % trainer.steps_a_pass == 0:
                self._end_epoch(folder, training.mean_loss(losses, trainer.step), rate)
                losses.clear()
                if time.monotonic() - saved_s >= SAVED_EVERY_S:
                    self._save(folder)
                    saved_s = time.monotonic()
        return self._finish(folder)

    def _end_epoch(self, folder: Path, loss: float, rate: float) -> None:
        model = self._trainer.evaluated()
        p = training.probabilities(model, self._val.rgb, self._device)
        own = np.take_along_axis(p, self._val.label[:, None], axis=1)[:, 0].astype(np.float64)
        made = Epoch(
            epoch=len(self.history) + 1,
            step=self._trainer.step,
            lr=rate,
            loss=loss,
            val_loss=float(-np.log(np.maximum(own, 1e-12)).mean()),
            val_accuracy=float((p.argmax(axis=1) == self._val.label).mean()),
        )
        self.history.append(made)
        if history.better(made, self._best and self._best[0]):
            self._best = made, copy.deepcopy(model.state_dict())
        atomic.write_bytes(folder / LOG, history.csv_log(self.history))
        tensorboard.append(folder / tensorboard.NAME, history.event(made))

    def _save(self, folder: Path) -> None:
        state = self._trainer.state()
        note = {
            "history": [dataclasses.asdict(e) for e in self.history],
            "best": self.best.epoch,
        }
        self._write_best(folder)
        atomic.write_bytes(folder / STATE, weights.encode(state, note))
        syncing.sync_files([str(folder / BEST), str(folder / STATE)])

    def _write_best(self, folder: Path) -> None:
        assert self._best
        epoch, tensors = self._best
        note = self._note | {"epoch": epoch.epoch, "val_accuracy": epoch.val_accuracy}
        atomic.write_bytes(folder / BEST, weights.encode(tensors, note))

    def _restore(self, folder: Path) -> bool:
        """Take up what a stopped run saved; False where there is nothing, or nothing that can be trusted."""
        try:
            saved, best = weights.read(folder / STATE), weights.read(folder / BEST)
            epochs = history.from_note(saved.note["history"])
            self._best = epochs[saved.note["best"] - 1], best.tensors
        except (DataError, KeyError, TypeError, IndexError):
            return False
        self.history = list(epochs)
        self._trainer.restore(saved.tensors)
        return True

    def _finish(self, folder: Path) -> NDArray[np.int64]:
        last = self.history[-1]
        self._write_best(folder)
        model = self._trainer.evaluated()
        note = self._note | {"epoch": last.epoch, "val_accuracy": last.val_accuracy}
        atomic.write_bytes(folder / LAST, weights.encode(model.state_dict(), note))
        assert self._best
        model.load_state_dict(self._best[1])
        classes = self._trainer.recipe.classes
        p = training.probabilities(model, self._val.rgb, self._device)
        return cross_table(self._val.label, p.argmax(axis=1), (classes, classes))


def _identity(recipe: Recipe, train: Pictures, val: Pictures, device: Device, epochs: int) -> str:
    described = [dataclasses.asdict(recipe), epochs, device.kind, str(device.half), device.threads]
    state = xxhash.xxh3_128(json.dumps(described).encode())
    for pictures in (train, val):
        for array in (pictures.rgb, pictures.taught(recipe.classes)):
            state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def _digest(tensors: Mapping[str, Tensor]) -> str:
    state = xxhash.xxh3_128()
    for name, tensor in sorted(tensors.items()):
        state.update(name.encode())
        state.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return state.hexdigest()
