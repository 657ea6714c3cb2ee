"""Rows of features: a .npy file an item or part, one .npz of all, or Kaldi's archives with one feats.scp.

They are written block by block, so that a day of sound needs no more memory than a minute.
"""

import os
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.values import Features, Source, printable
from datatools.io.intake import Intake
from datatools.io.room import Room

_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 2**20


class FeaturesCodec:
    """Writes features; reads none."""

    suffixes: frozenset[str] = frozenset()
    wants_rows = True

    def recognises(self, root: Path) -> bool:
        """Never: features are made, not read."""
        return False

    def find(self, root: Path) -> Iterator[Source]:
        """Nothing."""
        return iter(())

    def read(self, source: Source, intake: Intake) -> Features:
        """Features are not read."""
        raise NotImplementedError

    def write(self, value: Features, source: Source, room: Room, variant: str) -> Any:
        """Write the rows of all parts. Returns, of each, what the lists at the end say of it."""
        parts: list[dict[str, Any]] = []
        if value.store == "ark":
            name = source.id + ".ark"
            with room.file(name) as path, open(path, "r+b") as file:
                for suffix, blocks in value.parts:
                    key = _token(printable(source.id + suffix))
                    file.write(f"{key} ".encode("utf-8", "backslashreplace"))
                    at = file.tell()
                    rows = _write_matrix(file, blocks(), value.width)
                    parts.append(
                        {"id": printable(source.id + suffix), "key": key, "file": name, "at": at, "rows": rows}
                    )
        else:
            for suffix, blocks in value.parts:
                name = source.id + suffix + ".npy"
                with room.file(name) as path, open(path, "r+b") as file:
                    rows = _write_npy(file, blocks(), value.width)
                parts.append({"id": printable(source.id + suffix), "file": name, "rows": rows})
        for suffix, data in value.files:
            room.write(source.id + suffix, data)
        return {"parts": parts, "width": value.width, "store": value.store}

    def finish(self, rows: Iterable[tuple[Source, Any]], root: Path, room: Room) -> None:
        """Write features.csv, which counts the frames; feats.scp of archives, features.npz of arrays."""
        table = ["id,file,frames,width"]
        script: dict[str, str] = {}
        arrays: dict[str, str] = {}
        store = ""
        for _, note in rows:
            store = note["store"]
            for part in note["parts"]:
                table.append(f"{_cell(part['id'])},{_cell(printable(part['file']))},{part['rows']},{note['width']}")
                if store == "ark":
                    script[part["key"]] = f"{printable(part['file'])}:{part['at']}"
                elif store == "npz":
                    arrays[part["id"]] = part["file"]
        room.write("features.csv", _encoded("\n".join(table) + "\n"))
        if store == "ark":
            room.write(
                "feats.scp", b"".join(_encoded(f"{key} {script[key]}\n") for key in sorted(script, key=_encoded))
            )
        if arrays:
            with room.file("features.npz") as path:
                _write_npz(path, {key: f"{room.root}/{name}" for key, name in arrays.items()})


def _write_npy(file: Any, blocks: Iterable[NDArray[np.float32]], width: int) -> int:
    """Write an array whose length shows at its end; return that. The header leaves room for any length."""
    np.lib.format.write_array_header_1_0(file, _npy_header(0, width))
    start = file.tell()
    rows = 0
    for block in blocks:
        file.write(np.ascontiguousarray(block, "<f4").tobytes())
        rows += len(block)
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, _npy_header(rows, width))
    if file.tell() != start:
        raise OSError(0, "the header of the array does not fit")
    return rows


def _npy_header(rows: int, width: int) -> dict[str, Any]:
    return {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}


def _write_matrix(file: Any, blocks: Iterable[NDArray[np.float32]], width: int) -> int:
    """Write a binary matrix as Kaldi does: a mark, type FM, rows and columns, float32 row by row."""
    at = file.tell()
    file.write(b"\0BFM " + struct.pack("<bibi", 4, 0, 4, width))
    rows = 0
    for block in blocks:
        file.write(np.ascontiguousarray(block, "<f4").tobytes())
        rows += len(block)
    file.seek(at)
    file.write(b"\0BFM " + struct.pack("<bibi", 4, rows, 4, width))
    file.seek(0, os.SEEK_END)
    return rows


def _write_npz(path: str, arrays: dict[str, str]) -> None:
    """Put .npy files into one archive that numpy.load opens, without loading them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(arrays):
            entry = zipfile.ZipInfo(f"{key}.npy", _EPOCH)
            with open(arrays[key], "rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while data := source.read(_CHUNK):
                    target.write(data)


def read_matrix(path: Path, at: int) -> NDArray[np.float32]:
    """Read the matrix that a line of feats.scp points at: `path:at`."""
    with open(path, "rb") as file:
        file.seek(at)
        mark, _, rows, _, width = struct.unpack("<5sbibi", file.read(15))
        assert mark == b"\0BFM "
        return np.frombuffer(file.read(rows * width * 4), "<f4").reshape(rows, width)


def _token(text: str) -> str:
    return re.sub(r"[^\w.+=-]", "_", text.replace("/", "-")) or "_"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
