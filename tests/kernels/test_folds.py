"""Parts of classified sets: shares, ties, the same for the same generator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import folds


def plain_tied(ties: list[list[int]]) -> list[int]:
    """Groups found by joining pairs until nothing changes."""
    group = list(range(len(ties[0])))
    changed = True
    while changed:
        changed = False
        for tie in ties:
            for i in range(len(tie)):
                for j in range(i):
                    if tie[i] == tie[j] and group[i] != group[j]:
                        group = [group[j] if g == group[i] else g for g in group]
                        changed = True
    order = list(dict.fromkeys(group))
    return [order.index(g) for g in group]


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 5), min_size=n, max_size=n), min_size=1, max_size=3)
    )
)
@settings(max_examples=60)
def test_groups_are_those_of_the_plain_loop(ties: list[list[int]]) -> None:
    assert folds.tied([np.array(t) for t in ties]).tolist() == plain_tied(ties)


def test_classes_get_their_shares() -> None:
    label = np.repeat(np.arange(4), (50, 30, 20, 5))
    part = folds.parts(label, [np.arange(105)], (0.8, 0.2), np.random.default_rng(0))
    assert np.bincount(part).tolist() == [84, 21]
    assert np.bincount(label[part == 1], minlength=4).tolist() == [10, 6, 4, 1]


def test_what_is_tied_stays_together() -> None:
    rng = np.random.default_rng(1)
    label, picture = rng.integers(0, 3, 300), np.repeat(np.arange(60), 5)
    twin = np.arange(300)
    twin[[0, 299]] = 7  # the same pixels in two pictures
    part = folds.parts(label, [picture, twin], (1 / 3,) * 3, np.random.default_rng(2))
    assert all(len(set(part[picture == p])) == 1 for p in range(60))
    assert part[0] == part[299]
    assert np.bincount(part).tolist() == pytest.approx([100] * 3, abs=5)


def test_it_is_the_same_for_the_same_generator_and_nothing_for_nothing() -> None:
    label = np.arange(40) % 4
    made = [folds.parts(label, [np.arange(40)], (0.5, 0.5), np.random.default_rng(3)) for _ in range(2)]
    assert (made[0] == made[1]).all()
    assert folds.parts(label[:0], [label[:0]], (0.5, 0.5), np.random.default_rng(0)).shape == (0,)
