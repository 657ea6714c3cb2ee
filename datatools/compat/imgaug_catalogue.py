"""Which augmenters of imgaug work here: each is tried on a small picture, once with a label on it and once without."""

import importlib
from typing import Any, NamedTuple

import numpy as np

from datatools.compat import imgaug
from datatools.core.errors import UsageError

_FLIP: Any = {"Fliplr": {"p": 1.0}}
_ADD: Any = {"Add": {"value": 40}}
_SIZE = {"width": 80, "height": 48}
_FACTOR = {"width_multiple": 8, "height_multiple": 8}
_BASE = {"width_base": 2, "height_base": 2}

_LAYER = {"intensity_mean": 200, "intensity_freq_exponent": -2.0, "intensity_coarse_scale": 10, "alpha_min": 0}
_CLOUD = {**_LAYER, "alpha_multiplier": 0.3, "alpha_size_px_max": 16, "alpha_freq_exponent": -2.0, "sparsity": 1.0}
_DROPS = {"density": 0.05, "density_uniformity": 0.5, "angle": 10, "speed": 0.02}
_FLAKES = {**_DROPS, "flake_size": 0.5, "flake_size_uniformity": 0.5, "blur_sigma_fraction": 0.001}
_RAIN = {**_DROPS, "drop_size": 0.5, "drop_size_uniformity": 0.5, "blur_sigma_fraction": 0.001}

EXAMPLES: dict[str, dict[str, Any]] = {
    "BlendAlpha": {"factor": 0.5, "foreground": _ADD},
    "BlendAlphaCheckerboard": {"nb_rows": 2, "nb_cols": 2, "foreground": _ADD},
    "BlendAlphaElementwise": {"factor": [0.0, 1.0], "foreground": _ADD},
    "BlendAlphaFrequencyNoise": {"foreground": _ADD},
    "BlendAlphaHorizontalLinearGradient": {"foreground": _ADD},
    "BlendAlphaRegularGrid": {"nb_rows": 2, "nb_cols": 2, "foreground": _ADD},
    "BlendAlphaSimplexNoise": {"foreground": _ADD},
    "BlendAlphaSomeColors": {"foreground": _ADD},
    "BlendAlphaVerticalLinearGradient": {"foreground": _ADD},
    "CenterCropToAspectRatio": {"aspect_ratio": 1.0},
    "CenterCropToFixedSize": _SIZE,
    "CenterCropToMultiplesOf": _FACTOR,
    "CenterCropToPowersOf": _BASE,
    "CenterPadToAspectRatio": {"aspect_ratio": 1.0},
    "CenterPadToFixedSize": _SIZE,
    "CenterPadToMultiplesOf": _FACTOR,
    "CenterPadToPowersOf": _BASE,
    "ChangeColorspace": {"to_colorspace": "HSV"},
    "CloudLayer": {**_CLOUD, "density_multiplier": 1.0},
    "Convolve": {"matrix": [[0.1, 0.1, 0.1], [0.1, 0.2, 0.1], [0.1, 0.1, 0.1]]},
    "CropToAspectRatio": {"aspect_ratio": 1.0},
    "CropToFixedSize": _SIZE,
    "CropToMultiplesOf": _FACTOR,
    "CropToPowersOf": _BASE,
    "KeepSizeByResize": {"children": {"Crop": {"px": 4}}},
    "OneOf": {"children": [_FLIP]},
    "PadToAspectRatio": {"aspect_ratio": 1.0},
    "PadToFixedSize": _SIZE,
    "PadToMultiplesOf": _FACTOR,
    "PadToPowersOf": _BASE,
    "RainLayer": _RAIN,
    "RemoveCBAsByOutOfImageFraction": {"fraction": 0.5},
    "ReplaceElementwise": {"mask": 0.1, "replacement": [0, 255]},
    "Resize": {"size": 0.5},
    "Sequential": {"children": [_FLIP]},
    "SnowflakesLayer": _FLAKES,
    "SomeOf": {"n": 1, "children": [_FLIP, _ADD]},
    "Sometimes": {"p": 1.0, "then_list": [_FLIP]},
    "WithChannels": {"channels": 0, "children": [_ADD]},
    "WithColorspace": {"to_colorspace": "HSV", "children": [_ADD]},
    "WithPolarWarping": {"children": [{"Affine": {"rotate": [-5, 5]}}]},
}
"""Arguments for the augmenters that need some."""


class Entry(NamedTuple):
    """An augmenter, whether it works, and what is to be said of it."""

    name: str
    works: bool
    remark: str = ""


def names() -> list[str]:
    """All augmenters of imgaug, those of its sub-modules with the module's name, sorted."""
    package = imgaug.load()
    top = importlib.import_module("imgaug.augmenters")
    found = {name for name, kind in vars(top).items() if _is_augmenter(kind, top.Augmenter)}
    for module in (top.pillike, top.imgcorruptlike):
        inside = {name for name, kind in vars(module).items() if _is_augmenter(kind, top.Augmenter)}
        prefix = module.__name__.rpartition(".")[2]
        found |= {f"{prefix}.{name}" for name in inside if vars(module)[name].__module__ == module.__name__}
    assert package
    return sorted(found)


def _is_augmenter(kind: object, root: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, root) and not kind.__name__.startswith("_")


def entries() -> list[Entry]:
    """Try every augmenter and say what came of it. Takes some seconds."""
    return [_entry(name) for name in names()]


def _entry(name: str) -> Entry:
    why = imgaug.REFUSED.get(name) or imgaug.REFUSED.get(name.partition(".")[0])
    if why:
        return Entry(name, False, why)
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    outline = np.array([[10.0, 10.0], [40.0, 10.0], [40.0, 30.0], [10.0, 30.0]])
    labels = [] if name in imgaug.IMAGES_ONLY else [outline]
    try:
        augmenter = imgaug.build([{name: EXAMPLES.get(name)}])
        imgaug.augment(augmenter, 1, rgb, labels)
    except UsageError as error:
        return Entry(name, False, str(error))
    except Exception as error:
        return Entry(name, False, f"fails: {type(error).__name__}: {error}".split("\n")[0][:160])
    return Entry(name, True, "" if labels else "pictures without boxes and outlines only")
