"""`datatools ocr cls-set`: lines upright and on their head, to train the classifier of their direction."""

from typing import Annotated, Any

from datatools.core.op import Param, op
from datatools.core.values import Rng, TextCuts, TextLine
from datatools.ops.ocr.options import Encoding

SYMMETRIC = frozenset("0689HINOSXZWMosxzunpdbqlI1|-_=+.:·/%*")
"""Characters that, upside down, are themselves or another of these: a text of them alone has no direction to see."""


@op("ocr.cls_set", version=1)
def cls_set(
    line: TextLine,
    *,
    both: Annotated[bool, Param("write every line in both directions, rather than one of them by chance")] = False,
    encode: Encoding = "jpg",
    rng: Rng,
) -> TextCuts:
    """Make a set of text directions, labelled 0 and 180, of the lines of a recognition set.

    Both are encoded alike, so that no trace of the encoding tells them apart. Texts that can be read upside down
    (`8`, `NOON`, `1691`) are left out, since their picture shows no direction.
    """
    import numpy as np

    if not line.text.strip():
        return TextCuts((), (("", "no text"),))
    if all(c in SYMMETRIC for c in line.text if c != " "):
        return TextCuts((), (("", "can be read upside down"),))
    directions = (0, 180) if both else (int(rng.integers(2)) * 180,)
    cuts: list[tuple[str, Any, str]] = []
    for degrees in directions:
        pixels = np.ascontiguousarray(np.rot90(line.pixels, degrees // 90))
        cuts.append((f"_{degrees}", pixels, str(degrees)))
    return TextCuts(tuple(cuts), suffix=f".{encode}")
