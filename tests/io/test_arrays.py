"""Arrays in files: the same bytes, and nothing but arrays."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError
from datatools.io import arrays


def test_arrays_come_back_and_the_bytes_are_the_same() -> None:
    given = {"a": np.arange(6).reshape(2, 3), "b": np.zeros(0, np.uint8)}
    assert arrays.npz(given) == arrays.npz(given)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(arrays.npz({"a": np.arange(6).reshape(2, 3)}))
    np.testing.assert_array_equal(arrays.read_npz(path)["a"], [[0, 1, 2], [3, 4, 5]])


def objects() -> bytes:
    held = io.BytesIO()
    np.savez(held, a=np.array([{"code": 1}], dtype=object))
    return held.getvalue()


def compressed() -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, a=np.zeros(10_000_000, np.uint8))
    return held.getvalue()


def damaged() -> bytes:
    data = bytearray(arrays.npz({"a": np.arange(100)}))
    data[300] ^= 1
    return bytes(data)


def a_text() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as members:
        members.writestr("a.npy", "no array")
    return held.getvalue()


@pytest.mark.parametrize("make", [objects, compressed, damaged, a_text, lambda: b"", lambda: arrays.npz({})[:-5]])
def test_what_holds_no_plain_arrays_is_refused(tmp_path: Path, make: "object") -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(make())  # type: ignore[operator]
    with pytest.raises(DataError, match="E-ARRAYS"):
        arrays.read_npz(path)
