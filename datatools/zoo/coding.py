"""Weights in few bits, as they lie in a file, and back to floats.

Only weights of convolutions and linear layers are coded: what has two dimensions or more. Biases and norms are a
hundredth of a network and stay as they are. A coded tensor `w` is kept as

    w             codes: int8 in the shape of the weights (symmetric, 8 bits), else packed bits, uint8
    w.scale       float32, one number, or one a channel       (symmetric, affine, binary)
    w.zero_point  int32, the same                             (affine)
    w.centres     float32, 2^bits cluster centres, rising     (kmeans)

and the file's note has `coding`: the scheme, the bits and the shapes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datatools.kernels import quantization

Scheme = Literal["symmetric", "affine", "kmeans", "binary"]
PARTS = ("scale", "zero_point", "centres")


@dataclass(frozen=True, slots=True)
class CodedTensor:
    """How well one tensor survived. mse: mean squared error. greatest: the largest error."""

    name: str
    numbers: int
    mse: float
    greatest: float


@dataclass(frozen=True)
class Coded:
    """Tensors as they lie in the file, what the note says of them, and the errors."""

    tensors: dict[str, Tensor]
    coding: dict[str, Any]
    rows: tuple[CodedTensor, ...]


class BrokenCoding(Exception):
    """The file's codes do not fit its note; the text says how."""


def encode(tensors: Mapping[str, Tensor], scheme: Scheme, bits: int, *, per_channel: bool) -> Coded:
    """Code the weights. bits: 2 to 8; 1 for binary. per_channel: a scale for each output channel (not kmeans)."""
    made: dict[str, Tensor] = {}
    shapes: dict[str, list[int]] = {}
    rows = []
    for name, tensor in tensors.items():
        if tensor.dim() < 2 or not tensor.is_floating_point():
            made[name] = tensor
            continue
        shapes[name] = list(tensor.shape)
        made.update(_encode_one(name, tensor.float().numpy(), scheme, bits, per_channel))
    coding = {"scheme": scheme, "bits": bits, "shapes": shapes}
    for name, tensor in decode(made, coding).items():
        if name in shapes:
            error = (tensor - tensors[name]).double().abs()
            rows.append(CodedTensor(name, tensor.numel(), float(error.square().mean()), float(error.max())))
    return Coded(made, coding, tuple(rows))


def _encode_one(
    name: str, values: NDArray[np.float32], scheme: Scheme, bits: int, per_channel: bool
) -> dict[str, Tensor]:
    if scheme == "kmeans":
        found = quantization.codebook(values, 2**bits)
        return {name: _packed(found.codes, bits), f"{name}.centres": _tensor(found.centres, np.float32)}
    if scheme == "affine":
        levels = quantization.affine(values, bits, per_channel=per_channel)
        kept = _packed(levels.codes, bits)
        return {
            name: kept,
            f"{name}.scale": _tensor(levels.scale, np.float32),
            f"{name}.zero_point": _tensor(levels.zero_point, np.int32),
        }
    if scheme == "binary":
        levels = quantization.binary(values, per_channel=per_channel)
        kept = _packed((levels.codes + 1) // 2, 1)
    else:
        levels = quantization.symmetric(values, bits, per_channel=per_channel)
        kept = _tensor(levels.codes, np.int8) if bits == 8 else _packed(levels.codes + 2 ** (bits - 1), bits)
    return {name: kept, f"{name}.scale": _tensor(levels.scale, np.float32)}


def decode(tensors: Mapping[str, Tensor], coding: Mapping[str, Any]) -> dict[str, Tensor]:
    """The same weights as float32. Raises BrokenCoding where tensors and note do not fit each other."""
    bits, shapes = coding.get("bits"), coding.get("shapes")
    scheme: Scheme = coding.get("scheme")  # type: ignore[assignment]  # checked by the next line
    if scheme not in get_args(Scheme) or type(bits) is not int or not 1 <= bits <= 8 or not isinstance(shapes, dict):
        raise BrokenCoding("its note says no coding that is known")
    if (scheme == "binary") != (bits == 1):
        raise BrokenCoding(f"{scheme} with {bits} bits is no coding")
    made = {}
    parts = {f"{name}.{part}" for name in shapes for part in PARTS}
    for name, tensor in tensors.items():
        if name in shapes:
            made[name] = _decode_one(name, tensors, shapes[name], scheme, bits)
        elif name not in parts:
            made[name] = tensor
    if missing := shapes.keys() - made.keys():
        raise BrokenCoding(f"{min(missing)} is missing")
    return made


def _decode_one(name: str, tensors: Mapping[str, Tensor], shape: Any, scheme: Scheme, bits: int) -> Tensor:
    if not isinstance(shape, list) or len(shape) < 2 or not all(type(n) is int and 0 < n < 2**24 for n in shape):
        raise BrokenCoding(f"{name} has no shape")
    count = math.prod(shape)
    codes = tensors[name]
    if scheme == "symmetric" and bits == 8:
        if codes.dtype != torch.int8 or list(codes.shape) != shape:
            raise BrokenCoding(f"{name} is not int8 in its shape")
        numbers = codes.numpy().astype(np.int64)
    else:
        if codes.dtype != torch.uint8 or codes.dim() != 1 or len(codes) != -(-count * bits // 8):
            raise BrokenCoding(f"{name} is not {count} codes of {bits} bits")
        numbers = quantization.unpack(codes.numpy(), bits, count).reshape(shape)
    if scheme == "kmeans":
        centres = _part(tensors, name, "centres", torch.float32, ((2**bits,),))
        return torch.from_numpy(centres[numbers])
    one = (1,) * len(shape)
    either = (one, (shape[0], *one[1:]))
    scale = _part(tensors, name, "scale", torch.float32, either)
    if scheme == "affine":
        numbers = numbers - _part(tensors, name, "zero_point", torch.int32, either)
    elif scheme == "binary":
        numbers = 2 * numbers - 1
    elif bits < 8:
        numbers = numbers - 2 ** (bits - 1)
    with np.errstate(over="ignore"):  # whoever reads the file looks for infinities
        return torch.from_numpy((numbers * scale.astype(np.float64)).astype(np.float32))


def _part(
    tensors: Mapping[str, Tensor], name: str, part: str, kind: torch.dtype, shapes: tuple[tuple[int, ...], ...]
) -> NDArray[Any]:
    found = tensors.get(f"{name}.{part}")
    if found is None or found.dtype != kind or tuple(found.shape) not in shapes:
        raise BrokenCoding(f"{name} lacks its {part}")
    values: NDArray[Any] = found.numpy()
    return values


def _packed(codes: NDArray[np.int64], bits: int) -> Tensor:
    return torch.from_numpy(quantization.pack(codes, bits))


def _tensor(values: NDArray[Any], kind: type) -> Tensor:
    return torch.from_numpy(values.astype(kind))
