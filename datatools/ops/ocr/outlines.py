"""What lint checks in the outlines of regions, all regions of a set at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datatools.core.findings import Finding
from datatools.core.records import TextRegion
from datatools.ops.ocr.codes import finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TALL = 1.5
NO_AREA = 1e-6


@dataclass(frozen=True, slots=True)
class Outline:
    """A region with its place: file and line of its page, its number there, the image's size ((0, 0) if unknown)."""

    file: str
    line: int
    number: int
    region: TextRegion
    size_wh: tuple[int, int]

    def found(self, code: str, message: str) -> Finding:
        """A finding about the region, which names it by its number and text."""
        return finding(code, self.file, self.line, f"region {self.number} {_shown(self.region.text)}: {message}")


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 30 else repr(text[:29]) + "..."


def check(outlines: Sequence[Outline], min_size: float) -> Iterator[Finding]:
    """Name what is wrong with the outlines; those with equally many corners are computed together."""
    import numpy as np

    by_corners: dict[int, list[Outline]] = defaultdict(list)
    for outline in outlines:
        by_corners[len(outline.region.points)].append(outline)
    for same in by_corners.values():
        points = np.array([outline.region.points for outline in same])
        yield from _checked(same, points, min_size)


def _checked(same: Sequence[Outline], points: "Floats", min_size: float) -> Iterator[Finding]:
    import numpy as np

    from datatools.kernels import polygons

    areas = polygons.signed_area(points)
    crossed = polygons.crosses_itself(points)
    sizes = np.array([outline.size_wh for outline in same], np.float64)
    low, high = points.min(axis=1), points.max(axis=1)
    known = (sizes > 0).all(axis=1)
    outside = known & ((high <= 0) | (low >= sizes)).any(axis=1)
    over = np.where(known, np.maximum(-low, high - sizes).max(axis=1), 0.0)
    sides = sides_of(points)
    for i in np.flatnonzero(crossed).tolist():
        yield same[i].found("E-POLY-CROSSED", "its sides cross")
    for i in np.flatnonzero(~crossed & (abs(areas) <= NO_AREA)).tolist():
        yield same[i].found("E-POLY-EMPTY", "no area")
    sound = ~crossed & (abs(areas) > NO_AREA)
    for i in np.flatnonzero(sound & (areas < 0)).tolist():
        yield same[i].found("E-POLY-ORDER", "counterclockwise")
    for i in np.flatnonzero(sound & (sides.min(axis=1) < min_size)).tolist():
        yield same[i].found("W-POLY-TINY", f"{sides[i, 0]:.3g} x {sides[i, 1]:.3g} px")
    for i in np.flatnonzero(outside).tolist():
        yield same[i].found("E-POLY-OUTSIDE", f"nothing of it is inside the {_by(same[i])} image")
    for i in np.flatnonzero(~outside & (over > 0)).tolist():
        yield same[i].found("W-POLY-BOUNDS", f"{over[i]:.3g} px outside of the {_by(same[i])} image")
    if points.shape[1] == 4:
        yield from _starts(same, points, sound & (areas > 0), sides)


def sides_of(points: "Floats") -> "Floats":
    """Mean width and height, (N, 2): of a quad itself, of other polygons of the smallest rectangle around them."""
    import numpy as np

    from datatools.kernels import polygons

    if points.shape[1] == 4:
        return polygons.mean_sides(points)
    return polygons.mean_sides(np.array([polygons.to_quad(one) for one in points]))


def _starts(same: Sequence[Outline], quads: "Floats", sound: "NDArray[np.bool_]", sides: "Floats") -> Iterator[Finding]:
    """Quads whose first side is not the one along which a text is usually read."""
    import numpy as np

    x, y = (quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]).T
    leftwards = sound & (x < 0) & (abs(x) >= abs(y))
    steep = sound & (abs(y) > abs(x)) & (sides[:, 1] >= TALL * sides[:, 0])
    for i in np.flatnonzero(leftwards | steep).tolist():
        outline = same[i]
        if outline.region.ignore or len(outline.region.text) < 2:
            continue
        what = "its first side runs leftwards" if leftwards[i] else "its first side is a short one that runs downwards"
        yield outline.found("W-POLY-START", what if leftwards[i] or y[i] > 0 else what.replace("down", "up"))


def _by(outline: Outline) -> str:
    width, height = outline.size_wh
    return f"{width} x {height}"
