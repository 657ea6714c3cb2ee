"""How networks want their anchors written, and how such files are read again.

keras     one line "w,h,  w,h, ...", whole pixels (yolo_anchors.txt of keras-yolo3)
darknet   one line "anchors = w,h, w,h, ...", whole pixels
yolov3    a [yolo] section a stride with the mask of its three anchors, the coarsest first (yolov3.cfg)
yolov5    `anchors:` with a YAML row a stride, the smallest first (models of YOLOv5 and its kin)
json      what `anchors kmeans --json` prints
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from datatools.core.errors import DataError, UsageError

Anchors = tuple[tuple[float, float], ...]
TextFormat = Literal["yolov3", "yolov5", "darknet", "keras"]

MAX_BYTES = 1 << 20
MAX_ANCHORS = 1000

_NUMBER = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,9})?", re.ASCII)


def check_format(k: int, form: str) -> None:
    """Raise UsageError where k anchors cannot be written in that form."""
    if form in ("yolov3", "yolov5") and k % 3:
        raise UsageError(f"--format {form} shares the anchors among detection layers: -k must be 3, 6, 9 ... (got {k})")


def render(anchors: Anchors, form: TextFormat) -> str:
    """Write anchors, sorted by area, for a network's configuration. Sides are rounded to whole pixels.

    >>> render(((10.2, 13.0), (33.0, 23.4)), "keras")
    '10,13,  33,23'
    >>> render(((10.2, 13.0), (33.0, 23.4)), "darknet")
    'anchors = 10,13, 33,23'
    """
    check_format(len(anchors), form)
    pairs = [f"{max(1, round(w))},{max(1, round(h))}" for w, h in anchors]
    if form == "keras":
        return ",  ".join(pairs)
    if form == "darknet":
        return "anchors = " + ", ".join(pairs)
    return "\n".join(_yolov5(pairs) if form == "yolov5" else _yolov3(pairs))


def _yolov5(pairs: Sequence[str]) -> Iterator[str]:
    """Three rows, for the layers P3 to P5 of strides 8, 16 and 32."""
    row = len(pairs) // 3
    yield "anchors:"
    for layer in range(3):
        yield f"  - [{', '.join(pairs[layer * row : (layer + 1) * row])}]  # P{3 + layer}/{8 << layer}"


def _yolov3(pairs: Sequence[str]) -> Iterator[str]:
    """Sections for the strides 32, 16, 8 (of fewer, the coarsest), each with the mask of its three anchors."""
    layers = len(pairs) // 3
    for layer in reversed(range(layers)):
        if layer < layers - 1:
            yield ""
        yield f"# stride {max(32, 8 << (layers - 1)) >> (layers - 1 - layer)}"
        yield "[yolo]"
        yield f"mask = {3 * layer},{3 * layer + 1},{3 * layer + 2}"
        yield "anchors = " + ", ".join(pairs)
        yield f"num = {len(pairs)}"


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """Anchors as a file has them, in its order, and the form in which it has them."""

    anchors: Anchors
    form: Literal["json", "darknet", "yolov5", "keras"]


def parse(data: bytes, name: str) -> AnchorFile:
    """Read anchors in any of the forms above, also inside a whole .cfg or model .yaml.

    Raises DataError E-ANCHORS with the line where anything else stands there: text, an odd count, a side that is not
    positive, `anchors = ` lines that differ.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8 text") from None
    if re.match(r"\s*(\{|\[\s*\[)", text):  # not the "[net]" of a cfg
        return AnchorFile(_from_json(data, name), "json")
    lines = [(number, _bare(line)) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in lines if line.strip()]
    if any(re.match(r"\s*anchors\s*=", line) for _, line in lines):
        return AnchorFile(_from_darknet(lines, name), "darknet")
    if any(re.match(r"\s*(anchors\s*:|-\s*\[)", line) for _, line in lines):
        return AnchorFile(_from_yaml(lines, name), "yolov5")
    return AnchorFile(_pairs([pair for number, line in lines for pair in _split(number, line)], name), "keras")


