"""Pictures: a picture file, or a folder of them. All other files of the folder are carried over as they are."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from datatools.core.values import Image, Source
from datatools.io import files, images
from datatools.io.intake import Intake
from datatools.io.room import Room

CARRIED = "carried"
"""The kind of a source that is no item: its file comes into the output unchanged."""


class ImageCodec:
    """Pictures keep their names, their format and their depth; so labels of any kind that lie beside them stay right.

    JPEG is written with quality 95 and full colour resolution. A GIF becomes a PNG, as its palette would lose colours.
    """

    suffixes = images.IMAGE_SUFFIXES - {".gif"}
    wants_rows = False

    def recognises(self, root: Path) -> bool:
        """Whether there is a picture anywhere below."""
        return any(source.kind != CARRIED for source in self.find(root))

    def find(self, root: Path) -> Iterator[Source]:
        """Every file below the folder: pictures by their suffixes, the others to be carried over."""
        for folder, _, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            for name in names:
                if (where + name) == "run.json":  # the record of an output of ours: the new one gets its own
                    continue
                picture = f".{name.rpartition('.')[2].lower()}" in images.IMAGE_SUFFIXES
                yield Source(where + name, (where + name,), kind="" if picture else CARRIED)

    def read(self, source: Source, intake: Intake) -> Image:
        """Decode the picture. Raises DataError E-IMAGE-DAMAGED, E-IMAGE-UNREADABLE."""
        return Image(images.decode_as_is(intake.read(limit=images.MAX_FILE_BYTES), name=source.id))

    def write(self, value: Any, source: Source, room: Room, variant: str) -> Any:
        """Encode the picture under its old name."""
        stem, _, suffix = source.files[0].rpartition(".")
        suffix = "png" if suffix.lower() == "gif" else suffix
        name = f"{stem}{variant}.{suffix}"
        room.write(name, images.encode(value.pixels, f".{suffix.lower()}"))
        for pattern, content in value.beside.items():
            further = pattern.replace("{}", name)
            room.write(further, _encoded(content, PurePosixPath(further).suffix.lower()))

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Nothing: a folder of pictures has no files of the whole."""


def _encoded(content: Any, suffix: str) -> bytes:
    if hasattr(content, "dtype"):
        return images.encode(content, suffix)
    return (json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n").encode()
