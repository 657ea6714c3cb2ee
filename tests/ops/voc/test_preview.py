"""`datatools voc preview` on small sets."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datatools.core.errors import UsageError
from datatools.core.result import Table
from datatools.io import images
from datatools.ops.voc.preview import preview
from datatools.report.palette import palette


def annotate(path: Path, size_wh: tuple[int, int], *objects: tuple[str, int, int, int, int]) -> None:
    boxes = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for name, x0, y0, x1, y1 in objects
    )
    size = f"<size><width>{size_wh[0]}</width><height>{size_wh[1]}</height><depth>3</depth></size>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{path.stem}.jpg</filename>{size}{boxes}</annotation>", "utf-8")


def picture(path: Path, size_wh: tuple[int, int] = (80, 60), turn: int = 1) -> None:
    exif = Image.Exif()
    exif[274] = turn
    buffer = io.BytesIO()
    Image.new("RGB", size_wh, (120, 120, 120)).save(buffer, "JPEG", exif=exif)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten images: each has a car, every other one a 猫."""
    root = tmp_path / "set"
    for i in range(10):
        boxes = [("car", 10, 10, 40, 40)] + [("猫", 30, 20, 70, 50)] * (i % 2)
        annotate(root / "Annotations" / f"{i:03}.xml", (80, 60), *boxes)
        picture(root / "JPEGImages" / f"{i:03}.jpg")
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "train.txt").write_text("001\n002\n003\n")
    return root


def pixels(path: Path) -> np.ndarray:
    return images.decode(path.read_bytes(), name="sheet")


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".PNG"])
def test_draws_a_sheet(small: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"sheet{suffix}"
    result = preview(small, out=out)
    assert images.read_header(out).format == ("png" if suffix == ".PNG" else "jpeg")
    assert result.shown == tuple(f"{i:03}" for i in range(10))
    assert result.boxes == {"car": 10, "猫": 5}
    assert (result.candidates, result.problems) == (10, 0)
    assert list(result.lines())[-1] == f"10 of 10 images are shown; open {out}"
    assert result.to_json()["boxes"] == {"car": 10, "猫": 5}


def test_the_seed_chooses(small: Path, tmp_path: Path) -> None:
    chosen = {seed: preview(small, out=tmp_path / "a.png", n=4, seed=seed).shown for seed in range(5)}
    assert len(set(chosen.values())) > 1
    assert all(list(shown) == sorted(shown) and len(shown) == 4 for shown in chosen.values())
    data = (tmp_path / "a.png").read_bytes()
    assert preview(small, out=tmp_path / "a.png", n=4, seed=4).shown == chosen[4]
    assert (tmp_path / "a.png").read_bytes() == data


def test_only_one_class(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    result = preview(small, out=out, only=("猫",))
    assert result.shown == ("001", "003", "005", "007", "009")
    assert result.boxes == {"猫": 5}
    car, cat = palette(2)
    assert (pixels(out) == cat).all(axis=-1).any()
    assert not (pixels(out) == car).all(axis=-1).any()
    with pytest.raises(UsageError, match="no class 'cars'; did you mean car"):
        preview(small, out=out, only=("cars",))


def test_only_one_split(small: Path, tmp_path: Path) -> None:
    assert preview(small, out=tmp_path / "a.png", split="train").shown == ("001", "002", "003")
    assert preview(small, out=tmp_path / "a.png", split="train", only=("猫",)).shown == ("001", "003")
    with pytest.raises(UsageError, match=r"no list val\.txt \(there is train\)"):
        preview(small, out=tmp_path / "a.png", split="val")


def test_what_cannot_be_read_is_named_and_the_rest_is_drawn(small: Path, tmp_path: Path) -> None:
    whole = (small / "JPEGImages" / "001.jpg").read_bytes()
    (small / "JPEGImages" / "001.jpg").write_bytes(whole[: len(whole) // 2])
    (small / "JPEGImages" / "002.jpg").write_bytes(b"no picture")
    (small / "Annotations" / "003.xml").write_text("<annotation><obj")
    (small / "JPEGImages" / "004.jpg").unlink()
    result = preview(small, out=tmp_path / "a.png")
    assert [(f.path, f.code) for f in result.failures] == [
        ("Annotations/003.xml", "E-XML-BROKEN"),
        ("JPEGImages/001.jpg", "E-IMAGE-DAMAGED"),
        ("JPEGImages/002.jpg", "E-IMAGE-UNREADABLE"),
    ]
    assert result.problems == 3
    assert result.candidates == 8
    assert result.boxes == {"car": 6, "猫": 3}
    lines = list(result.lines())
    assert isinstance(lines[0], Table)
    assert "E-IMAGE-DAMAGED" in str(lines[2])


def test_turned_images_lie_as_their_annotation_says(tmp_path: Path) -> None:
    """The size of the XML tells whether the boxes belong to the picture as displayed or as stored."""
    for name, size_wh, box in (
        ("displayed", (200, 100), (150, 10, 190, 40)),
        ("stored", (100, 200), (10, 150, 40, 190)),
    ):
        root = tmp_path / name
        annotate(root / "a.xml", size_wh, ("x", *box))
        picture(root / "a.jpg", (100, 200), turn=6)
        preview(root, out=tmp_path / "sheet.png", side=200)
        sheet = pixels(tmp_path / "sheet.png")
        rows, columns = np.nonzero((sheet == palette(1)[0]).all(axis=-1)[:260])
        grey = np.argwhere((sheet == 120).all(axis=-1))
        height, width = grey.max(axis=0) - grey.min(axis=0) + 1
        assert (width, height) == size_wh
        assert (columns.max() > rows.max()) == (name == "displayed")


def test_usage_errors(small: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.jpg or \.png"):
        preview(small, out=tmp_path / "sheet.bmp")
    for place in ("JPEGImages/sheet.jpg", "Annotations/deep/sheet.jpg"):
        with pytest.raises(UsageError, match="among the files of the set"):
            preview(small, out=small / place)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="of 0 annotations none has an image"):
        preview(tmp_path / "empty", out=tmp_path / "a.png")
    with pytest.raises(UsageError):
        preview(tmp_path / "none", out=tmp_path / "a.png")


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bccd", "vott_unicode", "microcontrollers", "robosub"])
def test_real_sets(shared_voc: Path, tmp_path: Path, name: str) -> None:
    result = preview(shared_voc / name, out=tmp_path / "a.jpg", n=4, side=100)
    assert len(result.shown) == 4
    assert not [f for f in result.failures if f.code.startswith("E-IMAGE")]
    images.check(tmp_path / "a.jpg")
