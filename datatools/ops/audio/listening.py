"""One pass over a recording: the scores of an engine, and the levels that cuts go by."""

from typing import TYPE_CHECKING, NamedTuple

from datatools.core.values import Audio
from datatools.ops.audio.engines import SR, start
from datatools.ops.audio.options import EngineName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.kernels.segments import Rules, Segments

BLOCK = 163_840
"""Samples handed over at once, 10.24 s: whole steps of 10 ms and whole chunks of every engine."""


class Heard(NamedTuple):
    """scores: of steps of step_s seconds. power: of steps of 10 ms."""

    scores: "NDArray[np.float32]"
    step_s: float
    power: "NDArray[np.float32]"


def listen(audio: Audio, engine_name: EngineName, source: str) -> Heard:
    """Read the recording once, as one channel of 16 kHz. Raises DataError where it turns out to be bad."""
    import numpy as np

    from datatools.kernels import levels, resample

    engine = start(engine_name, source)
    powers = []
    waiting = None
    for block in resample.regroup(resample.to_mono(audio.blocks(), audio.sr, SR), BLOCK):
        if waiting is not None:
            powers.append(levels.powers(waiting, SR // 100))
            engine.feed(waiting, powers[-1], False)
        waiting = block
    if waiting is None:
        waiting = np.zeros(0, np.float32)
    powers.append(levels.powers(waiting, SR // 100))
    engine.feed(waiting, powers[-1], True)
    return Heard(engine.scores(), engine.step_s, np.concatenate(powers))


def find_segments(audio: Audio, engine_name: EngineName, source: str, rules: "Rules") -> "tuple[Segments, Heard]":
    """Listen to a recording and decide what to keep of it."""
    from datatools.kernels import segments

    heard = listen(audio, engine_name, source)
    return segments.segment(heard.scores, heard.step_s, heard.power, audio.frames, audio.sr, rules), heard
