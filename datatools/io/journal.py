"""What an output remembers of its items: a JSON line each, in `.datatools/journal.jsonl` of the output.

    {"id": "a.jpg", "key": "...", "in": [[name, size, mtime, ctime, inode, digest]], "out": [[...]], "row": null}

A line is appended only after the files that it names were brought to the disk. What a kill or a power cut leaves behind
the last whole line does not count. Lines are found through hashes of their ids, so that a hundred thousand of them need
two megabytes.
"""

import dataclasses
import itertools
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import xxhash

from datatools.core.values import Source
from datatools.io.files import ABSENT, cannot
from datatools.io.room import Seen

JOURNAL = ".datatools/journal.jsonl"
"""The journal's place in an output folder."""

SET_ROW = ".set"
"""The id of the row for the files of the whole set; no item has it, as hidden files are no items."""

RECORD_ROW = ".record"
"""The id of the row for run.json, the last one."""

_BLOCK = 2**20
_AHEAD = 2**15
"""Lines are mostly asked for in the order of the file: so much is read with one."""
_AT_ONCE = 512
"""So many items are looked up together."""
_START = b'{"id": '
_AFTER_KEY = b'", "in": '
_FIRST_INPUT = b'"in": [["'
_DIGITS = 32
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one item.

    key: of the operation, its parameters and the item's bytes; equal keys make equal outputs. inputs: the files that it
    was read from. outputs: the files that were made. labels: what the source said beside its files. row: what the
    set-level files are made from at the end. error: code, message, place and remedy where the item failed.
    """

    id: str
    key: str
    inputs: tuple[Seen, ...]
    outputs: tuple[Seen, ...]
    labels: str = ""
    row: Any = None
    error: dict[str, Any] | None = None

    def line(self) -> bytes:
        """The row as a line of the journal."""
        entry: dict[str, Any] = {"id": self.id, "key": self.key, "in": self.inputs, "out": self.outputs}
        if self.labels:
            entry["labels"] = self.labels
        if self.row is not None:
            entry["row"] = self.row
        if self.error is not None:
            entry["error"] = self.error
        return json.dumps(entry).encode() + b"\n"


def entry_of(line: bytes) -> dict[str, Any]:
    """What a line says, as it is written there. Raises ValueError, RecursionError, TypeError where it is no line."""
    entry, _ = _decode(line.decode())
    if not isinstance(entry, dict):
        raise TypeError("no line of a journal")
    return entry


def parse(line: bytes) -> Row:
    """The row of a line. Raises ValueError, KeyError or TypeError where it is none."""
    entry = entry_of(line)
    ins, outs = (tuple(Seen(*one) for one in entry[side]) for side in ("in", "out"))
    return Row(entry["id"], entry["key"], ins, outs, entry.get("labels", ""), entry.get("row"), entry.get("error"))


def stands(line: bytes, item_id: str, name: str, state: os.stat_result | None) -> bool:
    """Whether the line is of an item that was made of one file alone, which is still in that state; without a state,
    whether it is of such an item.

    Compared as written, at a third of what it costs to read the line. False also where only reading it can tell.
    """
    begin = f'{{"id": "{item_id}", "key": "'
    told = f'", "in": [["{name}", '
    if state is not None:
        told += f'{state.st_size}, {state.st_mtime_ns}, {state.st_ctime_ns}, {state.st_ino}, "'
    inputs = told.encode("utf-8", "replace")
    after = line.find(_AFTER_KEY)
    return (
        after == len(begin) + _DIGITS
        and line.startswith(begin.encode("utf-8", "replace"))
        and line.startswith(inputs, after)
        and line.startswith(b']], "out": ', line.find(b"]", after + len(inputs)))
        and b'"labels": ' not in line
        and b'"error": ' not in line
    )


def written_plainly(folders: Iterable[str]) -> frozenset[str]:
    """Those of the folders (relative to a set, with a slash at the end) whose names stand in rows as they are."""
    return frozenset(name for name in folders if json.dumps(name) == f'"{name}"')


def replaced(line: bytes, outputs: tuple[Seen, ...]) -> bytes:
    """The line with other outputs."""
    return dataclasses.replace(parse(line), outputs=outputs).line()


class Journal:
    """The rows of a journal, found by id; the last one of an id counts. A missing file is an empty journal.

    Raises StorageError where it cannot be read.

    same: folders, as `written_plainly` gives them: rows of items whose first file lies in one are passed over, and not
    found.

    end: how many bytes of the file are whole lines. damaged: how many lines are no rows, or rows of an id that a later
    one has, too.
    """

    def __init__(self, path: Path, same: Iterable[str] = ()) -> None:
        self.end = 0
        self.damaged = 0
        self._same = {name.encode() for name in same}
        self._path = path
        self._fd = -1
        self._hashes = array("Q")  # sorted
        self._offsets = array("Q")  # of their lines
        self._block, self._block_at = b"", 0
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in ABSENT:
                return
            raise cannot("read", path, error) from None
        self._index()

    def __len__(self) -> int:
        return len(self._hashes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._hashes, self._offsets = -1, array("Q"), array("Q")

    def places(self, ids: Sequence[str]) -> list[int]:
        """The places of items among the rows that count, 0 to len() - 1; -1 where there is none."""
        if not len(self._hashes):
            return [-1] * len(ids)
        hashes = self._hashes
        found = []
        for wanted in map(_hash, ids):
            at = bisect_left(hashes, wanted)
            found.append(at if at < len(hashes) and hashes[at] == wanted else -1)
        return found

    def found(self, sources: Iterable[Source]) -> Iterator[tuple[Source, int]]:
        """Items with their places, a few hundred looked up together."""
        waiting = iter(sources)
        while some := list(itertools.islice(waiting, _AT_ONCE)):
            yield from zip(some, self.places([one.id for one in some]), strict=True)

    def at(self, place: int) -> bytes:
        """The line at a place."""
        return self._line_at(self._offsets[place])

    def line(self, item_id: str) -> bytes | None:
        """The line of an item; None where there is none."""
        (place,) = self.places([item_id])
        return self.at(place) if place >= 0 else None

    def without(self, places: Iterable[int]) -> Iterator[bytes]:
        """All whole lines but those at the places, in pieces."""
        at = 0
        for start in sorted(map(self._offsets.__getitem__, places)):
            yield from self._copied(at, start)
            at = start + len(self._line_at(start))
        yield from self._copied(at, self.end)

    def _copied(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            data = self._read(min(_BLOCK, end - start), start)
            if not data:  # somebody cut the file
                return
            yield data
            start += len(data)

    def get(self, item_id: str) -> Row | None:
        """The row of an item; None where there is none, or none that can be read."""
        line = self.line(item_id)
        row = _parsed(line) if line else None
        return row if row is not None and row.id == item_id else None

    def rows(self) -> Iterator[Row]:
        """The rows that count, in the order of the file; what cannot be read is passed over."""
        for start in sorted(self._offsets):
            if row := _parsed(self._line_at(start)):
                yield row

    def _read(self, size: int, start: int) -> bytes:
        try:
            return os.pread(self._fd, size, start)
        except OSError as error:
            raise cannot("read", self._path, error) from None

    def _line_at(self, start: int) -> bytes:
        begin = start - self._block_at
        if begin >= 0 and (end := self._block.find(b"\n", begin)) >= 0:
            return self._block[begin : end + 1]
        size = _AHEAD
        while (end := (data := self._read(size, start)).find(b"\n")) < 0 and len(data) == size:
            size *= 8
        self._block, self._block_at = data, start
        return data[: end + 1]

    def _index(self) -> None:
        hashes, offsets = array("Q"), array("Q")
        at, rest = 0, b""  # the place of `rest` in the file
        while block := self._read(_BLOCK, at + len(rest)):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if self._same and _folder_of(line) in self._same:
                    at += len(line) + 1
                    continue
                marked = _hash_of(line)
                if marked is not None:
                    hashes.append(marked)
                    offsets.append(at)
                else:
                    self.damaged += 1
                at += len(line) + 1
        self.end = at
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        # of lines with the same id, which lie in the order of the file, the last one counts
        last = [a for a, b in itertools.pairwise((*order, -1)) if b < 0 or hashes[a] != hashes[b]]
        self.damaged += len(order) - len(last)
        self._hashes = array("Q", map(hashes.__getitem__, last))
        self._offsets = array("Q", map(offsets.__getitem__, last))


class JournalFile:
    """A journal that is appended to."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        """Open it; all behind the first `keep` bytes is cut off. Raises OSError."""
        os.makedirs(path.parent, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        os.ftruncate(self._fd, keep)
        os.lseek(self._fd, 0, os.SEEK_END)

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines and bring them to the disk. Raises OSError, and then none of them counts."""
        from datatools.io import temporary

        at = os.lseek(self._fd, 0, os.SEEK_CUR)
        try:
            temporary.write_all(self._fd, b"".join(lines))
            os.fsync(self._fd)
        except BaseException:
            os.ftruncate(self._fd, at)
            os.lseek(self._fd, at, os.SEEK_SET)
            raise

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def _folder_of(line: bytes) -> bytes:
    """The folder of the first file that a line names as read; nothing that a folder is called where there is none."""
    start = line.find(_FIRST_INPUT)
    if start < 0:
        return b'"'
    start += len(_FIRST_INPUT)
    name = line[start : line.find(b'"', start)]
    return name[: name.rfind(b"/") + 1] if b"\\" not in name else b'"'


def _hash_of(line: bytes) -> int | None:
    """The hash of the id that a line begins with; None where it is no line of a journal."""
    if not line.startswith(_START):
        return None
    end = line.find(b'", "', len(_START))
    text = line[len(_START) : end]  # a quote and the id, unless something in it is escaped
    if end > 0 and text.isascii() and b"\\" not in text:
        return xxhash.xxh3_64_intdigest(text[1:])
    try:
        value, _ = _decode(line.decode(), len(_START))
    except (ValueError, RecursionError):
        return None
    return _hash(value) if isinstance(value, str) else None


def _parsed(line: bytes) -> Row | None:
    try:
        row = parse(line)
        return row if isinstance(row.id, str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _hash(item_id: str) -> int:
    return xxhash.xxh3_64_intdigest(item_id.encode("utf-8", "surrogatepass"))  # damage can make any
