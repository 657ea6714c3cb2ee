"""Features of a stream of blocks: what comes out is what the whole recording at once would give."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.kernels.features import Frames

    Floats = NDArray[np.float32]


def frames_of(blocks: "Iterable[Floats]", frames: "Frames", scale: float, cepstra: int = 0) -> "Iterator[Floats]":
    """Yield the log mel energies, or so many cepstra, of a stream of (n,) samples."""
    import numpy as np

    from datatools.kernels import features

    rest = np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block if scale == 1 else block * np.float32(scale)])
        made = features.mfcc(samples, frames, cepstra) if cepstra else features.fbank(samples, frames)
        rest = samples[len(made) * frames.shift :]
        if len(made):
            yield made


def with_deltas(blocks: "Iterable[Floats]", order: int) -> "Iterator[Floats]":
    """Yield the rows of a stream beside their slopes; a slope needs two rows on either side."""
    import numpy as np

    from datatools.kernels import features

    reach = 2 * order
    waiting: Floats | None = None
    known = 0  # rows at the start of `waiting` that only stand beside others
    for block in blocks:
        waiting = block if waiting is None else np.concatenate([waiting, block])
        stop = len(waiting) - reach
        if stop > known:
            yield features.deltas(waiting, order)[known:stop]
            keep = max(stop - reach, 0)
            waiting, known = waiting[keep:], stop - keep
    if waiting is not None and len(waiting) > known:
        yield features.deltas(waiting, order)[known:]
