"""What recordings meet on their way: other sounds, rooms, telephones, tapes that run too fast."""

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SILENT = 1e-10


def add_noise(samples: Floats, noise: Floats, snr_db: float, start: int) -> Floats:
    """Mix a noise in, repeated as often as it takes, so many dB below the samples.

    samples: (n, channels). noise: (m,), from its sample `start` on. The levels are the mean powers of both; into
    silence, and of a silent noise, nothing is mixed.
    """
    if not len(samples) or not len(noise):
        return samples.copy()
    part = np.resize(np.roll(noise, -start), len(samples))
    loud, quiet = float(np.square(samples).mean()), float(np.square(part).mean())
    if loud < _SILENT or quiet < _SILENT:
        return samples.copy()
    gain = np.sqrt(loud / quiet / 10 ** (snr_db / 10))
    return (samples + np.float32(gain) * part[:, None]).astype(np.float32)


def reverberate(samples: Floats, answer: Floats) -> Floats:
    """Let samples sound in a room. samples: (n, channels). answer: (m,), the room's answer to an impulse.

    The loudest sample of the answer is the direct sound: what comes before it is left out, so nothing moves in time.
    Length and mean power stay.
    """
    if not len(samples) or not np.any(answer):
        return samples.copy()
    direct = answer[int(np.argmax(np.abs(answer))) :]
    size = 1 << (len(samples) + len(direct) - 2).bit_length()
    both = np.fft.rfft(samples, size, axis=0) * np.fft.rfft(direct, size)[:, None]
    wet = np.fft.irfft(both, size, axis=0)[: len(samples)]
    before, after = float(np.square(samples).mean()), float(np.square(wet).mean())
    made: Floats = (wet * np.sqrt(before / after if after > _SILENT else 1.0)).astype(np.float32)
    return made


def change_speed(samples: Floats, factor: float) -> Floats:
    """Play samples so many times as fast, pitch and all: (n, channels) become (about n / factor, channels)."""
    if factor == 1 or not len(samples):
        return samples.copy()
    return np.asarray(soxr.resample(samples, 1000.0 * factor, 1000.0), dtype=np.float32).reshape(-1, samples.shape[1])


def through_telephone(samples: Floats, sr: int) -> Floats:
    """Send samples over a line: 8 kHz, 300 to 3400 Hz, 8 bits by the mu-law (ITU-T G.711), and back to their rate."""
    if not len(samples):
        return samples.copy()
    narrow = np.asarray(soxr.resample(samples, sr, 8000)).reshape(-1, samples.shape[1])
    hz = np.fft.rfftfreq(max(len(narrow), 1), 1 / 8000)[:, None]
    # Butterworth's curves of the fourth order at both ends, without their delay
    passed = 1 / np.sqrt((1 + (300 / np.maximum(hz, 1e-3)) ** 8) * (1 + (hz / 3400) ** 8))
    narrow = np.clip(np.fft.irfft(np.fft.rfft(narrow, axis=0) * passed, len(narrow), axis=0), -1, 1)
    law = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coarse = np.round(law * 127) / 127
    back = np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255
    wide = np.asarray(soxr.resample(back, 8000, sr), dtype=np.float32)
    return fit(wide.reshape(-1, samples.shape[1]), len(samples))


def fit(samples: Floats, frames: int) -> Floats:
    """Cut (n, channels), or fill with silence, to so many frames."""
    out = np.zeros((frames, samples.shape[1]), np.float32)
    out[: min(frames, len(samples))] = samples[:frames]
    return out
