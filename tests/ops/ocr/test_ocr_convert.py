"""ocr.convert: round trips, losses, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from datatools.cli.app import main
from datatools.core.records import TextRegion
from datatools.core.textset import TextSet
from datatools.core.types import SERIAL, Dataset
from datatools.io.paddleocr.pages import label_of
from datatools.io.textsets import sets
from datatools.ops.ocr.convert import Conversion, convert
from datatools.ops.ocr.lint import lint

QUAD = ((10.0, 10.0), (40.0, 10.0), (40.0, 20.0), (10.0, 20.0))
RING = ((10.0, 10.0), (25.5, 10.0), (40.0, 10.0), (40.0, 20.0), (25.5, 20.0), (10.0, 20.0))


def to(src: Path, out: Path, target: str, **more: object) -> Conversion:
    return convert(Dataset(src), out=out, to=target, **more)  # type: ignore[arg-type]


def told(found: TextSet) -> dict[str, list[tuple[object, ...]]]:
    """What a set says of each page, whatever its format: by the stem of its image."""
    return {
        page.image.rpartition("/")[2].rpartition(".")[0]: [
            (page.split, r.points, "" if r.ignore else r.text, r.ignore) for r in page.record.regions
        ]
        for page in found.pages
    }


@pytest.fixture
def quads(fixture_ocr: Path, tmp_path: Path) -> Path:
    """The pages of the fixture without the bent signs, which ICDAR cannot hold."""
    src = tmp_path / "quads"
    shutil.copytree(fixture_ocr / "det", src)
    for split in ("train", "val", "test"):
        lines = []
        for line in (src / f"{split}.txt").read_text().splitlines():
            image, _, label = line.partition("\t")
            kept = [r for r in json.loads(label) if len(r["points"]) == 4]
            lines.append(f"{image}\t{json.dumps(kept, ensure_ascii=False)}\n")
        (src / f"{split}.txt").write_text("".join(lines))
    return src


@pytest.mark.parametrize("target", ["paddleocr", "ppocrlabel", "icdar", "cocotext"])
def test_there_and_back_says_the_same(target: str, quads: Path, tmp_path: Path) -> None:
    there = to(quads, tmp_path / "there", target)
    assert there.splits == {"train": 8, "val": 2, "test": 2}
    assert (there.source, there.target, there.problems, there.lost) == ("paddleocr", target, 0, {})
    before = sets.read(quads, "auto", SERIAL)
    found = sets.read(tmp_path / "there", "auto", SERIAL)
    assert found.format == target
    assert not found.failures
    assert told(found) == told(before)
    back = to(tmp_path / "there", tmp_path / "back", "paddleocr")
    assert back.source == target
    assert told(sets.read(tmp_path / "back", "auto", SERIAL)) == told(before)
    assert not lint(Dataset(tmp_path / "back")).findings
    for page in before.pages:
        image = next((tmp_path / "back").rglob(Path(page.image).name))
        assert image.read_bytes() == (quads / page.image).read_bytes()


def one_page(root: Path, *regions: TextRegion) -> Path:
    root.mkdir()
    shutil.copy(Path(__file__).parents[3] / "fixtures/ocr/det/train/wall_00.jpg", root / "a.jpg")
    (root / "det.txt").write_text(f"a.jpg\t{label_of(regions)}\n", encoding="utf-8")
    return root


def test_what_icdar_cannot_hold(tmp_path: Path) -> None:
    regions = (
        TextRegion(RING, "ring"),
        TextRegion(((10.4, 10.0), *QUAD[1:]), "x, y", extra=(("key_cls", '"price"'),)),
        TextRegion(QUAD, "gone", ignore=True, extra=(("difficult", "true"),)),
    )
    result = to(one_page(tmp_path / "set", *regions), tmp_path / "out", "icdar")
    assert result.lost == {"further key of a region": 2, "outline of more than four corners": 1}
    assert result.changed == {"outline with fractions, rounded to whole pixels": 2}
    text = (tmp_path / "out" / "gt" / "gt_a.txt").read_text()
    assert text == "10,10,40,10,40,20,10,20,ring\n10,10,40,10,40,20,10,20,x, y\n10,10,40,10,40,20,10,20,###\n"


def test_what_coco_text_cannot_hold(tmp_path: Path) -> None:
    regions = (TextRegion(QUAD, "gone", ignore=True, extra=(("difficult", "true"), ("key_cls", "1"))),)
    result = to(one_page(tmp_path / "set", *regions), tmp_path / "out", "cocotext")
    assert result.lost == {"further key of a region": 2, "text of an ignored region": 1}
    assert result.changed == {"page without a split, written to train": 1}
    document = json.loads((tmp_path / "out" / "cocotext.json").read_text())
    assert document["imgs"]["1"] == {"id": 1, "set": "train", "width": 320, "height": 240, "file_name": "images/a.jpg"}
    assert document["anns"]["1"]["legibility"] == "illegible"


def test_the_folder_of_the_annotation_tool(tmp_path: Path) -> None:
    src = one_page(tmp_path / "set", TextRegion(RING, "true story"))
    result = to(src, tmp_path / "box", "ppocrlabel")
    assert result.lost == {"outline of more than four corners": 1}
    assert result.changed == {"text with `true` or `false` in it, which the tool changes": 1}
    assert (tmp_path / "box" / "Label.txt").read_text().startswith("box/a.jpg\t[{")
    assert (tmp_path / "box" / "fileState.txt").read_text() == f"{tmp_path}/box/a.jpg\t1\n"


def test_a_confirmed_page_without_text_and_drafts(tmp_path: Path, fixture_ocr: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(fixture_ocr / "det" / "train" / "wall_00.jpg", box / f"{name}.jpg")
    label = label_of([TextRegion(QUAD, "x")])
    (box / "Label.txt").write_text(f"box/a.jpg\t{label}\n")
    (box / "fileState.txt").write_text("/old/place/box/a.jpg\t1\n/old/place/box/b.jpg\t1\n")
    (box / "Cache.cach").write_text(f"box/a.jpg\t{label}\nbox/c.jpg\t{label}\n")
    result = to(box, tmp_path / "out", "paddleocr")
    assert result.source == "ppocrlabel"
    assert result.skipped == {"labelled by a model, not confirmed": 1}
    assert (tmp_path / "out/det/labels.txt").read_text() == f"images/a.jpg\t{label}\nimages/b.jpg\t[]\n"


def test_lines_and_directions_come_along_where_there_is_a_place(fixture_ocr: Path, tmp_path: Path) -> None:
    result = to(fixture_ocr, tmp_path / "icdar", "icdar")
    assert result.lost["direction of a line (the format has none)"] == 10
    assert (tmp_path / "icdar/words/val/gt.txt").read_text().startswith('wall_08_crop_0.jpg, "')
    back = to(tmp_path / "icdar", tmp_path / "back", "paddleocr")
    assert back.problems == 0
    for split in ("train", "val", "test"):
        assert (tmp_path / f"back/rec/{split}.txt").read_text() == (fixture_ocr / f"rec/{split}.txt").read_text()
    assert to(fixture_ocr, tmp_path / "coco", "cocotext").lost["recognition line (the format has none)"] == 42


def test_a_set_is_put_in_order(fixture_ocr: Path, tmp_path: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr, src)
    for path in src.rglob("t*.txt"):
        lines = path.read_text().splitlines()
        path.write_text("\ufeff" + "".join(f"D:\\work\\{path.parent.name}/{line}\r\n" for line in lines), newline="")
    assert {f.code for f in lint(Dataset(src)).findings} == {"E-LABEL-BOM", "W-LABEL-CRLF", "W-PATH-FOREIGN"}
    result = to(src, tmp_path / "out", "paddleocr")
    assert result.problems == 0
    assert not lint(Dataset(tmp_path / "out")).findings
    for task in ("det", "rec", "cls"):
        assert (tmp_path / f"out/{task}/train.txt").read_bytes() == (fixture_ocr / f"{task}/train.txt").read_bytes()


def test_bad_items_are_named_and_the_others_written(tmp_path: Path, quads: Path) -> None:
    (quads / "train" / "wall_00.jpg").write_bytes(b"no picture")
    (quads / "train" / "wall_01.jpg").unlink()
    result = to(quads, tmp_path / "out", "cocotext")
    assert sorted(f.code for f in result.failures) == ["E-IMAGE-MISSING", "E-IMAGE-UNREADABLE"]
    assert sum(result.splits.values()) == 10


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is no text set"),
        ({"a.jpg": "", "rec.txt": "a.jpg\tx\n", "gt_a.txt": "1,2,3,4,5,6,7,8,x\n"}, "several formats"),
    ],
)
def test_what_is_no_set_of_one_format(
    files: dict[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "set").mkdir()
    for name, text in files.items():
        (tmp_path / "set" / name).write_text(text)
    assert main(["ocr", "convert", str(tmp_path / "set"), "-o", str(tmp_path / "out"), "--to", "icdar"]) == 2
    assert message in capsys.readouterr().err
    if files:
        said = ["--to", "paddleocr", "--from", "icdar"]
        assert main(["ocr", "convert", str(tmp_path / "set"), "-o", str(tmp_path / "out"), *said]) == 0


def test_a_dry_run_counts_what_a_real_one_does(fixture_ocr: Path, tmp_path: Path) -> None:
    dry = to(fixture_ocr, tmp_path / "out", "icdar", dry_run=True)
    assert not (tmp_path / "out").exists()
    real = to(fixture_ocr, tmp_path / "out", "icdar")
    assert (dry.lost, dry.changed, dry.splits) == (real.lost, real.changed, real.splits)


@pytest.mark.shared
def test_icdar_2015_there_and_back(shared_ocr: Path, tmp_path: Path) -> None:
    src = shared_ocr / "icdar2015_mini"
    before = told(sets.read(src, "auto", SERIAL))
    place = src
    for target in ("icdar", "cocotext", "ppocrlabel", "paddleocr"):
        result = to(place, tmp_path / target, target)
        assert (result.problems, result.lost, result.splits) == (0, {}, {"train": 24, "test": 16})
        place = tmp_path / target
    assert told(sets.read(place, "auto", SERIAL)) == before
