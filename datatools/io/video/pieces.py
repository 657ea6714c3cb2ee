"""Long work in pieces, so that a killed run goes on where an earlier one was sure to be.

    pieces = Pieces(folder, key)
    ...                              # pass over what pieces.told says is done, go on from pieces.state
    place = pieces.begin()           # files of the next piece are written here
    pieces.keep({"frames": 100})     # and belong to it now
    pieces.secure(state)             # now and then: all that was kept is on the disk, and found again after a kill
    pieces.files("video.mp4")        # of all pieces, in order

The length of a piece must not depend on where an earlier run was killed, or the bytes would. When to secure is a matter
of time alone.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from datatools.io import temporary
from datatools.io.files import cannot
from datatools.io.syncing import sync_folders, sync_tree

_TOLD = "told.json"
_MARK = "mark.json"
_STATE = "state-{}"


class Pieces:
    """The pieces of one job in a folder, which is made where it is missing.

    key: tells the job: what is read, how, by which version. Pieces of another key, and those that nobody secured, are
    thrown away. told: what was said of each piece. state: what was secured with the last; None where that was nothing.

    Raises StorageError where the disk fails.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        self._begun: Path | None = None
        self.told: list[Any] = []
        self.state: bytes | None = None
        try:
            self._find()
        except OSError as error:
            raise cannot("write", folder, error) from None

    def _find(self) -> None:
        mark = _read_json(self._folder / _MARK)
        count = mark["count"] if isinstance(mark, dict) and mark.get("key") == self._key else 0
        if not count:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            return
        keep = {_MARK, _STATE.format(count), *(self.place(i).name for i in range(count))}
        for other in self._folder.iterdir():
            if other.name not in keep:
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        self.told = [_read_json(self.place(i) / _TOLD) for i in range(count)]
        state = self._folder / _STATE.format(count)
        self.state = state.read_bytes() if state.exists() else None

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return len(self.told)

    def place(self, number: int) -> Path:
        """The folder of a piece."""
        return self._folder / f"{number:06d}"

    def files(self, name: str) -> list[Path]:
        """The file of that name in every piece that has one, in order."""
        found = [self.place(i) / name for i in range(self.count)]
        return [path for path in found if path.exists()]

    def begin(self) -> Path:
        """Return an empty folder for the files of the next piece."""
        self._begun = self.place(self.count).with_suffix(".part")
        try:
            shutil.rmtree(self._begun, ignore_errors=True)
            self._begun.mkdir()
        except OSError as error:
            raise cannot("write", self._begun, error) from None
        return self._begun

    def keep(self, told: Any) -> None:
        """Count the begun piece. told: plain data about it."""
        assert self._begun is not None
        try:
            (self._begun / _TOLD).write_text(json.dumps(told))
            os.rename(self._begun, self.place(self.count))
        except OSError as error:
            raise cannot("write", self._begun, error) from None
        self.told.append(told)
        self._begun = None

    def secure(self, state: bytes | None) -> None:
        """Bring all pieces to the disk, and what the next one depends on: a run that is killed goes on behind them."""
        where = os.fspath(self._folder)
        before = [path for path in self._folder.glob(_STATE.format("*"))]
        try:
            if state is not None:
                (self._folder / _STATE.format(self.count)).write_bytes(state)
            sync_tree(where)
            mark = json.dumps({"key": self._key, "count": self.count}).encode()
            temporary.rename(temporary.write(where, mark), f"{where}/{_MARK}")
            sync_folders([where])
            for path in before:
                path.unlink()
        except OSError as error:
            raise cannot("write", self._folder, error) from None

    def remove(self) -> None:
        """Remove all pieces and their folder; the job is done."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _read_json(path: Path) -> Any:
    """What a file says; None where there is no such file, or none that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
