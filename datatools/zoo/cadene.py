"""The Xception weights that R. Cadène publishes (pretrained-models.pytorch), under the names of Aligned Xception.

Aligned Xception goes deeper: its middle flow has 16 blocks instead of 8, a separable convolution takes the place of
each pooling, and the end has one convolution more. The last middle block's weights serve for all further ones, the
norm of the end's first convolution for the second, too. What has no counterpart keeps the values it has: the norms
between depthwise and pointwise, the convolutions in place of poolings, and the end's second convolution.
"""

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

LAST_MIDDLE, EXIT = 11, 12
"""Their last block of the middle flow, and the one that begins the exit flow."""

_BLOCK = re.compile(r"block(\d+)\.(rep\.(\d+)\.|skip\.|skipbn\.)(.+)", re.ASCII)
_PARTS = {"conv1": "depthwise", "pointwise": "pointwise"}
_FIRST = {"conv1": "conv1.0", "bn1": "conv1.1", "conv2": "conv2.0", "bn2": "conv2.1"}
_END = {
    "conv3": ("conv3.conv",),
    "bn3": ("conv3.norm", "conv4.norm"),
    "conv4": ("conv5.conv",),
    "bn4": ("conv5.norm",),
    "fc": ("head.1",),
    "last_linear": ("head.1",),
}


def recognized(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are weights of that Xception."""
    return "block12.rep.1.pointwise.weight" in tensors and "block11.rep.1.conv1.weight" in tensors


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights under the names of `aligned_xception`; those without a place keep their names."""
    made = {}
    for name, tensor in tensors.items():
        # the files of 2017 keep 1x1 convolutions as matrices
        value = tensor[:, :, None, None] if "pointwise" in name and tensor.dim() == 2 else tensor
        places = list(_places(name))
        made.update(dict.fromkeys(places or [name], value))
    return made


def _places(name: str) -> Iterator[str]:
    if match := _BLOCK.fullmatch(name):
        block = int(match[1])
        inside = _inside(block, match[2], match[3], match[4])
        yield from (f"{where}.{inside}" for where in _blocks(block))
        return
    layer, _, rest = name.partition(".")
    if layer in _FIRST:
        yield f"stages.0.{_FIRST[layer]}.{rest}"
    for where in _END.get(layer, ()):
        part, _, kind = rest.partition(".")
        tail = f"{_PARTS[part]}.{kind}" if part in _PARTS else rest
        yield f"{where}.{tail}" if where.startswith("head") else f"stages.1.{where}.{tail}"


def _blocks(block: int) -> Iterator[str]:
    """Where their block of that number stands."""
    if block == 1:
        yield "stages.0.block1"
    elif block == EXIT:
        yield "stages.1.block20"
    else:
        yield f"stages.1.block{block}"
    if block == LAST_MIDDLE:
        yield from (f"stages.1.block{further}" for further in range(12, 20))


def _inside(block: int, kind: str, number: str | None, rest: str) -> str:
    """The name inside of a block. Both count its layers alike, but for block 2: theirs begins with a ReLU."""
    if number is None:
        return f"shortcut.{0 if kind == 'skip.' else 1}.{rest}"
    layer = int(number) - 1 if block == 2 else int(number)
    part, _, tail = rest.partition(".")
    return f"body.{layer}.{_PARTS[part]}.{tail}" if part in _PARTS else f"body.{layer}.{rest}"
