"""The findings of an earlier lint run, as its JSON tells them, to be left out of the next."""

import json
from collections import Counter
from pathlib import Path

from datatools.core.errors import DataError, UsageError, escape
from datatools.io.files import read_bytes


def read(path: Path, command: str) -> Counter[tuple[str, str, str]]:
    """Read the fingerprints of the findings that `--format json` or `--json` wrote. command: whose, as `voc lint`.

    Raises UsageError where the file is not such a document.
    """
    try:
        document = json.loads(read_bytes(path))
        return Counter((f["file"], f["code"], f["message"]) for f in document["findings"])
    except DataError as error:
        raise UsageError(f"the baseline {escape(path)} cannot be read: {error.message}") from None
    except (ValueError, RecursionError, KeyError, TypeError):
        raise UsageError(
            f"the baseline {escape(path)} is not what `datatools {command} --format json` writes"
        ) from None
