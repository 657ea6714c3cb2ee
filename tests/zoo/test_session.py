"""A training with its files: stopped anywhere, it goes on and ends with the same bytes."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datatools.core.types import SERIAL, Run
from datatools.io.classified.examples import Example
from datatools.zoo import devices, history, session, weights
from datatools.zoo.devices import Device
from datatools.zoo.history import Epoch
from datatools.zoo.pictures import Pictures
from datatools.zoo.session import Session
from datatools.zoo.training import Recipe

CPU = Device("cpu")
EPOCHS = 3


class Stopped(Exception):
    pass


class StopAfter(Run):
    """Ends the work after so many steps, as a signal would."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def track(self, items: Sequence[Any], label: str) -> Iterator[Any]:
        for done, item in enumerate(items):
            if done == self.steps:
                raise Stopped
            yield item


RECIPE = Recipe("mobilenet_v1_x0_25", 3, steps=6, batch=4, ema=0.5, jitter=0.1)


def data() -> tuple[Pictures, Pictures]:
    """Eight pictures to train on, four to validate on: noise around a grey that says the class."""
    rng = np.random.default_rng(0)
    label = np.arange(12) % 3
    rgb = np.clip(rng.normal(60 + 60 * label[:, None, None, None], 30, (12, 32, 32, 3)), 0, 255).astype(np.uint8)
    examples = tuple(Example(str(i), "", int(c)) for i, c in enumerate(label))
    made = Pictures(rgb, label, examples, np.arange(12), np.arange(12, dtype=np.uint64))
    return made.take(np.arange(8)), made.take(np.arange(8, 12))


def session_of(**changes: Any) -> Session:
    return Session(dataclasses.replace(RECIPE, **changes), *data(), CPU, EPOCHS, {"model": RECIPE.model})


def fit(folder: Path, run: Run = SERIAL, *, resume: bool = True, **changes: Any) -> Session:
    (folder / ".datatools").mkdir(parents=True, exist_ok=True)
    with devices.settled(CPU):
        made = session_of(**changes)
        made.fit(folder, run, resume=resume)
    return made


@pytest.fixture(autouse=True)
def save_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SAVED_EVERY_S", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Path]:
    """An undisturbed training and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return fit(folder), folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_a_stopped_training_ends_with_the_same_bytes(whole: tuple[Session, Path], tmp_path: Path, steps: int) -> None:
    with pytest.raises(Stopped):
        fit(tmp_path, StopAfter(steps))
    assert (tmp_path / session.STATE).exists() == (steps > 2)
    assert fit(tmp_path).history == whole[0].history
    assert contents(tmp_path) == contents(whole[1])


def test_a_state_that_cannot_be_trusted_is_not_used(whole: tuple[Session, Path], tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fit(tmp_path, StopAfter(4))
    state = tmp_path / session.STATE
    data = bytearray(state.read_bytes())
    data[-1000] ^= 1  # a weight of which only the digest knows
    state.write_bytes(data)
    fit(tmp_path)
    assert contents(tmp_path) == contents(whole[1])


def test_it_can_be_told_to_begin_anew(whole: tuple[Session, Path], tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fit(tmp_path, StopAfter(4), seed=9)
    fit(tmp_path, resume=False)
    assert contents(tmp_path) == contents(whole[1])


def test_the_identity_tells_trainings_apart() -> None:
    identities = [session_of(**c).identity for c in ({}, {"seed": 1}, {"lr": 0.5}, {"ema": 0.9}, {"jitter": 0.0}, {})]
    assert len(set(identities)) == 5
    assert identities[0] == identities[-1]


def test_checkpoints_say_what_they_are(whole: tuple[Session, Path]) -> None:
    made, folder = whole
    best, last = (weights.read(folder / name) for name in (session.BEST, session.LAST))
    assert best.note["epoch"] == made.best.epoch
    assert best.note["val_accuracy"] == max(e.val_accuracy for e in made.history)
    assert last.note["epoch"] == EPOCHS
    assert set(best.tensors) == set(last.tensors)


def test_the_better_epoch_is_more_accurate_then_less_lossy() -> None:
    one = Epoch(1, 10, 0.1, 1.0, 0.9, 0.5)
    assert history.better(one, None)
    assert history.better(dataclasses.replace(one, val_accuracy=0.6, val_loss=2.0), one)
    assert history.better(dataclasses.replace(one, val_loss=0.8), one)
    assert not history.better(one, one)
    assert history.csv_log([one]) == b"epoch,step,lr,loss,val_loss,val_accuracy\n1,10,0.1,1.0,0.9,0.5\n"
