"""Pascal VOC sets item by item: what is found, read, kept byte by byte, and written with lists."""

import json
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError, UsageError
from datatools.core.records import Annotation, Box
from datatools.core.values import Labelled, Source
from datatools.io import images
from datatools.io.codecs.labelled import LabelledCodec
from datatools.io.intake import Intake
from datatools.io.room import Room
from datatools.io.voc import document, write

BOXES = (Box("cat", (0, 0, 10, 8)), Box("dog", (4.0, 3.0, 20.0, 15.0), difficult=True))


def put(
    root: Path, name: str, boxes: tuple[Box, ...] = BOXES, *, coords: str = "voc", size: tuple[int, int] = (20, 15)
) -> None:
    """An annotation with its picture."""
    for folder in ("Annotations", "JPEGImages"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    annotation = Annotation(name, f"{name}.png", size, boxes=boxes)
    (root / "Annotations" / f"{name}.xml").write_bytes(write.render(annotation, coords=coords))  # type: ignore[arg-type]
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    (root / "JPEGImages" / f"{name}.png").write_bytes(images.encode_png(pixels))


def put_lists(root: Path, **lists: str) -> None:
    folder = root / "ImageSets" / "Main"
    folder.mkdir(parents=True)
    for split, ids in lists.items():
        (folder / f"{split}.txt").write_text("".join(f"{i}\n" for i in ids.split()))


def found(root: Path) -> dict[str, Source]:
    return {source.id: source for source in LabelledCodec().find(root)}


def read(root: Path, source: Source) -> Labelled:
    return LabelledCodec().read(source, Intake(str(root), source.files))


def test_items_with_their_splits_and_what_is_carried(tmp_path: Path) -> None:
    for name in "abcde":
        put(tmp_path, name)
    put_lists(tmp_path, train="a b", val="c", trainval="a b c", test="d b")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "run.json").write_text("{}")
    sources = found(tmp_path)
    assert {i: s.group for i, s in sources.items() if not s.kind} == {
        "a": "train",
        "b": "test",
        "c": "val",
        "d": "test",
        "e": "",
    }
    assert [i for i, s in sources.items() if s.kind] == ["notes.txt"]
    assert sources["a"].files == ("JPEGImages/a.png", "Annotations/a.xml")
    assert LabelledCodec().recognises(tmp_path)


def test_reading_gives_pixels_and_boxes(tmp_path: Path) -> None:
    put(tmp_path, "a")
    item = read(tmp_path, found(tmp_path)["a"])
    assert item.pixels.shape == (15, 20, 3)
    assert item.boxes == BOXES


def test_a_set_that_counts_from_zero_is_read_and_written_so(tmp_path: Path) -> None:
    put(tmp_path, "a", (Box("cat", (0, 0, 10, 8)),), coords="zero")
    source = found(tmp_path)["a"]
    item = read(tmp_path, source)
    assert item.boxes[0].xyxy == (0, 0, 10, 8)
    room = Room(str(tmp_path / "out"))
    LabelledCodec().write(item, source, room, "_1")
    text = (tmp_path / "out/Annotations/a_1.xml").read_text()
    assert "<xmin>0</xmin>" in text


def test_writing_and_reading_gives_the_same_boxes(tmp_path: Path) -> None:
    odd = Box(
        "x & y",
        (1.25, 2, 9, 7.5),
        polygon=((1.0, 2.0), (9.0, 2.5), (5.0, 7.5)),
        parts=(Box("head", (2, 2, 4, 4)),),
        attributes=(("weight", "0.5"),),
    )
    put(tmp_path, "a", (odd, *BOXES))
    source = found(tmp_path)["a"]
    room = Room(str(tmp_path / "out"))
    LabelledCodec().write(read(tmp_path, source), source, room, "_3")
    assert [one.name for one in room.made] == ["JPEGImages/a_3.png", "Annotations/a_3.xml"]
    parsed = document.parse((tmp_path / "out/Annotations/a_3.xml").read_bytes(), "a_3.xml")
    assert parsed.filename.text == "a_3.png"
    assert document.annotation(parsed, "a_3", "voc").boxes == (odd, *BOXES)


def test_what_is_kept_keeps_its_bytes(tmp_path: Path) -> None:
    put(tmp_path, "a")
    xml = tmp_path / "Annotations/a.xml"
    xml.write_bytes(b"<!-- mine -->\r\n" + xml.read_bytes())
    source = found(tmp_path)["a"]
    room = Room(str(tmp_path / "out"))
    LabelledCodec().keep(source, Intake(str(tmp_path), source.files), room)
    for name in source.files:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert (tmp_path / "out/Annotations/a.xml").stat().st_ino != xml.stat().st_ino  # people edit it


def test_lists_name_what_was_made(tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path, name)
    put_lists(tmp_path, train="a", test="b")
    codec, out = LabelledCodec(), Room(str(tmp_path / "out"))
    rows = []
    for source in (s for s in codec.find(tmp_path) if not s.kind):
        item = read(tmp_path, source)
        rows.append((source, [codec.write(item, source, out, variant) for variant in ("_1", "_2")]))
    codec.finish(iter(json.loads(json.dumps(rows, default=lambda s: s.id)) and rows), tmp_path, out)
    assert (tmp_path / "out/ImageSets/Main/train.txt").read_text() == "a_1\na_2\n"
    assert (tmp_path / "out/ImageSets/Main/test.txt").read_text() == "b_1\nb_2\n"


def test_the_size_in_the_xml_says_whether_the_picture_is_turned(tmp_path: Path) -> None:
    """EXIF orientation 6: stored 20 x 15, displayed 15 x 20."""
    from PIL import Image

    for name, size in (("stored", (20, 15)), ("shown", (15, 20))):
        put(tmp_path, name, (), size=size)
        exif = Image.Exif()
        exif[274] = 6
        (tmp_path / "JPEGImages" / f"{name}.png").unlink()
        Image.new("RGB", (20, 15)).save(tmp_path / "JPEGImages" / f"{name}.jpg", exif=exif)
    sources = found(tmp_path)
    assert read(tmp_path, sources["stored"]).pixels.shape == (15, 20, 3)
    assert read(tmp_path, sources["shown"]).pixels.shape == (20, 15, 3)


def test_bad_items_fail_by_themselves(tmp_path: Path) -> None:
    for name in ("good", "broken", "alone", "nobox", "damaged"):
        put(tmp_path, name)
    (tmp_path / "Annotations/broken.xml").write_text("<annotation><object>")
    (tmp_path / "JPEGImages/alone.png").unlink()
    (tmp_path / "Annotations/nobox.xml").write_text("<annotation><object><name>a</name></object></annotation>")
    damaged = tmp_path / "JPEGImages/damaged.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    sources = found(tmp_path)
    assert set(sources) == {"good", "broken", "alone", "nobox", "damaged"}
    codes = {"broken": "E-XML-BROKEN", "alone": "E-IMAGE-MISSING", "nobox": "E-OBJECT-NO-BOX", "damaged": "E-IMAGE-"}
    for name, code in codes.items():
        with pytest.raises(DataError) as caught:
            read(tmp_path, sources[name])
        assert caught.value.code.startswith(code)
    read(tmp_path, sources["good"])


def test_a_folder_without_annotations_is_no_such_set(tmp_path: Path) -> None:
    assert not LabelledCodec().recognises(tmp_path)
    with pytest.raises(UsageError, match="no annotation"):
        list(LabelledCodec().find(tmp_path))
