"""Learning rates: the reference's values, the two pieces against a plain loop."""

import math

import numpy as np
import pytest

from datatools.kernels import schedules

# of PaddlePaddle's CosineAnnealingDecay and LinearWarmup, 20 epochs of 100 steps at 0.1
PLAIN = {1: 0.0999999383, 500: 0.0853553391, 1000: 0.05, 1500: 0.0146446609, 1999: 6.1685e-8, 2000: 0.0}
WARM = {
    0: 0.0, 1: 0.0005, 100: 0.05, 199: 0.0995, 200: 0.1, 300: 0.0993844170, 1000: 0.0654508497, 1100: 0.0578217233,
    2000: 0.0024471742,
}  # fmt: skip


@pytest.mark.parametrize(("known", "warmup"), [(PLAIN, 0), (WARM, 200)])
def test_cosine_has_the_known_values(known: dict[int, float], warmup: int) -> None:
    found = schedules.cosine(np.array(list(known)), peak=0.1, steps=2000, warmup=warmup)
    assert found == pytest.approx(list(known.values()), rel=1e-5, abs=1e-12)


def test_cosine_of_the_recogniser_recipe() -> None:
    found = schedules.cosine(np.array([25, 50, 2525, 5000]), peak=1e-3, steps=5000, warmup=50)
    assert found == pytest.approx([0.0005, 0.001, 0.00050785366, 2.4672e-7], rel=1e-4)


@pytest.mark.parametrize("warmup", [0, 1, 7])
def test_cosine_is_the_plain_loop(warmup: int) -> None:
    def plain(i: int) -> float:
        return 0.3 * i / warmup if i < warmup else 0.15 * (1 + math.cos(math.pi * (i - warmup) / 50))

    found = schedules.cosine(np.arange(51), peak=0.3, steps=50, warmup=warmup)
    assert found.dtype == np.float64
    assert found == pytest.approx([plain(i) for i in range(51)])


def test_no_step_is_no_rate() -> None:
    assert schedules.cosine(np.array([], dtype=np.int64), peak=1.0, steps=0).shape == (0,)
