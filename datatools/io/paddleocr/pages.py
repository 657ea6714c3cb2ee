"""Labels of text detection: a JSON list of regions, `{"transcription": "...", "points": [[x, y], ...]}`.

`###` and `*` in place of a text say that nobody can read it; so does `"difficult": true`, which PPOCRLabel knew. Other
keys (`difficult`, `key_cls` ...) are kept. Coordinates are float pixels of the picture as displayed.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from datatools.core.records import TextRegion

IGNORED = ("###", "*")
"""What stands in place of the text of a region that is ignored."""

MAX_COORDINATE = 10_000_000
MIN_POINTS, MAX_POINTS = 4, 1000

_NUMBER = r"-?[0-9]{1,7}(?:\.[0-9]{1,20})?"
_POINT = rf"\[{_NUMBER}, ?{_NUMBER}\]"
_TEXT = r'"(?:[^"\\]|\\[^u]|\\u(?![dD][89a-fA-F]))*+"'
_REGION = (
    rf'\{{"transcription": ?{_TEXT}, ?"points": ?\[{_POINT}(?:, ?{_POINT}){{{MIN_POINTS - 1},{MAX_POINTS - 1}}}+\]'
    r'(?:, ?"difficult": ?(?:true|false))?\}'
)
_USUAL = re.compile(rf"\[(?:{_REGION}(?:, ?{_REGION})*+)?\]", re.ASCII)
"""Labels as the usual tools write them, of which only the JSON itself has still to be proved right."""

_DIFFICULT = {True: (("difficult", "true"),), False: (("difficult", "false"),)}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SEPARATORS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def regions(label: str) -> tuple[TextRegion, ...]:
    r"""Return the regions of a page. No region is fine; a bad one makes the whole label an error.

    A page without one of its texts would teach a detector that this text is background, so no part is taken.
    Raises ValueError that says what is wrong.

    >>> regions('[{"transcription": "caf\\u00e9", "points": [[0, 0], [9, 0], [9, 5], [0, 5]]}]')[0].text
    'café'
    >>> regions('[{"transcription": "a", "points": [[0, 0], [9, 0]]}]')
    Traceback (most recent call last):
    ValueError: region 1: 2 points; an outline has 4 to 1000
    """
    try:
        if _USUAL.fullmatch(label):
            return tuple([_usual(entry) for entry in json.loads(label)])
        value = _decoder.decode(label)
    except json.JSONDecodeError as error:
        if label.lstrip()[:3] in ("[{'", '[{"') and "': " in label:
            raise ValueError("it is a Python list, not JSON (its quotes are single)") from None
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if not isinstance(value, list):
        raise ValueError(f"a JSON {_kind(value)}, not a list of regions")
    if _SURROGATE.search(label) and any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False)):
        raise ValueError("a text holds a lone surrogate, which is no character")
    found = []
    for number, entry in enumerate(value, 1):
        try:
            found.append(_region(entry))
        except ValueError as error:
            raise ValueError(f"region {number}: {error}") from None
    return tuple(found)


def _usual(entry: dict[str, Any]) -> TextRegion:
    text = entry["transcription"]
    points = tuple([(float(x), float(y)) for x, y in entry["points"]])
    if len(entry) == 2:
        return TextRegion(points, text, text in IGNORED)
    difficult = entry["difficult"]
    return TextRegion(points, text, difficult or text in IGNORED, _DIFFICULT[difficult])


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one region")
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def _region(entry: Any) -> TextRegion:
    if not isinstance(entry, dict):
        raise ValueError(f"a JSON {_kind(entry)}, not an object")
    text, points = entry.get("transcription"), entry.get("points")
    if not isinstance(text, str):
        raise ValueError(f"transcription is {'missing' if text is None else f'a JSON {_kind(text)}, not a text'}")
    if not isinstance(points, list):
        raise ValueError(f"points is {'missing' if points is None else f'a JSON {_kind(points)}, not a list'}")
    if not MIN_POINTS <= len(points) <= MAX_POINTS:
        raise ValueError(f"{len(points)} points; an outline has {MIN_POINTS} to {MAX_POINTS}")
    made = tuple([_point(point) for point in points])
    if len(entry) == 2:
        return TextRegion(made, text, text in IGNORED)
    extra = tuple((key, _json(value)) for key, value in entry.items() if key not in ("transcription", "points"))
    return TextRegion(made, text, text in IGNORED or entry.get("difficult") is True, extra)


def _point(point: Any) -> tuple[float, float]:
    if type(point) is list and len(point) == 2:
        x, y = point
        # `type` rather than isinstance: true and false are ints, too; NaN fails the comparison
        if type(x) in (int, float) and type(y) in (int, float):
            if abs(x) <= MAX_COORDINATE and abs(y) <= MAX_COORDINATE:
                return float(x), float(y)
            raise ValueError(f"the point {json.dumps(point)[:80]} lies beyond {MAX_COORDINATE:,} px")
    raise ValueError(f"{json.dumps(point)[:80]} is not a point [x, y]")


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ValueError("a number is too large") from None


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "number")


def label_of(found: Iterable[TextRegion]) -> str:
    """Return the regions as the label of a page, on one line, as PaddleOCR's own tools write it.

    What is ignored is written as `###`, unless its text or `difficult` says so already.
    Raises ValueError where a region cannot be written: a coordinate that is not finite, or a text that is not Unicode.

    >>> label_of([TextRegion(((0., 0.), (9., 0.), (9., 5.5), (0., 5.5)), "a")])
    '[{"transcription": "a", "points": [[0, 0], [9, 0], [9, 5.5], [0, 5.5]]}]'
    """
    parts = []
    for region in found:
        if any("\ud800" <= c <= "\udfff" for c in region.text):
            raise ValueError(f"the text {region.text[:80]!r} is not Unicode")
        points = ", ".join([f"[{_number(x)}, {_number(y)}]" for x, y in region.points])
        extra = "".join([f", {json.dumps(key, ensure_ascii=False)}: {value}" for key, value in region.extra])
        marked = not region.ignore or region.text in IGNORED or ("difficult", "true") in region.extra
        text = json.dumps(region.text if marked else IGNORED[0], ensure_ascii=False)
        parts.append(f'{{"transcription": {text}, "points": [{points}]{extra}}}')
    # other programs take these characters for line ends
    return f"[{', '.join(parts)}]".translate(_SEPARATORS)


def _number(value: float) -> str:
    """The number, whole ones without a point."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a coordinate")
    return str(int(value)) if value == int(value) else repr(float(value))
