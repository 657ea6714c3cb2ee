"""A trained network with all that using it takes: its classes, its input, its device."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datatools.core.errors import DataError
from datatools.zoo import devices, loading, training
from datatools.zoo.devices import Device
from datatools.zoo.network import Network


@dataclass(frozen=True, eq=False)
class Classifier:
    """classes: in the order of the network's outputs. size_wh: of its input, px. note: what its file says of itself."""

    model: Network
    name: str
    classes: tuple[str, ...]
    size_wh: tuple[int, int]
    device: Device
    note: Mapping[str, Any]

    def probabilities(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each class, (N, C). rgb: (N, height, width, 3) in the network's size."""
        with devices.settled(self.device):
            return training.probabilities(self.model, rgb, self.device)


def read(path: Path, device: Device) -> Classifier:
    """Read a checkpoint of `datatools zoo train`.

    Raises DataError E-CHECKPOINT, also where the file does not name its classes and its input's size, and what
    `loading.restore` raises.
    """
    model, checkpoint = loading.restore(path)
    classes, size = checkpoint.note.get("classes"), checkpoint.note.get("size")
    if not _is_list(classes, str, checkpoint.note["num_classes"]) or not _is_list(size, int, 2):
        message = "it does not say what its classes are called and how large its input is"
        raise DataError(path, 0, "E-CHECKPOINT", message, "`datatools zoo train` writes files that do")
    assert isinstance(classes, list)
    assert isinstance(size, list)
    if not all(1 <= side <= 4096 for side in size):
        raise DataError(path, 0, "E-CHECKPOINT", f"its input is said to be {size[0]} x {size[1]} px")
    moved = model.to(device.kind)
    return Classifier(moved, checkpoint.note["model"], tuple(classes), (size[0], size[1]), device, checkpoint.note)


def _is_list(value: Any, kind: type, length: int) -> bool:
    return isinstance(value, list) and len(value) == length and all(type(v) is kind for v in value)
