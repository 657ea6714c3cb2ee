"""imgaug 0.4.0 (2020) on numpy 2, OpenCV 5 and Pillow 12: its augmenters, built from plain data.

What breaks, and is mended when the package is loaded or an augmenter is built:

    import              needs np.sctypes, gone since numpy 2.0
    FrequencyNoise      needs np.complex, gone since numpy 1.24 (fog, clouds, snowy landscapes use it)
    pillike.Autocontrast        gives Pillow's autocontrast an array where it wants a number (numpy 2)
    WithPolarWarping    joins columns of what cv2.cartToPolar gave, which OpenCV 5 gives as rows
    ElasticTransformation       with whole numbers gives cv2.convertMaps integers
    seed_               leaves lists of augmenters that draw something themselves unseeded

It can go when imgaug has a release later than 0.4.0 that imports on numpy 2.
"""

import functools
import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import MissingExtra, UsageError, escape

Picture = NDArray[np.uint8]
Outline = NDArray[np.float64]

REFUSED = {
    "Augmenter": "is the root of the others",
    "Lambda": "takes Python functions",
    "AssertLambda": "takes Python functions",
    "AssertShape": "checks, changes nothing",
    "SaveDebugImageEveryNBatches": "writes files of its own",
    "BlendAlphaSegMapClassIds": "needs segmentation maps",
    "BlendAlphaBoundingBoxes": "needs boxes with their labels, and is given outlines",
    "BlendAlphaMask": "takes a mask generator, a Python object; the other BlendAlpha... bring their own",
    "Voronoi": "takes a sampler, a Python object; UniformVoronoi and the grids bring their own",
    "imgcorruptlike": "needs the package imagecorruptions, which needs pkg_resources, gone since setuptools 82",
}
"""Augmenters that cannot be had, and why."""

IMAGES_ONLY = frozenset({"RandAugment", "pillike.Affine", "Jigsaw"})
"""Augmenters that refuse pictures with labels."""

CURVING = frozenset({"ElasticTransformation", "PiecewiseAffine", "WithPolarWarping"})
"""Augmenters that bend straight lines."""

_SEEDS = ("seed", "random_state", "deterministic")


@functools.cache
def load() -> Any:
    """Import the package and mend it; return `imgaug`. Raises MissingExtra where it is not installed."""
    for name, value in {"sctypes": _SCTYPES, "complex": complex}.items():
        if name not in vars(np):
            setattr(np, name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            package = importlib.import_module("imgaug")
            augmenters = importlib.import_module("imgaug.augmenters")
        except ModuleNotFoundError as error:
            raise MissingExtra("datatools augment imgaug", "augment") from error
    _mend_autocontrast(augmenters.pillike)
    _mend_polar(augmenters.geometric)
    return package


_SCTYPES = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64, np.longdouble],
    "complex": [np.complex64, np.complex128, np.clongdouble],
    "others": [bool, object, bytes, str, np.void],
}
"""What np.sctypes was."""


def _mend_autocontrast(pillike: Any) -> None:
    broken = pillike._autocontrast_pil

    def autocontrast(image: Picture, cutoff: Any, ignore: Any) -> Any:
        return broken(image, float(np.asarray(cutoff).reshape(-1)[0]), ignore)

    pillike._autocontrast_pil = autocontrast


def _mend_polar(geometric: Any) -> None:
    broken = geometric.WithPolarWarping.warpPolarCoords

    def warp(src: Any, dsize: Any, center: Any, maxRadius: Any, flags: Any) -> Any:
        if flags & _INVERSE:
            return broken(src, dsize, center, maxRadius, flags)
        x, y = src[:, 0] - center[0], src[:, 1] - center[1]
        angle = np.arctan2(y, x) % (2 * np.pi)
        return np.stack([np.hypot(x, y) * dsize[0] / maxRadius, angle * dsize[1] / (2 * np.pi)], axis=1)

    geometric.WithPolarWarping.warpPolarCoords = staticmethod(warp)


_INVERSE = 16
"""cv2.WARP_INVERSE_MAP"""


def find(name: str) -> type | None:
    """The class of an augmenter by its name, as `Fliplr` or `pillike.Autocontrast`; None where there is none."""
    load()
    place: Any = importlib.import_module("imgaug.augmenters")
    root = place.Augmenter
    for part in name.split("."):
        place = getattr(place, part, None)
    return place if isinstance(place, type) and issubclass(place, root) and "_" not in name else None


