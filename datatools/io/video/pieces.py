"""Long work in steps, each of which is kept: a killed run goes on behind the last whole piece.

    with Pieces(folder, key) as pieces:
        clip.skip(pieces.frames)
        ...
        folder = pieces.begin()          # files of the next piece are written here
        pieces.keep(times_s)             # and are whole now
        pieces.files("video.mp4")        # of all pieces, in order

A piece is a folder that gets its name when all in it is on the disk. Its length in frames is up to the caller and must
not depend on where an earlier run was killed, or the bytes would.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from datatools.core.errors import StorageError
from datatools.io.files import cannot
from datatools.io.syncing import sync_folders, sync_tree

_TIMES = "times.json"
_KEY = "key"


class Pieces:
    """The finished pieces of one job in a folder, which is made where it is missing.

    key: tells the job: what is read, how, by which version. Pieces of another key are thrown away.

    Raises StorageError where the disk fails.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._begun: Path | None = None
        self._times: list[list[float]] = []
        try:
            if _read(folder / _KEY) != key:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                (folder / _KEY).write_text(key)
            for other in folder.glob("*.part"):
                shutil.rmtree(other)
            while (text := _read(self._name(len(self._times)) / _TIMES)) is not None:
                self._times.append(json.loads(text))
        except OSError as error:
            raise cannot("write", folder, error) from None

    @property
    def count(self) -> int:
        """How many pieces are whole."""
        return len(self._times)

    @property
    def frames(self) -> int:
        """How many frames the whole pieces hold."""
        return sum(map(len, self._times))

    @property
    def times_s(self) -> list[float]:
        """The time of each frame of all pieces."""
        return [t for piece in self._times for t in piece]

    def files(self, name: str) -> list[Path]:
        """The file of that name in every piece that has one, in order."""
        found = [self._name(i) / name for i in range(self.count)]
        return [path for path in found if path.exists()]

    def begin(self) -> Path:
        """Return an empty folder for the files of the next piece."""
        self._begun = self._name(self.count).with_suffix(".part")
        try:
            shutil.rmtree(self._begun, ignore_errors=True)
            self._begun.mkdir()
        except OSError as error:
            raise cannot("write", self._begun, error) from None
        return self._begun

    def keep(self, times_s: Sequence[float]) -> None:
        """Bring the begun piece to the disk and count it. times_s: of its frames."""
        assert self._begun is not None
        try:
            (self._begun / _TIMES).write_text(json.dumps(list(times_s)))
            sync_tree(os.fspath(self._begun))
            os.rename(self._begun, self._name(self.count))
            sync_folders([os.fspath(self._folder)])
        except OSError as error:
            raise cannot("write", self._begun, error) from None
        self._times.append(list(times_s))
        self._begun = None

    def remove(self) -> None:
        """Remove all pieces and their folder; the job is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _name(self, number: int) -> Path:
        return self._folder / f"{number:06d}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise StorageError(f"cannot read {path}: {error.reason}") from None
