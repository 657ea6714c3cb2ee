"""How far a long item is reaches whoever shows it."""

import mmap
from types import SimpleNamespace
from typing import Any, cast

import pytest

from datatools.core import progress
from datatools.engine import worker, workers


def test_every_listener_hears_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_listeners", [])
    heard: list[float] = []
    progress.tell(0.1)
    progress.listen(heard.append)
    progress.tell(0.5)
    assert heard == [0.5]


def test_the_share_is_read_from_the_shared_memory_while_a_task_is_done() -> None:
    with mmap.mmap(-1, worker.HEARTBEAT.size) as heartbeat:
        one = workers._Worker(cast(Any, SimpleNamespace()), cast(Any, None), heartbeat, None)
        worker.HEARTBEAT.pack_into(heartbeat, 0, 7, 1.5, 0.25)
        assert one.active() == (7, 1.5)
        assert one.share() == 0.25
        worker._SHARE.pack_into(heartbeat, worker.HEARTBEAT.size - worker._SHARE.size, 0.75)
        assert one.share() == 0.75
        worker.HEARTBEAT.pack_into(heartbeat, 0, -1, 2.0, 0.75)
        assert one.share() == 0
