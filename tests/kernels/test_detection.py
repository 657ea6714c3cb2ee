"""Agreement of spans against a plain count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels.detection import Agreement, compare

SPAN = st.tuples(st.integers(0, 300), st.integers(0, 120)).map(lambda p: (p[0] / 100, (p[0] + p[1]) / 100))


@settings(max_examples=100, deadline=None)
@given(st.lists(SPAN, max_size=6), st.lists(SPAN, max_size=6), st.sampled_from([0.0, 0.05, 0.25]))
def test_it_counts_what_a_loop_counts(
    ours: list[tuple[float, float]], reference: list[tuple[float, float]], collar: float
) -> None:
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for i in range(450):
        t = (i + 0.5) / 100
        if collar and any(b - collar - 1e-9 <= t < b + collar - 1e-9 for span in reference for b in span):
            continue
        counts[any(a <= t < b for a, b in ours), any(a <= t < b for a, b in reference)] += 1
    made = compare(np.array(ours).reshape(-1, 2), np.array(reference).reshape(-1, 2), 4.5, collar)
    assert made == Agreement(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def test_the_rates() -> None:
    made = Agreement(80, 20, 10, 5) + Agreement(0, 0, 10, 0)
    assert made.precision == 0.8
    assert made.recall == 0.8
    assert made.f1 == pytest.approx(0.8)
    assert made.error_rate == pytest.approx(0.4)
    nothing = Agreement()
    assert (nothing.precision, nothing.recall, nothing.f1) == (1, 1, 1)
    assert np.isnan(nothing.error_rate)
