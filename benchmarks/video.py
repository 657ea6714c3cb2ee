"""ViBe against OpenCV's MOG2 and KNN and a plain NumPy transcription; what a command costs beside its parts.

All contestants use one thread and take the same frames from memory: a textured ground with a camera's noise, on which
three shapes cross.
"""

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from contest import bar, finish, run

from datatools.engine.item_job import ItemJob
from datatools.io.video import read, write
from datatools.kernels.vibe import Vibe

cv2.setNumThreads(1)


def clip(width: int, height: int, frames: int, *, colour: bool = False) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (height, width, 3) if colour else (height, width)
    ground = 110 + cv2.GaussianBlur(rng.normal(0, 90, shape), (0, 0), 2)
    noises = [rng.normal(0, 4, shape) for _ in range(7)]
    made = []
    for i in range(frames):
        frame = ground + noises[i % 7]
        for k, side in enumerate((height // 8, height // 6, height // 10)):
            x, y = (40 * k + (3 + k) * i) % (width - side), height * (k + 1) // 5
            frame[y : y + side, x : x + side] = 210 + 15 * k
        made.append(np.clip(frame, 0, 255).astype(np.uint8))
    return made


class Transcription:
    """ViBe as one writes it down with NumPy, the samples of a pixel beside each other: (height, width, 20)."""

    def __init__(self, first: np.ndarray, rng: np.random.Generator) -> None:
        self.rng = rng
        height, width = first.shape
        y, x = np.mgrid[1 : height + 1, 1 : width + 1]
        steps = rng.integers(-1, 2, (2, height, width, 20))
        self.samples = np.pad(first, 1, mode="edge")[y[..., None] + steps[0], x[..., None] + steps[1]]

    def background(self, frame: np.ndarray) -> np.ndarray:
        return (np.abs(self.samples.astype(int) - frame[..., None]) <= 20).sum(axis=2) >= 2

    def replace(self, y: np.ndarray, x: np.ndarray, values: np.ndarray) -> None:
        self.samples[y, x, self.rng.integers(0, 20, len(y))] = values

    def apply(self, frame: np.ndarray) -> np.ndarray:
        rng, background = self.rng, self.background(frame)
        for neighbours in (False, True):
            y, x = np.nonzero(background & (rng.random(frame.shape) < 1 / 16))
            values = frame[y, x]
            if neighbours:
                y = np.clip(y + rng.integers(-1, 2, len(y)), 0, frame.shape[0] - 1)
                x = np.clip(x + rng.integers(-1, 2, len(x)), 0, frame.shape[1] - 1)
            self.replace(y, x, values)
        return np.where(background, 0, 255).astype(np.uint8)


class Planes(Transcription):
    """The same with what a second look brings: a plane of all pixels for each sample, small numbers."""

    def __init__(self, first: np.ndarray, rng: np.random.Generator) -> None:
        super().__init__(first, rng)
        self.samples = np.ascontiguousarray(np.moveaxis(self.samples, 2, 0))

    def background(self, frame: np.ndarray) -> np.ndarray:
        return (np.abs(self.samples.astype(np.int16) - frame) <= 20).sum(axis=0) >= 2

    def replace(self, y: np.ndarray, x: np.ndarray, values: np.ndarray) -> None:
        self.samples[self.rng.integers(0, 20, len(y)), y, x] = values


def over(frames: list[np.ndarray], make: Any) -> Any:
    def job() -> None:
        model = make()
        for frame in frames:
            model.apply(frame)

    return job


def contestants(frames: list[np.ndarray]) -> dict[str, Any]:
    return {
        "datatools ViBe": over(frames, lambda: Vibe(frames[0], np.random.default_rng(1))),
        "OpenCV MOG2": over(frames, lambda: cv2.createBackgroundSubtractorMOG2(detectShadows=False)),
        "OpenCV KNN": over(frames, lambda: cv2.createBackgroundSubtractorKNN(detectShadows=False)),
    }


def engines(width: int, height: int, frames: int, *, colour: bool = False) -> dict[str, float]:
    kind = "colour" if colour else "grey"
    note = f"foreground of {frames} frames of {width} x {height}, {kind}, model made anew"
    name = f"video_{width}x{height}_{kind}"
    return run(name, note, contestants(clip(width, height, frames, colour=colour)))


def transcription() -> dict[str, float]:
    frames = clip(640, 360, 40)
    # making a model for 40 frames would hide what a frame costs: all are made before
    makers = {"datatools ViBe": Vibe, "NumPy transcription": Transcription, "NumPy, sample planes": Planes}
    models = {name: make(frames[0], np.random.default_rng(1)) for name, make in makers.items()}
    note = "foreground of 40 frames of 640 x 360, grey, without making the model"
    jobs = {name: over(frames, functools.partial(models.get, name)) for name in models}
    return run("video_numpy", note, jobs, rounds=3)


def command() -> dict[str, float]:
    """`video foreground --masks --mask-video` against its parts alone."""
    place = Path(tempfile.mkdtemp())
    (place / "clips").mkdir()
    frames = clip(640, 360, 200, colour=True)
    write.write_video(place / "clips/a.mp4", frames, [i / 25 for i in range(len(frames))])
    job = ItemJob("video.foreground", {"masks": True, "mask_video": True}, str(place / "clips"), str(place / "out"), "")
    (source,) = job.sources()

    def whole() -> None:
        shutil.rmtree(place / "out", ignore_errors=True)
        (place / "out/.datatools").mkdir(parents=True)
        assert not job(source).failed

    def parts() -> None:
        target = place / "parts.mp4"
        target.unlink(missing_ok=True)
        with read.open_video(place / "clips/a.mp4") as video, write.Encoder(target, (640, 360)) as encoder:
            model = None
            for frame in video:
                model = model or Vibe(frame.bgr, np.random.default_rng(0))
                mask = model.apply(frame.bgr)
                encoder.write(mask)
                cv2.imencode(".png", mask)

    try:
        note = "200 frames of 640 x 360, colour: masks as PNG and video"
        return run("video_command", note, {"datatools video foreground": whole, "decode + ViBe + encode": parts})
    finally:
        shutil.rmtree(place)


def main() -> None:
    small, large = engines(640, 360, 300), engines(1280, 720, 120)
    engines(640, 360, 200, colour=True)
    plain, whole = transcription(), command()
    finish(
        bar("640 x 360 grey: at least 3 times the frames of MOG2 a second", small["OpenCV MOG2"] >= 3),
        bar("1280 x 720 grey: at least 2.5 times the frames of MOG2 a second", large["OpenCV MOG2"] >= 2.5),
        bar("640 x 360 grey: at least 50 times a NumPy transcription", plain["NumPy transcription"] >= 50),
        bar("the command costs at most 1.5 times its parts", whole["decode + ViBe + encode"] >= 1 / 1.5),
    )


if __name__ == "__main__":
    main()
