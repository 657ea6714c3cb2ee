"""Text of any script in a picture.

OpenCV 5 brings a font of its own that has Latin, Greek, Cyrillic, Arabic, Chinese, Japanese and Korean. Older versions
know ASCII only: other characters are written as escapes there.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import escape

Picture = NDArray[np.uint8]
RGB = tuple[int, int, int]

_UNICODE = hasattr(cv2, "FontFace")
_FACE: Any = cv2.FontFace("sans") if _UNICODE else cv2.FONT_HERSHEY_SIMPLEX
_HERSHEY_HEIGHT = 30.0  # pixels from the line above capitals to the one below g at scale 1


@dataclass(frozen=True, slots=True)
class Letters:
    """Letters of one size. size: height of a line of text in pixels."""

    size: int

    def width(self, text: str) -> int:
        """Width of the text in pixels."""
        shown = printable(text)
        if not _UNICODE:
            return int(cv2.getTextSize(shown, _FACE, self.size / _HERSHEY_HEIGHT, 1)[0][0])
        _, _, width, _ = cv2.getTextSize((0, 0), shown, (0, 0), _FACE, self.size)
        return int(width)

    def fit(self, text: str, width: int) -> str:
        """Make the text printable and cut its end where it is wider than so many pixels."""
        shown = printable(text)
        if self.width(shown) <= width:
            return shown
        while text and self.width(printable(text) + "..") > width:
            text = text[:-1]
        return printable(text) + ".." if text else ""

    def write(self, canvas: Picture, text: str, at: tuple[int, int], colour: RGB) -> None:
        """Write into (height, width, 3) uint8 RGB, in place. at: the left end of the line that letters stand on."""
        shown = printable(text)
        if not shown:
            return
        if _UNICODE:
            cv2.putText(canvas, shown, at, colour, _FACE, self.size)
        else:
            cv2.putText(canvas, shown, at, _FACE, self.size / _HERSHEY_HEIGHT, colour, 1, cv2.LINE_AA)


def printable(text: str) -> str:
    r"""Write what cannot be drawn as escapes: control characters, and without OpenCV 5 all but ASCII.

    >>> printable("a\n")
    'a\\n'
    """
    shown = escape(text)
    return shown if _UNICODE else shown.encode("ascii", "backslashreplace").decode()
