"""ocr.split: sizes, sources that stay together, labels byte for byte, nothing lost."""

import shutil
from pathlib import Path

import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.ops.ocr.lint import lint
from datatools.ops.ocr.sources import origin_of
from datatools.ops.ocr.split import split


def lines_of(root: Path, task: str) -> dict[str, dict[str, str]]:
    """Split -> name of the image -> label."""
    return {
        path.stem: {
            line.partition("\t")[0].rpartition("/")[2]: line.partition("\t")[2]
            for line in path.read_text().splitlines()
        }
        for path in sorted((root / task).glob("*.txt"))
    }


def everything(root: Path, task: str) -> dict[str, str]:
    return {image: label for lines in lines_of(root, task).values() for image, label in lines.items()}


def test_pages_lines_and_directions_go_together(fixture_ocr: Path, tmp_path: Path) -> None:
    result = split(Dataset(fixture_ocr), out=tmp_path / "out", train=0.5, val=0.25, test=0.25)
    assert [(s.name, s.sources, s.pages) for s in result.splits] == [("train", 6, 6), ("val", 3, 3), ("test", 3, 3)]
    places = {Path(i).stem: s for s, lines in lines_of(tmp_path / "out", "det").items() for i in lines}
    for task in ("rec", "cls"):
        for name, lines in lines_of(tmp_path / "out", task).items():
            assert {places[origin_of(Path(image).stem)] for image in lines} <= {name}
    for task in ("det", "rec", "cls"):
        assert everything(tmp_path / "out", task) == everything(fixture_ocr, task)
    # regions and lines in the shares of the pages, as far as 12 pages allow
    assert [s.lines for s in result.splits] == pytest.approx([21, 10.5, 10.5], abs=1.1)
    assert sum(s.regions for s in result.splits) == 42
    assert not lint(Dataset(tmp_path / "out")).findings
    assert (tmp_path / "out" / "dict.txt").read_bytes() == (fixture_ocr / "dict.txt").read_bytes()


def test_the_seed_decides(fixture_ocr: Path, tmp_path: Path) -> None:
    made = []
    for number, seed in enumerate((1, 1, 2)):
        split(Dataset(fixture_ocr), out=tmp_path / str(number), seed=seed)
        made.append(lines_of(tmp_path / str(number), "det"))
    assert made[0] == made[1] != made[2]


def test_groups_and_equal_bytes_stay_together(fixture_ocr: Path, tmp_path: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "det", src)
    shutil.copy(src / "train" / "wall_00.jpg", src / "train" / "copy.jpg")
    label = (src / "train.txt").read_text().splitlines()[0].partition("\t")[2]
    with (src / "train.txt").open("a") as file:
        file.write(f"train/copy.jpg\t{label}\n")
    for seed in range(4):
        out = tmp_path / f"out{seed}"
        result = split(Dataset(src), out=out, train=0.5, val=0.5, group=r"wall_(\d)", seed=seed)
        assert result.tied == 11  # wall_0? are one, wall_1? another, the copy goes with the first
        assert result.ungrouped == 1
        found = lines_of(out, "det")
        assert {frozenset(i[:6] for i in lines if i != "copy.jpg") for lines in found.values()} == {
            frozenset({"wall_0"}),
            frozenset({"wall_1"}),
        }
        assert next(lines for lines in found.values() if "copy.jpg" in lines).keys() >= {"wall_00.jpg"}


def test_cuts_without_a_page_and_names_of_their_own(tmp_path: Path) -> None:
    src = tmp_path / "set"
    src.mkdir()
    names = [f"a_crop_{i}.jpg" for i in range(4)] + [f"b_crop_{i}.jpg" for i in range(4)] + ["c.jpg", "d.jpg"]
    for number, name in enumerate(names):
        (src / name).write_bytes(bytes([number]))
    (src / "rec.txt").write_text("".join(f"{name}\tx\n" for name in names))
    result = split(Dataset(src), out=tmp_path / "out", train=0.5, val=0.5)
    assert [s.sources for s in result.splits] == [2, 2, 0]
    for lines in lines_of(tmp_path / "out", "rec").values():
        for stem in ("a_crop", "b_crop"):
            assert sum(image.startswith(stem) for image in lines) in (0, 4)


def test_foreign_paths_are_mended_and_what_cannot_be_used_is_named(fixture_ocr: Path, tmp_path: Path) -> None:
    src = tmp_path / "set"
    shutil.copytree(fixture_ocr / "rec", src)
    text = (src / "train.txt").read_text()
    (src / "train.txt").write_text("".join(f"/data/other/{line}\n" for line in text.splitlines()) + "broken\n")
    result = split(Dataset(src), out=tmp_path / "out")
    assert [f.code for f in result.failures] == ["E-LABEL-LINE"]
    assert result.problems == 1
    assert everything(tmp_path / "out", "rec") == everything(fixture_ocr, "rec")
    assert not lint(Dataset(tmp_path / "out")).findings


def test_twins_of_two_folders_get_names_of_their_own(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        (tmp_path / "set" / folder / "1.jpg").write_text(folder)
        (tmp_path / "set" / folder / "rec.txt").write_text(f"1.jpg\t{folder}\n")
    split(Dataset(tmp_path / "set"), out=tmp_path / "out", train=1)
    assert (tmp_path / "out" / "rec" / "train.txt").read_text() == "train/x_1.jpg\tx\ntrain/y_1.jpg\ty\n"
    assert (tmp_path / "out" / "rec" / "train" / "y_1.jpg").read_text() == "y"


def test_a_dry_run_writes_nothing(fixture_ocr: Path, tmp_path: Path) -> None:
    result = split(Dataset(fixture_ocr), out=tmp_path / "out", dry_run=True)
    assert sum(s.pages for s in result.splits) == 12
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("shares", "message"),
    [({"train": 0.9}, "must sum to 1"), ({"train": 0.5, "val": 0.5, "test": 0.5}, "must sum to 1")],
)
def test_shares_that_are_no_whole(shares: dict[str, float], message: str, fixture_ocr: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        split(Dataset(fixture_ocr), out=tmp_path / "out", **shares)


def test_the_command_line(fixture_ocr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["ocr", "split", str(fixture_ocr), "-o", str(tmp_path / "out"), "--train", "0.75", "--val", "0.25"]
    assert main(said) == 0
    shown = capsys.readouterr().out
    assert "the label files had" in shown
    assert main([*said, "--group", "["]) == 2
    assert "no regular expression" in capsys.readouterr().err


@pytest.mark.shared
def test_the_wires_stay_with_their_turned_copies(shared_ocr: Path, tmp_path: Path) -> None:
    src = Dataset(shared_ocr / "wire_labels")
    result = split(src, out=tmp_path / "out", train=0.8, val=0.2, group=r"(wire_\d+)")
    assert [s.pages for s in result.splits] == [240, 60, 0]
    of = {}
    for name, lines in (*lines_of(tmp_path / "out", "det").items(), *lines_of(tmp_path / "out", "rec").items()):
        for image in lines:
            wire = "_".join(image.split("_")[:2]).removesuffix(".jpg")
            assert of.setdefault(wire, name) == name
