"""Fixtures of the fault campaign."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import Disk, disk_at, may_mount
from tests.faults.scene import Job, Scene, Scenes


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """One scene a job, to be moved elsewhere: what it makes undisturbed has to be found out once."""
    known: dict[Job, Scene] = {}

    def scene(job: Job) -> Scene:
        if job not in known:
            known[job] = Scene(tmp_path_factory.mktemp("scene"), job, pictures=3)
        return known[job]

    return scene


@pytest.fixture(params=["ext4", "simulated"] if may_mount() else ["simulated"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk whose power can be cut: where file systems may be mounted a real one, and once beside it a simulation."""
    with disk_at(tmp_path / "power", request.param) as it:
        yield it