def _bare(line: str) -> str:
    """The line without its comment."""
    return line.partition("#")[0].rstrip()


def _split(number: int, text: str) -> list[tuple[int, str]]:
    """The parts between commas, each with the line; one comma may follow the last."""
    return [(number, part) for part in text.rstrip().removesuffix(",").split(",")]


def _bad(name: str, line: int, message: str) -> DataError:
    return DataError(name, line, "E-ANCHORS", message, "docs/anchors.md shows the forms that are read")


def _from_darknet(lines: Sequence[tuple[int, str]], name: str) -> Anchors:
    """The anchors of a cfg; each of its [yolo] sections repeats the same line."""
    found: Anchors = ()
    for number, line in lines:
        match = re.match(r"\s*anchors\s*=(.*)", line)
        if match:
            anchors = _pairs(_split(number, match[1]), name)
            if found and anchors != found:
                raise _bad(name, number, "these anchors differ from those of an earlier section")
            found = anchors
    return found


def _from_yaml(lines: Sequence[tuple[int, str]], name: str) -> Anchors:
    """The rows after `anchors:`, or bare rows; what a model file holds besides is passed over."""
    start = next((i for i, (_, line) in enumerate(lines) if re.match(r"anchors\s*:", line)), None)
    values: list[tuple[int, str]] = []
    if start is not None:
        number, line = lines[start]
        inline = line.partition(":")[2].strip()
        if inline:
            flat = re.fullmatch(r"\[\s*(\[[0-9., ]*\](?:\s*,\s*\[[0-9., ]*\])*)\s*\]", inline)
            if not flat:
                raise _bad(name, number, f"expected rows of widths and heights, found {inline!r}")
            values = _split(number, re.sub(r"[\[\]]", "", flat[1]))
    for number, line in lines[0 if start is None else start + 1 :]:
        row = re.fullmatch(r"\s*-\s*\[([^\[\]]*)\]", line)
        if row:
            values += _split(number, row[1])
        elif start is None:
            raise _bad(name, number, f"expected a row such as - [10,13, 16,30], found {line.strip()!r}")
        else:
            break
    return _pairs(values, name)


def _from_json(data: bytes, name: str) -> Anchors:
    """{"anchors": [[w, h], ...], ...} or the list alone."""
    from datatools.io import jsontext

    value: Any = jsontext.load(data, name)
    rows: Any = value.get("anchors") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise _bad(name, 0, 'expected "anchors": [[width, height], ...]')
    sides = [side for row in rows for side in row]
    if any(isinstance(side, bool) or not isinstance(side, int | float) for side in sides):
        raise _bad(name, 0, "a width or height is not a number")
    return _checked([(0, float(side)) for side in sides], name)


def _pairs(values: Sequence[tuple[int, str]], name: str) -> Anchors:
    """Numbers with their lines, as text, to anchors."""
    numbers = []
    for line, text in values:
        if not _NUMBER.fullmatch(text.strip()):
            raise _bad(name, line, f"expected a number, found {text.strip()[:40]!r}")
        numbers.append((line, float(text)))
    return _checked(numbers, name)


def _checked(numbers: Sequence[tuple[int, float]], name: str) -> Anchors:
    if not numbers:
        raise _bad(name, 0, "there are no anchors")
    if len(numbers) % 2:
        raise _bad(name, numbers[-1][0], f"{len(numbers)} numbers do not make pairs of width and height")
    if len(numbers) > 2 * MAX_ANCHORS:
        raise _bad(name, numbers[-1][0], f"more than {MAX_ANCHORS} anchors")
    for line, value in numbers:
        if not 0 < value <= 1e7:
            raise _bad(name, line, f"a width or height is {value:g}")
    sides = [value for _, value in numbers]
    return tuple(zip(sides[::2], sides[1::2], strict=True))
