"""What operations on recordings take one at a time, and what they make."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datatools.core.values import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Audio(Value):
    """A recording, read in blocks, so that hours of it need little memory.

    name: of the item inside its set. sr: frames a second. frames: samples of one channel; 0 where nobody knows yet.
    container, subtype: how it is stored, as libsndfile names them (WAV, PCM_16). source: gives the samples. note: what
    was done to it, plain data.
    """

    name: str
    sr: int
    channels: int
    frames: int
    source: Any = field(repr=False)
    container: str = "WAV"
    subtype: str = "PCM_16"
    note: dict[str, Any] | None = None

    @classmethod
    def of(cls, samples: "NDArray[np.float32]", sr: int, name: str = "audio") -> "Audio":
        """The recording of samples in memory: (frames,) or (frames, channels) float32, full scale at 1."""
        wide = samples if samples.ndim == 2 else samples[:, None]
        return cls(name, sr, wide.shape[1], len(wide), _Samples(wide), subtype="FLOAT")

    def blocks(self) -> "Iterator[NDArray[np.float32]]":
        """Yield the samples in order, (n, channels) float32. Raises DataError where the file turns out to be bad."""
        blocks: Iterator[NDArray[np.float32]] = self.source.blocks()
        return blocks


@dataclass(frozen=True, slots=True)
class _Samples:
    samples: "NDArray[np.float32]"

    def blocks(self, frames: int = 65536) -> "Iterator[NDArray[np.float32]]":
        for first in range(0, len(self.samples), frames):
            yield self.samples[first : first + frames]


@dataclass(frozen=True, slots=True)
class Slices(Value):
    """What is cut out of a recording.

    kept, dropped: (K, 2) and (M, 2) first sample and one past the last; together they are the recording. scores: (K,)
    mean score of each kept span. silent: (M,) whether a dropped span held no speech, or was too short. naming: of the
    clips, a template. manifests: formats in which the clips are listed. files: name after the item's and bytes of what
    is written beside the clips.
    """

    audio: Audio
    kept: "NDArray[np.int64]"
    scores: "NDArray[np.float32]"
    dropped: "NDArray[np.int64]"
    silent: "NDArray[np.bool_]"
    naming: str
    manifests: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Features(Value):
    """Rows of features of a recording, or of parts of it.

    parts: name after the item's (empty for the whole), and a function that yields (n, width) float32 blocks. width: of
    a row. store: npy, npz or ark. files: name after the item's and bytes of what is written beside them.
    """

    name: str
    width: int
    parts: "tuple[tuple[str, Callable[[], Iterator[NDArray[np.float32]]]], ...]"
    store: str = "npy"
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawings(Value):
    """Pictures of an item: name after the item's, with its suffix, and bytes."""

    name: str
    files: tuple[tuple[str, bytes], ...]
