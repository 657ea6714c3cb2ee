"""Arrays made of one item each, as NumPy's .npz files: what networks learn from directly."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from datatools.core.values import Arrays, Source
from datatools.io.intake import Intake
from datatools.io.room import Room


class ArraysCodec:
    """Each item becomes `<folders and stem of its picture>.npz`, compressed; the same arrays give the same bytes."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Never: this only writes."""
        return False

    def find(self, root: Path) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def read(self, source: Source, intake: Intake) -> Arrays:
        """Never called."""
        raise NotImplementedError

    def write(self, value: Arrays, source: Source, room: Room, variant: str) -> Any:
        """Write the arrays under their names."""
        data = io.BytesIO()
        np.savez_compressed(data, allow_pickle=False, **dict(value.arrays))
        path = PurePosixPath(source.files[0])
        room.write(str(path.with_name(f"{path.stem}{variant}.npz")), data.getvalue())

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Nothing: the files stand for themselves."""
