"""Writers of sound: the same samples give the same bytes.

WAV is written by ourselves, as libsndfile puts the time into files of floats. The streams of Ogg files have random
numbers, which are replaced.
"""

from collections.abc import Iterable

import numpy as np
import soundfile
from numpy.typing import NDArray

from datatools.io.audio import ogg
from datatools.io.audio.riff import wave_header

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Container and subtype, as libsndfile names them, of each format that is written."""

OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

_SERIAL = 1


def write_audio(
    path: str, blocks: Iterable[NDArray[np.float32]], sr: int, channels: int, container: str, subtype: str
) -> int:
    """Write a sound file over an empty one; return how many frames it has. Raises OSError.

    blocks: (n, channels) float32; beyond full scale they are clipped, unless the samples are floats.
    """
    if container == "WAV":
        return _write_wave(path, blocks, sr, channels, subtype)
    frames = 0
    with soundfile.SoundFile(path, "w", sr, channels, subtype, format=container) as file:
        for block in blocks:
            file.write(quantised(block, subtype))
            frames += len(block)
    if container == "OGG":
        ogg.renumber(path, _SERIAL)
    return frames


def _write_wave(path: str, blocks: Iterable[NDArray[np.float32]], sr: int, channels: int, subtype: str) -> int:
    frames = 0
    with open(path, "r+b") as file:
        file.write(wave_header(sr, channels, subtype, 0))
        for block in blocks:
            file.write(packed(quantised(block, subtype), subtype))
            frames += len(block)
        if file.tell() & 1:
            file.write(b"\0")
        header = wave_header(sr, channels, subtype, frames)
        if len(header) != len(wave_header(sr, channels, subtype, 0)):
            raise OSError(0, "a WAV file cannot hold 4 GB")
        file.seek(0)
        file.write(header)
    return frames


def quantised(block: NDArray[np.float32], subtype: str) -> NDArray[np.generic]:
    """Turn floats into what is stored: int16, int32 (24 bits in the upper ones), or floats within full scale."""
    if subtype in ("FLOAT", "DOUBLE"):
        return block
    if subtype not in ("PCM_16", "PCM_24", "PCM_32"):
        return np.clip(block, -1, 1)
    bits = int(subtype[4:])
    full = 2.0 ** (bits - 1)
    whole = np.clip(np.rint(block.astype(np.float64) * full), -full, full - 1)
    return whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) << (32 - bits)


def packed(samples: NDArray[np.generic], subtype: str) -> bytes:
    """The bytes of quantised samples inside a WAV file."""
    if subtype == "PCM_24":
        return np.ascontiguousarray(samples, "<i4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    if subtype == "DOUBLE":
        samples = samples.astype(np.float64)
    return samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()
