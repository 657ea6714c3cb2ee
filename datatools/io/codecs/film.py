"""What is made of videos frame by frame: videos with their sound, pictures, other files.

The frames are taken in pieces, which are kept in a hidden folder of the output that is being made, and every few
seconds brought to the disk with the state of whatever takes the frames. A run that is killed goes on there, and the
bytes are the same.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import xxhash

from datatools.core import progress
from datatools.core.errors import DataError
from datatools.core.values import Film, Frame, Reel, Shot, Source, printable
from datatools.io import arrays, files
from datatools.io.codecs.clip import ClipCodec
from datatools.io.files import cannot
from datatools.io.room import Room
from datatools.io.video import audio, isobmff
from datatools.io.video.pieces import Pieces
from datatools.io.video.write import Codec, Encoder

PIECE_FRAMES = 100
"""So many frames make a piece. Encoders begin anew with each, so the number decides the bytes of videos."""

SECURE_S = 5.0
"""How much work a kill may cost, beside a piece."""

_PIECES = ".datatools/pieces"


class FilmCodec(ClipCodec):
    """Does what films say. Its clips are found and read as all clips are."""

    def write(self, value: Film, source: Source, room: Room, variant: str) -> Any:
        """Take every frame and write what comes of it.

        Returns how many frames there were, and as `told` what was lost of the clip or its sound. Raises DataError
        where there is no frame at all.
        """
        name = xxhash.xxh3_128_hexdigest(os.fsencode(source.id + variant))
        pieces = Pieces(Path(room.root) / _PIECES / name, value.clip.digest)
        with value.clip.open() as reel:
            _take_all(value, reel, pieces)
            told = list(reel.losses())
        frames = sum(piece["frames"] for piece in pieces.told)
        if not frames:
            raise told[0] if told else DataError(printable(source.id), 0, "E-VIDEO-EMPTY", "it has no frames")
        silence: DataError | None = None
        for video, times_s in _times(pieces).items():
            with room.file(video) as path:
                isobmff.join(pieces.files(f"videos/{video}"), times_s, Path(path))
                if value.clip.sound and video in value.sound and silence is None:
                    silence = _add_sound(Path(path), Path(value.clip.sound), pieces.begin() / "sound.mp4")
        told += [silence] if silence else []
        for file, place in _files(pieces):
            room.link(os.fspath(place), file, files.digest(place))
        rows = [row for piece in pieces.told for row in piece["rows"]]
        for file, data in value.step.end(rows).items():
            room.write(file, data)
        pieces.remove()
        return {"frames": frames, "told": [error.to_json() for error in told]}

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Remove the pieces of clips that failed in the end."""
        shutil.rmtree(Path(room.root) / _PIECES, ignore_errors=True)


def _take_all(film: Film, reel: Reel, pieces: Pieces) -> None:
    done = _go_on(film, reel, pieces)
    ended, secured = False, time.monotonic()
    while not ended:
        with _Piece(film, pieces.begin()) as piece:
            while piece.frames < PIECE_FRAMES and not ended:
                frame = reel.next(film.step.wants)
                ended = frame is None
                if frame is not None:
                    piece.take(frame)
                    done += 1
                    progress.tell(min(done / film.clip.frames, 1.0) if film.clip.frames else 0.0)
        if piece.frames:
            pieces.keep(piece.told())
        if not ended and time.monotonic() - secured > SECURE_S:
            state = film.step.state()
            pieces.secure(None if state is None else arrays.npz(state))
            secured = time.monotonic()


def _go_on(film: Film, reel: Reel, pieces: Pieces) -> int:
    """Pass over the frames that an earlier run has taken; return how many there are."""
    done = sum(int(piece["frames"]) for piece in pieces.told)
    if pieces.state is not None:
        film.step.restore(arrays.parse_npz(pieces.state))
        reel.skip(done)
        return done
    for _ in range(done):
        frame = reel.next(film.step.wants)
        if frame is not None and frame.bgr.size:
            film.step.take(frame)
    return done


class _Piece:
    """One piece that is being made in a folder."""

    def __init__(self, film: Film, folder: Path) -> None:
        self._film = film
        self._folder = folder
        self._held = ExitStack()
        self._encoders: dict[str, Encoder] = {}
        self._times: dict[str, list[float]] = {}
        self._files: list[str] = []
        self._rows: list[Any] = []
        self.frames = 0

    def take(self, frame: Frame) -> None:
        """Have something made of the frame, and write it."""
        self.frames += 1
        if not frame.bgr.size:
            return
        shot = self._film.step.take(frame)
        self._encode(shot, frame.t_s)
        for name, data in shot.files.items():
            self._files.append(name)
            self._write(f"files/{name}", data)
        if shot.row is not None:
            self._rows.append(shot.row)

    def told(self) -> dict[str, Any]:
        """What the end needs to know of the piece."""
        return {"frames": self.frames, "times": self._times, "files": self._files, "rows": self._rows}

    def _encode(self, shot: Shot, t_s: float) -> None:
        for name, picture in shot.videos.items():
            if name not in self._encoders:
                path = self._folder / "videos" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                height, width = picture.shape[:2]
                made = Encoder(path, (width, height), cast(Codec, self._film.codec))
                self._encoders[name] = self._held.enter_context(made)
            self._encoders[name].write(picture)
            self._times.setdefault(name, []).append(t_s)

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise cannot("write", path, error) from None

    def __enter__(self) -> "_Piece":
        return self

    def __exit__(self, *error: Any) -> None:
        self._held.__exit__(*error)


def _times(pieces: Pieces) -> dict[str, list[float]]:
    """The times of the frames of each video, over all pieces."""
    times: dict[str, list[float]] = {}
    for piece in pieces.told:
        for name, some in piece["times"].items():
            times.setdefault(name, []).extend(some)
    return times


def _files(pieces: Pieces) -> Iterator[tuple[str, Path]]:
    """The whole files of all pieces, with their places."""
    for number, piece in enumerate(pieces.told):
        for name in piece["files"]:
            yield name, pieces.place(number) / "files" / name


def _add_sound(video: Path, source: Path, made: Path) -> DataError | None:
    """Give the video the sound of another; say why where there is none."""
    lost = audio.add_sound(video, source, made)
    if lost is None:
        os.replace(made, video)
    return lost
