"""Pages and lines as items: what is found, read, written, and what a whole set becomes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from datatools.core.errors import DataError, UsageError
from datatools.core.records import TextRegion
from datatools.core.values import Source, TextCuts, TextLine, TextPage
from datatools.io import images
from datatools.io.codecs import choose, codec_of
from datatools.io.codecs.cuts import MANIFEST, TextCutsCodec
from datatools.io.codecs.image import CARRIED
from datatools.io.codecs.text import BAD, TextLineCodec, TextPageCodec
from datatools.io.intake import Intake
from datatools.io.paddleocr.pages import label_of
from datatools.io.room import Room

QUAD = ((10.0, 10.0), (40.0, 10.0), (40.0, 20.0), (10.0, 20.0))
PIXELS = np.full((20, 30, 3), 77, np.uint8)


def passed_on(
    codec: TextPageCodec | TextLineCodec, src: Path, out: Path, variants: tuple[str, ...] = ("",)
) -> list[str]:
    """Read every item, write it unchanged once a variant, finish. Returns the codes of what failed."""
    rows, failed = [], []
    room = Room(str(out))
    for source in codec.find(src):
        if source.kind == CARRIED:
            continue
        try:
            value = codec.read(source, Intake(str(src), source.files))
        except DataError as error:
            failed.append(error.code)
            continue
        notes = [codec.write(value, source, room, variant) for variant in variants]
        rows.append((source, notes[0] if variants == ("",) else notes))
    codec.finish(iter(rows), src, room)
    return failed


def test_the_kind_of_a_set_is_found(fixture_ocr: Path, tmp_path: Path, fixture_voc: Path) -> None:
    assert isinstance(choose((TextLine, TextPage), fixture_ocr), TextLineCodec)
    assert isinstance(choose((TextPage, TextLine), fixture_ocr), TextPageCodec)
    assert isinstance(choose((TextPage, TextLine), fixture_ocr / "rec"), TextLineCodec)
    assert isinstance(choose((TextPage, TextLine), fixture_ocr, "textline"), TextLineCodec)
    with pytest.raises(UsageError, match="holds nothing"):
        choose((TextPage, TextLine), fixture_voc)
    assert isinstance(codec_of(TextCuts), TextCutsCodec)
    assert not TextCutsCodec().recognises(fixture_ocr)


def test_items_have_their_line_and_split_and_all_else_is_carried(fixture_ocr: Path) -> None:
    found = list(TextPageCodec().find(fixture_ocr))
    pages = [source for source in found if source.kind != CARRIED]
    assert len(pages) == 12
    assert {source.group for source in pages} == {"train", "val", "test"}
    first = next(source for source in pages if source.id == "det/train/wall_00.jpg")
    label_file, label = json.loads(first.labels)
    assert (label_file, label[0]) == ("det/train.txt", "[")
    carried = {source.id for source in found if source.kind == CARRIED}
    assert "dict.txt" in carried
    assert "rec/train.txt" in carried
    assert "rec/train/wall_00_crop_0.jpg" in carried
    assert not carried & {"det/train.txt", "det/train/wall_00.jpg"}
    assert len({source.id for source in found}) == len(found)


@pytest.mark.parametrize("kind", ["det", "rec"])
def test_a_set_passes_through_as_it_is(kind: str, fixture_ocr: Path, tmp_path: Path) -> None:
    codec = TextPageCodec() if kind == "det" else TextLineCodec()
    assert not passed_on(codec, fixture_ocr, tmp_path)
    for split in ("train", "val", "test"):
        name = f"{kind}/{split}.txt"
        assert (tmp_path / name).read_bytes() == (fixture_ocr / name).read_bytes()
    assert len(list((tmp_path / kind).rglob("*.jpg"))) == len(list((fixture_ocr / kind).rglob("*.jpg")))


def test_variants_get_names_and_lines_of_their_own(fixture_ocr: Path, tmp_path: Path) -> None:
    passed_on(TextPageCodec(), fixture_ocr, tmp_path, ("", "_1", "_2"))
    lines = (tmp_path / "det/val.txt").read_text().splitlines()
    assert [line.partition("\t")[0] for line in lines] == [
        f"val/wall_{n}{v}.jpg" for n in ("08", "09") for v in ("", "_1", "_2")
    ]
    assert (tmp_path / "det/val/wall_08_2.jpg").exists()


def test_images_outside_of_the_folder_of_the_label_file_are_named_from_the_root(
    tmp_path: Path, fixture_ocr: Path
) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "det" / "val", src / "pictures")
    (src / "labels").mkdir()
    text = (fixture_ocr / "det" / "val.txt").read_text().replace("val/", "../pictures/")
    (src / "labels" / "train.txt").write_text(text)
    assert not passed_on(TextPageCodec(), src, tmp_path / "out")
    lines = (tmp_path / "out/labels/train.txt").read_text().splitlines()
    assert [line.partition("\t")[0] for line in lines] == ["pictures/wall_08.jpg", "pictures/wall_09.jpg"]
    assert len([s for s in TextPageCodec().find(tmp_path / "out") if s.kind == ""]) == 2


def test_what_is_broken_is_an_item_that_fails_with_its_line(tmp_path: Path, fixture_ocr: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "rec", src)
    with (src / "val.txt").open("a") as file:
        file.write("broken\nval/wall_08_crop_0.jpg\ttwice\ngone.jpg\tx\n../out.jpg\tx\nval/wall_09_crop_0.jpg\ta\tb\n")
    shutil.copy(src / "val" / "wall_08_crop_0.jpg", src / "val" / "new.jpg")
    with (src / "val.txt").open("a") as file:
        file.write("val/new.jpg\ta\tb\n")
    codec = TextLineCodec()
    told = []
    for source in codec.find(src):
        if source.kind == CARRIED:
            continue
        try:
            codec.read(source, Intake(str(src), source.files))
        except DataError as error:
            told.append((error.path, error.line, error.code, source.kind))
    assert told == [
        ("val.txt", 8, "E-LABEL-LINE", BAD),
        ("val.txt", 9, "E-IMAGE-DUPLICATE", BAD),
        ("val.txt", 10, "E-IMAGE-MISSING", BAD),
        ("val.txt", 11, "E-LABEL-LINE", BAD),
        ("val.txt", 12, "E-IMAGE-DUPLICATE", BAD),
        ("val.txt", 13, "E-LABEL-LINE", ""),
    ]


def test_a_label_that_cannot_be_written_fails_before_its_picture_is(tmp_path: Path) -> None:
    room = Room(str(tmp_path))
    source = Source("a.jpg", ("a.jpg",), json.dumps(["rec.txt", "x"]))
    with pytest.raises(DataError, match="TAB"):
        TextLineCodec().write(TextLine(PIXELS, "a\tb"), source, room, "")
    page = TextPage(PIXELS, (TextRegion(((float("nan"), 0.0), *QUAD[1:]), "a"),))
    with pytest.raises(DataError, match="coordinate"):
        TextPageCodec().write(page, source, room, "")
    with pytest.raises(DataError, match="TAB"):
        TextCutsCodec().write(TextCuts((("_0", PIXELS, "a\nb"),)), source, room, "")
    assert not list(tmp_path.iterdir())


def test_pictures_keep_their_format_but_gif(tmp_path: Path) -> None:
    room = Room(str(tmp_path))
    for suffix, kept in ((".png", ".png"), (".JPG", ".JPG"), (".gif", ".png"), (".bmp", ".bmp")):
        source = Source(f"x/a{suffix}", (f"x/a{suffix}",), json.dumps(["x/rec.txt", "t"]))
        note = TextLineCodec().write(TextLine(PIXELS, "t"), source, room, "_3")
        assert note == ["x/rec.txt", f"x/a_3{kept}", "t"]
        assert images.read_header(tmp_path / note[1]).stored_wh == (30, 20)


def test_cuts_have_lists_a_manifest_and_counts(tmp_path: Path) -> None:
    codec, room = TextCutsCodec(), Room(str(tmp_path))
    sources = [Source("p/a.jpg", ("p/a.jpg",), group="val"), Source("b.png", ("b.png",))]
    value = TextCuts((("_crop_0", PIXELS, "one"), ("_crop_2", PIXELS, "zw ö")), (("_crop_1", "ignored"),), ".png")
    counts = codec.finish([(s, codec.write(value, s, room, "")) for s in sources], tmp_path, room)
    assert counts == {"pictures": 4, "left out, ignored": 2}
    assert (tmp_path / "val.txt").read_text() == "p/a_crop_0.png\tone\np/a_crop_2.png\tzw ö\n"
    assert (tmp_path / "labels.txt").read_text() == "b_crop_0.png\tone\nb_crop_2.png\tzw ö\n"
    told = [json.loads(line) for line in (tmp_path / MANIFEST).read_text().splitlines()]
    assert told[0] == {"image": "p/a_crop_0.png", "source": "p/a.jpg", "split": "val", "label": "one"}
    assert told[2] == {"source": "p/a.jpg", "split": "val", "end": "_crop_1", "left_out": "ignored"}
    assert {made.name for made in room.made} >= {"val.txt", "labels.txt", MANIFEST, "p/a_crop_0.png"}


def test_sets_of_other_formats_become_paddleocrs(tmp_path: Path, fixture_ocr: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "det" / "val", src / "images" / "train")
    (src / "gt" / "train").mkdir(parents=True)
    (src / "gt" / "train" / "gt_wall_08.txt").write_text("10,10,40,10,40,20,10,20,a, b\n")
    (src / "gt" / "train" / "gt_wall_09.txt").write_text("10,10,40,10\n10,10,40,10,40,20,10,20,c\n1,2,3,4,5,6,7,8,d\n")
    assert passed_on(TextPageCodec(), src, tmp_path / "out") == ["E-LABEL-LINE"]
    label = label_of([TextRegion(QUAD, "a, b")])
    assert (tmp_path / "out/train.txt").read_text() == f"images/train/wall_08.jpg\t{label}\n"
