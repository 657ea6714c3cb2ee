"""Cutting the texts of one page out of its image."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError
from datatools.core.op import Param
from datatools.core.records import TextRegion

if TYPE_CHECKING:
    from datatools.kernels.rectify import Picture

QUALITY = 95

Encoding = Annotated[Literal["jpg", "png"], Param("images are written as JPEG of quality 95, or as PNG without loss")]


@dataclass(frozen=True, slots=True)
class Page:
    """A page to cut. path: absolute. name: relative to the set. stem: what the names of its cut-outs begin with."""

    path: str
    name: str
    stem: str
    split: str
    regions: tuple[TextRegion, ...]


@dataclass(slots=True)
class Cuts:
    """What was made of one page.

    lines: (name of the image, text, its bytes). left_out: why, once for each region. changed: what was made to fit.
    failures: of the image, or of regions that cannot be cut.
    """

    lines: list[tuple[str, str, bytes]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    failures: list[DataError] = field(default_factory=list)


def cut_file(page: Page, *, tall: float, encode: Literal["jpg", "png"]) -> Cuts:
    """Read an image and cut its regions. Each is in `lines`, or counted in `left_out` or `failures`."""
    from datatools.io import files, images

    cuts = Cuts()
    wanted = []
    for number, region in enumerate(page.regions):
        if region.ignore or not region.text.strip():
            cuts.left_out.append("ignored" if region.ignore else "without a text")
        elif any(c in region.text for c in "\t\n\r\0"):
            cuts.left_out.append("with a TAB or line end in the text, which no recognition line can hold")
        else:
            wanted.append((number, region))
    if not wanted:
        return cuts
    try:
        data = files.read_bytes(page.path, images.MAX_FILE_BYTES)
        picture = images.decode(data, name=page.name)
    except DataError as error:
        cuts.failures.append(DataError(page.name, error.line, error.code, error.message, error.remedy))
        cuts.left_out += ["of an image that cannot be read"] * len(wanted)
        return cuts
    for number, region in wanted:
        try:
            cut = cut_region(picture, region, tall, cuts.changed)
        except ValueError as error:
            what = f"region {number + 1} {region.text[:30]!r}: {error}"
            cuts.failures.append(DataError(page.name, 0, "E-REGION-CUT", what, "datatools ocr lint names the line"))
            cuts.left_out.append("that cannot be cut")
            continue
        encoded = images.encode_png(cut) if encode == "png" else images.encode_jpeg(cut, QUALITY)
        cuts.lines.append((f"{page.stem}_crop_{number}.{encode}", region.text, encoded))
    return cuts


def cut_region(picture: "Picture", region: TextRegion, tall: float, changed: list[str]) -> "Picture":
    """Cut one region out of (height, width, 3) uint8 RGB; what had to be made to fit is added to `changed`.

    Raises ValueError where the outline has no area, crosses itself, or lies outside of the picture.
    """
    import numpy as np

    from datatools.kernels import polygons
    from datatools.kernels.rectify import rectify

    points = np.array(region.points)
    height, width = picture.shape[:2]
    if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= (width, height)).any():
        raise ValueError("it lies outside of the image")
    if polygons.crosses_itself(points[None])[0]:
        raise ValueError("its sides cross")
    area = polygons.signed_area(points)
    if abs(area) < 1e-6:
        raise ValueError("it has no area")
    if area < 0:  # as it stands it would be cut mirrored
        points = np.roll(points[::-1], 1, axis=0)
        changed.append("counterclockwise, turned round")
    quad = points
    if len(points) > 4 or not polygons.is_convex(points):
        quad = polygons.to_quad(points)
        why = "of more than four corners" if len(points) > 4 else "not convex"
        changed.append(f"{why}, the smallest rectangle cut")
    limit = 2 * (height + width)  # a text is not much larger than its picture; a slip of a digit can be
    if max(np.ptp(quad, axis=0)) > limit:
        raise ValueError(f"it is larger than the {width} x {height} image")
    return rectify(picture, quad, tall=tall)
