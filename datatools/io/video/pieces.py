"""Long work in steps, each of which is kept: a killed run goes on behind the last whole piece.

    pieces = Pieces(folder, key)
    ...                              # pass over what pieces.told says is done
    place = pieces.begin()           # files of the next piece are written here
    pieces.keep({"frames": 250})     # and are whole now
    pieces.files("video.mp4")        # of all pieces, in order

A piece is a folder that gets its name when all in it is on the disk. Its length in frames is up to the caller and must
not depend on where an earlier run was killed, or the bytes would.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from datatools.core.errors import StorageError
from datatools.io.files import cannot
from datatools.io.syncing import sync_folders, sync_tree

_TOLD = "told.json"
_KEY = "key"


class Pieces:
    """The finished pieces of one job in a folder, which is made where it is missing.

    key: tells the job: what is read, how, by which version. Pieces of another key are thrown away.

    Raises StorageError where the disk fails.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._begun: Path | None = None
        self.told: list[Any] = []
        """What was said of each whole piece."""
        try:
            if _read(folder / _KEY) != key:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                (folder / _KEY).write_text(key)
            for other in folder.glob("*.part"):
                shutil.rmtree(other)
            while (text := _read(self.place(self.count) / _TOLD)) is not None:
                self.told.append(json.loads(text))
        except OSError as error:
            raise cannot("write", folder, error) from None

    @property
    def count(self) -> int:
        """How many pieces are whole."""
        return len(self.told)

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
        """Bring the begun piece to the disk and count it. told: plain data about it."""
        assert self._begun is not None
        try:
            (self._begun / _TOLD).write_text(json.dumps(told))
            sync_tree(os.fspath(self._begun))
            os.rename(self._begun, self.place(self.count))
            sync_folders([os.fspath(self._folder)])
        except OSError as error:
            raise cannot("write", self._begun, error) from None
        self.told.append(told)
        self._begun = None

    def remove(self) -> None:
        """Remove all pieces and their folder; the job is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def place(self, number: int) -> Path:
        """The folder of a piece."""
        return self._folder / f"{number:06d}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise StorageError(f"cannot read {path}: {error.reason}") from None
