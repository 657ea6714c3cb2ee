"""Examples as arrays: crops, failures by name, twins, sets larger than memory."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError, StorageError
from datatools.io import images
from datatools.io.classified import opening
from datatools.io.classified.examples import Example
from datatools.zoo import pictures


def drawn(path: Path, width: int = 40, height: int = 20) -> Path:
    """A picture whose pixels say where they are: red is the column, green the row."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, :, 0] = np.arange(width)
    rgb[:, :, 1] = np.arange(height)[:, None]
    path.write_bytes(images.encode_png(rgb))
    return path


def test_boxes_are_cut_out_of_their_picture(tmp_path: Path) -> None:
    file = str(drawn(tmp_path / "a.png"))
    found = pictures.load(
        [Example("a.png#1", file, 0, xyxy=(10, 5, 14, 9)), Example("a.png#2", file, 1, xyxy=(20.2, 0, 23.5, 4))], (4, 4)
    )
    assert found.rgb[0, 0, 0].tolist() == [10, 5, 0]
    assert found.rgb[1, -1, -1].tolist() == [23, 3, 0]
    assert found.label.tolist() == [0, 1]
    assert found.group.tolist() == [0, 0]


def test_what_cannot_be_decoded_is_told_and_left_out(tmp_path: Path) -> None:
    good = drawn(tmp_path / "good.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:60])
    (tmp_path / "text.jpg").write_text("no picture")
    os.mkfifo(tmp_path / "pipe.png")
    jobs = [Example(n, str(tmp_path / n), 0) for n in ("cut.png", "good.png", "text.jpg", "pipe.png", "gone.png")]
    outside = Example("good.png#9", str(good), 0, xyxy=(100, 100, 120, 120))
    found = pictures.load([*jobs, outside], (8, 8))
    assert [e.key for e in found.examples] == ["good.png"]
    assert found.rgb.shape == (1, 8, 8, 3)
    assert [(f.path, f.code) for f in found.failures] == [
        ("cut.png", "E-IMAGE-DAMAGED"), ("text.jpg", "E-IMAGE-UNREADABLE"), ("pipe.png", "E-IMAGE-UNREADABLE"),
        ("gone.png", "E-IMAGE-UNREADABLE"), ("good.png#9", "E-BOX-OUTSIDE"),
    ]  # fmt: skip


def test_equal_pixels_have_equal_digests(tmp_path: Path, colours: Callable[..., Path]) -> None:
    root = colours(tmp_path / "set", per_class=2)
    (root / "red" / "twin.png").write_bytes((root / "blue" / "000.png").read_bytes())
    found = pictures.load(opening.open_set(root).examples, (16, 16))
    keys = [e.key for e in found.examples]
    assert found.digest[keys.index("red/twin.png")] == found.digest[keys.index("blue/000.png")]
    assert len(set(found.digest.tolist())) == len(keys) - 1


def test_what_was_made_of_one_picture_is_one_group(tmp_path: Path) -> None:
    files = [str(drawn(tmp_path / f"{i}.png")) for i in range(12)]
    plain = [Example(f"{i}.png", file, 0) for i, file in enumerate(files)]
    copied = [replace(e, origins=(f"{i // 2}",)) for i, e in enumerate(plain)]
    assert pictures.load(copied, (4, 4)).group.tolist() == [i // 2 for i in range(12)]
    mixed = [replace(e, origins=(f"{i}", f"{(i + 1) % 12}")) for i, e in enumerate(plain)]
    found = pictures.load(mixed, (4, 4))  # with donors all would hang together
    assert found.loose
    assert found.group.tolist() == list(range(12))
    few = [*plain[:11], replace(plain[11], origins=("x", "10"))]
    few[10] = replace(few[10], origins=("10",))
    found = pictures.load(few, (4, 4))
    assert not found.loose
    assert found.group.tolist() == [*range(11), 10]


def test_a_large_set_lies_in_a_file_without_a_name(
    tmp_path: Path, colours: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = opening.open_set(colours(tmp_path / "set")).examples
    plain = pictures.load(examples, (16, 16))
    monkeypatch.setattr(pictures, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(pictures.tempfile, "tempdir", str(tmp_path))
    large = pictures.load(examples, (16, 16))
    assert isinstance(large.rgb, np.memmap)
    assert (large.rgb == plain.rgb).all()
    assert [p.name for p in tmp_path.iterdir()] == ["set"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match="No space left"):
        pictures.load(examples, (16, 16))


def test_one_picture_in_its_own_size(tmp_path: Path) -> None:
    file = str(drawn(tmp_path / "a.png"))
    part = pictures.read_one(Example("a.png#1", file, 0, xyxy=(3, 4, 8, 6)))
    assert not isinstance(part, DataError)
    assert part.shape == (2, 5, 3)
    missing = pictures.read_one(Example("b.png", str(tmp_path / "b.png"), 0))
    assert isinstance(missing, DataError)


def test_no_example_is_an_empty_array() -> None:
    found = pictures.load([], (8, 6))
    assert found.rgb.shape == (0, 6, 8, 3)
    assert len(found) == 0
