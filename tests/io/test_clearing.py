"""An emptied folder: all of it goes, nothing that lies elsewhere does."""

from pathlib import Path

import pytest

from datatools.io import clearing


@pytest.mark.parametrize("many", [2, 2_000_000], ids=["in two halves", "at once"])
def test_all_goes_but_what_is_kept_and_what_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(clearing, "MANY", many)
    place, outside = tmp_path / "place", tmp_path / "outside"
    for name in ("a/1", "a/deep/2", "b/3", "c/4", "5", "lock"):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    outside.mkdir()
    (outside / "mine").write_text("mine")
    (place / "b" / "file").symlink_to(outside / "mine")
    (place / "b" / "folder").symlink_to(outside)
    (place / "folder").symlink_to(outside)
    clearing.clear(str(place), keep=("lock",))
    assert [path.name for path in place.iterdir()] == ["lock"]
    assert (outside / "mine").read_text() == "mine"
