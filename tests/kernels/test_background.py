"""All engines behind one interface, the same on every run."""

from typing import get_args

import numpy as np
import pytest

from datatools.kernels import background
from datatools.kernels.vibe import Settings


def clip(frames: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (40, 60, 3))
    made = []
    for i in range(frames):
        frame = ground + rng.integers(-4, 5, ground.shape)
        if i >= 10:
            frame[10:25, i : i + 12] = 230
        made.append(frame.astype(np.uint8))
    return made


@pytest.mark.parametrize("engine", get_args(background.Engine))
def test_what_moves_is_found_and_masks_are_the_same_every_time(engine: background.Engine) -> None:
    frames = clip(40)
    runs = []
    for _ in range(3):
        model = background.model(engine, frames[0], np.random.default_rng(4), Settings())
        runs.append([model.apply(frame) for frame in frames])
        background.model("knn", frames[0], np.random.default_rng(9), Settings()).apply(frames[0])
    for masks in zip(*runs, strict=True):
        assert all((mask == masks[0]).all() for mask in masks)
        assert set(np.unique(masks[0])) <= {0, 255}
    last = runs[0][-1]
    assert last[10:25, 47:51].mean() > 200  # its front: a young MOG2 takes in what lies behind it
    assert last[30:].mean() < 5
