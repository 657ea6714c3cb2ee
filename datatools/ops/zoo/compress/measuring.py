"""What a network is before and after: bytes on disk, parameters, MACs, accuracy on a real set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from datatools.core.errors import UsageError, escape
from datatools.core.op import Param
from datatools.core.result import Table
from datatools.core.types import Run
from datatools.ops.zoo.scores import Bounds, between

if TYPE_CHECKING:
    import torch

    from datatools.ops.zoo.sets import Sets
    from datatools.zoo.network import Network

Data = Annotated[
    Path | None,
    Param("classified set whose held-out pictures accuracy is measured on, as `zoo train` reads it", metavar="SET"),
]
Target = Annotated[
    Path | None, Param("write the smaller network (.safetensors)", flags=("-o", "--out"), metavar="FILE", writes="file")
]

UNKNOWN_SIZE = (224, 224)
"""Width and height for which MACs are counted where the checkpoint does not say its input."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A network. bytes: of its file. macs: for one picture of its input. accuracy: where a set was given."""

    bytes: int
    params: int
    macs: int
    accuracy: float | None = None
    interval: Bounds | None = None


@dataclass(frozen=True, eq=False)
class Subject:
    """The network that is made smaller.

    note: what its file says about itself. size_wh: of its input, px. data: the set that it is measured on, decoded.
    measured: the network as it is.
    """

    model: "Network"
    note: dict[str, Any]
    size_wh: tuple[int, int]
    data: "Sets | None"
    measured: Measured

    @property
    def name(self) -> str:
        """Of the network."""
        return str(self.note["model"])

    def measure(self, model: "Network", size: int) -> Measured:
        """The same figures of another network in its place. size: bytes of its file."""
        return _measured(model, size, self.size_wh, self.data)

    def accuracy(self, model: "Network") -> float:
        """Of another network in its place, on the same pictures."""
        assert self.data
        return _right(model, self.data) / len(self.data.val)


def opened(checkpoint: Path, data: Path | None, out: Path | None, seed: int, run: Run) -> Subject:
    """Read the checkpoint, and the set where one is given, and measure the network as it is.

    UsageError where there is no such file, the classes of the set are not the network's, or out cannot become a file.
    """
    from datatools.ops.zoo import sets
    from datatools.zoo import classifier, devices, loading

    loaded = None
    if not checkpoint.is_file():
        raise UsageError(f"{escape(checkpoint)}: no such file")
    if out is not None and out.is_dir():
        raise UsageError(f"{escape(out)}: is a folder; -o names the file that is made")
    if data is None:
        model, read = loading.restore(checkpoint)
        note, size_wh = dict(read.note), UNKNOWN_SIZE
        size = note.get("size")
        if isinstance(size, list) and len(size) == 2 and all(type(s) is int and 0 < s <= 4096 for s in size):
            size_wh = (size[0], size[1])
    else:
        network = classifier.read(checkpoint, devices.choose("cpu"))
        model, note, size_wh = network.model, dict(network.note), network.size_wh
        loaded = sets.for_training(data, None, size_wh, seed, run)
        if loaded.classes != network.classes:
            strange = escape(min(set(loaded.classes) ^ set(network.classes)))
            raise UsageError(f"--data: {escape(data)} has other classes than the network ({strange})")
    note.pop("coding", None)  # how the file keeps its weights, which the next one may do otherwise
    measured = _measured(model, checkpoint.stat().st_size, size_wh, loaded)
    return Subject(model, note, size_wh, loaded, measured)


def _measured(model: "Network", size: int, size_wh: tuple[int, int], data: "Sets | None") -> Measured:
    import numpy as np

    from datatools.kernels import intervals
    from datatools.zoo import profile

    channels = next(model.parameters()).shape[1]
    costs = profile.measure(model, (channels, size_wh[1], size_wh[0]))
    if data is None:
        return Measured(size, costs.params, costs.macs)
    right, count = _right(model, data), len(data.val)
    low, high = intervals.wilson(np.array([right]), count).tolist()[0]
    return Measured(size, costs.params, costs.macs, right / count, (low, high))


def _right(model: "Network", data: "Sets") -> int:
    """How many of the held-out pictures are told right."""
    from datatools.zoo import devices, training

    device = devices.choose("cpu")
    with devices.settled(device):
        answers = training.probabilities(model.eval(), data.val.rgb, device).argmax(axis=1)
    return int((answers == data.val.label).sum())


def comparison(measured: Sequence[Measured], names: Sequence[str] = ("before", "after")) -> Table:
    """Networks side by side, and what changed from the first to the last."""
    before, after = measured[0], measured[-1]
    rows: list[tuple[object, ...]] = []
    for what, part in (("bytes on disk", "bytes"), ("parameters", "params"), ("MACs", "macs")):
        counts = [getattr(m, part) for m in measured]
        rows.append((what, *(f"{c:,}" for c in counts), _change(counts[0], counts[-1])))
    if before.accuracy is not None and after.accuracy is not None:
        told = [between(m.accuracy, m.interval) for m in measured if m.accuracy is not None and m.interval]
        rows.append(("accuracy", *told, f"{100 * (after.accuracy - before.accuracy):+.1f} points"))
    return Table(("", *names, "change"), tuple(rows))


def _change(before: int, after: int) -> str:
    if before == after:
        return "the same"
    return f"{before / after:.2f} times less" if before > after else f"{after - before:,} more"


def encoded(tensors: "Mapping[str, torch.Tensor]", note: Mapping[str, Any], out: Path | None) -> int:
    """Write the file where one is wanted; return how many bytes it has."""
    from datatools.io import atomic
    from datatools.zoo import weights

    data = weights.encode(tensors, note)
    if out:
        atomic.write_bytes(out, data)
    return len(data)


def next_line(out: Path | None, data: Path | None) -> str:
    """What to do with the result."""
    if not out:
        return "next: the same with -o FILE writes the network"
    where = escape(data) if data else "SET"
    return f"next: datatools zoo evaluate {where} --checkpoint {escape(out)}"


def written(out: Path | None) -> Sequence[str]:
    """A line that names the file, where one was written."""
    return [f"wrote {escape(out)}"] if out else []
