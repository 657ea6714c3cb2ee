"""Named arrays in one file, NumPy's npz: plain numbers only, nothing that runs code."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.io import files

MAX_BYTES = 2**30
"""Larger files are not read, nor such as would become larger."""

_MAX_ARRAYS = 100


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a file that holds the arrays; the same for the same arrays."""
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **dict(arrays))
    return held.getvalue()


def read_npz(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read what `npz` wrote.

    Raises DataError E-ARRAYS where the file is no such file, is damaged or too large; StorageError where the disk or
    the rights fail.
    """
    return parse_npz(files.read_bytes(path, MAX_BYTES), path)


def parse_npz(data: bytes, path: str | Path = "") -> dict[str, NDArray[Any]]:
    """Read what `npz` made. path: for the text of errors. Raises DataError E-ARRAYS as `read_npz` does."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            infos = members.infolist()
            if len(infos) > _MAX_ARRAYS or any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise DataError(path, 0, "E-ARRAYS", "it is compressed, or holds too many arrays")
            if members.testzip() is not None:
                raise DataError(path, 0, "E-ARRAYS", "its check sums do not fit: it is damaged")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
        if not all(isinstance(array, np.ndarray) for array in found.values()):
            raise DataError(path, 0, "E-ARRAYS", "it holds other things than arrays")
        return found
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, OSError, NotImplementedError, MemoryError) as error:
        why = str(error).split("\n")[0][:120]
        raise DataError(path, 0, "E-ARRAYS", f"it holds no arrays: {why}") from None
