"""The rules of `datatools voc fix`, pure: from what an annotation says to the texts that have to change.

They are applied in the order of `RULES`, each to what the ones before have left:

    size        the image header's width, height and depth, where the declared ones are another's
    corners     xmin and xmax, ymin and ymax change places where the first is the larger
    round       numbers with decimals to whole ones, half up (away from each other where a side would vanish)
    clip        corners outside the image are moved to its border
    labels      blanks at the ends of a label go
    filename    <filename> becomes the name of the image that was found
    duplicates  of objects with the same label and the same box, the first stays
    zero-area   objects whose box has no area inside the image go; only when named
    exif        the image's EXIF turn is baked into its pixels; only when named (the pixels: datatools.io.upright)

A rule that cannot tell leaves the annotation as it is, so that lint goes on naming it. Applying them twice changes
nothing the second time.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from datatools.core.errors import UsageError

RULES = ("size", "corners", "round", "clip", "labels", "filename", "duplicates", "zero-area", "exif")
"""All rules, in the order in which they are applied."""

ON_DEMAND = frozenset({"zero-area", "exif"})
"""Rules that drop objects or pixels: applied only when they are named."""

OF_OBJECTS = frozenset({"corners", "round", "clip", "labels", "duplicates", "zero-area"})
"""Rules that look at objects; without one of them `Said.objects` may be empty."""

CORNERS = ("xmin", "ymin", "xmax", "ymax")

Four = tuple[float, float, float, float]


class SaidObject(NamedTuple):
    """One object as the file has it, or a part of one.

    corners: texts of xmin, ymin, xmax, ymax. numbers: what they are, None where one is absent or not a number.
    """

    name: str | None
    corners: tuple[str, ...]
    numbers: Four | None
    parts: tuple["SaidObject", ...] = ()


class Said(NamedTuple):
    """What an annotation says. size: texts of width, height, depth, None where absent; None without <size>."""

    filename: str | None
    size: tuple[str | None, str | None, str | None] | None
    objects: tuple[SaidObject, ...]


class Picture(NamedTuple):
    """What the image is. displayed_wh has the EXIF turn applied, stored_wh not. channels: 0 where unknown."""

    displayed_wh: tuple[int, int]
    stored_wh: tuple[int, int]
    channels: int


class Edit(NamedTuple):
    """One change. place: "filename", "size", "size/width" ..., "name", "xmin" ... or "object", which is removed.

    text: the new one; of "size": width, height and depth. number: index of the object, part: of its part; -1 for none.
    """

    rule: str
    place: str
    text: str
    number: int = -1
    part: int = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of a run and what they go by.

    low: the smallest corner inside an image, 1 in files that count from 1, 0 in others, None where it depends on the
    whole set, which nobody has looked at yet. rounds_boxes: whether round is for boxes too, not for sizes alone.
    """

    rules: frozenset[str]
    low: int | None = None
    rounds_boxes: bool = True


class NeedsCoords(Exception):
    """The set's coordinate convention decides about this file; ask again with Plan.low."""


def parse_rules(words: Iterable[str]) -> frozenset[str]:
    """Read rule names as users type them: several words, commas inside; "default" and "all" are names too.

    Raises UsageError for a name that is no rule, with the nearest one.

    >>> sorted(parse_rules(["size,clip", "labels"]))
    ['clip', 'labels', 'size']
    >>> sorted(set(RULES) - parse_rules([]))
    ['exif', 'zero-area']
    """
    default = frozenset(RULES) - ON_DEMAND
    named = [part.strip() for word in words for part in word.split(",") if part.strip()] or ["default"]
    found: set[str] = set()
    for name in named:
        if name == "default":
            found |= default
        elif name == "all":
            found |= set(RULES)
        elif name in RULES:
            found.add(name)
        else:
            import difflib

            near = difflib.get_close_matches(name, (*RULES, "default", "all"), n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(RULES)}, default, all"
            raise UsageError(f"there is no rule {name!r}{hint}")
    return frozenset(found)


def mend(said: Said, plan: Plan, picture: Picture | None = None, names: tuple[str, str] = ("", "")) -> list[Edit]:
    """Return the changes that make the annotation right, in the order of the file.

    picture: None where there is no image, or no readable one. names: of the XML without suffix, and of the image that
    has the same one; "" where there is none. Raises NeedsCoords.

    >>> said = Said("a.jpg", ("0", "0", "3"), (SaidObject("cat", ("9", "1", "2", "700"), (9.0, 1.0, 2.0, 700.0)),))
    >>> for edit in mend(said, Plan(parse_rules([])), Picture((640, 480), (640, 480), 3), ("a", "a.jpg")):
    ...     print(edit.rule, edit.place, edit.text)
    size size/width 640
    size size/height 480
    corners xmin 2
    corners xmax 9
    clip ymax 480
    """
    rules = plan.rules
    edits: list[Edit] = []
    if "filename" in rules and said.filename is not None and names[1]:
        here = said.filename.replace("\\", "/").rpartition("/")[2].strip()
        if here and here not in names:
            edits.append(Edit("filename", "filename", names[1]))
    size_wh = _mend_size(said.size, rules, picture, edits)
    seen: set[tuple[str, Four]] = set()
    for number, one in enumerate(said.objects):
        label = (one.name or "").strip()
        box, changes, lost = _mend_box(one, plan, size_wh)
        if box is not None:
            if lost and "zero-area" in rules:
                edits.append(Edit("zero-area", "object", "", number))
                continue
            if "duplicates" in rules:
                if (label, box) in seen:
                    edits.append(Edit("duplicates", "object", "", number))
                    continue
                seen.add((label, box))
        if one.name is not None and one.name != label and label and "labels" in rules:
            edits.append(Edit("labels", "name", label, number))
        edits += [Edit(rule, CORNERS[i], text, number) for i, rule, text in changes]
        for part, of_part in enumerate(one.parts):
            _, changes, _ = _mend_box(of_part, plan, size_wh)
            edits += [Edit(rule, CORNERS[i], text, number, part) for i, rule, text in changes]
    return edits


