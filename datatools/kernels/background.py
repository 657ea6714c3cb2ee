"""Models of a video's background behind one interface: ViBe, and the two of OpenCV.

MOG2: Z. Zivkovic: Improved Adaptive Gaussian Mixture Model for Background Subtraction. ICPR 2004. KNN: Z. Zivkovic,
F. van der Heijden: Efficient adaptive density estimation per image pixel for the task of background subtraction.
Pattern Recognition Letters 27(7), 2006. Both with OpenCV's parameters; shadows are foreground.
"""

from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.kernels.vibe import Settings, Vibe

Bytes = NDArray[np.uint8]
Engine = Literal["vibe", "mog2", "knn"]


class Model(Protocol):
    """A model that learns from each frame."""

    def apply(self, frame: Bytes) -> Bytes:
        """Tell foreground (255) from background (0), (height, width) uint8, then learn from the frame."""
        ...


class OpenCvModel:
    """MOG2 or KNN of OpenCV.

    OpenCV draws KNN's random numbers from one generator of the thread, which is set anew before each frame, so that
    masks are the same whatever was done before. rng: gives its seeds.
    """

    def __init__(self, engine: Literal["mog2", "knn"], rng: np.random.Generator) -> None:
        make = cv2.createBackgroundSubtractorMOG2 if engine == "mog2" else cv2.createBackgroundSubtractorKNN
        self._model: Any = make(detectShadows=False)
        self._rng = rng

    def apply(self, frame: Bytes) -> Bytes:
        """Tell foreground (255) from background (0), (height, width) uint8, then learn from the frame."""
        cv2.setRNGSeed(int(self._rng.integers(2**31)))
        return np.asarray(self._model.apply(frame), np.uint8)


def model(engine: Engine, first: Bytes, rng: np.random.Generator, settings: Settings) -> Model:
    """Make a model. first: the first frame, grey or colour. settings: of ViBe, the others have their own."""
    return Vibe(first, rng, settings) if engine == "vibe" else OpenCvModel(engine, rng)
