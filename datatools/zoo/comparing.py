"""Two training sets, the same trainings on both, the same questions afterwards."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from datatools.core.types import SERIAL, Run
from datatools.zoo import trials
from datatools.zoo.devices import Device
from datatools.zoo.pictures import Pictures
from datatools.zoo.training import Recipe
from datatools.zoo.trials import Answers, Pool


def answers(
    a: Pictures,
    b: Pictures,
    asked: Pictures,
    size_wh: tuple[int, int],
    recipe: Recipe,
    device: Device,
    runs: int,
    run: Run,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Train on each set so many times; return which answers were right, (runs, len(asked)) of each set.

    Run i has the same seed on both sets: the same first weights, and the same shifts in the same steps.
    """
    pools = [Pool(pictures, size_wh) for pictures in (a, b, asked)]
    everything = np.arange(len(asked))
    tasks = [
        Answers(
            recipe=dataclasses.replace(recipe, seed=trials.seed_of(recipe.seed, number)),
            device=device,
            pool=pool,
            rows=np.arange(len(pictures)),
            label=pictures.taught(recipe.classes),
            asked=pools[2],
            asked_rows=everything,
        )
        for number in range(runs)
        for pictures, pool in ((a, pools[0]), (b, pools[1]))
    ]
    spread = run if device.kind == "cpu" else SERIAL  # several processes on one GPU would only wait for each other
    right = np.array([p.argmax(axis=1) == asked.label for p in spread.map(trials.perform, tasks, "training")])
    trials.forget()
    return right[0::2], right[1::2]