def _mend_size(
    size: tuple[str | None, str | None, str | None] | None,
    rules: frozenset[str],
    picture: Picture | None,
    edits: list[Edit],
) -> tuple[int, int] | None:
    """Add what has to change in <size>; return the width and height of the image, None where nobody knows them."""
    if picture is None:
        wh = declared_wh(size)
    elif picture.displayed_wh != picture.stored_wh and declared_wh(size) == picture.stored_wh:
        wh = picture.stored_wh  # the boxes were drawn on this one (EXIF)
    else:
        wh = picture.displayed_wh
    if "size" in rules and picture is not None:
        assert wh is not None
        depth = 1 if picture.channels <= 2 else 3
        if size is None or size[0] is None or size[1] is None:
            edits.append(Edit("size", "size", f"{wh[0]} {wh[1]} {depth}"))
            return wh
        for place, text, right in zip(("size/width", "size/height"), size, wh, strict=False):
            if text is not None and text != str(right) and _whole(text) != right:
                edits.append(Edit("size", place, str(right)))
        if size[2] is not None and size[2] != str(depth) and _value(size[2]) not in (depth, picture.channels):
            edits.append(Edit("size", "size/depth", str(depth)))
    elif size is not None and wh is not None and ("size" in rules or "round" in rules):
        for tag, text in zip(("width", "height"), size, strict=False):
            value = _value(text) if text is not None else None
            if text is not None and value is not None and "." in text:
                edits.append(Edit("size" if "size" in rules else "round", f"size/{tag}", str(_half_up(value))))
    return wh


def declared_wh(size: tuple[str | None, str | None, str | None] | None) -> tuple[int, int] | None:
    """The width and height that the file says, rounded half up; None where they are no size."""
    if size is None or size[0] is None or size[1] is None:
        return None
    width, height = _value(size[0]), _value(size[1])
    if width is None or height is None or not (width > 0 and height > 0):
        return None
    return _half_up(width), _half_up(height)


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)


def _value(text: str) -> float | None:
    if text.isascii() and text.isdigit() and len(text) < 8:
        return int(text)
    from datatools.io.voc.document import number

    return number(text)


def _whole(text: str) -> float | None:
    """The number that the text is; None where it is none or has decimals."""
    return None if "." in text else _value(text)


def _mend_box(
    one: SaidObject, plan: Plan, size_wh: tuple[int, int] | None
) -> tuple[Four | None, list[tuple[int, str, str]], bool]:
    """Return the mended box, its changes (index of the corner, rule, text), and whether it has no area in the image."""
    if one.numbers is None:
        return None, [], False
    box, texts, rules = list(one.numbers), list(one.corners), plan.rules
    fractions = "." in "".join(texts)
    low = 0 if plan.low is None else plan.low
    wide, high = size_wh or (math.inf, math.inf)
    x0, y0, x1, y1 = box
    if low <= x0 < x1 <= wide and low <= y0 < y1 <= high and not (fractions and plan.rounds_boxes):
        return one.numbers, [], False
    by_rule = ["", "", "", ""]
    unsure = False
    for i in (0, 1):
        if "corners" in rules and box[i + 2] < box[i]:
            box[i], box[i + 2] = box[i + 2], box[i]
            texts[i], texts[i + 2] = texts[i + 2], texts[i]
            by_rule[i] = by_rule[i + 2] = "corners"
            unsure = unsure or box[i] < 1  # the swap brought a 0 to xmin: right in files that count from 0 alone
        if "round" in rules and plan.rounds_boxes and "." in texts[i] + texts[i + 2]:
            box[i], box[i + 2] = _rounded(box[i], box[i + 2])
            for j in (i, i + 2):
                if "." in texts[j]:
                    by_rule[j], texts[j] = "round", str(box[j])
    lost = box[0] == box[2] or box[1] == box[3]
    if "clip" in rules and size_wh is not None:
        if plan.low is None and unsure:
            raise NeedsCoords
        clipped = [max(box[0], low), max(box[1], low), min(box[2], wide), min(box[3], high)]
        if all(clipped[i] < clipped[i + 2] or box[i] == clipped[i] == clipped[i + 2] == box[i + 2] for i in (0, 1)):
            for i, value in enumerate(clipped):
                if box[i] != value:
                    box[i], by_rule[i], texts[i] = value, "clip", str(value)
        else:
            lost = True  # nothing of it lies in the image: a person decides
    changes = [(i, rule, texts[i]) for i, rule in enumerate(by_rule) if rule]
    return (box[0], box[1], box[2], box[3]), changes, lost


def _rounded(low: float, high: float) -> tuple[int, int]:
    """Half up; outwards where the side would vanish."""
    a, b = _half_up(low), _half_up(high)
    return (a, b) if a != b or low == high else (math.floor(low), math.ceil(high))
