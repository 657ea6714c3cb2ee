"""Pictures of items: written beside each other under the items' names."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datatools.core.values import Drawings, Source
from datatools.io.intake import Intake
from datatools.io.room import Room


class DrawingsCodec:
    """Writes pictures; reads none."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Never: drawings are made, not read."""
        return False

    def find(self, root: Path) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def read(self, source: Source, intake: Intake) -> Drawings:
        """Drawings are not read."""
        raise NotImplementedError

    def write(self, value: Drawings, source: Source, room: Room, variant: str) -> Any:
        """Write the pictures."""
        for name, data in value.files:
            room.write(source.id + variant + name, data)

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Nothing."""
