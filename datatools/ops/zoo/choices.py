"""Parameters that the training commands share, and the checks of them that need no data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import MissingExtra, UsageError
from datatools.core.op import Param
from datatools.ops.anchors.boxes import parse_size

if TYPE_CHECKING:
    from datatools.zoo.devices import Device

MIN_SIDE = 16

QUICK = "mobilenet_v3_small_x0_5"
"""The network that judges sets, unless another is named: it learns small sets best for its time on a CPU."""

Model = Annotated[str, Param("network, as `datatools zoo list` names it", metavar="NAME")]
Size = Annotated[
    str, Param("the network's input, px: 64, or width and height as 192x48; pictures are scaled to it", metavar="SIZE")
]
Batch = Annotated[int, Param("pictures in a step", ge=1, le=4096)]
Rate = Annotated[float | None, Param("highest learning rate (adam 0.003, sgd 0.05)", gt=0, le=100)]
AdamRate = Annotated[float, Param("highest learning rate of Adam", gt=0, le=100)]
OptimizerName = Annotated[Literal["adam", "sgd"], Param("Adam, or SGD with Nesterov's momentum 0.9")]
Jitter = Annotated[
    float, Param("pictures are shifted and scaled by up to this share while training; 0: not at all", ge=0, le=0.5)
]
DeviceName = Annotated[Literal["auto", "cpu", "cuda"], Param("where the network runs; auto: a GPU where there is one")]
Checkpoint = Annotated[Path, Param("weights that `datatools zoo train` wrote (.safetensors)", metavar="FILE")]
Steps = Annotated[int, Param("steps of each training", ge=1, le=10**6)]

RATES = {"adam": 0.003, "sgd": 0.05}


def require() -> None:
    """Raise MissingExtra unless torch and safetensors can be imported."""
    import importlib.util

    if not (importlib.util.find_spec("torch") and importlib.util.find_spec("safetensors")):
        raise MissingExtra("networks", "zoo")


def input_size(text: str) -> tuple[int, int]:
    """Width and height of the network's input. UsageError for what is none, or too small for any network."""
    width, height = parse_size(text)
    if min(width, height) < MIN_SIDE:
        raise UsageError(f"--size: each side must be at least {MIN_SIDE} px (got {text})")
    return width, height


def network(name: str, classes: int, size_wh: tuple[int, int], device: "Device") -> str:
    """The network's full name, after one was made and given a picture of the size.

    UsageError where there is no such network, or where it cannot take pictures that small.
    """
    import numpy as np

    from datatools.zoo import devices, registry, training

    full = registry.full_name(name)
    with devices.settled(device):
        model = registry.create(full, num_classes=classes).to(device.kind).eval()
        try:
            training.probabilities(model, np.zeros((1, size_wh[1], size_wh[0], 3), np.uint8), device)
        except RuntimeError:
            raise UsageError(
                f"--size: {full} cannot take {size_wh[0]} x {size_wh[1]} px; choose a larger size"
            ) from None
    return full
