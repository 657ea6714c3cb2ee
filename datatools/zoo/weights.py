"""Weights in files. Ours are safetensors with a note in JSON inside; those of others are read as data, never run.

A checkpoint of torch is a zip with a pickle in it. A pickle can run code, a flipped bit in the zip goes unnoticed, and
1.5 kB can claim 4 TB; so the archive is checked before it is opened and every tensor before it is used.
"""

import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
import xxhash
from torch import Tensor, nn

from datatools.core.errors import DataError, UsageError
from datatools.io import atomic, files, jsontext
from datatools.zoo import coding

MAX_BYTES = 2 * 2**30
"""The largest file that is read, unless told otherwise: networks of 500 million parameters."""

_NOTE, _DIGEST = "datatools", "digest"
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_MEMBER = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_LEGACY = (b"\x80", b"ustar")


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors, on the CPU, finite. note: what our files say about themselves: `model`, `num_classes` ...

    note is empty for files of others.
    """

    tensors: dict[str, Tensor]
    note: dict[str, Any] = field(default_factory=dict)


def encode(tensors: Mapping[str, Tensor], note: Mapping[str, Any]) -> bytes:
    """The bytes of a safetensors file with a note, which must be plain data. The same input gives the same bytes.

    The note gets a digest of the tensors, since the format has no checksum; `read` compares it and takes it out.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    noted = {**note, _DIGEST: _digest(plain)}
    text = json.dumps(noted, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return safetensors.torch.save(plain, metadata={_NOTE: text})


def _digest(tensors: Mapping[str, Tensor]) -> str:
    state = xxhash.xxh3_128()
    for name in sorted(tensors):
        state.update(f"{name} {tensors[name].dtype} {[*tensors[name].shape]}\0".encode())
        state.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return state.hexdigest()


def write(path: Path, model: nn.Module, note: Mapping[str, Any]) -> None:
    """Write a network's parameters and buffers; the file appears whole or not at all."""
    atomic.write_bytes(path, encode(model.state_dict(), note))


def read(path: Path, limit: int = MAX_BYTES) -> Checkpoint:
    """Read a checkpoint: safetensors (coded weights as floats), or a zip of torch's with nothing but tensors in it.

    Names lose the prefix `module.` that parallel training adds.

    Raises DataError E-CHECKPOINT where it is neither, is damaged, or has values that are not finite; E-FILE-READ as
    `files.read_bytes` does.
    """
    data = files.read_bytes(path, limit)
    note: dict[str, Any] = {}
    if data[:4] == b"PK\x03\x04":
        tensors = _from_zip(data, path)
    else:
        tensors, note = _from_safetensors(data, path)
    if not tensors:
        raise _bad(path, "there is no tensor in it")
    if all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise _bad(path, f"{name} has values that are not finite")
    return Checkpoint(tensors, note)


def _from_safetensors(data: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, RuntimeError, KeyError, struct.error) as error:
        if data[:1] == _LEGACY[0] or data[257:262] == _LEGACY[1]:  # the first may begin a safetensors file, too
            raise _bad(
                path,
                "it is a pickle as torch wrote before 1.6, which has no checksum",
                "where you trust it: safetensors.torch.save_file(torch.load(FILE), 'weights.safetensors')",
            ) from None
        raise _bad(path, f"it is no whole safetensors file ({error})") from None
    (size,) = struct.unpack_from("<Q", data)
    header = jsontext.load(data[8 : 8 + size], str(path))
    text = header.get("__metadata__", {}).get(_NOTE, "{}")
    note = jsontext.load(text.encode(), str(path))
    if not isinstance(note, dict):
        raise _bad(path, "its note is not an object")
    if note.pop(_DIGEST, None) not in (None, _digest(tensors)):
        raise _bad(path, "its weights are not those that were written: the file is damaged")
    if isinstance(note.get("coding"), dict):
        try:
            tensors = coding.decode(tensors, note["coding"])
        except coding.BrokenCoding as error:
            raise _bad(path, str(error)) from None
    return tensors, note


def _from_zip(data: bytes, path: Path) -> dict[str, Tensor]:
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise UsageError("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD lets checkpoints run code; unset it")
    _check_archive(data, path)
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken pickle raises: KeyError, EOFError, RuntimeError ...
        first = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise _bad(path, f"torch cannot read it as plain tensors ({first})") from None
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    if not isinstance(found, dict):
        raise _bad(path, f"it holds a {type(found).__name__}, not named tensors")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise _bad(path, f"{name!r} is a {type(value).__name__}, not a tensor")
        if value.layout != torch.strided or value.is_quantized:
            raise _bad(path, f"{name} is not a plain tensor")
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise _bad(path, f"{name} claims {value.numel()} numbers, more than there are")
    return dict(found)


def _check_archive(data: bytes, path: Path) -> None:
    """Refuse an archive that is damaged, packed, or holds code."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            for member in members:
                if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(data):
                    raise _bad(path, f"{member.filename} is packed, which torch never does")
                if not _MEMBER.fullmatch(member.filename) or ".." in member.filename.split("/"):
                    raise _bad(path, f"a member has an odd name, {member.filename!r}")
                inside = member.filename.split("/")[1:]
                if inside[:1] == ["code"] or inside == ["constants.pkl"]:
                    raise _bad(path, "it is a TorchScript program, not weights", "save its state_dict() instead")
            if len({member.filename for member in members}) != len(members):
                raise _bad(path, "a member stands twice in it")
            damaged = archive.testzip()
    except DataError:
        raise
    except Exception as error:  # a damaged archive makes zipfile raise nearly anything, OverflowError for one
        raise _bad(path, f"its archive is damaged ({error})") from None
    if damaged is not None:
        raise _bad(path, f"{damaged} is damaged")


def _bad(path: Path, message: str, remedy: str = "") -> DataError:
    return DataError(path, 0, "E-CHECKPOINT", message, remedy)
