"""The sound of one file beside the pictures of another, by the program `ffmpeg` where it is installed.

OpenCV knows nothing of sound. Debian's package `ffmpeg` copies the track, or encodes it as AAC where MP4 cannot hold it
as it is. Without the program the video is made without sound, and whoever makes it says so.
"""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from datatools.core.errors import DataError
from datatools.io.files import open_regular

PROGRAM = "ffmpeg"

_TIMEOUT_S = 600.0
_READ = ("-protocol_whitelist", "file,pipe", "-format_whitelist", "mov,mp4,avi,matroska,webm")
_SAME_BYTES = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")


def available() -> bool:
    """Whether the program is installed."""
    return shutil.which(PROGRAM) is not None


def add_sound(pictures: Path, source: Path, target: Path) -> DataError | None:
    """Make a file with the pictures of one video and the audio tracks of another.

    pictures: an MP4 file that was made here. source: the file with the sound; its name may be anything. target: an MP4
    file that is not there yet; it is there if nothing is returned.

    Returns W-VIDEO-SOUND, saying why, where there is no sound in the result and so no file: the program is not
    installed, or cannot read or encode the track.
    """
    if not available():
        return _lost(source, f"the program {PROGRAM} is not installed", "apt-get install ffmpeg, then run it again")
    try:
        fd, _ = open_regular(source)
    except DataError as error:
        return _lost(source, error.message)
    said = ""
    try:
        for codec in (("-c:a", "copy"), ("-c:a", "aac", "-b:a", "192k")):
            said = _run(pictures, fd, target, codec)
            if not said:
                return None
            with suppress(OSError):
                os.unlink(target)
    finally:
        os.close(fd)
    return _lost(source, f"{PROGRAM} says: {said}")


def _run(pictures: Path, source: int, target: Path, codec: tuple[str, ...]) -> str:
    """Run the program; return the last line of what it complains about, nothing where it worked."""
    words = [
        PROGRAM, "-nostdin", "-v", "error", "-n",
        *_READ, "-i", f"file:{os.path.abspath(pictures)}",
        *_READ, "-i", f"file:/dev/fd/{source}",
        "-map", "0:v:0", "-map", "1:a", "-c:v", "copy", *codec, *_SAME_BYTES,
        "-video_track_timescale", "90000", "-f", "mp4", f"file:{os.path.abspath(target)}",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S, start_new_session=True, pass_fds=(source,), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"nothing for {_TIMEOUT_S:.0f} s"
    except OSError as error:
        return error.strerror or "cannot be started"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (lines[-1] if lines else f"exit code {done.returncode}") if done.returncode else ""


def _lost(source: Path, why: str, remedy: str = "") -> DataError:
    return DataError(source, 0, "W-VIDEO-SOUND", f"the sound is not kept: {why}", remedy)