def build(steps: Any) -> Any:
    """Build the augmenter that a list of steps describes; each is a name with its arguments: `{"Fliplr": {"p": 0.5}}`.

    Arguments are imgaug's own. A list of two numbers is a range to draw from (imgaug's tuple), another list a choice.
    An argument may be an augmenter, a list of them, or a distribution (`{"Normal": {"loc": 0, "scale": 3}}`).
    Raises UsageError where a step is no such thing.
    """
    if not isinstance(steps, list) or not steps:
        raise UsageError("a pipeline of imgaug is a list of augmenters, as - Fliplr: {p: 0.5}")
    children = [_augmenter(step) for step in steps]
    return importlib.import_module("imgaug.augmenters").Sequential(children)


def names_in(steps: Any) -> set[str]:
    """The names of all augmenters and distributions that steps use, at any depth."""
    if isinstance(steps, dict):
        return set(map(str, steps)).union(*(names_in(value) for value in steps.values()))
    return set().union(*(names_in(step) for step in steps)) if isinstance(steps, list) else set()


def _augmenter(step: Any) -> Any:
    if isinstance(step, str):
        step = {step: None}
    if not isinstance(step, dict) or len(step) != 1:
        raise UsageError(f"{escape(step)!s:.80}: a step is one name with its arguments, as Fliplr: {{p: 0.5}}")
    ((name, given),) = step.items()
    name = str(name)
    why = REFUSED.get(name) or REFUSED.get(name.partition(".")[0])
    if why:
        raise UsageError(f"{name} cannot be used here: it {why}")
    kind = find(name)
    if kind is None:
        raise UsageError(f"imgaug has no augmenter {escape(name)} (datatools augment imgaug --list)")
    if given is not None and not isinstance(given, dict):
        raise UsageError(f"{name}: its arguments are names with values, as {{p: 0.5}}")
    arguments = {str(key): _value(value) for key, value in (given or {}).items()}
    if seeds := [key for key in arguments if key in _SEEDS]:
        raise UsageError(f"{name}: {seeds[0]} is not for a pipeline to say; --seed decides")
    if name == "ElasticTransformation":
        arguments = {key: _floats(value) for key, value in arguments.items()}
    if name == "Convolve" and isinstance(arguments.get("matrix"), list):
        arguments["matrix"] = np.array(arguments["matrix"], dtype=np.float32)
    return _made(name, kind, arguments)


def _made(name: str, kind: Any, arguments: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return kind(**arguments)
        except Exception as error:
            told = str(error).split("\n")[0].replace(f"{kind.__name__}.__init__()", "it").strip()
            raise UsageError(f"{name}: {escape(told)[:200]}") from None


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            ((name, given),) = value.items()
            if find(str(name)) or str(name) in REFUSED:
                return _augmenter(value)
            distribution = getattr(importlib.import_module("imgaug.parameters"), str(name), None)
            if isinstance(distribution, type) and isinstance(given, dict):
                return _made(str(name), distribution, {str(key): _value(one) for key, one in given.items()})
        return {key: _value(one) for key, one in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(one, int | float) for one in value):
            return tuple(value)
        return [_value(one) for one in value]
    return value


def _floats(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_floats(one) for one in value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def augment(
    augmenter: Any, seed: int, rgb: Picture, outlines: Sequence[Outline]
) -> tuple[Picture, list[tuple[int, Outline]]]:
    """Run an augmenter on a picture and the outlines on it; the same seed gives the same result.

    rgb: (height, width, 3) uint8. outlines: (n, 2) pixels each. Returns the picture, of any size, and the outlines that
    are left with their numbers; they are not cut at the picture's edge.
    """
    package = load()
    polygons = [package.Polygon(xy.astype(np.float32), label=number) for number, xy in enumerate(outlines)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _seed(augmenter, package.random.RNG(seed))
        if polygons:
            on_image = package.PolygonsOnImage(polygons, shape=rgb.shape)
            image, moved = augmenter(image=rgb.copy(), polygons=on_image)
        else:
            image, moved = augmenter(image=rgb.copy()), ()
    made = np.ascontiguousarray(image, dtype=np.uint8)
    if made.ndim == 2 or made.shape[2] == 1:
        made = np.repeat(made.reshape(*made.shape[:2], 1), 3, axis=2)
    return made, [(polygon.label, polygon.exterior.astype(np.float64)) for polygon in moved]


def _seed(augmenter: Any, rng: Any) -> None:
    """Seed an augmenter with all that is inside it.

    Its own `seed_` goes past lists that are augmenters themselves, as the one of MultiplyAndAddToBrightness that draws
    the order of its children: those went on drawing from the generator that all of the package shares.
    """
    augmenter.random_state = rng.copy()
    lists = augmenter.get_children_lists()
    for children in lists:
        for child in children:
            _seed(child, rng.derive_rng_())
    for children in lists:
        if hasattr(children, "random_state") and children is not augmenter:
            children.random_state = rng.derive_rng_()
