"""Class folders item by item, and arrays."""

import io
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import UsageError
from datatools.core.values import Arrays, Classified, Source
from datatools.io import images
from datatools.io.codecs.arrays import ArraysCodec
from datatools.io.codecs.classified import ClassifiedCodec
from datatools.io.intake import Intake
from datatools.io.room import Room


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(images.encode_png(np.full((6, 8, 3), 50, np.uint8)))


def classes(root: Path) -> dict[str, tuple[str, str]]:
    return {s.id: (s.labels, s.group) for s in ClassifiedCodec().find(root) if not s.kind}


def test_classes_are_folders(tmp_path: Path) -> None:
    put(tmp_path, "cat/a.png", "cat/more/b.PNG", "dog/a.png")
    (tmp_path / "README").write_text("mine")
    assert classes(tmp_path) == {"cat/a.png": ("cat", ""), "cat/more/b.PNG": ("cat", ""), "dog/a.png": ("dog", "")}
    assert ClassifiedCodec().recognises(tmp_path)
    assert [s.id for s in ClassifiedCodec().find(tmp_path) if s.kind] == ["README"]


def test_splits_and_a_folder_around_everything(tmp_path: Path) -> None:
    put(tmp_path, "data/train/cat/a.png", "data/train/dog/b.png", "data/val/cat/c.png")
    assert classes(tmp_path) == {
        "data/train/cat/a.png": ("cat", "train"), "data/train/dog/b.png": ("dog", "train"),
        "data/val/cat/c.png": ("cat", "val"),
    }  # fmt: skip


def test_folders_of_which_some_are_called_like_splits_are_classes(tmp_path: Path) -> None:
    put(tmp_path, "train/a.png", "plane/b.png")
    assert {label for label, _ in classes(tmp_path).values()} == {"train", "plane"}


@pytest.mark.parametrize("other", ["a.xml", "loose.png", "labels.txt"])
def test_other_sets_are_not_taken_for_class_folders(tmp_path: Path, other: str) -> None:
    put(tmp_path, "JPEGImages/a.png")
    if other.endswith("png"):
        put(tmp_path, other)
    else:
        (tmp_path / other).write_text("JPEGImages/a.png\tone\n")
    assert not ClassifiedCodec().recognises(tmp_path)


def test_without_pictures_it_is_no_such_set(tmp_path: Path) -> None:
    assert not ClassifiedCodec().recognises(tmp_path)
    with pytest.raises(UsageError, match="no class folders"):
        list(ClassifiedCodec().find(tmp_path))


def test_shares_are_listed_where_there_are_any(tmp_path: Path) -> None:
    src = tmp_path / "set"
    put(src, "cat/a.png", "dog/b.png")
    codec, room = ClassifiedCodec(), Room(str(tmp_path / "out"))
    sources = [s for s in codec.find(src) if not s.kind]
    item = codec.read(sources[0], Intake(str(src), sources[0].files))
    assert item.classes == (("cat", 1.0),)
    mixed = Classified(item.pixels, (("cat", 0.75), ("dog", 0.25)))
    rows = [
        (sources[0], [codec.write(mixed, sources[0], room, "_1")]),
        (sources[1], [codec.keep(sources[1], Intake(str(src), sources[1].files), room)]),
    ]
    codec.finish(iter(rows), src, room)
    assert (tmp_path / "out/labels.csv").read_text() == "image,cat,dog\ncat/a_1.png,0.75,0.25\ndog/b.png,0,1\n"
    other = Room(str(tmp_path / "plain"))
    codec.finish(iter([(sources[0], [codec.write(item, sources[0], other, "")])]), src, other)
    assert not (tmp_path / "plain/labels.csv").exists()
    assert (tmp_path / "plain/cat/a.png").exists()


def test_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    value = Arrays((("a", np.eye(3, dtype=np.float32)), ("b", np.zeros((0, 2)))))
    made = []
    for name in ("one", "two"):
        room = Room(str(tmp_path / name))
        ArraysCodec().write(value, Source("x", ("pages/x.jpg",)), room, "")
        made.append((tmp_path / name / "pages/x.npz").read_bytes())
    assert made[0] == made[1]
    with np.load(io.BytesIO(made[0]), allow_pickle=False) as read:
        assert (read["a"] == np.eye(3)).all()
        assert read["b"].shape == (0, 2)
