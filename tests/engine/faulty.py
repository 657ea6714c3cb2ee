"""An operation on pictures that does what its first pixel says, for tests of what happens to the others."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np

from datatools.core.errors import DataError
from datatools.core.op import Op, Param, op
from datatools.core.values import Donors, Image, Rng
from datatools.engine.item_job import ItemJob
from datatools.engine.stage_task import Ended, StageTask, do_stage

FINE, RAISE, BUG, CRASH, HANG, MEMORY = range(6)


@op("haze.faulty", version=1)
def faulty(
    image: Image,
    *,
    add: Annotated[int, Param("what is added to every level")] = 1,
    sleep_ms: Annotated[float, Param("how long it takes")] = 0.0,
) -> Image:
    """Do what the first pixel says."""
    what = int(image.pixels.flat[0])
    if what == RAISE:
        raise DataError("picture", 3, "E-TEST", "is bad", "mend it")
    if what == BUG:
        raise ZeroDivisionError("division by zero")
    if what == CRASH:
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == HANG:
        time.sleep(60)
    if what == MEMORY:
        raise MemoryError
    time.sleep(sleep_ms / 1000)
    return Image(image.pixels + np.uint8(add))


@op("haze.noisy", version=1, generates=True)
def noisy(image: Image, *, rng: Rng) -> Image:
    """Add noise."""
    return Image(image.pixels + rng.integers(0, 9, image.pixels.shape, np.uint8))


@op("haze.blend", version=1)
def blend(image: Image, *, rng: Rng, donors: Donors) -> Image:
    """Take the mean with another picture of the set."""
    if not donors.sources:
        return image
    other = donors.read(donors.sources[rng.integers(len(donors.sources))])
    return Image(image.pixels // 2 + other.pixels // 2)


def count(root: Path, sources: Any, own: Any) -> int:
    return sum(source.kind == "" for source in sources)


@op("haze.counted", version=1, prepare=count)
def counted(image: Image, *, prepared: int) -> Image:
    """Add the number of pictures to every level."""
    return Image(image.pixels + np.uint8(prepared))


def dying_stage(task: StageTask) -> Ended:
    """Do a stage of a pipeline in its own process; the one that is called `names` gets killed."""
    if task.stage.id == "names":
        os.kill(os.getpid(), signal.SIGKILL)
    return do_stage(task)


OPERATIONS = {o.name: o for o in (faulty, noisy, blend, counted)}


@dataclass(frozen=True)
class Job(ItemJob):
    """Finds the operations of this module, which have no place among the real ones."""

    @property
    def _op(self) -> Op[..., Any]:  # type: ignore[override]
        return OPERATIONS[self.operation]


def picture(path: Path, what: int = FINE, level: int = 100, size: int = 8) -> Path:
    """Write a small picture whose first pixel says what is to happen."""
    pixels = np.full((size, size, 3), level, np.uint8)
    pixels.flat[0] = what
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels[:, :, ::-1])[1].tobytes())
    return path
