"""What `datatools voc fix --dry-run` shows: a unified diff of each annotation."""

import difflib

from datatools.core.errors import escape
from datatools.ops.voc.mend import Mended


def unified(one: Mended) -> str:
    """The changes of one annotation as a unified diff with one line around them; safe for a terminal.

    A turned image, whose bytes nobody reads, is one line.
    """
    lines = [f"turned upright: {escape(one.job.image_name)}"] if one.image is not None else []
    if one.old is not None and one.new is not None and one.old != one.new:
        name = one.job.name
        diff = difflib.unified_diff(_lines(one.old), _lines(one.new), f"a/{name}", f"b/{name}", n=1, lineterm="")
        lines += (_shown(line) for line in diff)
    return "\n".join(lines)


def _lines(data: bytes) -> list[str]:
    return [line.removesuffix("\r") for line in data.decode("utf-8", "surrogateescape").split("\n")]


def _shown(line: str) -> str:
    return "\t".join(escape(part) for part in line.split("\t"))
