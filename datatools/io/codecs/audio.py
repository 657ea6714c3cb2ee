"""Recordings: a sound file, or a folder of them. What is made of one goes below its name; other files stay behind."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from datatools.core.errors import UsageError, escape
from datatools.core.values import ALONE, Audio, Source, printable
from datatools.io import files
from datatools.io.intake import Intake
from datatools.io.room import Room

if TYPE_CHECKING:
    from datatools.io.audio.recording import Recording

SUFFIX = {"WAV": ".wav", "FLAC": ".flac", "MP3": ".mp3", "VORBIS": ".ogg", "OPUS": ".opus"}


class AudioCodec:
    """An item's id is its path without the suffix; where two files differ in that alone, it is the whole path."""

    suffixes = frozenset([".wav", ".flac", ".ogg", ".opus", ".mp3"])
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Whether there is a recording anywhere below."""
        return next(self.find(root), None) is not None

    def find(self, root: Path) -> Iterator[Source]:
        """Every recording below the folder, by the suffixes of their names."""
        from datatools.io.audio.suffixes import AUDIO_SUFFIXES

        for folder, _, names in files.walk(root):
            where = f"{folder}/" if folder.parts else ""
            sounds = [n for n in names if f".{n.rpartition('.')[2].lower()}" in AUDIO_SUFFIXES]
            stems = Counter(PurePosixPath(n).stem.casefold() for n in sounds)
            for name in sounds:
                stem = PurePosixPath(name).stem
                yield Source(where + (stem if stems[stem.casefold()] == 1 else name), (where + name,))

    def read(self, source: Source, intake: Intake) -> Audio:
        """Check the file. Raises DataError E-AUDIO-... (`recording.open_recording`)."""
        from datatools.io.audio.recording import open_recording

        return as_audio(source.id, open_recording(intake.path(), name=printable(source.files[0])))

    def write(self, value: Audio, source: Source, room: Room, variant: str) -> Any:
        """Write the samples in the container of the value; a recording as it was read gets a second name. Returns its
        note, and what was written."""
        from datatools.io.audio.encode import write_audio
        from datatools.io.audio.recording import Recording

        if isinstance(value.source, Recording):
            name = source.id + variant + PurePosixPath(source.files[0]).suffix
            room.link(value.source.path, name, files.digest(value.source.path))
            return {"file": printable(name), "sr": value.sr, "frames": value.frames}

        suffix = SUFFIX.get(value.subtype) or SUFFIX.get(value.container, ".wav")
        container, subtype = (value.container, value.subtype) if suffix != ".wav" else ("WAV", _in_wave(value.subtype))
        name = source.id + variant + suffix
        if source.kind == ALONE:
            name = source.id
            if PurePosixPath(name).suffix.lower() != suffix:
                raise UsageError(f"{escape(name)}: what is made is a {suffix} file; name it so, or choose another --to")
        with room.file(name) as path:
            frames = write_audio(path, value.blocks(), value.sr, value.channels, container, subtype)
        return {"file": printable(name), "sr": value.sr, "frames": frames, **(value.note or {})}

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """List what was drawn for each file, if anything was (augment.jsonl)."""
        import json

        notes = [note for _, row in rows for note in (row if isinstance(row, list) else [row])]
        if any("drawn" in note for note in notes):
            text = "".join(json.dumps(note, ensure_ascii=False) + "\n" for note in notes)
            room.write("augment.jsonl", text.encode("utf-8", "backslashreplace"))


def as_audio(name: str, found: "Recording") -> Audio:
    """The value of an opened file."""
    header = found.header
    return Audio(name, header.sr, header.channels, header.frames, found, header.container, header.subtype)


def _in_wave(subtype: str) -> str:
    """What a WAV file of ours holds of samples of that kind."""
    return subtype if subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE") else "PCM_16"
