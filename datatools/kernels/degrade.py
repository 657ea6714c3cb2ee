"""What happens to text between the page and the file: tilt, blur, noise, light; BDA and RecAug of PP-OCR.

A draw is a chain of steps, each a name and its numbers, in the order of PaddleOCR's RecAug with the rotation, the
perspective and the motion blur that its article names (Du et al., "PP-OCR", 2020) and its code lacks. There some steps
do next to nothing (measured in release 2.4): the colour changes by one grey value, the noise takes 1 from half of the
pixels, the jitter moves nothing in pictures lower than 200 pixels, and angle and shear are never used. Here each does
what its name says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from datatools.kernels import geometry, tia, tones
from datatools.kernels.contours import Outline
from datatools.kernels.geometry import Matrix, Picture

Name = Literal[
    "distort", "stretch", "tilt", "rotate", "perspective", "crop", "blur", "motion_blur", "color", "jitter", "noise",
    "reverse",
]  # fmt: skip

LEAST_SIDE = 20
"""Lower or narrower pictures are not bent, cropped or jittered."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    values: blur: sigma; motion_blur: length (px), degrees; color: factor of the brightness; jitter: shift (px) right
    and down; noise: sigma (grey values), seed. matrix: of rotate, perspective and crop, nine numbers row by row.
    warp: of distort, stretch and tilt. size_wh: of the picture after a step that moves it.
    """

    name: Name
    values: tuple[float, ...] = ()
    matrix: tuple[float, ...] = ()
    warp: tia.Warp | None = None
    size_wh: tuple[int, int] = (0, 0)


def draw(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    *,
    probability: float = 0.4,
    bend: bool = True,
    strength: float = 1.0,
    angle: float = 10.0,
) -> tuple[Step, ...]:
    """Draw the steps for a picture, each with the probability.

    bend: whether the three of TIA are among them (PP-OCR leaves them out for its direction classifier). strength:
    factor of all that has a strength. angle: a rotation is drawn up to so many degrees to both sides.
    """
    steps = []
    for name, make in _DRAWS.items():
        wanted, fork = rng.random() < probability, rng.spawn(1)[0]
        if not wanted or (name in _BENT and not bend):
            continue
        width, height = size_wh
        if name in _LARGE_ONLY and min(width, height) < LEAST_SIDE:
            continue
        step = make(fork, size_wh, angle if name == "rotate" else strength)
        size_wh = step.size_wh if step.size_wh != (0, 0) else size_wh
        steps.append(step)
    return tuple(steps)


def apply(rgb: Picture, steps: Sequence[Step]) -> Picture:
    """Return the picture after all steps. rgb: (height, width, 3) uint8 RGB."""
    for step in steps:
        if step.warp is not None:
            rgb = tia.warp_image(rgb, step.warp)
        elif step.matrix:
            rgb = geometry.warp_image(rgb, _matrix(step), step.size_wh, fill=None)
        else:
            rgb = _APPLIED[step.name](rgb, step.values)
    return rgb


def warp_outline(xy: Outline, steps: Sequence[Step]) -> Outline:
    """Move an outline as the steps move the picture."""
    for step in steps:
        if step.warp is not None:
            xy = tia.warp_outline(xy, step.warp)
        elif step.matrix:
            xy = geometry.warp_points(xy, _matrix(step))
    return xy


def size_after(steps: Sequence[Step], size_wh: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the picture after all steps."""
    return next((step.size_wh for step in reversed(steps) if step.size_wh != (0, 0)), size_wh)


def _matrix(step: Step) -> Matrix:
    return np.array(step.matrix).reshape(3, 3)


