"""What a worker does with one item: read it, run the operation on it, write what came out, say what became of it.

Everything here happens in whatever process or machine the item was given to; nothing is remembered between items. The
outputs go below a folder that the workers share with the run, which alone writes the journal.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from datatools.core import op
from datatools.core.errors import DataError, DatatoolsError, StorageError, UsageError
from datatools.core.op import Op
from datatools.core.result import plain
from datatools.core.values import ALONE, Donors, Drawn, Source, printable
from datatools.engine.tally import Tally

if TYPE_CHECKING:
    from datatools.io.journal import Row

HELD_OUT = frozenset({"val", "test"})
"""Splits that judge what was learned: nothing new is made of them."""

MANIFEST = "manifest.jsonl"
"""The file in an output that says of each new item what was drawn for it, a JSON line each."""

CARRIED = "carried"
"""The kind of a source that is no item: its file comes into the output unchanged."""

_EDITED = frozenset({".xml", ".txt", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".md"})
"""What people edit is copied: an editor that writes in place would change both names of a link."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an item: its line for the journal, what is added up of it, and whether it failed."""

    line: bytes
    tally: Tally
    failed: bool = False


@dataclass(frozen=True)
class ItemJob:
    """The work on items, as it is sent to workers.

    operation: its name. arguments: the operation's own. root: the folder of the set. partial: the folder that is being
    made. base: digest of all that decides the results beside the item itself. stop: whether a bad item ends the run.
    tag: what stands between an item's name and the number of a copy.
    """

    operation: str
    arguments: Mapping[str, Any]
    root: str
    partial: str
    base: str
    seed: int = 0
    copies: int = 1
    keep_originals: bool = False
    format: str = ""
    prepared: Any = None
    stop: bool = False
    tag: str = "_"

    def __call__(self, source: Source) -> Done:
        """Do one item. Raises StorageError, UsageError, and with `stop` DataError, which end the run."""
        from datatools.io import files
        from datatools.io.intake import Intake
        from datatools.io.journal import Row
        from datatools.io.room import Room

        intake, room = Intake(self.root, source.files), Room(self.partial)
        try:
            if source.kind == CARRIED:
                self._carry(intake, room)
            note = None if source.kind == CARRIED else self._work(source, intake, room)
        except (StorageError, UsageError):
            room.discard()
            raise
        except Exception as error:
            room.discard()
            if files.disk_failed(error):
                raise files.cannot("read or write", printable(source.id), error) from None
            told = _bad(source, error)
            if self.stop:
                raise told from None
            return self.failure(source, told)
        inputs = intake.inputs
        key = self.key(source, [one.digest for one in inputs[: len(source.files)]])
        return _done(Row(source.id, key, inputs, tuple(room.made), source.labels, note))

    def load(self) -> None:
        """Import what every item needs, before there is one."""
        import numpy  # noqa: F401

        if any(kind.__name__ != "Audio" for kind in self._op.items):
            import cv2  # noqa: F401
        _ = self.codec, self.writer

    def alone(self, source: Source, name: str, folder: str) -> None:
        """Do one item, to a file of that name in the folder. Raises DataError where the item is bad."""
        from datatools.io.intake import Intake
        from datatools.io.room import Room

        intake = Intake(self.root, source.files)
        try:
            value = self.codec.read(source, intake)
            made = self._op.function(value, **self.arguments, **self._handed(source, intake, 0))
            self.writer.write(made, source._replace(id=name, files=(name,), kind=ALONE), Room(folder), "")
        except (DatatoolsError, OSError):
            raise
        except Exception as error:
            raise _bad(source, error) from error

    def preview(self, source: Source) -> list[str]:
        """What a dry run shows of an item: the lines of the operation's preview, or the error that the item is."""
        from datatools.io.intake import Intake

        assert self._op.preview
        intake = Intake(self.root, source.files)
        try:
            value = self.codec.read(source, intake)
            return list(self._op.preview(self._op.function(value, **self.arguments, **self._handed(source, intake, 0))))
        except (StorageError, UsageError):
            raise
        except Exception as error:
            return [str(_bad(source, error))]

    def failure(self, source: Source, error: DataError) -> Done:
        """What is said of an item that failed. Its bytes are remembered, so that only a change makes it new."""
        from datatools.io.intake import Intake
        from datatools.io.journal import Row

        intake = Intake(self.root, source.files)
        try:
            inputs = intake.inputs
            key = self.key(source, [one.digest for one in inputs])
        except DatatoolsError:  # its file cannot be read at all: it is looked at again next time
            inputs, key = (), ""
        return _done(Row(source.id, key, inputs, (), source.labels, None, error.to_json()))

    def sources(self) -> Iterator[Source]:
        """All items of the set and the files that are carried over, in the order of the set.

        Nothing is carried into a set of another kind.
        """
        found: Iterator[Source] = self.codec.find(Path(self.root))
        if self.writer is not self.codec:
            return (one for one in found if one.kind != CARRIED)
        if self.tells_draws:  # an earlier manifest tells of other files
            return (one for one in found if one.kind != CARRIED or one.id != MANIFEST)
        return found

    def key(self, source: Source, digests: list[str]) -> str:
        """The digest of everything that decides what is made of the item."""
        import xxhash

        said = "\0".join([self.base, source.id, source.labels, *digests])
        return xxhash.xxh3_128_hexdigest(said.encode("utf-8", "surrogateescape"))

    def rng(self, source: Source, copy: int) -> Any:
        """The generator of an item's copy: the same whatever was done before and by whom."""
        from datatools.kernels import draws

        return draws.generator(self.seed, source.id, copy)

    @functools.cached_property
    def _op(self) -> Op[..., Any]:
        return op.find(self.operation)

    @functools.cached_property
    def codec(self) -> Any:
        """What finds and reads the items."""
        from datatools.io import codecs

        return codecs.choose(self._op.items, Path(self.root), self.format)

    @functools.cached_property
    def writer(self) -> Any:
        """What writes the results: what read the items, unless the operation makes something else of them."""
        from datatools.io import codecs

        return self.codec if set(self._op.makes) & set(self._op.items) else codecs.codec_of(self._op.makes[0])

    def _work(self, source: Source, intake: Any, room: Any) -> Any:
        if self.tells_draws:
            return list(self._generate(source, intake, room))
        value = self.codec.read(source, intake)
        notes = []
        if self.keep_originals:
            notes.append(self.writer.write(value, source, room, ""))
        for copy in range(self.copies):
            made = self._op.function(value, **self.arguments, **self._handed(source, intake, copy))
            several = self.copies > 1 or self.keep_originals
            notes.append(self.writer.write(made, source, room, f"{self.tag}{copy + 1}" if several else ""))
        return notes if self._op.generates else notes[0]

    @functools.cached_property
    def tells_draws(self) -> bool:
        """Whether the operation draws new items of labelled sets, about each of which the manifest says how."""
        return self._op.generates and all(issubclass(kind, Drawn) for kind in self._op.items)

    def _generate(self, source: Source, intake: Any, room: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Write what is made of an item; yield the codec's note of each with what the manifest says of it.

        Of what judges (val, test) nothing new is made: it comes along as it is.
        """
        held_out = source.group in HELD_OUT
        if held_out or self.keep_originals:
            note = self.codec.keep(source, intake, room)
            yield note, {"files": [one.name for one in room.made]}
        if held_out:
            return
        value = self.codec.read(source, intake)
        for copy in range(self.copies):
            taken: list[str] = []
            made = self._op.function(value, **self.arguments, **self._handed(source, intake, copy, taken))
            several = self.copies > 1 or self.keep_originals
            before = len(room.made)
            note = self.writer.write(made, source, room, f"{self.tag}{copy + 1}" if several else "")
            about: dict[str, Any] = {"files": [one.name for one in room.made[before:]], "copy": copy + 1}
            yield note, about | {"draw": plain(made.draw)} | ({"donors": taken} if taken else {})

    def _handed(self, source: Source, intake: Any, copy: int, taken: list[str] | None = None) -> dict[str, Any]:
        operation = self._op
        handed: dict[str, Any] = {}
        if operation.rng_parameter:
            handed[operation.rng_parameter] = self.rng(source, copy)
        if operation.prepared_parameter:
            handed[operation.prepared_parameter] = self.prepared
        if operation.source_parameter:
            handed[operation.source_parameter] = source
        if operation.donors_parameter:
            handed[operation.donors_parameter] = self._donors(source, intake, [] if taken is None else taken)
        return handed

    def _donors(self, source: Source, intake: Any, taken: list[str]) -> Donors:
        """The other items of the same split; of all splits where the operation's `allow_leak` says so.

        taken: gets the ids of those that are read.
        """
        from datatools.io.intake import Intake

        def read(donor: Source) -> Any:
            theirs = Intake(self.root, donor.files)
            try:
                value = self.codec.read(donor, theirs)
            finally:  # a donor that is bad decides the result, too: when it is mended the item is made anew
                intake.also(theirs.inputs)
            taken.append(printable(donor.id))
            return value

        others, place = self._by_group[None if self.arguments.get("allow_leak") else source.group]
        own = place.get(source.id, len(others))
        return Donors(others[:own] + others[own + 1 :], read)

    @functools.cached_property
    def _by_group(self) -> dict[str | None, tuple[tuple[Source, ...], dict[str, int]]]:
        """The items of each split with their places by their ids; under None those of all."""
        members: dict[str | None, list[Source]] = {None: []}
        for one in self.sources():
            if one.kind != CARRIED:
                members[None].append(one)
                members.setdefault(one.group, []).append(one)
        return {group: (tuple(all_), {one.id: i for i, one in enumerate(all_)}) for group, all_ in members.items()}

    def _carry(self, intake: Any, room: Any) -> None:
        name = intake.names[0]
        if PurePath(name).suffix.lower() in _EDITED:
            room.write(name, intake.read())
            return
        room.link(intake.path(), name, intake.inputs[0].digest)
        intake.refresh()


def _done(row: "Row") -> Done:
    tally = Tally()
    tally.add(row.inputs, row.outputs)
    return Done(row.line(), tally, row.error is not None)


def _bad(source: Source, error: Exception) -> DataError:
    """The error of an item as one that names it: what is no error of the data is one of the operation on it."""
    if isinstance(error, DataError):
        return error
    if isinstance(error, MemoryError):
        return DataError(printable(source.id), 0, "E-ITEM-MEMORY", "does not fit into the memory", "use fewer --jobs")
    what = f"{type(error).__name__}: {error}".split("\n")[0][:200]
    return DataError(printable(source.id), 0, "E-ITEM-ERROR", f"the operation fails on it: {what}", "please report it")
