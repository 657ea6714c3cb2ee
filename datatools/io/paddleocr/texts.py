"""Labels of text recognition: the text itself, or the text with width and height; and of direction: 0 or 180."""

import re

from datatools.io.paddleocr.lines import check_path

DIRECTIONS = ("0", "90", "180", "270")
"""What a label of the direction of a line can be: degrees; PaddleOCR's own classifier knows 0 and 180."""

_SIDE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)


def text_of(label: str) -> str:
    r"""Return the text of a recognition label: all of it, or what stands before the two columns width and height.

    Raises ValueError for a TAB inside the text, after which trainers read nothing.

    >>> text_of("one, two"), text_of("one\t320\t48")
    ('one, two', 'one')
    """
    text, *sides = label.split("\t")
    if not sides or (len(sides) == 2 and all(map(_SIDE.fullmatch, sides))):
        return text
    raise ValueError("a TAB inside the text (trainers read nothing after it)")


def direction_of(label: str) -> int:
    """Return the degrees of a direction label. Raises ValueError for anything but 0, 90, 180, 270.

    >>> direction_of("180")
    180
    """
    if label.strip() not in DIRECTIONS:
        raise ValueError(f"{label[:40]!r} is not a direction: 0 or 180")
    return int(label)


def line_of(path: str, text: str) -> str:
    r"""Return a line of a recognition or direction label file, its end included. Raises ValueError for what cannot be.

    >>> line_of("crop_img/a 1.jpg", "one")
    'crop_img/a 1.jpg\tone\n'
    """
    check_path(path)
    if any(c in text for c in "\t\n\r\0"):
        raise ValueError(f"the text {text[:80]!r} holds a TAB or a line end, which no line of a label file can")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError(f"the text {text[:80]!r} is not Unicode")
    return f"{path}\t{text}\n"
