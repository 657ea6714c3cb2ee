"""`datatools haze add`: haze put into clear pictures, by the model that `haze remove` solves."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.values import Image, Rng, Source, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRADIENT = Path("gradient")
"""What `--depth` says where there is no map of depths."""

_ALONE = Source("", ("",))
_LIMITS = {"beta": (0.0, 100.0), "airlight": (0.0, 1.0)}


def _check(root: Path, sources: Iterator[Source], arguments: Mapping[str, Any]) -> None:
    """Refuse what cannot work for any item, before anything is written."""
    for name in _LIMITS:
        if name in arguments:
            parse_range(name, arguments[name])
    depth = arguments.get("depth", GRADIENT)
    if depth != GRADIENT and not depth.exists():
        raise UsageError(f"--depth: {escape(depth)}: no such file or folder; gradient needs none")


@op("haze.add", version=1, generates=True, prepare=_check)
def add(
    image: Image,
    *,
    beta: Annotated[
        str, Param("how dense the haze is at a depth of 1: a number, or a range as 0.6..1.8 to draw from", metavar="X")
    ] = "1.0",
    airlight: Annotated[
        str, Param("brightness of haze without end, 0 to 1: a number, or a range to draw from", metavar="X")
    ] = "0.9",
    depth: Annotated[
        Path,
        Param(
            "how far everything is: gradient (0 at the bottom, 1 at the top), a picture of depths (white is 1), or a "
            "folder of them that bear the pictures' names",
            metavar="FILE",
        ),
    ] = GRADIENT,
    source: Source = _ALONE,
    rng: Rng,
    prepared: None = None,
) -> Image:
    """Add haze to clear pictures, to make pairs for training: I = J t + A (1 - t), t = exp(-beta depth).

    Where ranges are given, every result draws its own haze. All other files of SRC (labels, lists) come along.
    """
    import numpy as np

    from datatools.kernels.scattering import add_haze, depth_gradient

    density = rng.uniform(*parse_range("beta", beta))
    level = rng.uniform(*parse_range("airlight", airlight)) * np.iinfo(image.pixels.dtype).max
    height, width = image.pixels.shape[:2]
    far = depth_gradient(height, width) if depth == GRADIENT else _depth_of(depth, source, (width, height))
    light = np.full(3 if image.pixels.ndim == 3 else 1, level)
    return Image(add_haze(image.pixels, far, density, light))


def parse_range(name: str, text: str) -> tuple[float, float]:
    """Return the ends of a range as `0.6..1.8`; of a single number, that number twice.

    Raises UsageError where it is none, or lies outside of what the parameter can be.

    >>> parse_range("beta", "0.6..1.8"), parse_range("airlight", "0.9")
    ((0.6, 1.8), (0.9, 0.9))
    """
    number = r"([0-9]{1,4}(?:\.[0-9]{1,9})?)"
    found = re.fullmatch(rf"{number}(?:\.\.{number})?", text, re.ASCII)
    least, most = _LIMITS[name]
    if found:
        low, high = float(found[1]), float(found[2] or found[1])
        if least <= low <= high <= most:
            return low, high
    raise UsageError(f"--{name} must be a number or a range as 0.6..0.9, from {least:g} to {most:g} (got {text!r})")


def _depth_of(depth: Path, source: Source, size_wh: tuple[int, int]) -> "NDArray[np.uint16]":
    """The map of depths of an item, on the size of its picture, 65535 standing for 1."""
    import cv2
    import numpy as np

    from datatools.io import images
    from datatools.io.files import read_bytes
    from datatools.kernels.planes import grey_plane

    path = _map_of(depth, source) if depth.is_dir() else depth
    pixels = images.decode_as_is(read_bytes(path, images.MAX_FILE_BYTES), name=str(path))
    height, width = pixels.shape[:2]
    if abs(width * size_wh[1] - height * size_wh[0]) > max(width, height, *size_wh):  # more than a rounded side
        told = f"the map of depths is {width} x {height} pixels, the picture {size_wh[0]} x {size_wh[1]}"
        raise DataError(path, 0, "E-DEPTH-SIZE", told, "both need the same proportions")
    grey = grey_plane(pixels) if pixels.dtype == np.uint16 else grey_plane(pixels).astype(np.uint16) * np.uint16(257)
    how = cv2.INTER_AREA if width > size_wh[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size_wh, interpolation=how), np.uint16)


def _map_of(folder: Path, source: Source) -> Path:
    from datatools.io.images import IMAGE_SUFFIXES

    name = PurePosixPath(source.files[0])
    for suffix in sorted(IMAGE_SUFFIXES):
        path = folder / name.with_suffix(suffix)
        if path.is_file():
            return path
    told = f"there is no map of depths for it in {folder}"
    raise DataError(printable(source.id), 0, "E-DEPTH-MISSING", told, "a picture of the same name, of any format")
