"""The work of the engine's benchmark: pictures of a few pixels, a millisecond each, the same for every contestant."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datatools.core.op import Op, op
from datatools.core.values import Image
from datatools.engine.item_job import ItemJob
from datatools.io import images

WORK_S = 0.001


@op("haze.spin", version=1)
def spin(image: Image) -> Image:
    """Take a millisecond."""
    until = time.perf_counter() + WORK_S
    while time.perf_counter() < until:
        pass
    return image


@dataclass(frozen=True)
class Job(ItemJob):
    """Finds `spin`, which has no place among the real operations."""

    @property
    def _op(self) -> Op[..., Any]:  # type: ignore[override]
        return spin


def plain(source: str, target: str) -> None:
    """One item without an engine: read, decode, work, encode, write."""
    with open(source, "rb") as file:
        pixels = images.decode_as_is(file.read(), name=source)
    data = images.encode(spin.function(Image(pixels)).pixels, ".png")
    with open(target, "wb") as file:
        file.write(data)


def plain_chunk(pairs: Sequence[tuple[str, str]]) -> None:
    """Several items."""
    for source, target in pairs:
        plain(source, target)


def warm_up() -> None:
    """Load what the work needs, and keep to one thread."""
    import cv2

    cv2.setNumThreads(1)


def make(root: Path, count: int, level: int = 0, side: int = 8) -> Path:
    """A folder of pictures, 500 a folder, no two alike. side: pixels."""
    import cv2
    import numpy as np

    for number in range(count):
        folder = root / f"{number // 500:03d}"
        if number % 500 == 0:
            folder.mkdir(parents=True)
        pixels = np.full((side, side, 3), level, np.uint8)
        pixels[0, :3, 0] = number % 251, number // 251 % 251, number // 63001
        (folder / f"{number:06d}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return root


def pairs(src: Path, out: Path) -> list[tuple[str, str]]:
    """Source and target of every item; the folders of the targets are made."""
    found = []
    for folder, _, names in os.walk(src):
        target = out / os.path.relpath(folder, src)
        target.mkdir(parents=True, exist_ok=True)
        found += [(f"{folder}/{name}", f"{target}/{name}") for name in names]
    return sorted(found)
