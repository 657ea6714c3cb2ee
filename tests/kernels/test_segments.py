"""Spans: nothing is lost, limits hold to the sample, cuts fall into pauses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.kernels import segments
from datatools.kernels.segments import Rules, segment


def make(pattern: str, sr: int = 1000, rules: Rules | None = None, quiet: str = "") -> segments.Segments:
    """Segment a recording that is drawn: a character is 100 ms, `#` speech; quiet: digits, the power of each."""
    scores = np.array([c == "#" for c in pattern], np.float32)
    power = np.array([float(c) for c in quiet or pattern.replace("#", "5").replace(".", "0")], np.float32)
    return segment(scores, 0.1, np.repeat(power, 10), len(pattern) * sr // 10, sr, rules or Rules())


RAW = Rules(min_speech=0, min_silence=0, pad=0, merge=0, longest=1000, shortest=0)


def test_speech_is_kept_and_silence_is_dropped() -> None:
    made = make("..###..##.", rules=RAW)
    assert made.kept.tolist() == [[200, 500], [700, 900]]
    assert made.dropped.tolist() == [[0, 200], [500, 700], [900, 1000]]
    assert made.silent.tolist() == [True, True, True]
    assert made.scores.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (Rules(min_speech=0.25, min_silence=0, pad=0, merge=0, longest=99, shortest=0), [[200, 500]]),
        (Rules(min_speech=0, min_silence=0.2, pad=0, merge=0, longest=99, shortest=0), [[200, 900]]),
        (Rules(min_speech=0, min_silence=0, pad=0.05, merge=0, longest=99, shortest=0), [[150, 550], [650, 950]]),
        (Rules(min_speech=0, min_silence=0, pad=0.5, merge=-1, longest=99, shortest=0), [[0, 600], [600, 1000]]),
        (Rules(min_speech=0, min_silence=0, pad=0, merge=0.2, longest=99, shortest=0), [[200, 900]]),
        (Rules(min_speech=0, min_silence=0, pad=0, merge=0.2, longest=0.6, shortest=0), [[200, 500], [700, 900]]),
        (Rules(min_speech=0, min_silence=0, pad=0, merge=0, longest=99, shortest=0.3), [[200, 500]]),
    ],
)
def test_each_rule(rules: Rules, kept: list[list[int]]) -> None:
    assert make("..###..##.", rules=rules).kept.tolist() == kept


def test_what_is_too_short_is_dropped_as_such() -> None:
    made = make("..###..##.", rules=Rules(0.5, 0, 0, 0, 0, 99, 0.3))
    assert made.dropped.tolist() == [[0, 200], [500, 700], [700, 900], [900, 1000]]
    assert made.silent.tolist() == [True, True, False, True]


def test_long_speech_is_cut_in_its_pause() -> None:
    #                                               the pause is not low enough to end the speech
    made = make("#" * 20, rules=Rules(0.5, 0, 0, 0, 0, 1.5, 0.3), quiet="55555551555555555555")
    assert made.kept.tolist() == [[0, 750], [750, 2000]]


def test_a_cut_that_is_not_needed_is_joined_again() -> None:
    made = make("#" * 20, rules=Rules(0.5, 0, 0, 0, 0, 1.0, 0.2), quiet="55515555515555155555")
    assert made.kept.tolist() == [[0, 950], [950, 1450], [1450, 2000]] or (np.diff(made.kept) <= 1000).all()
    gaps_none = made.kept[1:, 0] == made.kept[:-1, 1]
    sums = made.kept[1:, 1] - made.kept[:-1, 0]
    assert (sums[gaps_none] > 1000).all()


def test_hysteresis() -> None:
    scores = np.array([0.1, 0.6, 0.4, 0.36, 0.3, 0.6, 0.2], np.float32)
    made = segment(scores, 0.1, np.zeros(70, np.float32), 700, 1000, RAW)
    assert made.kept.tolist() == [[100, 400], [500, 600]]


@settings(max_examples=150, deadline=None)
@given(
    scores=st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), max_size=120),
    tail=st.integers(0, 40),
    sr=st.sampled_from([8000, 11025, 16000, 44100]),
    longest=st.floats(0.1, 3),
    share=st.floats(0, 0.5),
    merge=st.floats(0, 1),
    pad=st.floats(0, 0.5),
    seed=st.integers(0, 99),
)
def test_nothing_is_lost_and_nothing_is_too_long(
    scores: list[float], tail: int, sr: int, longest: float, share: float, merge: float, pad: float, seed: int
) -> None:
    frames = round(len(scores) * 0.032 * sr) - min(tail, round(len(scores) * 0.032 * sr))
    power = np.random.default_rng(seed).random(-(-frames * 100 // sr)).astype(np.float32)
    rules = Rules(0.5, 0.06, 0.05, pad, merge, longest, longest * share)
    values = np.array(scores, np.float32)
    before = values.copy(), power.copy()
    made = segment(values, 0.032, power, frames, sr, rules)
    both = sorted([*made.kept.tolist(), *made.dropped.tolist()])
    ends = [0, *(stop for _, stop in both)]
    assert [first for first, _ in both] == ends[:-1]
    assert ends[-1] == frames
    lengths = np.diff(made.kept).ravel()
    assert (lengths <= max(int(longest * sr), 1)).all()
    assert (lengths >= round(longest * share * sr)).all()
    assert len(made.silent) == len(made.dropped)
    assert ((made.scores >= 0) & (made.scores <= 1)).all()
    assert (values == before[0]).all()
    assert (power == before[1]).all()


def test_cuts_are_at_the_quietest_place_of_the_window() -> None:
    rng = np.random.default_rng(1)
    power = rng.random(500).astype(np.float32)
    made = segments.cut(np.array([[0, 80_000]]), 40_000, 8_000, segments.quietness(power), 160.0)
    quiet = segments.quietness(power)
    low, high = 8_000 // 160, 40_000 // 160
    first = made[0, 1] // 160
    assert quiet[first] == quiet[low : high + 1].min()
