"""Videos: a video file, a folder of them, or folders of numbered pictures.

OpenCV takes a while to load, and who only looks for videos needs none of it: what reads them is imported late.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import xxhash

from datatools.core.values import Clip, Source, printable
from datatools.io import files, images
from datatools.io.intake import Intake
from datatools.io.room import Room
from datatools.io.video.containers import VIDEO_SUFFIXES

STILLS = "stills"
"""The kind of a source that is a folder of pictures."""


class ClipCodec:
    """Finds and reads videos. The id of one is its name without suffix, unless another item has that, too."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Whether there is a video or a folder of pictures anywhere below."""
        return any(True for _ in self.find(root))

    def find(self, root: Path) -> Iterator[Source]:
        """Every video below the folder, and every folder that holds pictures, as one clip; its pictures in order."""
        for folder, folders, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            pictures = [name for name in names if _suffix(name) in images.IMAGE_SUFFIXES]
            yield from _videos(where, names, [*folders, *(["frames"] if pictures and not where else [])])
            if pictures:
                from datatools.io.video import stills

                ordered = sorted(pictures, key=stills.by_number)
                yield Source(str(folder) if where else "frames", tuple(where + n for n in ordered), kind=STILLS)

    def read(self, source: Source, intake: Intake) -> Clip:
        """Look at the headers of a video. Raises DataError E-VIDEO-UNREADABLE."""
        from datatools.io.video import read, stills

        if source.kind == STILLS:
            with stills.Stills(intake.root, source.files) as first:
                size, fps, frames, sound = first.size_wh, stills.FPS, len(source.files), ""
        else:
            name = printable(source.files[0])
            with read.open_video(intake.path(), name=name) as video:
                info = video.info
            size, fps, frames = info.size_wh, info.fps, info.frames
            sound = intake.path() if info.container.audio else ""
        digest = xxhash.xxh3_128_hexdigest("".join(intake.digests).encode())
        root, names = intake.root, source.files

        def begin() -> Any:
            if source.kind == STILLS:
                return stills.Stills(root, names)
            return read.open_video(f"{root}/{names[0]}", name=printable(names[0]))

        return Clip(source.id, size, fps, frames, sound, digest, begin)

    def write(self, value: Any, source: Source, room: Room, variant: str) -> Any:
        """Clips are only read; what is made of them are films."""
        raise NotImplementedError

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Nothing: see FilmCodec."""


def find_videos(root: Path) -> Iterator[Source]:
    """Every video file below the folder, with the id that it has beside the pictures there."""
    for folder, folders, names in files.walk(root):
        where = f"{folder}/" if folder.parts else ""
        pictures = not where and any(_suffix(name) in images.IMAGE_SUFFIXES for name in names)
        yield from _videos(where, names, [*folders, *(["frames"] if pictures else [])])


def _videos(where: str, names: list[str], taken: list[str]) -> Iterator[Source]:
    """The videos among the names of a folder. taken: ids there that others have."""
    stem = {name: name.rpartition(".")[0] for name in names if _suffix(name) in VIDEO_SUFFIXES}
    taken = [*stem.values(), *taken]
    for name in stem:
        alone = taken.count(stem[name]) == 1
        yield Source(where + (stem[name] if alone else name), (where + name,))


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"
