"""Pictures and videos in one folder, for operations that take both; all other files are carried over as they are."""

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatools.core.values import Clip, Film, Image, Source
from datatools.io.codecs.clip import STILLS, find_videos
from datatools.io.codecs.image import CARRIED, ImageCodec
from datatools.io.intake import Intake
from datatools.io.room import Room

if TYPE_CHECKING:
    from datatools.io.codecs.film import FilmCodec

CLIP = "clip"
"""The kind of a source that is a video file."""


class PictureOrVideoCodec:
    """Gives each file to the codec that knows it.

    only: `image` for pictures alone, `clip` for videos and folders of numbered pictures alone; the others are carried
    over, or left where a folder of pictures is one clip.
    """

    suffixes = ImageCodec.suffixes

    def __init__(self, only: str = "") -> None:
        self._only = only
        self._has_videos = False
        self._pictures = ImageCodec()

    @functools.cached_property
    def _films(self) -> "FilmCodec":
        from datatools.io.codecs.film import FilmCodec

        return FilmCodec()

    def recognises(self, root: Path) -> bool:
        """Whether there is a picture or a video anywhere below."""
        return any(source.kind != CARRIED for source in self.find(root))

    @property
    def wants_rows(self) -> bool:
        """Whether videos were found: pictures note nothing."""
        return self._has_videos

    def find(self, root: Path) -> Iterator[Source]:
        """Every file below the folder, in the order of their names."""
        if self._only == "clip":
            self._has_videos = True
            yield from self._films.find(root)
            return
        clips = {one.files[0]: one for one in find_videos(root)} if not self._only else {}
        self._has_videos = bool(clips)
        if not clips:
            yield from self._pictures.find(root)
            return
        for source in self._pictures.find(root):
            clip = clips.get(source.files[0])
            if clip is None:
                yield source
                continue
            taken = os.path.lexists(root / clip.id)  # by a file without a suffix
            yield Source(source.id if taken else clip.id, clip.files, kind=CLIP)

    def read(self, source: Source, intake: Intake) -> Image | Clip:
        """Decode a picture, or look at the headers of a video. Raises DataError where it is bad."""
        if source.kind in (CLIP, STILLS) or self._only == "clip":
            return self._films.read(source, intake)
        return self._pictures.read(source, intake)

    def write(self, value: Any, source: Source, room: Room, variant: str) -> Any:
        """Write a picture or a film."""
        if isinstance(value, Film):
            return self._films.write(value, source, room, variant)
        return self._pictures.write(value, source, room, variant)

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Remove what is left of films that failed."""
        self._films.finish(rows, root, room)
