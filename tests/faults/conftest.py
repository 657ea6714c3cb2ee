"""Fixtures of the fault campaign."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import DISKS, Disk, disk_at
from tests.faults.scene import JOBS, Job, Scene, Scenes, stopped
from tests.faults.shims import STOP_BEFORE_THE_END


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """One scene a job, to be moved elsewhere: what it makes undisturbed has to be found out once."""
    known: dict[tuple[Job, int], Scene] = {}

    def scene(job: Job, pictures: int = 3) -> Scene:
        if (job, pictures) not in known:
            known[job, pictures] = Scene(tmp_path_factory.mktemp("scene"), job, pictures)
        return known[job, pictures]

    return scene


@pytest.fixture(scope="session")
def almost_done(scenes: Scenes, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A run on pictures that was killed when all was done but the end, to be copied (`Scene.copy_from`)."""
    scene = scenes(JOBS[3]).at(tmp_path_factory.mktemp("almost") / "here")
    scene.reset()
    with scene.running(STOP_BEFORE_THE_END) as process:
        assert stopped(process)
    return scene


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk whose power can be cut: where file systems may be mounted a real one, and once beside it a simulation."""
    with disk_at(tmp_path / "power", request.param) as it:
        yield it
