"""What lint checks in the objects of one XML: labels and boxes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datatools.core.findings import Finding
from datatools.ops.voc.codes import finding

if TYPE_CHECKING:
    from datatools.io.voc.document import Document, RawBox, RawObject

CORNERS = ("xmin", "ymin", "xmax", "ymax")
WH = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. least: the smallest coordinate inside an image."""

    deep: bool
    min_size: float
    least: float


@dataclass(slots=True)
class Checked:
    """What one check found, and what the checks of the whole set go on with.

    filename: the text of <filename> and its line. labels: stripped label -> first line and count.
    lowest: the least xmin or ymin. thin: line, xmax - xmin and ymax - ymin of boxes that may be too small.
    sample: size of the image file and check sum of its head; copies have the same. None where it could not be read.
    """

    findings: list[Finding] = field(default_factory=list)
    filename: tuple[str, int] = ("", 1)
    labels: dict[str, tuple[int, int]] = field(default_factory=dict)
    lowest: float = math.inf
    thin: list[tuple[int, float, float]] = field(default_factory=list)
    sample: tuple[int, int] | None = None


def check_objects(name: str, document: "Document", wh: WH | None, options: Options, checked: Checked) -> None:
    """Check the objects of an XML and add what is found. name: of the file. wh: the image's size where it is known."""
    from datatools.io.voc.document import shown

    seen: set[tuple[str, tuple[float, ...]]] = set()
    for raw in document.objects:
        label = raw.name.text.strip() if raw.name else ""
        checked.findings += _label(name, raw, label)
        if label:
            first, count = checked.labels.get(label, (raw.line, 0))
            checked.labels[label] = (first, count + 1)
        if raw.bndbox is None:
            what = f"{shown(label)}: no <bndbox>" if label else "no <bndbox>"
            checked.findings.append(finding("E-OBJECT-NO-BOX", name, raw.line, what))
        else:
            corners = raw.bndbox.numbers()
            if corners is not None:
                checked.lowest = min(checked.lowest, corners[0], corners[1])
                if (label, corners) in seen:
                    what = f"{shown(label)}: the same box stands above"
                    checked.findings.append(finding("W-BOX-DUPLICATE", name, raw.line, what))
                seen.add((label, corners))
                wide, high = corners[2] - corners[0], corners[3] - corners[1]
                if min(wide, high) > 0 and min(wide, high) < options.min_size:
                    checked.thin.append((raw.line, wide, high))
        for one in (raw, *raw.parts):
            if one.bndbox is not None and not _is_sound(one.bndbox, wh, options.least):
                checked.findings += _box(name, one, one.bndbox, wh, options.least)


def _label(name: str, raw: "RawObject", label: str) -> Iterator[Finding]:
    from datatools.io.voc.document import shown

    if not label:
        yield finding("E-OBJECT-NO-NAME", name, raw.line, "the name is blank" if raw.name else "no <name>")
    elif raw.name and raw.name.text != label:
        yield finding("W-LABEL-BLANKS", name, raw.name.line, f"{shown(raw.name.text)} has blanks at its ends")


def _is_sound(box: "RawBox", wh: WH | None, least: float) -> bool:
    """Whether `_box` would find nothing: most boxes of most sets."""
    corners = box.numbers()
    if corners is None or any("." in text.text for text in box.corners if text):
        return False
    xmin, ymin, xmax, ymax = corners
    wide, high = wh or (math.inf, math.inf)
    return least <= xmin < xmax <= wide and least <= ymin < ymax <= high


def _box(name: str, raw: "RawObject", box: "RawBox", wh: WH | None, least: float) -> Iterator[Finding]:
    """The problems of one box, each once, at the line of its object."""
    from datatools.io.voc.document import number, shown

    corners = box.numbers()
    if corners is None:
        wrong = (
            f"{tag} is not a number: {shown(text.text)}" if text else f"no <{tag}>"
            for tag, text in zip(CORNERS, box.corners, strict=True)
            if text is None or number(text.text) is None
        )
        yield finding("E-BOX-INVALID", name, raw.line, ", ".join(wrong))
        return
    texts = [(tag, text.text.strip()) for tag, text in zip(CORNERS, box.corners, strict=True) if text]
    fractions = [f"{tag} {text if len(text) <= 12 else text[:9] + '...'}" for tag, text in texts if "." in text]
    if fractions:
        yield finding("W-BOX-FRACTION", name, raw.line, ", ".join(fractions))
    xmin, ymin, xmax, ymax = corners
    spans = (("x", xmin, xmax), ("y", ymin, ymax))
    inverted = [f"{axis}min {low:.8g} > {axis}max {high:.8g}" for axis, low, high in spans if low > high]
    if inverted:
        yield finding("E-BOX-INVERTED", name, raw.line, ", ".join(inverted))
    empty = [f"{axis}min = {axis}max = {low:.8g}" for axis, low, high in spans if low == high]
    if empty:
        yield finding("E-BOX-EMPTY", name, raw.line, ", ".join(empty))
    outside = [f"{tag} {value:.8g} < {least:.8g}" for tag, value in zip(CORNERS, corners, strict=True) if value < least]
    remedy = ""
    if wh is not None:
        limits = (("width", wh[0]), ("height", wh[1])) * 2
        outside += [
            f"{tag} {value:.8g} > {side} {limit:.8g}"
            for tag, value, (side, limit) in zip(CORNERS, corners, limits, strict=True)
            if value > limit
        ]
        if not inverted and (xmin > wh[0] or ymin > wh[1] or xmax < least or ymax < least):
            remedy = "nothing of it is in the image: look at it; datatools voc fix --rule zero-area removes it"
    if outside:
        yield finding("E-BOX-OUTSIDE", name, raw.line, ", ".join(outside), remedy)
