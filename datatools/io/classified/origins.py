"""manifest.jsonl of a set that was augmented: which pictures were made from one another.

A copy and its original show nearly the same, so nobody may be trained on one and asked about the other.
"""

from pathlib import Path

from datatools.core.errors import DataError
from datatools.io import files, jsontext

NAME = "manifest.jsonl"
MAX_BYTES = 2**30


def read(root: Path) -> tuple[dict[str, tuple[str, ...]], tuple[DataError, ...]]:
    """Return what each file was made from, and the lines that cannot be read (E-JSON-BROKEN).

    file -> names of its origins, the main one first; it may be its own. Nothing where there is no manifest. Lines that
    say nothing of files and a source are not ours and are passed over.

    Raises DataError E-FILE-READ, StorageError where it cannot be read.
    """
    path = root / NAME
    if not path.is_file():
        return {}, ()
    found: dict[str, tuple[str, ...]] = {}
    failures: list[DataError] = []
    for number, line in enumerate(files.read_bytes(path, MAX_BYTES).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = jsontext.load(line, NAME)
        except DataError as error:
            failures.append(DataError(NAME, number, error.code, error.message))
            continue
        if not isinstance(entry, dict):
            continue
        names, source, donors = entry.get("files"), entry.get("source"), entry.get("donors", [])
        if isinstance(names, list) and isinstance(source, str) and isinstance(donors, list):
            origins = (source, *(donor for donor in donors if isinstance(donor, str)))
            found |= {name: origins for name in names if isinstance(name, str)}
    return found, tuple(failures)
