"""Folders of numbered pictures as videos."""

from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError
from datatools.io import images
from datatools.io.video.stills import Stills, by_number


def folder(root: Path, sizes: dict[str, tuple[int, int]]) -> list[str]:
    for i, (name, (width, height)) in enumerate(sizes.items()):
        rgb = np.full((height, width, 3), (i, 50, 100), np.uint8)
        (root / name).write_bytes(images.encode(rgb, Path(name).suffix))
    return sorted(sizes, key=by_number)


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = folder(tmp_path, dict.fromkeys(["f10.png", "f9.png", "f1.png", "f2.jpg"], (8, 6)))
    with Stills(str(tmp_path), names) as reel:
        seen = []
        while (frame := reel.next()) is not None:
            seen.append((frame.index, frame.name, frame.t_s, frame.bgr[0, 0, 0].item()))
    assert [(i, name) for i, name, _, _ in seen] == [(0, "f1"), (1, "f2"), (2, "f9"), (3, "f10")]
    assert [t for _, _, t, _ in seen] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert seen[0][3] == 100  # BGR
    assert reel.losses() == ()


def test_a_damaged_frame_is_passed_over_and_told(tmp_path: Path) -> None:
    names = folder(tmp_path, dict.fromkeys(["f1.png", "f2.png", "f3.png"], (8, 6)))
    (tmp_path / "f2.png").write_bytes((tmp_path / "f2.png").read_bytes()[:-20])
    reel = Stills(str(tmp_path), names)
    assert reel.skip(10) == 2
    assert [(error.path, error.code) for error in reel.losses()] == [("f2.png", "E-IMAGE-DAMAGED")]


def test_a_change_of_size_ends_the_sequence(tmp_path: Path) -> None:
    names = folder(tmp_path, {"f1.png": (8, 6), "f2.png": (8, 6), "f3.png": (9, 6), "f4.png": (8, 6)})
    reel = Stills(str(tmp_path), names)
    assert reel.size_wh == (8, 6)
    assert reel.skip(10) == 2
    assert "f3.png: E-VIDEO-SIZE: is 9 x 6 pixels, the frames before it are 8 x 6" in str(reel.losses()[0])


def test_a_folder_of_nothing_readable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="no frame can be read"):
        Stills(str(tmp_path), ["f1.png"])
