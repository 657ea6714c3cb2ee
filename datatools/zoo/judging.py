"""Judging labels by networks that have not seen them: cross-validation, beside a control that cannot work."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import UsageError
from datatools.core.types import SERIAL, Run
from datatools.kernels import folds
from datatools.zoo import trials
from datatools.zoo.devices import Device
from datatools.zoo.pictures import Pictures
from datatools.zoo.training import Recipe
from datatools.zoo.trials import Answers, Memorised, Memory

FOLDS = 4
BATCHES = 2
"""So many batches are learnt by heart."""


@dataclass(frozen=True, eq=False)
class Judged:
    """few: places of the pictures that were learnt by heart, memory: how that went.

    probability: (N, C) for each picture, by a network that has not seen it. control: the same by networks that were
    taught `shuffled` labels (N,).
    """

    few: NDArray[np.int64]
    memory: Memorised
    probability: NDArray[np.float32]
    control: NDArray[np.float32]
    shuffled: NDArray[np.int64]


def judge(loaded: Pictures, size_wh: tuple[int, int], recipe: Recipe, device: Device, run: Run) -> Judged:
    """Learn two batches by heart, then judge every picture by a network trained on the other folds.

    Crops of one picture, pictures made from one another and pictures with equal pixels are in one fold. A fold and its
    control have the same recipe, first weights included. recipe: its seed decides over everything.

    UsageError where all is one such group.
    """
    rng = np.random.default_rng([recipe.seed, 3])
    part = folds.parts(loaded.label, [loaded.group, loaded.digest], (1 / FOLDS,) * FOLDS, rng)
    if len(set(part.tolist())) < 2:
        raise UsageError("all examples come from one picture: nothing is left to ask about")
    shuffled = loaded.label[rng.permutation(len(loaded))]
    few = trials.few_of_each(loaded.label, BATCHES * recipe.batch, rng)
    pool = trials.Pool(loaded, size_wh)
    by_heart = dataclasses.replace(recipe, jitter=0.0, seed=trials.seed_of(recipe.seed, 0))
    tasks: list[Answers | Memory] = [Memory(by_heart, device, pool, few, loaded.label[few])]
    for label in (loaded.label, shuffled):
        for fold in range(FOLDS):
            rest, asked = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
            seeded = dataclasses.replace(recipe, seed=trials.seed_of(recipe.seed, 1, fold))
            tasks.append(Answers(seeded, device, pool, rest, label[rest], pool, asked))
    # several processes on one GPU would only wait for each other
    spread = run if device.kind == "cpu" else SERIAL
    memory, *answers = spread.map(trials.perform, tasks, "training")
    trials.forget()
    true, control = (_gathered(part, answers[first : first + FOLDS], recipe.classes) for first in (0, FOLDS))
    return Judged(few, memory, true, control, shuffled)


def _gathered(part: NDArray[np.int64], answers: list[NDArray[np.float32]], classes: int) -> NDArray[np.float32]:
    """The answers of all folds in the order of the pictures."""
    made = np.empty((len(part), classes), np.float32)
    for fold, one in enumerate(answers):
        made[part == fold] = one
    return made
