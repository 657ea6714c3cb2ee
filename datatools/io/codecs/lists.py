"""The text files of a whole set, written line by line while its items pass by."""

from contextlib import ExitStack
from types import TracebackType
from typing import IO, Self

from datatools.io.room import Room


class Lists:
    """Opens each file when its first line comes; all are whole when the block ends.

    with Lists(room) as lists:
        lists.add("train.txt", "a.jpg\\tone\\n")
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._open = ExitStack()
        self._files: dict[str, IO[bytes]] = {}

    def add(self, name: str, text: str) -> None:
        """Add text to a file. name: relative to the room. Raises StorageError."""
        if name not in self._files:
            path = self._open.enter_context(self._room.file(name))
            file = open(path, "wb")  # noqa: SIM115 (the stack closes it)
            self._files[name] = self._open.enter_context(file)
        self._files[name].write(text.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
