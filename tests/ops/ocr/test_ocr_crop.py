"""ocr.crop and ocr.cls_set: pictures and labels, what is left out, bad items, the command line."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core import op
from datatools.core.records import TextRegion
from datatools.core.values import TextLine, TextPage
from datatools.engine.executors import LocalRun
from datatools.engine.runner import execute
from datatools.io import images
from datatools.io.codecs.cuts import MANIFEST
from datatools.ops.ocr.cls_set import cls_set
from datatools.ops.ocr.crop import crop

pytestmark = pytest.mark.usefixtures("without_workers")

PAGE = np.arange(40 * 60 * 3, dtype=np.uint32).reshape(40, 60, 3).astype(np.uint8)
QUAD = ((10.0, 10.0), (40.0, 10.0), (40.0, 20.0), (10.0, 20.0))


def read(path: Path) -> np.ndarray:
    return images.decode(path.read_bytes(), name=path.name)


def manifest(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]


def test_regions_become_pictures_with_their_number() -> None:
    regions = (TextRegion(QUAD, "one"), TextRegion(QUAD, "###", ignore=True), TextRegion(QUAD[2:] + QUAD[:2], "two"))
    made = crop(TextPage(PAGE, regions))
    assert [(end, label) for end, _, label in made.cuts] == [("_crop_0", "one"), ("_crop_2", "two")]
    assert (made.cuts[0][1] == PAGE[10:20, 10:40]).all()
    assert (made.cuts[1][1] == PAGE[10:20, 10:40][::-1, ::-1]).all()
    assert made.left_out == (("_crop_1", "ignored"),)


@pytest.mark.parametrize(
    ("points", "text", "why"),
    [
        (QUAD, " ", "no text"),
        (QUAD, "a\tb", "a TAB or line end"),
        ([QUAD[i] for i in (0, 2, 1, 3)], "a", "its sides cross"),
        ([(1, 1), (9, 1), (30, 1), (5, 1)], "a", "no area"),
        ([(61, 1), (80, 1), (80, 9), (61, 9)], "a", "outside of the image"),
        ([(0, 0), (9e6, 0), (9e6, 9e6), (0, 9e6)], "a", "far larger than the image"),
    ],
)
def test_what_cannot_be_cut_is_left_out_with_a_reason(points: list[tuple[float, float]], text: str, why: str) -> None:
    made = crop(TextPage(PAGE, (TextRegion(tuple(points), text), TextRegion(QUAD, "good"))))
    assert [label for _, _, label in made.cuts] == ["good"]
    ((end, told),) = made.left_out
    assert end == "_crop_0"
    assert told.startswith(why)


def test_counterclockwise_outlines_are_not_cut_mirrored() -> None:
    back = (QUAD[0], QUAD[3], QUAD[2], QUAD[1])
    ((_, cut, _),) = crop(TextPage(PAGE, (TextRegion(back, "a"),))).cuts
    assert (cut == PAGE[10:20, 10:40]).all()


def test_tall_texts_are_laid_on_their_side() -> None:
    tall = ((10.0, 5.0), (20.0, 5.0), (20.0, 35.0), (10.0, 35.0))
    page = TextPage(PAGE, (TextRegion(tall, "a"),))
    assert (crop(page).cuts[0][1] == np.rot90(PAGE[5:35, 10:20])).all()
    assert crop(page, tall=0).cuts[0][1].shape == (30, 10, 3)
    assert crop(page, tall=3.5).cuts[0][1].shape == (30, 10, 3)


def test_polygons_and_dented_quads_are_cut_as_rectangles() -> None:
    ring = ((10.0, 10.0), (25.0, 12.0), (40.0, 10.0), (40.0, 20.0), (25.0, 20.0), (10.0, 20.0))
    dented = ((10.0, 10.0), (40.0, 10.0), (20.0, 14.0), (10.0, 20.0))
    for points, shape in ((ring, (10, 30, 3)), (dented, (9, 32, 3))):
        ((_, cut, _),) = crop(TextPage(PAGE, (TextRegion(points, "a"),))).cuts
        assert cut.shape == shape


def test_the_signs_come_out_as_they_were_drawn(fixture_ocr: Path, tmp_path: Path) -> None:
    result = execute(op.find("ocr.crop"), {"src": fixture_ocr, "out": tmp_path / "out", "encode": "png"}, LocalRun(1))
    told = result.to_json()
    assert told["counts"] == {"pictures": 42, "left out, ignored": 6}
    assert not (tmp_path / "out" / "rec").exists()  # what belongs to other tasks does not come along
    again = execute(op.find("ocr.crop"), {"src": fixture_ocr, "out": tmp_path / "out", "encode": "png"}, LocalRun(1))
    assert again.to_json()["counts"] == told["counts"]
    close = 0
    for split in ("train", "val", "test"):
        assert (tmp_path / "out" / f"{split}.txt").read_text() == (
            fixture_ocr / "rec" / f"{split}.txt"
        ).read_text().replace(".jpg\t", ".png\t").replace(f"{split}/wall", f"det/{split}/wall")
        for line in (tmp_path / "out" / f"{split}.txt").read_text().splitlines():
            name = Path(line.partition("\t")[0])
            cut = read(tmp_path / "out" / name)
            flat = read(fixture_ocr / "rec" / split / f"{name.stem}.jpg")
            flat = cv2.resize(flat, (cut.shape[1], cut.shape[0]), interpolation=cv2.INTER_AREA)
            close += bool(np.abs(cut.astype(int) - flat)[3:-3, 3:-3].mean() < 30)
    assert close >= 39  # three signs are bent, and their rectangles show the wall
    assert len(manifest(tmp_path / "out")) == 48


def test_a_bad_page_is_named_and_the_others_are_cut(fixture_ocr: Path, tmp_path: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr, src)
    data = (src / "det" / "train" / "wall_00.jpg").read_bytes()
    (src / "det" / "train" / "wall_00.jpg").write_bytes(data[: len(data) // 2])
    lines = (src / "det" / "train.txt").read_text().splitlines()
    lines[1] = lines[1][:-1]
    lines[2] = lines[2].replace("wall_02", "gone")
    lines.append(lines[3])
    (src / "det" / "train.txt").write_text("".join(f"{line}\n" for line in lines))
    assert main(["ocr", "crop", str(src), str(tmp_path / "out")]) == 1
    failures = [json.loads(line)["error"] for line in (tmp_path / "out" / "failures.jsonl").read_text().splitlines()]
    assert sorted((f["path"], f["line"], f["code"]) for f in failures) == [
        ("det/train.txt", 2, "E-LABEL-LINE"),
        ("det/train.txt", 3, "E-IMAGE-MISSING"),
        ("det/train.txt", 9, "E-IMAGE-DUPLICATE"),
        ("det/train/wall_00.jpg", 0, "E-IMAGE-DAMAGED"),
    ]
    assert len((tmp_path / "out" / "val.txt").read_text().splitlines()) == 7


def test_only_a_changed_page_is_cut_again(fixture_ocr: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "set", tmp_path / "out"
    shutil.copytree(fixture_ocr, src)
    said = {"src": src, "out": out}
    execute(op.find("ocr.crop"), said, LocalRun(1))
    text = (src / "det" / "val.txt").read_text()
    (src / "det" / "val.txt").write_text(text.replace("Hotel", "Motel"))
    again = execute(op.find("ocr.crop"), said, LocalRun(1)).to_json()
    assert (again["made"], again["kept"]) == (1, 11)
    assert "Motel" in (out / "val.txt").read_text()


def test_pages_of_icdar_and_coco_text_are_cut_too(fixture_ocr: Path, tmp_path: Path) -> None:
    for target in ("icdar", "cocotext", "ppocrlabel"):
        src, out = tmp_path / target, tmp_path / f"cut_{target}"
        assert main(["ocr", "convert", str(fixture_ocr), "-o", str(src), "--to", target]) == 0
        assert main(["ocr", "crop", str(src), str(out)]) == 0
        texts = [line.partition("\t")[2] for line in (out / "train.txt").read_text().splitlines()]
        assert sorted(texts) == sorted(
            line.partition("\t")[2] for line in (fixture_ocr / "rec" / "train.txt").read_text().splitlines()
        )


def test_lines_are_turned_by_the_seed(fixture_ocr: Path, tmp_path: Path) -> None:
    made = []
    for number, seed in enumerate((3, 3, 4)):
        out = tmp_path / str(number)
        said = ["ocr", "cls-set", str(fixture_ocr), str(out), "--seed", str(seed), "--encode", "png"]
        assert main(said) == 0
        made.append((out / "train.txt").read_text())
        for line in made[-1].splitlines():
            image, _, degrees = line.partition("\t")
            source = read(fixture_ocr / f"{image.rpartition('_')[0]}.jpg")
            turned = source[::-1, ::-1] if degrees == "180" else source
            assert (read(out / image) == turned).all()
    assert made[0] == made[1] != made[2]
    assert {line.partition("\t")[2] for line in made[0].splitlines()} == {"0", "180"}


@pytest.mark.parametrize(
    ("text", "why"),
    [("8008", "can be read upside down"), ("NOON 69", "can be read upside down"), (" ", "no text"), ("EXIT", "")],
)
def test_lines_without_a_direction_are_left_out(text: str, why: str) -> None:
    made = cls_set(TextLine(PAGE, text), both=True, rng=np.random.default_rng(0))
    assert [label for _, _, label in made.cuts] == ([] if why else ["0", "180"])
    assert made.left_out == ((("", why),) if why else ())


def test_names_too_long_for_a_cut_out_fail_alone(fixture_ocr: Path, tmp_path: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "det", src)
    long = "x" * 251 + ".jpg"
    (src / "val" / "wall_08.jpg").rename(src / "val" / long)
    (src / "val.txt").write_text((src / "val.txt").read_text().replace("wall_08.jpg", long))
    assert main(["ocr", "crop", str(src), str(tmp_path / "out")]) == 1
    (failure,) = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert json.loads(failure)["error"]["code"] == "E-NAME"
    assert main(["ocr", "convert", str(src), "-o", str(tmp_path / "icdar"), "--to", "icdar"]) == 1


def test_a_set_without_pages_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.jpg").write_bytes(b"")
    (tmp_path / "set" / "rec.txt").write_text("a.jpg\tx\n")
    assert main(["ocr", "crop", str(tmp_path / "set"), str(tmp_path / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["ocr", "cls-set", str(tmp_path / "set"), str(tmp_path / "out")]) == 1


@pytest.mark.shared
def test_cuts_are_those_of_the_annotation_tool(shared_ocr: Path, tmp_path: Path) -> None:
    src = shared_ocr / "wire_labels"
    execute(
        op.find("ocr.crop"), {"src": src / "train_data" / "det", "out": tmp_path / "o", "encode": "png"}, LocalRun(1)
    )
    compared = 0
    for theirs in sorted((src / "train_data" / "rec" / "test").glob("*.jpg")):
        ours = tmp_path / "o" / "test" / f"{theirs.stem}.png"
        if not ours.exists():
            continue
        a, b = read(theirs).astype(float), read(ours).astype(float)
        assert max(abs(x - y) for x, y in zip(a.shape, b.shape, strict=True)) <= 1
        if a.shape == b.shape:  # theirs is a JPEG, and cuts lengths that we round
            compared += 1
            assert 10 * np.log10(255**2 / np.mean((a - b) ** 2)) > 28
    assert compared >= 15
