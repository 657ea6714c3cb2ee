"""torchaudio beside a torch without CUDA.

What breaks: torchaudio's wheel on PyPI links its extension to CUDA's libraries, so `import torchaudio` raises OSError
where torch was installed without them (seen with torchaudio 2.9 to 2.11 and torch 2.13 for CPUs). What we use of it,
the Kaldi features, is plain Python on torch. So where the import fails in that way, it is done again with a stand-in
for the extension, which says that there is none.

Delete this when torchaudio's wheels import without CUDA.
"""

import importlib
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import MissingExtra

Floats = NDArray[np.float32]

_EXTENSION = "torchaudio._extension"


def load(name: str = "torchaudio") -> Any:
    """Import torchaudio, or a module of it. Raises MissingExtra where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("torchaudio", "torch"):
            raise MissingExtra("torchaudio", "audio") from None
        raise
    except OSError:
        for loaded in [one for one in sys.modules if one.partition(".")[0] == "torchaudio"]:
            del sys.modules[loaded]
    sys.modules[_EXTENSION] = _stand_in()
    return importlib.import_module(name)


def _stand_in() -> types.ModuleType:
    """The extension's module where there is no extension."""
    module: Any = types.ModuleType(_EXTENSION)
    module._IS_TORCHAUDIO_EXT_AVAILABLE = False
    module._IS_RIR_AVAILABLE = False
    module._IS_ALIGN_AVAILABLE = False

    def fail_if_no_align(function: Any) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"{function.__name__} needs torchaudio's extension, which does not load here")

        return fail

    module.fail_if_no_align = fail_if_no_align
    found: types.ModuleType = module
    return found


def kaldi_features(
    blocks: Iterable[Floats], sr: int, window_ms: float, shift_ms: float, bands: int, cepstra: int = 0
) -> Iterator[Floats]:
    """Yield torchaudio.compliance.kaldi's log mel energies, or so many cepstra, of a stream of (n,) samples."""
    kaldi = load("torchaudio.compliance.kaldi")
    import torch

    settings: dict[str, Any] = {
        "sample_frequency": float(sr), "frame_length": window_ms, "frame_shift": shift_ms, "num_mel_bins": bands,
        "dither": 0.0,
    }  # fmt: skip
    length, shift = int(sr * window_ms / 1000), int(sr * shift_ms / 1000)
    rest = np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block])
        if len(samples) < length:
            rest = samples
            continue
        waveform = torch.from_numpy(samples)[None]
        if cepstra:
            rows = kaldi.mfcc(waveform, num_ceps=cepstra, **settings).numpy()
        else:
            rows = kaldi.fbank(waveform, **settings).numpy()
        rest = samples[len(rows) * shift :]
        yield rows
