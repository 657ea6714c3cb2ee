"""The frames of a video without their haze, one after the other, each with what is known of those before."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datatools.core.values import Clip, Frame, Shot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datatools.kernels.haze import Settings
    from datatools.kernels.haze_clip import Past


class Clearing:
    """Clears one frame after the other (core/values.py: Step).

    smooth: weight of the frames before, 0 .. 1. maps, compare: folders of the output for videos of the maps and of
    before and after; empty where none are wanted.
    """

    def __init__(self, clip: Clip, settings: "Settings", smooth: float, maps: str, compare: str) -> None:
        self._settings = settings
        self._smooth = smooth
        self._name = f"{clip.id}.mp4"
        self._compared = f"{compare}/{clip.id}.mp4" if compare else ""
        self._maps = f"{maps}/{clip.id}" if maps else ""
        self._past: Past | None = None

    @property
    def sounding(self) -> tuple[str, ...]:
        """The videos that have the sound of the clip."""
        return tuple(name for name in (self._name, self._compared) if name)

    def wants(self, index: int, t_s: float) -> bool:
        """Every frame is wanted."""
        return True

    def take(self, frame: Frame) -> Shot:
        """The frame without its haze, and the maps and the comparison where they are wanted."""
        import cv2
        import numpy as np

        from datatools.kernels import haze_clip
        from datatools.kernels.before_after import before_after

        rgb = np.asarray(cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB), np.uint8)
        clear, self._past = haze_clip.clear_next(rgb, self._past, self._settings, self._smooth)
        bgr = np.asarray(cv2.cvtColor(clear, cv2.COLOR_RGB2BGR), np.uint8)
        videos = {self._name: bgr}
        if self._compared:
            videos[self._compared] = before_after(frame.bgr, bgr)
        row = None
        if self._maps:
            found = haze_clip.found(self._past, self._settings)
            videos[f"{self._maps}.dark.mp4"] = found.dark
            videos[f"{self._maps}.transmission.mp4"] = np.rint(found.transmission * 255).astype(np.uint8)
            row = {"t_s": round(frame.t_s, 6), "airlight": [round(level, 3) for level in found.airlight.tolist()]}
        return Shot(videos, row=row)

    def end(self, rows: Sequence[Any]) -> Mapping[str, bytes]:
        """The airlight of every frame, where the maps are wanted."""
        if not self._maps:
            return {}
        return {f"{self._maps}.airlight.json": (json.dumps({"of": 255, "frames": list(rows)}) + "\n").encode()}

    def state(self) -> "Mapping[str, NDArray[Any]]":
        """What the frames before have told."""
        if self._past is None or not self._smooth:
            return {}
        return {"airlight": self._past.airlight, "veil": self._past.veil, "frame": self._past.frame}

    def restore(self, state: "Mapping[str, NDArray[np.generic]]") -> None:
        """Go on behind the frame after which the state was taken."""
        from datatools.kernels.haze_clip import Past

        self._past = Past(**state) if state else None  # type: ignore[arg-type]
