"""A stream of blocks brought to one channel and another rate, block by block (soxr: the SoX resampler)."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def to_mono(blocks: Iterable[Floats], sr: int, new_sr: int) -> Iterator[Floats]:
    """Yield the mean of all channels at another rate; (n,) float32 blocks of changing length.

    blocks: (n, channels). The whole has round(frames * new_sr / sr) samples; the filter's delay is taken out.
    """
    mono = (block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32) for block in blocks)
    if sr == new_sr:
        yield from mono
        return
    for block in to_rate((one[:, None] for one in mono), sr, new_sr):
        yield block[:, 0]


def to_rate(blocks: Iterable[Floats], sr: int, new_sr: int) -> Iterator[Floats]:
    """Yield the blocks at another rate, all channels; (n, channels) float32."""
    if sr == new_sr:
        yield from blocks
        return
    stream = None
    for block in blocks:
        if stream is None:
            stream = soxr.ResampleStream(sr, new_sr, block.shape[1], dtype="float32")
            empty = block[:0]
        made = stream.resample_chunk(np.ascontiguousarray(block))
        if len(made):
            yield made
    if stream is not None:
        made = stream.resample_chunk(np.ascontiguousarray(empty), last=True)
        if len(made):
            yield made


def regroup(blocks: Iterable[Floats], size: int) -> Iterator[Floats]:
    """Yield the same samples in blocks whose length is a multiple of `size`, but for the last."""
    waiting: list[Floats] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        if count >= size:
            whole = np.concatenate(waiting)
            cut = count - count % size
            yield whole[:cut]
            waiting, count = [whole[cut:]], count - cut
    if count:
        yield np.concatenate(waiting)
