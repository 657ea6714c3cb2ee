"""What is cut out of recordings: clips, and lists of them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datatools.core.errors import DataError
from datatools.core.records import Recording, Span, milliseconds
from datatools.core.values import Slices, Source, printable
from datatools.io.intake import Intake
from datatools.io.room import Room


class SlicesCodec:
    """Writes each clip as a WAV file of the recording's own rate, channels and samples."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Never: slices are made, not read."""
        return False

    def find(self, root: Path) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def read(self, source: Source, intake: Intake) -> Slices:
        """Slices are not read."""
        raise NotImplementedError

    def write(self, value: Slices, source: Source, room: Room, variant: str) -> Any:
        """Cut the clips. Returns the spans and the names of the clips."""
        sr = value.audio.sr
        names: list[str] = []
        clips = value.audio.source.clips(value.kept)
        for number, ((first, stop), data) in enumerate(zip(value.kept.tolist(), clips, strict=True), start=1):
            name = clip_name(value.naming, source.id, number, milliseconds(first, sr), milliseconds(stop, sr))
            if name in names:
                raise DataError(printable(source.id), 0, "E-NAME", f"--name gives two clips the name {name}")
            room.write(name, data)
            names.append(name)
        for name, data in value.files:
            room.write(source.id + name, data)
        return {
            "sr": sr, "channels": value.audio.channels, "frames": value.audio.frames,
            "file": printable(source.files[0]), "kept": value.kept.tolist(), "clips": [printable(n) for n in names],
            "scores": [round(float(s), 3) for s in value.scores], "dropped": value.dropped.tolist(),
            "silent": value.silent.tolist(), "manifests": list(value.manifests),
        }  # fmt: skip

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Write the lists, and dropped.csv, which names all that is in no clip."""
        from datatools.io.segments import write

        marked: list[tuple[Recording, list[Span]]] = []
        forms: list[str] = []
        dropped = ["recording,start,end,duration,why"]
        for source, note in rows:
            recording = Recording(printable(source.id), note["file"], note["sr"], note["channels"], note["frames"])
            spans = zip(note["kept"], note["scores"], note["clips"], strict=True)
            marked.append((recording, [Span(recording, a, b, score, clip) for (a, b), score, clip in spans]))
            forms = note["manifests"]
            for (a, b), silent in zip(note["dropped"], note["silent"], strict=True):
                times = f"{a / note['sr']:.6f},{b / note['sr']:.6f},{(b - a) / note['sr']:.6f}"
                dropped.append(f"{write.cell(recording.id)},{times},{'silence' if silent else 'short'}")
        for form in forms:
            for name, data in write.files(form, marked).items():
                room.write(name, data)
        room.write("dropped.csv", ("\n".join(dropped) + "\n").encode("utf-8", "backslashreplace"))


def clip_name(naming: str, item: str, number: int, start: str, end: str) -> str:
    """Fill in a template: {stem} the item's id, {start} and {end} in milliseconds, {n} counts from 1."""
    for field, text in (("{stem}", item), ("{start}", start), ("{end}", end), ("{n}", f"{number:04d}")):
        naming = naming.replace(field, text)
    return f"{naming}.wav"
