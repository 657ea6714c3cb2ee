"""Classified sets as arrays: every example decoded once, cut out, scaled to the network's input and kept as bytes.

Memory holds 3 bytes a pixel of the input, so 80,000 pictures of 64 x 64 are 1 GB; above that they lie in a nameless
file of the system's temporary folder, from which the kernel keeps in memory what it can.
"""

import functools
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.core.types import SERIAL, Run
from datatools.io import files, images
from datatools.io.classified.examples import Example
from datatools.kernels import crops, folds

LARGEST_GROUP = 0.2
"""Share of a set that one group may have, so that it can still be parted."""

IN_MEMORY_BYTES = 2**30
"""More pixels than these are kept in a temporary file."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Decoded examples.

    rgb: (N, height, width, 3) uint8, as displayed. label: (N,) int64. examples: N. group: (N,) equal for examples that
    were cut from one file, or made from one picture. digest: (N,) of the pixels of each. failures: those that are
    missing here. loose: pictures were mixed of so many others that only their main origins count for the groups.
    """

    rgb: NDArray[np.uint8]
    label: NDArray[np.int64]
    examples: tuple[Example, ...]
    group: NDArray[np.int64]
    digest: NDArray[np.uint64]
    failures: tuple[DataError, ...] = ()
    loose: bool = False

    def __len__(self) -> int:
        return len(self.label)

    def taught(self, classes: int) -> NDArray[np.int64] | NDArray[np.float32]:
        """What is to be learnt: the labels (N,), or shares (N, C) where a picture is mixed of several classes."""
        if not any(example.shares for example in self.examples):
            return self.label
        made = np.zeros((len(self), classes), np.float32)
        made[np.arange(len(self)), self.label] = 1
        for i, example in enumerate(self.examples):
            if example.shares:
                made[i] = 0
                for number, share in example.shares:
                    made[i, number] = share
        return made

    def take(self, rows: NDArray[np.integer]) -> "Pictures":
        """Some of the examples, in the order of the rows."""
        kept = tuple(self.examples[i] for i in rows.tolist())
        return Pictures(self.rgb[rows], self.label[rows], kept, self.group[rows], self.digest[rows], loose=self.loose)


@dataclass(frozen=True, slots=True)
class _File:
    """The examples of one file; they follow one another in the set."""

    file: str
    examples: tuple[Example, ...]


def load(examples: Sequence[Example], size_wh: tuple[int, int], run: Run = SERIAL) -> Pictures:
    """Decode the examples and scale each to width and height, which may change its shape.

    The file of several examples is decoded once. What cannot be decoded, and a box outside its picture, is a failure
    (E-IMAGE-DAMAGED, E-IMAGE-UNREADABLE, E-BOX-OUTSIDE) and is left out.
    """
    jobs = _by_file(examples)
    rgb = _room(len(examples), size_wh)
    kept: list[Example] = []
    digest: list[int] = []
    failures: list[DataError] = []
    decoded = run.map(functools.partial(_decode, size_wh=size_wh), jobs, "decoding")
    for job, made in zip(jobs, decoded, strict=True):
        for example, one in zip(job.examples, made, strict=True):
            if isinstance(one, DataError):
                failures.append(one)
                continue
            rgb[len(kept)] = one
            digest.append(xxhash.xxh3_64_intdigest(one.tobytes()))
            kept.append(example)
    group, loose = _groups(kept)
    return Pictures(
        rgb=rgb[: len(kept)],
        label=np.array([e.label for e in kept], np.int64),
        examples=tuple(kept),
        group=group,
        digest=np.array(digest, np.uint64),
        failures=tuple(failures),
        loose=loose,
    )


def _groups(examples: Sequence[Example]) -> tuple[NDArray[np.int64], bool]:
    """The group of each example, and whether only main origins count: where all did, most would be one group."""
    group = _linked(examples, None)
    if not len(group) or np.bincount(group).max() <= max(LARGEST_GROUP * len(group), 1):
        return group, False
    return _linked(examples, 1), any(len(e.origins) > 1 for e in examples)


def _linked(examples: Sequence[Example], origins: int | None) -> NDArray[np.int64]:
    names: dict[tuple[str, str], int] = {}
    pairs = [
        (i, names.setdefault(name, len(names)))
        for i, e in enumerate(examples)
        for name in (("file", e.file), *(("origin", o) for o in e.origins[:origins]))
    ]
    item, name = np.array(pairs, np.int64).reshape(-1, 2).T
    return folds.linked(item, name, len(examples))


def _by_file(examples: Sequence[Example]) -> list[_File]:
    jobs: list[_File] = []
    start = 0
    for end in range(1, len(examples) + 1):
        if end == len(examples) or examples[end].file != examples[start].file:
            jobs.append(_File(examples[start].file, tuple(examples[start:end])))
            start = end
    return jobs


def _room(count: int, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    shape = (count, size_wh[1], size_wh[0], 3)
    if math.prod(shape) <= IN_MEMORY_BYTES:
        return np.empty(shape, np.uint8)
    # it has no name, so nothing is left of it however the process ends
    with tempfile.TemporaryFile(prefix="datatools-") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, math.prod(shape))  # a full disk is told now, not by SIGBUS later
        except OSError as error:
            raise files.cannot("write", tempfile.gettempdir(), error) from None
        return np.memmap(file, np.uint8, "r+", shape=shape)


def read_one(example: Example) -> NDArray[np.uint8] | DataError:
    """The picture of an example, or its part, (height, width, 3) uint8 in its own size, or what is wrong with it."""
    rgb = _read(example)
    return rgb if isinstance(rgb, DataError) else _cut(rgb, example)


def _decode(job: _File, size_wh: tuple[int, int]) -> list[NDArray[np.uint8] | DataError]:
    """The scaled crops of one file, each one or what is wrong with it."""
    rgb = _read(job.examples[0])
    made: list[NDArray[np.uint8] | DataError] = []
    for example in job.examples:
        if isinstance(rgb, DataError):
            made.append(DataError(example.key, 0, rgb.code, rgb.message, rgb.remedy))
            continue
        part = _cut(rgb, example)
        made.append(part if isinstance(part, DataError) else crops.scale(part, size_wh))
    return made


def _read(example: Example) -> NDArray[np.uint8] | DataError:
    name = example.key.partition("#")[0] if example.xyxy else example.key
    try:
        data = files.read_bytes(example.file, images.MAX_FILE_BYTES)
        header = images.header_of(data, name=name)
        # the boxes mean the stored picture where the annotation has its size and not that of the displayed one
        upright = not (example.size_wh == header.stored_wh != header.displayed_wh)
        return images.decode(data, name=name, upright=upright)
    except DataError as error:
        code = "E-IMAGE-UNREADABLE" if error.code == "E-FILE-READ" else error.code
        return DataError(name, 0, code, error.message, error.remedy)


def _cut(rgb: NDArray[np.uint8], example: Example) -> NDArray[np.uint8] | DataError:
    part = rgb if example.xyxy is None else crops.crop(rgb, example.xyxy)
    if not part.size:
        return DataError(example.key, 0, "E-BOX-OUTSIDE", "its box lies outside the picture", "datatools voc fix")
    return part
