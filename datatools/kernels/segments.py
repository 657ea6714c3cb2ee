"""From scores to spans: what is kept, of what length, and where it is cut.

Spans are (K, 2) int64: first sample and one past the last, in order, without overlap; K may be 0. All lengths are
samples of the recording, so that a limit holds to the sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Spans = NDArray[np.int64]

HYSTERESIS = 0.15
"""Speech that has begun goes on while the score stays above the threshold less this."""

_QUIET_S = 0.1  # a cut stands in the middle of so much quiet


@dataclass(frozen=True, slots=True)
class Rules:
    """threshold: score from which speech begins. Seconds: min_speech: shorter speech is none. min_silence: shorter
    silence is none. pad: added on both sides. merge: neighbours no farther apart become one, if that is not longer than
    longest. longest: what is longer is cut at its quietest points. shortest: what is shorter is dropped."""

    threshold: float = 0.5
    min_speech: float = 0.25
    min_silence: float = 0.1
    pad: float = 0.1
    merge: float = 0.3
    longest: float = 15.0
    shortest: float = 1.0


@dataclass(frozen=True, slots=True)
class Segments:
    """kept: spans. scores: (K,) the mean score of each. dropped: all other spans. silent: (M,) bool, of each dropped
    one: there was no speech in it; otherwise it was too short to keep."""

    kept: Spans
    scores: Floats
    dropped: Spans
    silent: NDArray[np.bool_]


def segment(scores: Floats, step: float, power: Floats, frames: int, sr: int, rules: Rules) -> Segments:
    """Decide what to keep of a recording.

    scores: (N,) of steps of `step` seconds from its start on. power: (P,) of steps of 10 ms (`levels.powers`), for the
    places of cuts. frames, sr: its length in samples, and samples a second. The longest must be at least twice the
    shortest. Kept and dropped spans together are the whole recording; each kept one is `longest` at most.
    """
    edges = _edges(len(scores), step, frames, sr)
    heard = runs(hold(scores, rules.threshold, max(rules.threshold - HYSTERESIS, 0.01)))
    spans = np.stack([edges[heard[:, 0]], edges[heard[:, 1]]], axis=1)
    spans = close(spans, _samples(rules.min_silence, sr))
    spans = spans[spans[:, 1] - spans[:, 0] >= _samples(rules.min_speech, sr)]
    spans = pad(spans, _samples(rules.pad, sr), frames)
    longest, shortest = max(int(rules.longest * sr), 1), _samples(rules.shortest, sr)
    spans = cut(spans, longest, max(shortest, 1), quietness(power), 0.01 * sr)
    spans = close(spans, _samples(rules.merge, sr), longest)
    long_enough = spans[:, 1] - spans[:, 0] >= shortest
    kept = spans[long_enough]
    dropped, silent = _rest(spans, long_enough, frames)
    return Segments(kept, _means(scores, edges, kept), dropped, silent)


def hold(scores: Floats, on: float, off: float) -> NDArray[np.bool_]:
    """Switch on where a score reaches `on`, off where one is below `off`, and stay otherwise.

    >>> hold(np.array([0., .4, .6, .4, .3, .4]), 0.5, 0.35).tolist()
    [False, False, True, True, False, False]
    """
    decided = np.where(scores >= on, 1, np.where(scores < off, -1, 0))
    last = np.maximum.accumulate(np.where(decided != 0, np.arange(len(decided)), 0))
    held: NDArray[np.bool_] = decided[last] == 1
    return held


def runs(mask: NDArray[np.bool_]) -> Spans:
    """Return where a mask is true, as spans of its indices.

    >>> runs(np.array([True, True, False, True])).tolist()
    [[0, 2], [3, 4]]
    """
    steps = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)], axis=1)


def close(spans: Spans, gap: int, longest: int | None = None) -> Spans:
    """Join neighbours no more than `gap` apart, from the left, as long as the result is not longer than `longest`.

    >>> close(np.array([[0, 4], [5, 9], [10, 12], [30, 31]]), 1, 9).tolist()
    [[0, 9], [10, 12], [30, 31]]
    """
    joined: list[list[int]] = []
    for first, stop in spans.tolist():
        if joined and first - joined[-1][1] <= gap and (longest is None or stop - joined[-1][0] <= longest):
            joined[-1][1] = stop
        else:
            joined.append([first, stop])
    return np.array(joined, np.int64).reshape(-1, 2)


def pad(spans: Spans, amount: int, frames: int) -> Spans:
    """Widen spans on both sides, to the ends of the recording at most; where two would meet, they share the gap.

    >>> pad(np.array([[2, 4], [7, 9]]), 2, 10).tolist()
    [[0, 5], [5, 10]]
    """
    wide = spans + np.array([-amount, amount])
    middle = (spans[1:, 0] + spans[:-1, 1]) // 2
    wide[1:, 0] = np.maximum(wide[1:, 0], middle)
    wide[:-1, 1] = np.minimum(wide[:-1, 1], middle)
    inside: Spans = np.clip(wide, 0, frames)
    return inside


def quietness(power: Floats) -> Floats:
    """Return the power around each border between two steps, (P + 1,), over 100 ms."""
    half = round(_QUIET_S / 0.01) // 2
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    last = len(power)
    mean = np.empty(last + 1, np.float32)
    if last >= 2 * half:  # the whole window lies inside
        mean[half : last + 1 - half] = (total[2 * half :] - total[: last + 1 - 2 * half]) / (2 * half)
    for at in {*range(min(half, last + 1)), *range(max(last + 1 - half, 0), last + 1)}:
        left, right = max(at - half, 0), min(at + half, last)
        mean[at] = (total[right] - total[left]) / max(right - left, 1)
    return mean


def cut(spans: Spans, longest: int, shortest: int, quiet: Floats, step: float) -> Spans:
    """Cut what is longer than `longest`, each time at the quietest place that leaves no piece shorter than `shortest`.

    quiet: (P + 1,) power around the places round(i * step). Of equally quiet places the last run counts, its middle.
    """
    pieces: list[tuple[int, int]] = []
    for first, stop in spans.tolist():
        while stop - first > longest:
            at = _quietest(quiet, step, first + shortest, min(first + longest, stop - shortest))
            pieces.append((first, at))
            first = at
        pieces.append((first, stop))
    return np.array(pieces, np.int64).reshape(-1, 2)


def _quietest(quiet: Floats, step: float, low: int, high: int) -> int:
    """The quietest place from low to high; high where there is none."""
    near = np.arange(int(low / step), min(int(high / step) + 2, len(quiet)))
    places = np.round(near * step).astype(np.int64)
    inside = (places >= low) & (places <= high)
    near, places = near[inside], places[inside]
    if not len(near):
        return high
    window = quiet[near]
    first, stop = runs(window <= window.min() * (1 + 1e-6))[-1]
    return int(places[(first + stop - 1) // 2])


def _samples(seconds: float, sr: int) -> int:
    return round(seconds * sr)


def _edges(count: int, step: float, frames: int, sr: int) -> NDArray[np.int64]:
    """Where each score begins, and the end: the last score may reach beyond the recording."""
    edges = np.minimum(np.round(np.arange(count + 1) * (step * sr)).astype(np.int64), frames)
    edges[-1] = frames if count else 0
    return edges


def _rest(spans: Spans, keep: NDArray[np.bool_], frames: int) -> tuple[Spans, NDArray[np.bool_]]:
    """The gaps between all spans, which are silent, and the spans that are not kept, in order."""
    borders = np.concatenate([[0], spans.ravel(), [frames]]).reshape(-1, 2)
    gaps = borders[borders[:, 1] > borders[:, 0]]
    short = spans[~keep]
    both = np.concatenate([gaps, short])
    silent = np.arange(len(both)) < len(gaps)
    order = np.argsort(both[:, 0], kind="stable")
    return both[order], silent[order]


def _means(scores: Floats, edges: NDArray[np.int64], spans: Spans) -> Floats:
    if not len(spans):
        return np.zeros(0, np.float32)
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    left = np.searchsorted(edges, spans[:, 0], side="right") - 1
    right = np.maximum(np.searchsorted(edges, spans[:, 1], side="left"), left + 1)
    means: Floats = ((total[right] - total[left]) / (right - left)).astype(np.float32)
    return means
