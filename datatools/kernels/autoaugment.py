"""AutoAugment: one of 25 pairs of operations that a search found best for ImageNet (Cubuk et al., CVPR 2019)."""

import numpy as np

from datatools.kernels.policy import Name, Step

_Half = tuple[Name, float, int]

POLICIES: tuple[tuple[_Half, _Half], ...] = (
    (("posterize", 0.4, 8), ("rotate", 0.6, 9)),
    (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
    (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
    (("posterize", 0.6, 7), ("posterize", 0.6, 6)),
    (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
    (("equalize", 0.4, 0), ("rotate", 0.8, 8)),
    (("solarize", 0.6, 3), ("equalize", 0.6, 0)),
    (("posterize", 0.8, 5), ("equalize", 1.0, 0)),
    (("rotate", 0.2, 3), ("solarize", 0.6, 8)),
    (("equalize", 0.6, 0), ("posterize", 0.4, 6)),
    (("rotate", 0.8, 8), ("color", 0.4, 0)),
    (("rotate", 0.4, 9), ("equalize", 0.6, 0)),
    (("equalize", 0.0, 0), ("equalize", 0.8, 0)),
    (("invert", 0.6, 0), ("equalize", 1.0, 0)),
    (("color", 0.6, 4), ("contrast", 1.0, 8)),
    (("rotate", 0.8, 8), ("color", 1.0, 2)),
    (("color", 0.8, 8), ("solarize", 0.8, 7)),
    (("sharpness", 0.4, 7), ("invert", 0.6, 0)),
    (("shear_x", 0.6, 5), ("equalize", 1.0, 0)),
    (("color", 0.4, 0), ("equalize", 0.6, 0)),
    (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
    (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
    (("invert", 0.6, 0), ("equalize", 1.0, 0)),
    (("color", 0.6, 4), ("contrast", 1.0, 8)),
    (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
)
"""Operation, probability and magnitude (0 to 9) of both halves; the search came to some pairs twice."""


def draw(rng: np.random.Generator) -> tuple[Step, ...]:
    """Draw one pair and which of its halves are applied."""
    policy = POLICIES[int(rng.integers(len(POLICIES)))]
    chances, signs = rng.random(2).tolist(), rng.random(2).tolist()
    return tuple(
        _step(name, magnitude / 9, 1.0 if sign < 0.5 else -1.0)
        for (name, probability, magnitude), chance, sign in zip(policy, chances, signs, strict=True)
        if chance < probability
    )


def _step(name: Name, level: float, sign: float) -> Step:
    match name:
        case "shear_x":
            return Step(name, sign * 0.3 * level)
        case "rotate":
            return Step(name, sign * 30 * level)
        case "color" | "contrast" | "sharpness":
            return Step(name, 1 + sign * 0.9 * level)
        case "posterize":
            return Step(name, 8 - round(4 * level))
        case "solarize":
            return Step(name, 256 * (1 - level))
    return Step(name)
