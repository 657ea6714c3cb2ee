"""Learning rates over the steps of a training, in closed form: any step is known without those before it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cosine(step: NDArray[np.integer], *, peak: float, steps: int, warmup: int = 0) -> Floats:
    """Return the learning rate of each step: half a cosine from `peak` down to 0, after a straight line up from 0.

    step: (N,) whole numbers from 0. peak: the highest rate. steps: of the cosine, at least 1; warmup: of the line.
    The cosine begins where the warm-up ends and is not shortened by it, as in PaddlePaddle's LinearWarmup over
    CosineAnnealingDecay: a training of `steps` steps that warms up ends above 0.
    After Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (ICLR 2017), without restarts;
    the warm-up after Goyal et al., "Accurate, Large Minibatch SGD" (2017).

    >>> cosine(np.array([0, 500, 1000, 2000]), peak=0.1, steps=2000).round(6).tolist()
    [0.1, 0.085355, 0.05, 0.0]
    >>> cosine(np.array([0, 100, 200, 2000]), peak=0.1, steps=2000, warmup=200).round(6).tolist()
    [0.0, 0.05, 0.1, 0.002447]
    """
    at = np.asarray(step, dtype=np.float64)
    down = 0.5 * peak * (1.0 + np.cos(np.pi * (at - warmup) / max(steps, 1)))
    return np.where(at < warmup, peak * at / max(warmup, 1), down)
