"""Where a network runs, and what must hold while it does, so that the same seed gives the same weights.

On a CPU the order in which threads add up decides the last digits, so one thread is the rule: it gives the same bytes
on any number of cores of one kind of processor. On a GPU deterministic algorithms are asked for, and the convolutions
run in half precision, which is two to three times as fast.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from datatools.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Device:
    """A device. kind: `cpu` or `cuda`. half: what convolutions run in, None for float32. threads: of a CPU."""

    kind: str
    half: torch.dtype | None = None
    threads: int = 1

    @property
    def scales_loss(self) -> bool:
        """Whether gradients would vanish in its half precision unless the loss is scaled up (not in bfloat16)."""
        return self.half is torch.float16


def choose(name: str = "auto", *, mixed: bool = True, threads: int = 1) -> Device:
    """Return the device of that name, `cpu` or `cuda`; `auto` is the GPU where there is one.

    mixed: half precision on a GPU: bfloat16 where it has that, else float16. A CPU always has float32.
    Raises UsageError where a GPU is asked for and torch finds none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device cuda: torch finds no GPU here (--device auto takes the CPU then)")
    if name == "cpu" or not available:
        return Device("cpu", None, threads)
    half = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return Device("cuda", half if mixed else None, threads)


@contextlib.contextmanager
def settled(device: Device) -> Iterator[None]:
    """Make torch deterministic inside the block, and leave its settings and generators as they were afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if device.kind == "cuda" else ()):
        torch.set_num_threads(device.threads)
        try:
            with _strict_gpu() if device.kind == "cuda" else contextlib.nullcontext():
                yield
        finally:
            torch.set_num_threads(threads)


@contextlib.contextmanager
def _strict_gpu() -> Iterator[None]:
    """Deterministic algorithms on a GPU. (A CPU has no others, and asking torch costs it more than a second.)"""
    strict, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
    torch.backends.cudnn.benchmark = False
    # a layer that has no deterministic form on a GPU is told by a warning instead of ending the run
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(strict, warn_only=warned)
