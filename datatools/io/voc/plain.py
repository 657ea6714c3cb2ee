"""The plain form of Pascal VOC, scanned many files at a time with numpy.

What VOC2007, labelImg and most tools write: known tags without attributes, each leaf holding one text. Whatever else
a file has (a comment, an entity, an unknown tag, a value that is no number, an object without a box ...) makes the
scanner decline the whole file; lxml then says what is in it, or what is wrong with it. Nothing is guessed.

Files are laid end to end. Every "<" begins a tag, which is looked up by its first 16 bytes, for all tags of all files
in one step. That a file of these tags is well-formed and in order can then be told from neighbours alone: a leaf's tag
is followed by its own end, and among the tags of containers only a few may follow each other.
"""

import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datatools.io.voc.document import MAX_BYTES, number
from datatools.io.voc.grammar import (
    FILE_LEAVES,
    LENGTH,
    LIMIT,
    NUMBER,
    OBJECT,
    OBJECT_LEAVES,
    REQUIRED,
    ROOT,
    SIDE,
    TABLES,
    UNKNOWN,
    Bools,
    Ints,
    Words,
    place_of,
)
from datatools.io.voc.rows import Collected, Rows

_HEAD = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0"(?: encoding=(?:"(?:utf|UTF)-8"|'(?:utf|UTF)-8'))? ?\?>)?"""
    rb"""[ \t\r\n]*<annotation(?: verified=(?:"[a-z]*"|'[a-z]*'))?>"""
)
_OPEN, _CLOSE = b"<annotation>", b"</annotation>"
_ENDS = (_CLOSE + b"\n", _CLOSE, _CLOSE + b"\r\n")
_PADDING = bytes(24)


def scan(datas: Sequence[bytes]) -> tuple[Rows, list[int]]:
    """Read the files that have the plain form. Returns their rows, and the indices of the files that have not."""
    _keep_freed_memory()
    files, lengths, whole = _laid(datas)
    if not files:
        return Collected().rows(), list(range(len(datas)))
    rows = _Scan(whole, lengths).rows(np.array(files, np.int64))
    taken = set(rows.files.tolist())
    return rows, [i for i in range(len(datas)) if i not in taken]


@functools.cache
def _keep_freed_memory() -> None:
    """Let the allocator keep blocks of up to 16 MB that were freed.

    At first glibc maps each array of a batch anew, and the page faults cost more than the scan; having seen one large
    block freed, it raises the size from which it does so. Elsewhere this does nothing.
    """
    np.empty(1 << 24, np.uint8)


def _laid(datas: Sequence[bytes]) -> tuple[list[int], list[int], bytes]:
    """The files that begin and end as the plain form does: indices, lengths, and their bytes from <annotation> on."""
    if all([data.startswith(_OPEN) and data.endswith(_ENDS) for data in datas]):  # a list is quicker
        files, parts = list(range(len(datas))), list(datas)
    else:
        trimmed = {i: part for i, data in enumerate(datas) if (part := _trimmed(data))}
        files, parts = list(trimmed), list(trimmed.values())
    whole = b"".join(parts)
    if not _has_plain_text(whole) or max(map(len, parts), default=0) > MAX_BYTES:
        plain = [_has_plain_text(part) and len(part) <= MAX_BYTES for part in parts]
        files = list(itertools.compress(files, plain))
        parts = list(itertools.compress(parts, plain))
        whole = b"".join(parts)
    return files, [*map(len, parts)], whole


def _trimmed(data: bytes) -> bytes:
    """The file from <annotation> to </annotation>; empty where it does not begin or end so."""
    if not data.startswith(_OPEN):
        head = _HEAD.match(data)
        data = _OPEN + data[head.end() :] if head else b""
    data = data.rstrip(b" \t\r\n")
    return data if data.endswith(_CLOSE) else b""


def _has_plain_text(data: bytes) -> bool:
    """Whether it is UTF-8 without entities, end of CDATA, and characters that XML has not."""
    if b"&" in data or (b"]" in data and b"]]>" in data):
        return False
    codes = np.frombuffer(data, np.uint8)
    blanks = sum(np.count_nonzero(codes == code) for code in b"\t\r\n")
    if blanks != np.count_nonzero(codes < ord(" ")):
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\xef\xbf\xbe" not in data and b"\xef\xbf\xbf" not in data


