"""Trainings whose weights nobody keeps: what counts is what the network says afterwards.

A trial pickles: it names its pictures by their files, and each process decodes them once. On a CPU a trial runs in one
thread, so that several run side by side and none depends on how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from datatools.zoo import devices, pictures, training
from datatools.zoo.devices import Device
from datatools.zoo.pictures import Pictures
from datatools.zoo.training import Recipe, Trainer

TESTED_EVERY = 20
"""Steps between two looks whether all is memorised."""


class Pool:
    """Pictures that trials share. It is made of those that could be decoded."""

    def __init__(self, loaded: Pictures, size_wh: tuple[int, int]) -> None:
        self._examples = loaded.examples
        self._size_wh = size_wh
        self._key = xxhash.xxh3_64_hexdigest(repr((size_wh, loaded.examples)).encode())
        _decoded[self._key] = loaded

    def pictures(self) -> Pictures:
        """The decoded pictures, in their order. They are decoded where this process has not done so yet."""
        if self._key not in _decoded:
            _decoded[self._key] = pictures.load(self._examples, self._size_wh)
        return _decoded[self._key]


_decoded: dict[str, Pictures] = {}


def forget() -> None:
    """Let go of the decoded pictures of all pools in this process."""
    _decoded.clear()


@dataclass(frozen=True, eq=False)
class Answers:
    """Train on some pictures, then say the probability of each class for others.

    rows, label: which pictures of the pool, and the classes, or shares of classes, that they are taught as.
    asked_rows: of the other pool.
    """

    recipe: Recipe
    device: Device
    pool: Pool
    rows: NDArray[np.int64]
    label: NDArray[np.int64] | NDArray[np.float32]
    asked: Pool
    asked_rows: NDArray[np.int64]

    def perform(self) -> NDArray[np.float32]:
        """The probabilities, (len(asked_rows), C)."""
        with devices.settled(self.device):
            trainer = Trainer(self.recipe, self.pool.pictures().rgb[self.rows], self.label, self.device)
            losses = [trainer.advance() for _ in range(self.recipe.steps)]
            training.mean_loss(losses[-1:], trainer.step)
            rgb = self.asked.pictures().rgb[self.asked_rows]
            return training.probabilities(trainer.evaluated(), rgb, self.device)


@dataclass(frozen=True, slots=True)
class Memorised:
    """What became of learning a few pictures by heart. steps: done. wrong: places of those that it still gets wrong."""

    steps: int
    wrong: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Memory:
    """Learn a few pictures by heart, until all are right or the recipe's steps are done."""

    recipe: Recipe
    device: Device
    pool: Pool
    rows: NDArray[np.int64]
    label: NDArray[np.int64]

    def perform(self) -> Memorised:
        """Train, looking now and then whether all are right."""
        with devices.settled(self.device):
            rgb = self.pool.pictures().rgb[self.rows]
            trainer = Trainer(self.recipe, rgb, self.label, self.device)
            wrong = np.arange(len(rgb))
            while len(wrong) and trainer.step < self.recipe.steps:
                steps = min(TESTED_EVERY, self.recipe.steps - trainer.step)
                losses = [trainer.advance() for _ in range(steps)]
                training.mean_loss(losses, trainer.step)
                p = training.probabilities(trainer.evaluated(), rgb, self.device)
                wrong = np.flatnonzero(p.argmax(axis=1) != self.label)
            return Memorised(trainer.step, tuple(wrong.tolist()))


def perform(trial: Answers | Memory) -> Any:
    """Do one trial, in whatever process this is."""
    return trial.perform()


def seed_of(seed: int, *words: int) -> int:
    """A seed for one of several trainings, from the seed of them all.

    >>> seed_of(0, 1) != seed_of(0, 2), seed_of(3, 1) == seed_of(3, 1)
    (True, True)
    """
    return int(np.random.SeedSequence([seed, *words]).generate_state(1)[0])


def few_of_each(label: NDArray[np.integer], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose examples at random, as evenly over the classes as they allow; return their places, ascending.

    >>> few_of_each(np.array([0, 0, 0, 0, 1]), 3, np.random.default_rng(0)).tolist()[-1]
    4
    """
    order = rng.permutation(len(label))
    turn = np.empty(len(label), np.int64)  # the how manieth of its class each is in that order
    for c in np.unique(label):
        mine = order[label[order] == c]
        turn[mine] = np.arange(len(mine))
    ranked: Sequence[int] = sorted(order.tolist(), key=lambda i: int(turn[i]))
    return np.sort(np.array(ranked[:most], np.int64))
