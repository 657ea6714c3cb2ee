"""How the values that operations take are found, read and written: a codec for each type of value.

A codec knows one kind of data set. It finds the items below a folder, reads one to a value, writes a value into the
output, and makes the files of the whole set (label lists) at the end from what it noted of each item.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from datatools.core.errors import UsageError, escape
from datatools.core.values import Source, Value
from datatools.io.intake import Intake
from datatools.io.room import Room


class Codec(Protocol):
    """One kind of data set.

    suffixes: of a single file that a value can be written to, as `.jpg`; none where it cannot. wants_rows: whether
    `finish` makes anything of what `write` noted, or the note is a dict with a list `told`: what was lost of an item
    that was made all the same, and remarks (codes that begin with W-), as DataError.to_json gives them.
    """

    suffixes: frozenset[str]

    @property
    def wants_rows(self) -> bool:
        """As told above; asked only after `find`."""
        ...

    def recognises(self, root: Path) -> bool:
        """Whether the folder holds a set of this kind. Looks at names and a few files, at most."""
        ...

    def find(self, root: Path) -> Iterator[Source]:
        """Yield the items below a folder in an order that no machine changes. What is carried over unchanged, file by
        file, has the kind `carried`. Raises UsageError where the folder is no such set."""
        ...

    def read(self, source: Source, intake: Intake) -> Any:
        """Read one item. Raises DataError where it is bad."""
        ...

    def write(self, value: Any, source: Source, room: Room, variant: str) -> Any:
        """Write a value. variant: what tells the results of one item apart, as `_1`; empty where there is one.

        Returns what `finish` needs to know of it, plain data, or None.
        """
        ...

    def keep(self, source: Source, intake: Intake, room: Room) -> Any:
        """Write an item as it is, byte by byte; asked only of labelled sets (core.values.Drawn). Returns as `write`."""
        ...

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> Mapping[str, int] | None:
        """Write the files of the whole set. rows: what `write` returned, in the order of the set.

        May return what people want to know of the output: words and counts.
        """
        ...


_CODECS = {
    "Arrays": "datatools.io.codecs.arrays:ArraysCodec",
    "Classified": "datatools.io.codecs.classified:ClassifiedCodec",
    "Image": "datatools.io.codecs.image:ImageCodec",
    "Clip": "datatools.io.codecs.clip:ClipCodec",
    "Film": "datatools.io.codecs.film:FilmCodec",
    "Labelled": "datatools.io.codecs.labelled:LabelledCodec",
    "TextPage": "datatools.io.codecs.text:TextPageCodec",
    "TextLine": "datatools.io.codecs.text:TextLineCodec",
    "TextCuts": "datatools.io.codecs.cuts:TextCutsCodec",
    "Audio": "datatools.io.codecs.audio:AudioCodec",
    "Slices": "datatools.io.codecs.slices:SlicesCodec",
    "Features": "datatools.io.codecs.features:FeaturesCodec",
    "Drawings": "datatools.io.codecs.drawings:DrawingsCodec",
}
"""The codec of each type of value, imported when it is needed."""

_TOGETHER = {
    frozenset({"Image", "Clip"}): "datatools.io.codecs.picture_or_video:PictureOrVideoCodec",
}
"""Codecs of folders that hold several kinds of items at once; each is told the kind that alone is meant."""


def codec_of(kind: type[Value]) -> Codec:
    """The codec of a type of value."""
    found: Codec = _load(_CODECS[kind.__name__])()
    return found


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def choose(kinds: Sequence[type[Value]], root: Path, format: str = "") -> Codec:
    """The codec for a folder: the only one, the first whose kind of set it holds, or the one of that format.

    Raises UsageError where the folder holds none of several.
    """
    codecs = {kind.__name__.lower(): codec_of(kind) for kind in kinds}
    together = _TOGETHER.get(frozenset(kind.__name__ for kind in kinds))
    if together and (not format or format in codecs):
        mixed: Codec = _load(together)(format)
        return mixed
    if format:
        if format not in codecs:
            raise UsageError(f"--format: there is no {escape(format)} here; there are {', '.join(codecs)}")
        return codecs[format]
    for codec in codecs.values():
        if len(codecs) == 1 or codec.recognises(root):
            return codec
    raise UsageError(f"{escape(root)}: holds nothing that this command reads ({', '.join(codecs)})")
