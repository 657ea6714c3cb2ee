"""RandAugment: a few operations drawn at random, all at one strength (Cubuk, Zoph, Shlens, Le, NeurIPS 2020).

Two presets differ in their operations and scales:

    paper       14 operations, magnitude 0 to 30 (as torchvision's 31 bins), 2 operations of magnitude 9 by default;
                shear to 0.3, shift to 150/331 of the side, rotation to 30 degrees, factors 1 +- 0.9, posterize 8 to 4
                bits, solarize threshold 256 to 0; signs at random
    paddleocr   the 14 of PaddleOCR's text recognition (invert in place of identity), magnitude 0 to 10, default 5, and
                half of the draws change nothing; at 5 its numbers are the same, further up and down it differs in that
                a rotation's sign is random (there always +), and posterize and solarize grow stronger, not weaker,
                with the magnitude
"""

from typing import Literal

import numpy as np

from datatools.kernels.policy import Name, Step

Preset = Literal["paper", "paddleocr"]

_BOTH: tuple[Name, ...] = (
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "color",
    "contrast",
    "brightness",
    "sharpness",
    "posterize",
    "solarize",
    "autocontrast",
    "equalize",
)
OPERATIONS: dict[Preset, tuple[Name, ...]] = {"paper": (*_BOTH, "identity"), "paddleocr": (*_BOTH, "invert")}
MOST: dict[Preset, int] = {"paper": 30, "paddleocr": 10}
"""The largest magnitude of a preset."""
USUAL: dict[Preset, int] = {"paper": 9, "paddleocr": 5}
"""The magnitude of a preset where none is named."""
APPLIED: dict[Preset, float] = {"paper": 1.0, "paddleocr": 0.5}
"""The share of the draws that change the picture at all."""


def draw(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    *,
    ops: int = 2,
    magnitude: float | None = None,
    preset: Preset = "paper",
) -> tuple[Step, ...]:
    """Draw the steps for one picture; with replacement, in the order in which they are applied.

    ValueError where the magnitude is beyond the preset's scale.
    """
    level = (USUAL[preset] if magnitude is None else magnitude) / MOST[preset]
    if not 0 <= level <= 1:
        raise ValueError(f"the magnitudes of preset {preset} go from 0 to {MOST[preset]} (got {magnitude:g})")
    if rng.random() >= APPLIED[preset]:
        return ()
    names = OPERATIONS[preset]
    drawn = rng.integers(0, len(names), ops).tolist()
    return tuple(_step(names[i], level, preset, size_wh, rng.random() < 0.5) for i in drawn)


def _step(name: Name, level: float, preset: Preset, size_wh: tuple[int, int], negative: bool) -> Step:
    sign = -1.0 if negative else 1.0
    match name:
        case "shear_x" | "shear_y":
            return Step(name, sign * 0.3 * level)
        case "translate_x" | "translate_y":
            side = size_wh[0] if name == "translate_x" else size_wh[1]
            return Step(name, sign * round(150 / 331 * level * side))
        case "rotate":
            return Step(name, sign * 30 * level)
        case "color" | "contrast" | "brightness" | "sharpness":
            return Step(name, 1 + sign * 0.9 * level)
        case "posterize":
            return Step(name, 8 - round(4 * level) if preset == "paper" else 4 - int(4 * level))
        case "solarize":
            return Step(name, 256 * (1 - level))
    return Step(name)
