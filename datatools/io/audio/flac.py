"""The check sum of a FLAC file: the MD5 of its samples stands in its first block (RFC 9639, 8.2).

The decoder conceals a broken frame by silence, which nothing but this sum shows.
"""

import hashlib
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_DTYPES = {8: "int16", 16: "int16", 24: "int32"}


class Checksum:
    """Takes the samples in order. dtype: in which they must be read for it."""

    def __init__(self, bits: int, said: bytes) -> None:
        self._bits = bits
        self._said = said
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.dtype = _DTYPES[bits]

    @classmethod
    def of(cls, head: bytes) -> Self | None:
        """The check sum that a file of these first 42 bytes carries; None where it carries none that we can make."""
        if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 127 != 0:
            return None
        bits = (int.from_bytes(head[18:26], "big") >> 36 & 31) + 1
        said = head[26:42]
        return cls(bits, said) if bits in _DTYPES and any(said) else None

    def take(self, samples: NDArray[Any], dtype: str) -> NDArray[Any]:
        """Add samples as they were read; return them in another dtype, full scale at 1 for floats."""
        depth = samples.dtype.itemsize * 8
        raw = samples.astype(samples.dtype.newbyteorder("<"), copy=False).view(np.uint8)
        kept = raw.reshape(-1, depth // 8)[:, (depth - self._bits) // 8 :] if depth != self._bits else raw
        self._md5.update(np.ascontiguousarray(kept).data)
        if dtype.startswith("float"):
            scaled: NDArray[Any] = samples.astype(dtype) * np.dtype(dtype).type(2.0 ** (1 - depth))
            return scaled
        if samples.dtype == np.int16 and dtype == "int32":
            return samples.astype(np.int32) << 16
        return samples

    def holds(self) -> bool:
        """Whether the samples so far are the file's."""
        return self._md5.digest() == self._said