def _bend(kind: tia.Kind, name: Name) -> "_Draw":
    def make(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
        segments = int(rng.integers(3, 7))
        warp = tia.draw(rng, size_wh, kind, segments=segments, strength=strength)
        return Step(name, warp=warp, size_wh=warp.size_wh)

    return make


def _rotate(rng: np.random.Generator, size_wh: tuple[int, int], angle: float) -> Step:
    """Turned whole: the picture becomes larger, nothing is cut."""
    matrix, size = geometry.whole(geometry.rotate(rng.uniform(-angle, angle)), size_wh)
    return Step("rotate", matrix=tuple(matrix.reshape(-1).tolist()), size_wh=size)


def _perspective(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    """Seen from a side: each corner moves by up to a tenth of the sides; nothing is cut."""
    corners = geometry.corners(size_wh)
    moved = corners + rng.uniform(-0.1, 0.1, (4, 2)) * min(strength, 4.0) * np.array(size_wh)
    matrix, size = geometry.whole(geometry.quad_to_quad(corners, moved), size_wh)
    return Step("perspective", matrix=tuple(matrix.reshape(-1).tolist()), size_wh=size)


def _crop(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    """1 to 8 rows are cut off above or below."""
    width, height = size_wh
    rows = min(int(rng.integers(1, 1 + max(1, round(8 * strength)))), height - 1)
    matrix = geometry.translate(0, -rows if rng.random() < 0.5 else 0)
    return Step("crop", matrix=tuple(matrix.reshape(-1).tolist()), size_wh=(width, height - rows))


def _blur(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    return Step("blur", (rng.uniform(0.5, 1.5) * strength,))


def _motion_blur(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    return Step("motion_blur", (float(3 + round(rng.uniform(0, 6) * strength)), rng.uniform(0, 180)))


def _color(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    return Step("color", (max(0.0, 1 + rng.uniform(-0.4, 0.4) * strength),))


def _jitter(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    most = max(1, round(0.03 * min(size_wh) * strength))
    return Step("jitter", (float(rng.integers(1, most + 1)), float(rng.integers(-most, most + 1))))


def _noise(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    return Step("noise", (rng.uniform(2, 15) * strength, float(rng.integers(2**32))))


def _reverse(rng: np.random.Generator, size_wh: tuple[int, int], strength: float) -> Step:
    return Step("reverse")


_Draw = Callable[[np.random.Generator, tuple[int, int], float], Step]
_DRAWS: dict[Name, _Draw] = {
    "distort": _bend("distort", "distort"),
    "stretch": _bend("stretch", "stretch"),
    "tilt": _bend("perspective", "tilt"),
    "rotate": _rotate,
    "perspective": _perspective,
    "crop": _crop,
    "blur": _blur,
    "motion_blur": _motion_blur,
    "color": _color,
    "jitter": _jitter,
    "noise": _noise,
    "reverse": _reverse,
}
_BENT = frozenset({"distort", "stretch", "tilt"})
_LARGE_ONLY = frozenset({"distort", "stretch", "crop", "jitter"})


def _blurred(rgb: Picture, values: tuple[float, ...]) -> Picture:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), values[0]), dtype=np.uint8)


def _moved(rgb: Picture, values: tuple[float, ...]) -> Picture:
    """Smeared along a line, as while the camera moves."""
    length, degrees = values
    side = int(length) // 2 * 2 + 1
    kernel = np.zeros((side, side), dtype=np.float32)
    kernel[side // 2] = 1
    turn = geometry.around(geometry.rotate(degrees), (side / 2 - 0.5, side / 2 - 0.5))
    turned = cv2.warpAffine(kernel, turn[:2], (side, side))
    return np.asarray(cv2.filter2D(rgb, -1, turned / turned.sum(), borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def _coloured(rgb: Picture, values: tuple[float, ...]) -> Picture:
    """Brighter or darker, hue and saturation as they were."""
    return tones.apply(rgb, tones.brightness(values[0]))


def _jittered(rgb: Picture, values: tuple[float, ...]) -> Picture:
    """A doubled, trembling print: the mean of the picture and itself some pixels aside."""
    aside = geometry.translate(values[0], values[1])
    moved = geometry.warp_image(rgb, aside, (rgb.shape[1], rgb.shape[0]), fill=None)
    return np.asarray(cv2.addWeighted(rgb, 0.5, moved, 0.5, 0), dtype=np.uint8)


def _noisy(rgb: Picture, values: tuple[float, ...]) -> Picture:
    """Gaussian noise on each channel, as of a dark sensor."""
    rng = np.random.default_rng(int(values[1]))
    noise = rng.standard_normal(rgb.shape, dtype=np.float32) * np.float32(values[0])
    return np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)


def _reversed(rgb: Picture, values: tuple[float, ...]) -> Picture:
    return tones.apply(rgb, tones.invert())


_APPLIED: dict[Name, Callable[[Picture, tuple[float, ...]], Picture]] = {
    "blur": _blurred,
    "motion_blur": _moved,
    "color": _coloured,
    "jitter": _jittered,
    "noise": _noisy,
    "reverse": _reversed,
}
