"""SpeechBrain's CRDNN detectors as an engine.

What breaks: SpeechBrain imports torchaudio (compat/torchaudio.py) and reads files with it, which needs torchcodec from
torchaudio 2.9 on. So the network is given samples instead of names. And since 1.0 it leaves stand-ins for its old
modules in sys.modules, which import half of it, with warnings, when anybody goes through the list (inspect does):
they are taken out.

A model folder holds hyperparams.yaml, which names Python classes that are made on loading: it is code. Only a folder
or a name that the user gives is opened, and nothing that stands in data.
"""

import functools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.compat import torchaudio
from datatools.core.errors import MissingExtra, UsageError, escape

Floats = NDArray[np.float32]

_SR = 16000
_CHUNK = 10 * _SR  # what the network sees at once, as in SpeechBrain's own reading of files


class Crdnn:
    """One pass over one recording of 16 kHz. source: a local folder, or a name on the hub. step_s: of a score."""

    def __init__(self, source: str) -> None:
        self._vad = _model(source)
        self.step_s = float(self._vad.time_resolution)
        self._rest = np.zeros(0, np.float32)
        self._parts: list[Floats] = []

    def feed(self, samples: Floats, power: Floats, last: bool) -> None:
        """Take the next samples; the network works on 10 s at a time, the last part filled up with silence."""
        x = np.concatenate([self._rest, samples])
        whole = len(x) // _CHUNK
        if whole:
            self._run(x[: whole * _CHUNK].reshape(whole, _CHUNK), _CHUNK)
        self._rest = x[whole * _CHUNK :]
        if last and len(self._rest):
            padded = np.zeros((1, _CHUNK), np.float32)
            padded[0, : len(self._rest)] = self._rest
            self._run(padded, len(self._rest))

    def _run(self, chunks: Floats, heard: int) -> None:
        import torch

        step = round(_SR * self.step_s)
        with torch.inference_mode():
            made = self._vad.get_speech_prob_chunk(torch.from_numpy(chunks))[:, : -(-heard // step), 0]
        self._parts.append(made.numpy().astype(np.float32).ravel())

    def scores(self) -> Floats:
        """All scores."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.float32)


@functools.lru_cache(maxsize=2)
def _model(source: str) -> Any:
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise UsageError("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set: weights would be loaded as code; unset it")
    torchaudio.load()
    import torch

    try:
        from speechbrain.inference.VAD import VAD
    except ModuleNotFoundError:
        raise MissingExtra("--vad speechbrain", "audio") from None
    for name in [n for n, module in sys.modules.items() if type(module).__name__ == "DeprecatedModuleRedirect"]:
        del sys.modules[name]
    folder = Path(source)
    if folder.is_dir() and not (folder / "hyperparams.yaml").is_file():
        raise UsageError(f"--source {escape(source)}: holds no hyperparams.yaml")
    torch.set_num_threads(1)
    try:
        found = VAD.from_hparams(source=str(folder.absolute()) if folder.is_dir() else source)
    except Exception as error:  # whatever the folder's own classes, or the way to the hub, raise
        what = f"{type(error).__name__}: {error}".split("\n")[0][:200]
        raise UsageError(f"--source {escape(source)}: cannot be loaded ({escape(what)})") from None
    if found.sample_rate != _SR:
        raise UsageError(f"--source {escape(source)}: hears {found.sample_rate} Hz, not {_SR}")
    return found
