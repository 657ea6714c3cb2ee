"""The input files of one item, each read once and remembered with its digest."""

import os
from collections.abc import Sequence

import xxhash

from datatools.io import files
from datatools.io.room import Seen, seen

MAX_BYTES = 512 * 2**20
"""What `read` takes at most."""


class Intake:
    """Reads the files of an item. root: the set's folder. names: relative to it, the main file first."""

    def __init__(self, root: str, names: Sequence[str]) -> None:
        self.root = root
        self.names = tuple(names)
        self._seen: dict[str, Seen] = {}
        self._taken: dict[str, Seen] = {}

    def read(self, number: int = 0, limit: int = MAX_BYTES) -> bytes:
        """Return the bytes of one of the files. Raises DataError E-FILE-READ (no regular file, too large),
        StorageError."""
        name = self.names[number]
        data, status = files.read_with_state(f"{self.root}/{name}", limit)
        self._seen[name] = seen(name, status, xxhash.xxh3_128_hexdigest(data))
        return data

    def path(self, number: int = 0) -> str:
        """Return the path of one of the files for readers that stream; it is a regular file. Raises as `read`."""
        name = self.names[number]
        path = f"{self.root}/{name}"
        fd, status = files.open_regular(path)
        os.close(fd)
        if name not in self._seen:
            self._seen[name] = seen(name, status, files.digest(path))
        return path

    def also(self, taken: Sequence[Seen]) -> None:
        """Remember files of other items that were read for this one."""
        self._taken.update((one.name, one) for one in taken)

    def refresh(self) -> None:
        """Take the files' times anew: we gave one of them a second name, which is no change of it."""
        for name, one in self._seen.items():
            status = os.stat(f"{self.root}/{name}", follow_symlinks=False)
            if one.same_content(status):
                self._seen[name] = seen(name, status, one.digest)

    @property
    def inputs(self) -> tuple[Seen, ...]:
        """All files of the item, then what was taken from others. Files that nobody has read yet are digested."""
        for number, name in enumerate(self.names):
            if name not in self._seen:
                self.path(number)
        own = [self._seen[name] for name in self.names]
        return (*own, *(one for name, one in sorted(self._taken.items()) if name not in self._seen))

    @property
    def digests(self) -> list[str]:
        """The digests of the item's own files."""
        return [one.digest for one in self.inputs[: len(self.names)]]
