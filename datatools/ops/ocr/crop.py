"""`datatools ocr crop`: from text detection to text recognition: every text cut out, upright, with its label."""

from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.op import Param, op
from datatools.core.records import TextRegion
from datatools.core.values import TextCuts, TextPage
from datatools.ops.ocr.options import Encoding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

NO_AREA = 1e-6


@op("ocr.crop", version=1)
def crop(
    page: TextPage,
    *,
    tall: Annotated[
        float, Param("lay cut-outs of this height / width and more on their side, as trainers do; 0 never", ge=0)
    ] = 1.5,
    encode: Encoding = "jpg",
) -> TextCuts:
    """Cut every text of a detection set out, rectified by perspective, and write them as a recognition set.

    Regions that are ignored or have no text are left out. Of an outline of more than four corners the smallest
    rectangle is cut, read the same way; one whose corners go round counterclockwise is turned round first. Cut-outs are
    called `<page>_crop_<number>`, by which `ocr split` knows their page.
    """
    cuts: list[tuple[str, Any, str]] = []
    left_out: list[tuple[str, str]] = []
    for number, region in enumerate(page.regions):
        end = f"_crop_{number}"
        if why := _useless(region):
            left_out.append((end, why))
            continue
        try:
            cuts.append((end, cut_out(page.pixels, region, tall), region.text))
        except ValueError as error:
            left_out.append((end, str(error)))
    return TextCuts(tuple(cuts), tuple(left_out), f".{encode}")


def _useless(region: TextRegion) -> str:
    """Why no line can be made of a region, whatever its outline is."""
    if region.ignore:
        return "ignored"
    if not region.text.strip():
        return "no text"
    if any(c in region.text for c in "\t\n\r\0"):
        return "a TAB or line end in the text, which no line can hold"
    return ""


def cut_out(picture: "Picture", region: TextRegion, tall: float) -> "Picture":
    """Cut one region out of (height, width, 3) uint8 RGB and set it upright.

    Raises ValueError, in a few words that are the same for all such regions, where it has no area, crosses itself, or
    does not lie in the picture.
    """
    import numpy as np

    from datatools.kernels import polygons, rectify

    points = np.array(region.points)
    height, width = picture.shape[:2]
    if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= (width, height)).any():
        raise ValueError("outside of the image")
    if len(points) > 4 or not polygons.is_convex(points):
        points = _sound(points)
    if max(np.ptp(points, axis=0)) > 2 * (height + width):  # a slip of a digit; it would fill the memory
        raise ValueError("far larger than the image")
    return rectify.rectify(picture, points, tall=tall)


def _sound(points: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The quad to cut of an outline that is none itself. Raises ValueError where it has no inside."""
    import numpy as np

    from datatools.kernels import polygons

    if polygons.crosses_itself(points):
        raise ValueError("its sides cross")
    area = polygons.signed_area(points)
    if abs(area) < NO_AREA:
        raise ValueError("no area")
    if area < 0:  # as it stands it would be cut mirrored
        points = np.roll(points[::-1], 1, axis=0)
    return points if len(points) == 4 and polygons.is_convex(points) else polygons.to_quad(points)
