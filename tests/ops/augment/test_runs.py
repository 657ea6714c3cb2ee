"""Augmentations as commands: whole sets, splits kept apart, manifests, bad inputs."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core.records import Annotation, Box
from datatools.io import images
from datatools.io.voc import layout, lists, scan, write

pytestmark = pytest.mark.usefixtures("without_workers")


@pytest.fixture
def voc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_voc: Path) -> Path:
    """Eight of the street scenes: five for training, two to validate, one to test."""
    monkeypatch.chdir(tmp_path)
    for folder in ("Annotations", "JPEGImages"):
        Path("set", folder).mkdir(parents=True)
    names = sorted(path.stem for path in (fixture_voc / "Annotations").iterdir())[4:12]
    for name in names:
        shutil.copy(fixture_voc / "Annotations" / f"{name}.xml", "set/Annotations")
        shutil.copy(next((fixture_voc / "JPEGImages").glob(f"{name}.*")), "set/JPEGImages")
    main_lists = Path("set/ImageSets/Main")
    main_lists.mkdir(parents=True)
    for split, chosen in (("train", names[:5]), ("val", names[5:7]), ("test", names[7:])):
        (main_lists / f"{split}.txt").write_text("".join(f"{n}\n" for n in chosen))
    return Path("set")


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixture_ocr: Path) -> Path:
    """The drawn signs."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_ocr, "text")
    return Path("text")


def run(*words: object) -> int:
    """The command."""
    jobs = [] if words[0] == "preview" or "--list" in words else ["-j", "1"]
    return main(["augment", *map(str, words), *jobs])


def manifest(out: str = "out") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(out, "manifest.jsonl").read_text().splitlines()]


def members(root: str, split: str) -> list[str]:
    return lists.splits_of(layout.open_set(Path(root))).get(split, [])


