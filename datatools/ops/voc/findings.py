"""What lint finds: one problem at one place, how it is shown, sorted, left out by a baseline."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datatools.core.errors import DataError, UsageError, escape
from datatools.ops.voc.codes import CODES, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. file: relative to the set. line: 1-based; 1 where the whole file is meant."""

    file: str
    line: int
    code: str
    severity: Severity
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{escape(self.file)}:{self.line}"
        return f"{place}: {self.code} {self.severity} {escape(self.message)} ({self.remedy})"

    @property
    def fingerprint(self) -> tuple[str, str, str]:
        """What stays the same when lines are added above: file, code and message, as JSON has them."""
        return escape(self.file), self.code, escape(self.message)


def finding(code: str, file: str, line: int, message: str, remedy: str = "") -> Finding:
    """Make a finding; severity and, unless told otherwise, remedy are the code's.

    >>> print(finding("E-BOX-OUTSIDE", "Annotations/a.xml", 17, "xmax 640 > width 500"))
    Annotations/a.xml:17: E-BOX-OUTSIDE error xmax 640 > width 500 (datatools voc fix --rule clip)
    """
    known = CODES[code]
    return Finding(file, max(line, 1), code, known.severity, message, remedy or known.remedy)


def order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by file (its bytes), line and code."""
    return tuple(sorted(found, key=lambda f: (os.fsencode(f.file), f.line, f.code, f.message)))


def read_baseline(path: Path) -> Counter[tuple[str, str, str]]:
    """Read the fingerprints of the findings that `--format json` or `--json` wrote.

    Raises UsageError where the file is not such a document.
    """
    import json

    from datatools.io import files

    try:
        document = json.loads(files.read_bytes(path))
        return Counter((f["file"], f["code"], f["message"]) for f in document["findings"])
    except DataError as error:
        raise UsageError(f"the baseline {escape(path)} cannot be read: {error.message}") from None
    except (ValueError, RecursionError, KeyError, TypeError):
        raise UsageError(f"the baseline {escape(path)} is not what `datatools voc lint --format json` writes") from None


def beyond(found: Iterable[Finding], baseline: Counter[tuple[str, str, str]]) -> list[Finding]:
    """The findings that are not in the baseline. One that stands there once hides one, not all of its kind."""
    left = baseline.copy()
    new = []
    for one in found:
        if left[one.fingerprint] > 0:
            left[one.fingerprint] -= 1
        else:
            new.append(one)
    return new
