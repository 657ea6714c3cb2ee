"""ViBe: foreground of a video by comparing each pixel with samples of its past.

O. Barnich, M. Van Droogenbroeck: ViBe: A Universal Background Subtraction Algorithm for Video Sequences. IEEE
Transactions on Image Processing 20(6), 2011. Every pixel keeps 20 samples. It is background where at least 2 of them
lie within a radius of 20 of its value. Only background pixels update the model: with a probability of 1/16 one sample
of the pixel's own, drawn at random, becomes its value, and with the same probability one sample of a neighbour drawn at
random, so that samples live memorylessly and ghosts are eaten from their edges. The first frame fills the model with
values from each pixel's neighbourhood. The authors describe the method as patented (EP2015252, US8009918B2,
JP4699564B2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels import vibe_loops

Frame = NDArray[np.uint8]
Mask = NDArray[np.uint8]

MAX_RADIUS = 56
"""4.5 times the radius, the distance of colours, must be less than 255."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of the method, by default the paper's.

    samples: of each pixel's past, 3 to 255. radius: how far a value may be from a sample of its own, grey levels, 1 to
    56; for colours the sum of the three distances may be 4.5 times that, as in the authors' program. matches: so many
    samples must be that near, 1 to samples. subsampling: a background pixel updates every so many frames, on the
    average, 1 to 1024. stuck_frames: a pixel that was foreground in so many frames in a row enters its model; 0: never.
    """

    samples: int = 20
    radius: int = 20
    matches: int = 2
    subsampling: int = 16
    stuck_frames: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("samples", 3, 255),
            ("radius", 1, MAX_RADIUS),
            ("matches", 1, self.samples),
            ("subsampling", 1, 1024),
            ("stuck_frames", 0, vibe_loops.MANY - 2),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be {low} to {high} (got {getattr(self, name)})")


class Vibe:
    """The background model of one video. Memory: `samples` bytes a pixel and channel, 2 more with stuck_frames.

    first: the frame that fills the model, (height, width) grey or (height, width, 3) colour in any order, uint8, at
    least one pixel. rng: gives one number, from which all others follow, so equal generators give equal masks.
    """

    def __init__(self, first: Frame, rng: np.random.Generator, settings: Settings = Settings()) -> None:
        self.settings = settings
        self._shape = first.shape
        self._key = int(rng.integers(2**63))
        self._frames = 0
        self._samples = np.empty((settings.samples, *self._planes(first).shape), np.uint8)
        vibe_loops.fill(self._samples, self._planes(first), first.shape[1], self._draws())
        self._stuck = np.zeros(self._samples.shape[2] if settings.stuck_frames else 0, np.uint16)

    def apply(self, frame: Frame) -> Mask:
        """Tell foreground (255) from background (0), (height, width) uint8, then learn from the frame.

        Raises ValueError where the frame's shape or type is not the first one's.
        """
        planes = self._planes(frame)
        mask = np.empty(planes.shape[1], np.uint8)
        near = np.uint8(self.settings.radius if len(planes) == 1 else self.settings.radius * 9 // 2)
        enough = np.uint8(self.settings.matches)
        compare = vibe_loops.compare_grey if len(planes) == 1 else vibe_loops.compare_colour
        compare(self._samples, planes, near, enough, mask)
        width = self._shape[1]
        vibe_loops.update(
            self._samples, planes, mask, vibe_loops.jumps(self.settings.subsampling), width, self._draws()
        )
        if self.settings.stuck_frames:
            vibe_loops.release(self._samples, planes, mask, self._stuck, self.settings.stuck_frames, self._draws())
        return mask.reshape(self._shape[:2])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the frames that it takes."""
        return self._shape

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next mask depends on, as arrays; they are copies."""
        return {
            "samples": self._samples.copy(),
            "stuck": self._stuck.copy(),
            "shape": np.array(self._shape, np.int64),
            "drawn": np.array([self._key, self._frames], np.int64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]], settings: Settings = Settings()) -> Self:
        """Make the model again that gave the state. Raises ValueError where the arrays are not such a state."""
        made = cls.__new__(cls)
        try:
            shape = tuple(int(side) for side in state["shape"])
            made._key, made._frames = (int(number) for number in state["drawn"])
            made._samples = np.array(state["samples"], order="C")
            stuck = np.array(state["stuck"])
        except (KeyError, TypeError, ValueError):
            raise ValueError("these arrays are not the state of a model") from None
        made.settings, made._shape = settings, shape
        pixels = shape[0] * shape[1] if len(shape) in (2, 3) else 0
        whole = (settings.samples, shape[2] if len(shape) == 3 else 1, pixels)
        if made._samples.shape != whole or made._samples.dtype != np.uint8 or not pixels or whole[1] not in (1, 3):
            raise ValueError("the state is of another size or number of samples")
        fits = settings.stuck_frames and stuck.shape == (pixels,) and stuck.dtype == np.uint16
        made._stuck = stuck if fits else np.zeros(pixels if settings.stuck_frames else 0, np.uint16)
        return made

    def _draws(self) -> np.uint64:
        """The start of a stream of random numbers that nothing else uses."""
        self._frames += 1
        return np.uint64((self._key + self._frames * 0xD1342543DE82EF95) % 2**64)

    def _planes(self, frame: Frame) -> Frame:
        if frame.shape != self._shape or frame.dtype != np.uint8 or frame.ndim not in (2, 3) or not frame.size:
            raise ValueError(f"a frame of shape {frame.shape} and type {frame.dtype} for a model of {self._shape}")
        if frame.ndim == 2:
            return np.ascontiguousarray(frame).reshape(1, -1)
        if frame.shape[2] != 3:
            raise ValueError(f"a frame has 1 or 3 channels, not {frame.shape[2]}")
        planes = np.empty((3, *frame.shape[:2]), np.uint8)
        cv2.split(np.ascontiguousarray(frame), list(planes))
        return planes.reshape(3, -1)
