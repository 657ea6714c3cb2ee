"""The recordings of a folder, or of one file, for operations on the whole of it."""

from pathlib import Path

from datatools.core.errors import UsageError, escape
from datatools.core.values import Audio, Source, printable
from datatools.ops.audio import options


def find_recordings(src: Path) -> tuple[Path, tuple[Source, ...]]:
    """The folder that the recordings lie in, and they. Raises UsageError where there is none."""
    from datatools.io.codecs.audio import AudioCodec

    if src.is_file():
        found = tuple(one for one in AudioCodec().find(src.parent) if one.files[0] == src.name)
        root = src.parent
    else:
        found, root = tuple(AudioCodec().find(src)), src
    if src.is_file() and not found:
        raise UsageError(f"{escape(src)}: is no recording, by its name")
    return root, found


def read(root: Path, source: Source, max_hours: float) -> Audio:
    """Open one of them. Raises DataError where it is bad."""
    from datatools.io.audio.recording import open_recording
    from datatools.io.codecs.audio import as_audio

    path = f"{root}/{source.files[0]}"
    audio = as_audio(source.id, open_recording(path, name=printable(source.files[0])))
    options.check_length(audio, max_hours)
    return audio