def test_copies_originals_and_splits(voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {split: members("set", split) for split in ("train", "val", "test")}
    assert run("randaugment", "set", "out", "--copies", 2, "--keep-originals", "--seed", 5) == 0
    made = layout.open_set(Path("out"))
    assert len(made.items) == 5 * 3 + 3
    assert members("out", "val") == before["val"]
    assert members("out", "test") == before["test"]
    assert members("out", "train") == [f"{n}{v}" for n in before["train"] for v in ("", "_1", "_2")]
    for name in (*before["val"], *before["test"], *before["train"]):  # untouched, byte by byte
        for path in (*Path("set").rglob(f"{name}.*"),):
            assert (Path("out") / path.relative_to("set")).read_bytes() == path.read_bytes()
    capsys.readouterr()
    main(["voc", "lint", "out"])
    told = capsys.readouterr().out.splitlines()  # of the items that came along, two are messy
    assert not [line for line in told if " error " in line and ("_1.xml" in line or "_2.xml" in line)]


def test_the_manifest_says_how_each_picture_was_made(voc: Path) -> None:
    run("copy-paste", "set", "out", "--seed", 9, "--keep-originals", "--ratio", 1)
    entries = manifest()
    new = [e for e in entries if "op" in e]
    assert len(entries) == 13
    assert len(new) == 5
    assert {e["op"] for e in new} == {"augment.copy_paste"}
    assert {e["seed"] for e in new} == {9}
    assert {e["split"] for e in new} == {"train"}
    for entry in new:
        assert all(Path("out", name).exists() for name in entry["files"])
        assert entry["donors"] == [draw["donor"] for draw in entry["draw"]]
        assert len(entry["draw"][0]["pastes"][0]["matrix"]) == 9
    assert all(set(e) == {"files", "source", "split"} for e in entries if "op" not in e)


@pytest.mark.parametrize("name", ["copy-paste", "mosaic"])
def test_nothing_leaks_from_val_and_test_into_train(voc: Path, name: str) -> None:
    judges = set(members("set", "val")) | set(members("set", "test"))
    run(name, "set", "out", "--copies", 4)
    taken = {donor for entry in manifest() for donor in entry.get("donors", ())}
    assert taken
    assert not taken & judges
    run(name, "set", "leaky", "--copies", 12, "--allow-leak")
    assert {donor for entry in manifest("leaky") for donor in entry.get("donors", ())} & judges
    assert {e["source"] for e in manifest("leaky") if "op" in e} == set(members("set", "train"))


def test_another_set_to_take_from(voc: Path) -> None:
    shutil.copytree("set", "other")
    for path in Path("other/Annotations").iterdir():
        path.write_text(path.read_text().replace("<name>car</name>", "<name>taxi</name>"))
    run("copy-paste", "set", "out", "--source", "other", "--ratio", 1, "--copies", 3)
    table = scan.read_table(layout.open_set(Path("out")))
    assert "taxi" in table.classes
    draws = [draw for entry in manifest() if "op" in entry for draw in entry["draw"]]
    assert {draw["donor"] for draw in draws} <= set(members("other", "train"))


def test_the_long_tail_is_levelled(voc: Path) -> None:
    def counts(root: str) -> dict[str, int]:
        table = scan.read_table(layout.open_set(Path(root)))
        train = [layout.open_set(Path(root)).key(i) in set(members(root, "train")) for i in table.items]
        kept = np.array(train)[table.box_item]
        return dict(
            zip(table.classes, np.bincount(table.box_class[kept], minlength=len(table.classes)).tolist(), strict=True)
        )

    before = counts("set")
    run("copy-paste", "set", "out", "--target-per-class", 15, "--tries", 300, "--seed", 1)
    after = counts("out")
    for name, count in before.items():
        if count >= 15:
            assert after[name] == count
        elif count:
            assert after[name] > count
            assert after[name] <= 15 + 5


def test_text_sets_stay_text_sets(text: Path) -> None:
    assert run("tia", "distort", "text/det", "pages", "--copies", 2) == 0
    assert main(["ocr", "lint", "pages"]) in (0, 1)
    train = Path("pages/train.txt").read_text().splitlines()
    assert len(train) == 2 * len(Path("text/det/train.txt").read_text().splitlines())
    assert Path("pages/val.txt").read_bytes() == Path("text/det/val.txt").read_bytes()
    assert run("bda", "text/rec", "lines", "--keep-originals") == 0
    assert len(manifest("lines")) > len(manifest("pages"))
    kept = [line.split("\t") for line in Path("text/rec/train.txt").read_text().splitlines()]
    made = dict(line.split("\t") for line in Path("lines/train.txt").read_text().splitlines())
    for name, said in kept:
        stem, suffix = name.rsplit(".", 1)
        assert made[name] == made[f"{stem}_1.{suffix}"] == said


def test_db_targets_are_arrays_beside_each_other(text: Path) -> None:
    assert run("shrink-map", "text/det", "out") == 0
    assert run("border-map", "text/det", "borders", "--low", 0.2) == 0
    pages = sum(len(Path(f"text/det/{s}.txt").read_text().splitlines()) for s in ("train", "val", "test"))
    files = sorted(Path("out").rglob("*.npz"))
    assert len(files) == pages
    for file in files:
        with np.load(file, allow_pickle=False) as made:
            assert set(made) == {"shrink_map", "shrink_mask"}
            assert made["shrink_map"].dtype == np.float32
            assert set(np.unique(made["shrink_map"])) <= {0, 1}
    with np.load(next(Path("borders").rglob("*.npz")), allow_pickle=False) as made:
        assert made["threshold_map"].min() == np.float32(0.2)


def test_class_folders_with_soft_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, grey in (("train/a/1", 0), ("train/a/2", 10), ("train/b/3", 250), ("val/b/4", 200)):
        Path("set", name).parent.mkdir(parents=True, exist_ok=True)
        Path("set", f"{name}.png").write_bytes(images.encode_png(np.full((30, 40, 3), grey, np.uint8)))
    assert run("cutmix", "set", "out", "--copies", 3) == 0
    rows = [line.split(",") for line in Path("out/labels.csv").read_text().splitlines()]
    assert rows[0] == ["image", "a", "b"]
    assert len(rows) == 1 + 9 + 1
    for name, a, b in rows[1:]:
        assert float(a) + float(b) == pytest.approx(1)
        assert Path("out", name).exists()
    assert ["val/b/4.png", "0", "1"] in rows


def test_imgaug_from_a_file(voc: Path) -> None:
    Path("chain.yaml").write_text(
        "- Fliplr: {p: 1.0}\n- Affine: {rotate: [-5, 5]}\n- ElasticTransformation: {alpha: 4, sigma: 3}\n"
    )
    assert run("imgaug", "set", "out", "--pipeline", "chain.yaml") == 0
    table = scan.read_table(layout.open_set(Path("out")))
    assert len(table.xyxy) >= 0.8 * len(scan.read_table(layout.open_set(Path("set"))).xyxy)
    before = {p: p.read_bytes() for p in Path("out").rglob("*.jpg")}
    Path("chain.yaml").write_text("- Flipud: {p: 1.0}\n")  # what decides the result: it is made anew
    assert run("imgaug", "set", "out", "--pipeline", "chain.yaml") == 0
    assert any(p.read_bytes() != data for p, data in before.items())


def test_the_list_of_imgaug_needs_no_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("imgaug", "--list", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["usable"]) == 161
    assert ["Lambda", "takes Python functions"] in told["refused"]


def test_the_preview_shows_what_the_run_makes(voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(
            "preview",
            "set",
            "--op",
            "copy-paste --ratio 1 --blend=feather --rotate",
            "-o",
            "sheet.png",
            "-n",
            3,
            "--draws",
            2,
        )
        == 0
    )
    assert images.read_header("sheet.png").width > 600
    assert run("preview", "set", "--op", "tia distort --strength 0.5", "-o", "sheet.jpg") == 0
    assert "4 draws each of tia distort" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["preview", "set", "--op", "tia distrot", "-o", "a.png"], "did you mean tia distort?"),
        (["preview", "set", "--op", "randaugment --magnitud 3", "-o", "a.png"], "did you mean --magnitude?"),
        (["preview", "set", "--op", "randaugment --magnitude x", "-o", "a.png"], "is not a number"),
        (["preview", "set", "--op", "randaugment --magnitude nan", "-o", "a.png"], "must be a number"),
        (["preview", "set", "--op", "randaugment --preset mine", "-o", "a.png"], "is one of paper, paddleocr"),
        (["preview", "set", "--op", "imgaug", "-o", "a.png"], "imgaug needs --pipeline"),
        (["preview", "set", "--op", "'", "-o", "a.png"], "--op"),
        (["preview", "set", "--op", "cutout", "-o", "a.gif"], "must end in .jpg or .png"),
        (["preview", "absent", "--op", "cutout", "-o", "a.png"], "absent is not a folder"),
        (["randaugment", "set", "out", "--preset", "paddleocr", "--magnitude", "12"], "from 0 to 10"),
        (["random-erasing", "set", "out", "--min-area", "0.5", "--max-area", "0.4"], "is more than"),
        (["gridmask", "set", "out", "--min-period", "50", "--max-period", "40"], "is more than"),
        (["pp-det", "set", "out", "--min-scale", "5", "--max-scale", "2"], "is more than"),
        (["copy-paste", "set", "out", "--source", "absent"], "--source"),
        (["copy-paste", "set", "out", "--source", "empty"], "--source"),
        (["imgaug", "set", "out", "--pipeline", "absent.yaml"], "absent.yaml"),
        (["imgaug", "set", "out", "--pipeline", "bad.yaml"], "has no augmenter Flplr"),
        (["imgaug", "set", "out", "--pipeline", "broken.yaml"], "broken.yaml:2:1"),
        (["imgaug", "set", "out"], "--pipeline"),
        (["shrink-map", "set", "out"], "is no text set"),
        (["mixup", "empty", "out"], "nothing that this command reads"),
        (["tia", "distort", "set", "set/out"], "set"),
        (["randaugment", "set", "out", "--format", "words"], "there is no words here"),
    ],
)
def test_bad_calls_are_told_in_one_line(
    voc: Path, said: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    Path("bad.yaml").write_text("- Flplr: {p: 0.5}\n")
    Path("broken.yaml").write_text("- {\n")
    assert run(*said) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
    assert not Path("out").exists()


def test_grabcut_is_for_boxes(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("copy-paste", "text/det", "out", "--mask", "grabcut") == 2
    assert "cut out by their outlines" in capsys.readouterr().err
    assert run("copy-paste", "text/det", "out", "--target-per-class", 5) == 2
    assert "texts have none" in capsys.readouterr().err


def test_bad_items_cost_themselves_and_bad_donors_nobody(voc: Path) -> None:
    broken = next(Path("set/JPEGImages").glob(f"{members('set', 'train')[0]}.*"))
    broken.write_bytes(broken.read_bytes()[:900])
    assert run("mixup", "set", "out", "--copies", 3) == 1
    assert len(Path("out/failures.jsonl").read_text().splitlines()) == 1
    assert len([e for e in manifest() if "op" in e]) == 4 * 3
    assert broken.stem not in {donor for e in manifest() for donor in e.get("donors", ())}


def test_a_mended_donor_makes_its_items_anew(voc: Path) -> None:
    first = next(Path("set/JPEGImages").glob(f"{members('set', 'train')[0]}.*"))
    whole = first.read_bytes()
    first.write_bytes(whole[:900])
    run("mosaic", "set", "out")
    first.write_bytes(whole)
    assert run("mosaic", "set", "out", "--retry-failed") == 0
    fresh = Path("fresh")
    run("mosaic", "set", "fresh")
    for path in sorted(fresh.rglob("*.jpg")):
        assert (Path("out") / path.relative_to(fresh)).read_bytes() == path.read_bytes()


def test_a_set_of_odd_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pixel, grey, 16 bits, alpha, a name that is no UTF-8, boxes beyond the picture."""
    monkeypatch.chdir(tmp_path)
    for folder in ("Annotations", "JPEGImages"):
        Path("set", folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    pictures = {
        "one": np.zeros((1, 1, 3), np.uint8),
        "grey": rng.integers(0, 256, (40, 50), np.uint8),
        "deep": rng.integers(0, 65536, (40, 50, 3), np.uint16),
        "alpha": rng.integers(0, 256, (40, 50, 4), np.uint8),
        b"\xff\xe9".decode("utf-8", "surrogateescape"): rng.integers(0, 256, (40, 50, 3), np.uint8),
    }
    boxes = (Box("a", (-5, -5, 30, 30)), Box("b", (200, 200, 300, 300)))
    for name, pixels in pictures.items():
        Path("set/JPEGImages", f"{name}.png").write_bytes(images.encode(pixels, ".png"))
        annotation = Annotation("x", "", (pixels.shape[1], pixels.shape[0]), boxes=boxes)
        Path("set/Annotations", f"{name}.xml").write_bytes(write.render(annotation, coords="zero"))
    for words in (["copy-paste"], ["tia", "distort"]):
        assert run(*words, "set", words[0]) == 0
        assert len(list(Path(words[0], "JPEGImages").iterdir())) == 5