class _Scan:
    """The tags of files that were laid end to end, and which of the files turned out not to be plain."""

    def __init__(self, whole: bytes, lengths: Sequence[int]) -> None:
        self.data = whole + _PADDING
        self.text = self.data.decode("latin-1")  # a character a byte: slices of text are the quickest to get
        self.codes = np.frombuffer(self.data, np.uint8)
        # the eight bytes at every offset, as a number
        self.words: Words = np.ndarray(len(self.data) - 7, np.dtype("<u8"), self.data, strides=(1,))
        self.at: Ints = np.flatnonzero(self.codes == ord("<"))
        first = np.searchsorted(self.at, np.cumsum(lengths) - lengths)
        counts = np.diff(first, append=len(self.at))
        self.count = len(lengths)
        self.file = np.repeat(np.arange(self.count), counts)
        self.bad = np.zeros(self.count, np.bool_)
        self.tags = self._tags(first, first + counts - 1)
        self._check_neighbours()
        self._sort_leaves()

    def _tags(self, first: Ints, last: Ints) -> Ints:
        """The number of each tag."""
        word, second = self.words[self.at], self.words[self.at + 8]
        place = place_of(word)
        wrong = (word ^ TABLES.first.take(place)) & TABLES.first_mask.take(place)
        wrong |= (second ^ TABLES.second.take(place)) & TABLES.second_mask.take(place)
        tags = TABLES.number.take(place)
        tags[wrong != 0] = UNKNOWN
        tags[first] = ROOT
        tags[last] = ROOT + 1
        return tags

    def _decline(self, tags: Ints) -> None:
        """Decline the files of these tags."""
        self.bad[self.file[tags]] = True

    def _check_neighbours(self) -> None:
        tags = self.tags
        self._decline(np.flatnonzero(~TABLES.pairs[tags[:-1] * SIDE + tags[1:]]))
        is_container = tags < LIMIT
        self.container_of = np.cumsum(is_container) - 1  # of each tag: the last container tag up to it
        self.containers = np.flatnonzero(is_container)
        self.container_tags = tags[self.containers]
        allowed = TABLES.containers[self.container_tags[:-1] * SIDE + self.container_tags[1:]]
        self._decline(self.containers[1:][~allowed])

    def _sort_leaves(self) -> None:
        """Find the leaf of each column of each object and file; -1 where it is absent."""
        is_object = self.container_tags == OBJECT
        self.objects = self.containers[is_object]
        object_of = np.cumsum(is_object) - 1
        leaves = np.flatnonzero((self.tags >= LIMIT) & (self.tags & 1 == 0) & (self.tags != UNKNOWN))
        container = self.container_of[leaves]
        where = self.container_tags[container] * SIDE + self.tags[leaves]
        column = TABLES.object_column[where]
        self._decline(leaves[column == -2])
        inside = column >= 0
        self.object_leaves = self._placed(
            leaves[inside], object_of[container[inside]], column[inside], (len(self.objects), len(OBJECT_LEAVES))
        )
        column = TABLES.file_column[where]
        inside = column >= 0
        kept = leaves[inside]
        self.file_leaves = self._placed(kept, self.file[kept], column[inside], (self.count, len(FILE_LEAVES)))
        sizes = np.bincount(self.file[self.containers[self.container_tags == NUMBER["size"]]], minlength=self.count)
        self.bad |= sizes > 1
        self._decline(self.objects[(self.object_leaves[:, :REQUIRED] < 0).any(axis=1)])

    def _placed(self, leaves: Ints, row: Ints, column: NDArray[np.int8], shape: tuple[int, int]) -> Ints:
        """The leaves in their rows and columns. A place that is taken twice is a reason to decline."""
        table = np.full(shape[0] * shape[1], -1)
        place = row * shape[1] + column
        table[place] = leaves
        if len(leaves) != np.count_nonzero(table >= 0):
            self._decline(leaves[np.bincount(place, minlength=len(table))[place] > 1])
        return table.reshape(shape)

    def _spans(self, leaves: Ints) -> tuple[Ints, Ints]:
        """Where the texts of leaves begin and end."""
        return self.at[leaves] + LENGTH[self.tags[leaves]], self.at[leaves + 1]

    def _numbers(self, leaves: Ints) -> NDArray[np.float64]:
        """The numbers that leaves hold, of the shape of `leaves`; NaN where there is no leaf."""
        values = np.full(leaves.size, np.nan)
        present = np.flatnonzero((leaves.ravel() >= 0) & ~self.bad[self.file[leaves.ravel()]])
        kept = leaves.ravel()[present]
        start, end = self._spans(kept)
        length = end - start
        # the last eight bytes before the end as one number: digits become 0 to 9, what is before the text becomes 0
        shift = ((8 - np.clip(length, 1, 8)) * 8).astype(np.uint64)
        digits = ((self.words[end - 8] ^ _ZEROS) >> shift) << shift
        plain = ((((digits + _ABOVE_NINE) | digits) & _HIGH_BITS) == 0) & (length >= 1) & (length <= 7)
        # pairs of digits, then both halves at once
        pairs = digits * _TEN + (digits >> _EIGHT)
        whole = ((pairs & _BYTES) * _WEIGHTS_A + ((pairs >> _SIXTEEN) & _BYTES) * _WEIGHTS_B) >> _HALF
        values[present] = whole
        for i in np.flatnonzero(~plain).tolist():
            value = number(self.data[start[i] : end[i]].decode(errors="replace"))
            values[present[i]] = np.nan if value is None else value
            if value is None:
                self._decline(kept[i : i + 1])
        return values.reshape(leaves.shape)

    def _flags(self, leaves: Ints) -> Bools:
        """Whether leaves hold "1"; absent is no, anything but "0" and "1" is a reason to decline."""
        flat = leaves.ravel()
        present = flat >= 0
        start, end = self._spans(flat)
        code = self.codes[start]
        odd = present & ((end - start != 1) | ((code != ord("0")) & (code != ord("1"))))
        self._decline(flat[odd])
        set_flags: Bools = (present & (code == ord("1"))).reshape(leaves.shape)
        return set_flags

    def _texts(self, leaves: Ints) -> list[str]:
        """The texts of leaves, empty where there is no leaf."""
        start, end = self._spans(leaves)
        end = np.where(leaves < 0, start, end)
        text = self.text
        texts = [text[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
        return texts if text.isascii() else [t if t.isascii() else t.encode("latin-1").decode() for t in texts]

    def rows(self, files: Ints) -> Rows:
        """What was found. files: the numbers by which the caller knows the files."""
        sizes = self._numbers(self.file_leaves[:, 1:])
        corners = self._numbers(self.object_leaves[:, 1:REQUIRED])
        flags = self._flags(self.object_leaves[:, REQUIRED:])
        object_file = self.file[self.objects]
        texts = self._texts(self.object_leaves[:, 0])
        names = list(dict.fromkeys(texts))
        number_of = {name: i for i, name in enumerate(names)}
        labels = np.array([*map(number_of.__getitem__, texts)], np.int64)
        odd = np.array([not name.strip(" \t\r\n") or "\r" in name for name in names], np.bool_)
        if odd.any():  # a label of blanks is none; lxml makes line feeds of carriage returns
            self.bad[object_file[odd[labels]]] = True
        filenames = self._texts(self.file_leaves[:, 0])
        if "\r" in "".join(filenames):
            self.bad |= np.array(["\r" in name for name in filenames], np.bool_)
        good = ~self.bad
        kept = good[object_file]
        used = np.unique(labels[kept])
        depth = sizes[good, 2]
        return Rows(
            files=files[good],
            size_wh=sizes[good, :2],
            depth=np.where(np.isnan(depth), 0, depth).astype(np.int32),
            filenames=[*itertools.compress(filenames, good.tolist())],
            box_file=files[object_file[kept]],
            labels=[names[i] for i in used.tolist()],
            box_label=np.searchsorted(used, labels[kept]),
            corners=corners[kept],
            flags=flags[kept],
        )


_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_HIGH_BITS = np.uint64(0x8080808080808080)
_BYTES = np.uint64(0x000000FF000000FF)
_WEIGHTS_A = np.uint64(0x000F424000000064)
_WEIGHTS_B = np.uint64(0x0000271000000001)
_TEN, _EIGHT, _SIXTEEN, _HALF = (np.uint64(n) for n in (10, 8, 16, 32))
