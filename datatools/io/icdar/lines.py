r"""Ground truth of the ICDAR robust reading contests: a text file an image, a line a text.

Detection, 2015 and later: `x1,y1,x2,y2,x3,y3,x4,y4,text`, where the text may hold commas; 2017 and 2019 (MLT) have the
script before the text. 2013: `left, top, right, bottom, "text"`, also with blanks for commas. Recognition: one file of
`word_1.png, "text"` lines. `###` says that nobody can read it. Files begin with a byte order mark, or do not, and end
their lines with `\r\n`, or `\n`.
"""

import math
import re
from collections.abc import Iterable, Sequence

from datatools.core.errors import DataError
from datatools.core.records import TextRegion

IGNORED = "###"
MAX_BYTES = 8 << 20
SCRIPTS = ("Arabic", "Bangla", "Chinese", "Hindi", "Japanese", "Korean", "Latin", "Mixed", "None", "Symbols")

_N = r"\s*(-?[0-9]{1,7}(?:\.[0-9]{1,6})?)\s*"
_QUAD = re.compile(",".join([_N] * 8) + ",(.*)", re.ASCII | re.DOTALL)
_BOX = re.compile(r"[,\s]".join([_N] * 4) + r'[,\s]\s*"(.*)"\s*', re.ASCII | re.DOTALL)
_WORD = re.compile(r'([^,"]+?)\s*,\s*"(.*)"\s*', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


def regions(data: bytes, name: str, *, scripts: bool = False) -> tuple[tuple[TextRegion, ...], tuple[DataError, ...]]:
    r"""Return the regions of a detection file and what is wrong with the other lines, each with its number.

    scripts: whether the script stands before each text; it is kept as `script` in `extra`.

    >>> regions(b'\xef\xbb\xbf1,2,9,2,9,5,1,5,one, two\r\n', "gt_img_1.txt")[0][0].text
    'one, two'
    """
    found: list[TextRegion] = []
    failures: list[DataError] = []
    for number, line in _lines(data):
        try:
            found.append(_region(line, scripts))
        except ValueError as error:
            failures.append(DataError(name, number, "E-LABEL-LINE", str(error)))
    return tuple(found), tuple(failures)


def words(data: bytes, name: str) -> tuple[tuple[tuple[int, str, str], ...], tuple[DataError, ...]]:
    r"""Return (line, image, text) of each line of a recognition file, and what is wrong with the others.

    >>> words(b'word_1.png, "say \\"hi\\", you"\n', "gt.txt")[0]
    ((1, 'word_1.png', 'say "hi", you'),)
    """
    found: list[tuple[int, str, str]] = []
    failures: list[DataError] = []
    for number, line in _lines(data):
        if isinstance(line, str) and (match := _WORD.fullmatch(line)):
            found.append((number, match[1], _ESCAPED.sub(r"\1", match[2])))
        else:
            failures.append(DataError(name, number, "E-LABEL-LINE", 'not `image, "text"`'))
    return tuple(found), tuple(failures)


def _lines(data: bytes) -> Iterable[tuple[int, str | None]]:
    """The lines that are not blank, with their numbers; None for one that is not UTF-8."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if line.strip():
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError:
                yield number, None


def _region(line: str | None, scripts: bool) -> TextRegion:
    if line is None:
        raise ValueError("not UTF-8")
    extra: tuple[tuple[str, str], ...] = ()
    if match := _BOX.fullmatch(line):
        left, top, right, bottom = map(float, match.groups()[:4])
        points: Sequence[tuple[float, float]] = ((left, top), (right, top), (right, bottom), (left, bottom))
        text = _ESCAPED.sub(r"\1", match[5])
    elif match := _QUAD.fullmatch(line):
        values = list(map(float, match.groups()[:8]))
        points = tuple(zip(values[::2], values[1::2], strict=True))
        text = match[9]
        if scripts:
            script, comma, text = text.partition(",")
            if not comma or script.strip() not in SCRIPTS:
                raise ValueError(f"{script[:40]!r} is not a script that MLT knows")
            extra = (("script", f'"{script.strip()}"'),)
    else:
        raise ValueError("not eight coordinates and a text, nor four and a text in quotes")
    return TextRegion(tuple(points), text, text == IGNORED, extra)


def looks_like(head: bytes) -> bool:
    """Whether the first bytes of a text file, which end with a line, are lines of a detection file."""
    lines = [line for _, line in _lines(head)][:20]
    return bool(lines) and sum(line is not None and _is_region(line) for line in lines) * 2 > len(lines)


def looks_like_words(head: bytes) -> bool:
    """Whether the first bytes of a text file, which end with a line, are lines of a recognition file."""
    lines = [line for _, line in _lines(head)][:20]
    return bool(lines) and sum(line is not None and bool(_WORD.fullmatch(line)) for line in lines) * 2 > len(lines)


def _is_region(line: str) -> bool:
    return bool(_QUAD.fullmatch(line) or _BOX.fullmatch(line))


def have_scripts(texts: Iterable[str]) -> bool:
    """Whether all texts of a set begin with a script, as MLT's do; False where there is none.

    >>> have_scripts(["Latin,one", "None,###"]), have_scripts(["one, two", "Latin,one"])
    (True, False)
    """
    told = [text.partition(",") for text in texts]
    return bool(told) and all(comma and script.strip() in SCRIPTS for script, comma, _ in told)


def file_of(found: Iterable[TextRegion]) -> bytes:
    r"""Return a detection file of quads in the form of 2015; coordinates are rounded to whole pixels.

    Raises ValueError for what no line can hold: more than four corners, a line end in the text.

    >>> file_of([TextRegion(((1., 2.), (9., 2.), (9.4, 5.), (1., 5.)), "one, two")])
    b'1,2,9,2,9,5,1,5,one, two\n'
    """
    lines = []
    for region in found:
        text = IGNORED if region.ignore else region.text
        if len(region.points) != 4:
            raise ValueError(f"{len(region.points)} corners; a line has four")
        if "\n" in text or "\r" in text:
            raise ValueError(f"the text {text[:80]!r} holds a line end")
        numbers = ",".join(str(math.floor(v + 0.5)) for point in region.points for v in point)
        lines.append(f"{numbers},{text}\n")
    return "".join(lines).encode()


def word_line(image: str, text: str) -> str:
    r"""Return a line of a recognition file. Raises ValueError for what no line can hold.

    >>> word_line("word_1.png", 'say "hi"')
    'word_1.png, "say \\"hi\\""\n'
    """
    if any(c in image + text for c in "\n\r") or any(c in image for c in ',"'):
        raise ValueError(f"{image[:80]!r} or its text {text[:80]!r} cannot stand in a line of ICDAR's")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{image}, "{escaped}"\n'
