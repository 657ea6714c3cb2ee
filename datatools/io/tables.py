"""Tables as text files that every spreadsheet and every script reads."""

import csv
import io
from collections.abc import Iterable, Sequence

from datatools.core.errors import escape


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    r"""Return comma-separated values (RFC 4180) in UTF-8, with lines that end in \n.

    Floats have the fewest digits that give them back exactly, None is empty, characters that no text file should hold
    are written as escapes.

    >>> csv_bytes(("name", "score"), [("a,b", 0.5), ("c\x00", None)])
    b'name,score\n"a,b",0.5\nc\\x00,\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([escape(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode()
