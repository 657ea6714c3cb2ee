"""The items of another set, as donors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datatools.core.errors import UsageError, escape
from datatools.core.values import Donors, Labelled, Source, TextPage

JUDGES = ("val", "test")
MOST = 20_000
"""So many items of another set serve as donors at most, from everywhere in it."""


def listing(folder: Path, root: Path, allow_leak: bool) -> list[list[Any]]:
    """The items of a set of the same kind as the one at root, as plain data; without those of val and test, unless they
    may leak. Raises UsageError where the folder holds no such set."""
    from datatools.io import codecs

    codec = codecs.choose((Labelled, TextPage), root)
    if not folder.is_dir() or not codec.recognises(folder):
        raise UsageError(f"--source: {escape(folder)} is no set of the kind of {escape(root)}")
    found = [one for one in codec.find(folder) if one.kind == "" and (allow_leak or one.group not in JUDGES)]
    if len(found) > MOST:
        found = [found[i * len(found) // MOST] for i in range(MOST)]
    return [[one.id, list(one.files), one.labels, one.group] for one in found]


def donors(folder: Path, kind: type[Labelled] | type[TextPage], listed: Sequence[Sequence[Any]]) -> Donors:
    """The listed items, read from the folder."""
    from datatools.io.codecs import codec_of

    codec = codec_of(kind)

    def read(source: Source) -> Any:
        from datatools.io.intake import Intake

        return codec.read(source, Intake(str(folder), source.files))

    return Donors(tuple(Source(name, tuple(files), labels, group) for name, files, labels, group in listed), read)
