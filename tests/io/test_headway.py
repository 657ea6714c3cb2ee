"""How far long items are: added up over processes, gone at the end, never in the way."""

import os
import time
from pathlib import Path

import pytest

from datatools.io import headway


def test_parts_of_items_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headway, "_EVERY_S", 0)
    assert headway.told(tmp_path) == 0
    one = headway.Headway(tmp_path)
    one.tell(0.25)
    one.tell(0.5)
    assert headway.told(tmp_path) == 0.5
    folder = next(tmp_path.rglob(str(os.getpid()))).parent
    (folder / "1").write_text("7")  # nobody can have done more than one item
    (folder / "2").write_text("cut of")
    assert headway.told(tmp_path) == 1.5
    os.utime(folder / "1", (0, 0))  # its process died long ago
    assert headway.told(tmp_path) == 0.5
    one.end()
    assert headway.told(tmp_path) == 0
    headway.remove(tmp_path)
    assert not folder.exists()


def test_it_is_kept_to_a_few_times_a_second(tmp_path: Path) -> None:
    one = headway.Headway(tmp_path)
    until = time.monotonic() + 0.7
    shares = set()
    while time.monotonic() < until:
        one.tell(time.monotonic() % 1)
        shares.add(headway.told(tmp_path))
    assert 2 <= len(shares) <= 4


def test_a_folder_that_cannot_be_written_is_no_error() -> None:
    one = headway.Headway("/proc/none")
    one.tell(0.5)
    one.end()
    assert headway.told("/proc/none") == 0
