"""The commands on haze, on pictures, sets and pairs: what is written, what is refused, how near the scene comes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core.errors import UsageError
from datatools.core.types import Dataset
from datatools.core.values import Image, Source
from datatools.io import images
from datatools.kernels import haze
from datatools.kernels.haze import Settings
from datatools.kernels.scattering import add_haze, depth_gradient
from datatools.ops.haze.add import add, parse_range
from datatools.ops.haze.remove import remove
from datatools.ops.haze.score import Scores, score

ROOT = Path(__file__).resolve().parents[2]
HAZE = ROOT / "fixtures" / "haze"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> np.ndarray:
    return images.decode_as_is(path.read_bytes(), name=path.name)


def write(path: Path, pixels: np.ndarray) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(images.encode(pixels, path.suffix.lower()))
    return pixels


def run(*words: str | Path) -> int:
    said = ["haze", *map(str, words)]
    return main(said if "-j" in said or said[1] == "score" else [*said, "-j", "1"])


def failures(out: str) -> dict[str, str]:
    """What stands in the list of failures: path -> code."""
    lines = Path(out, "failures.jsonl").read_text().splitlines()
    return {one["path"]: one["code"] for one in (json.loads(line)["error"] for line in lines)}


def random(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(3).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def test_pictures_keep_their_depth_their_channels_and_their_alpha() -> None:
    shapes = [(1, 1), (1, 1, 3), (20, 30), (20, 30, 3), (20, 30, 4)]
    before = {
        f"{number}_{dtype.__name__}.png": random(shape, dtype)
        for number, shape in enumerate(shapes)
        for dtype in (np.uint8, np.uint16)
    }
    for name, pixels in before.items():
        write(Path("in") / name, pixels)
    assert run("remove", "in", "out") == 0
    for name, pixels in before.items():
        after = read(Path("out") / name)
        assert (after.dtype, after.shape) == (pixels.dtype, pixels.shape)
        assert (after == haze.remove(pixels)).all()
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            assert (after[..., 3] == pixels[..., 3]).all()


def test_other_formats_stay_what_they_are() -> None:
    formats = {".bmp": "bmp", ".webp": "webp", ".tiff": "tiff", ".jpg": "jpeg", ".JPEG": "jpeg"}
    for suffix in formats:
        write(Path(f"in/a{suffix}"), random((20, 30, 3)))
    assert run("remove", "in", "out") == 0
    assert {suffix: images.read_header(f"out/a{suffix}").format for suffix in formats} == formats


def test_a_picture_that_lies_on_its_side_is_turned_up() -> None:
    from PIL import Image as Pillow

    exif = Pillow.Exif()
    exif[0x0112] = 6
    Path("in").mkdir()
    Pillow.fromarray(random((20, 30, 3))).save("in/a.jpg", exif=exif)
    assert run("remove", "in", "out") == 0
    assert read(Path("out/a.jpg")).shape == (30, 20, 3)
    assert images.read_header("out/a.jpg").orientation == 1


def test_labels_of_sets_come_along(fixture_voc: Path) -> None:
    assert run("remove", fixture_voc, "voc", "--refine", "fast") == 0
    for xml in sorted(fixture_voc.rglob("*.xml")):
        assert (Path("voc") / xml.relative_to(fixture_voc)).read_bytes() == xml.read_bytes()
    assert main(["voc", "lint", "voc"]) == main(["voc", "lint", str(fixture_voc)])
    pages = Path("pages")
    write(pages / "img/p1.jpg", random((20, 30, 3)))
    label = 'img/p1.jpg\t[{"transcription": "旧", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]\n'
    (pages / "Label.txt").write_text(label, encoding="utf-8")
    assert run("remove", pages, "ocr") == 0
    assert Path("ocr/Label.txt").read_text(encoding="utf-8") == label
    assert Path("ocr/img/p1.jpg").exists()


def test_maps_and_comparisons() -> None:
    shutil.copytree(HAZE / "hazy", "in/town")
    assert run("remove", "in", "out", "--maps", "maps/all", "--compare", "--sky") == 0
    hazy, clear = read(Path("in/town/town_1_b1.0.jpg")), read(Path("out/town/town_1_b1.0.jpg"))
    found = haze.estimate(hazy, Settings(sky=True))
    named = "out/maps/all/town/town_1_b1.0.jpg"
    assert (read(Path(f"{named}.dark.png")) == found.dark).all()
    assert np.abs(read(Path(f"{named}.transmission.png")) - found.transmission * 255).max() <= 0.5
    assert json.loads(Path(f"{named}.airlight.json").read_text()) == {"airlight": found.airlight.tolist(), "of": 255}
    both = read(Path("out/compare/town/town_1_b1.0.jpg")).astype(int)
    assert both.shape == (484, 320, 3)
    assert np.abs(both[:240] - hazy).mean() < 3
    assert np.abs(both[244:] - clear).mean() < 3
    assert run("remove", "in", "bare") == 0
    assert sorted(p.name for p in Path("bare").iterdir() if not p.name.startswith(".")) == ["run.json", "town"]


def test_a_single_picture_has_its_maps_whatever_lies_beside_it() -> None:
    write(Path("in/a.png"), random((9, 9, 3)))
    write(Path("in/maps/b.png"), random((9, 9, 3)))
    assert run("remove", "in/a.png", "out", "--maps", "maps") == 0
    assert Path("out/maps/a.png.dark.png").exists()


def test_the_same_result_with_and_without_maps() -> None:
    image = Image(random((40, 60, 3)))
    assert (remove(image, maps="m").pixels == remove(image).pixels).all()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--patch", "4"], "must be odd"),
        (["--t0", "0"], "--t0"),
        (["--maps", "../up"], "is no name of a folder"),
        (["--maps", "/tmp"], "is no name of a folder"),
        (["--maps", ".hidden"], "is no name of a folder"),
        (["--maps", "town"], "is part of the input"),
        (["--maps", "compare", "--compare"], "is that of --compare"),
        (["--airlight", "0.9"], "--airlight"),
        (["--refine", "matting"], "--refine"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("in/town/a.png"), random((9, 9, 3)))
    assert run("remove", "in", "out", *words) == 2
    assert told in capsys.readouterr().err
    assert sorted(p.name for p in Path().iterdir()) == ["in"]


def test_bad_pictures_are_named_and_the_others_done(capsys: pytest.CaptureFixture[str]) -> None:
    whole = images.encode(random((40, 50, 3)), ".jpg")
    write(Path("in/good.png"), random((9, 9, 3)))
    for name, data in {
        "cut.jpg": whole[:400],
        "empty.png": b"",
        "text.jpg": b"no picture",
        "wide.png": b"\x89PNG",
    }.items():
        (Path("in") / name).write_bytes(data)
    assert run("remove", "in", "out") == 1
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(failures("out")) == ["cut.jpg", "empty.png", "text.jpg", "wide.png"]
    assert [p.name for p in Path("out").glob("*.*g")] == ["good.png"]


def test_haze_is_added_by_a_gradient_a_map_or_a_folder_of_maps() -> None:
    clear = write(Path("in/sub/a.png"), random((30, 40, 3)))
    light = np.full(3, 0.8 * 255)
    assert run("add", "in", "plain", "--beta", "1.5", "--airlight", "0.8") == 0
    assert (read(Path("plain/sub/a.png")) == add_haze(clear, depth_gradient(30, 40), 1.5, light)).all()
    far = write(Path("far.png"), random((30, 40), np.uint16))
    assert run("add", "in", "one", "--beta", "1.5", "--airlight", "0.8", "--depth", "far.png") == 0
    assert (read(Path("one/sub/a.png")) == add_haze(clear, far, 1.5, light)).all()
    write(Path("maps/sub/a.tiff"), far)
    assert run("add", "in", "all", "--beta", "1.5", "--airlight", "0.8", "--depth", "maps") == 0
    assert (read(Path("all/sub/a.png")) == read(Path("one/sub/a.png"))).all()


def test_maps_of_depth_are_brought_to_the_size_of_the_picture_and_need_its_proportions() -> None:
    write(Path("in/a.png"), random((30, 40, 3)))
    write(Path("in/b.png"), random((40, 30, 3)))
    write(Path("in/c.png"), random((40, 30, 3)))
    write(Path("maps/a.png"), np.full((61, 81), 255, np.uint8))
    write(Path("maps/b.png"), np.full((30, 40), 255, np.uint8))
    assert run("add", "in", "out", "--depth", "maps", "--beta", "90") == 1
    assert (read(Path("out/a.png")) == round(0.9 * 255)).all()
    assert failures("out") == {"maps/b.png": "E-DEPTH-SIZE", "c.png": "E-DEPTH-MISSING"}


def test_ranges_are_drawn_from_anew_for_every_result_and_the_same_again() -> None:
    write(Path("in/a.png"), np.zeros((8, 8, 3), np.uint8))
    write(Path("in/b.png"), np.zeros((8, 8, 3), np.uint8))
    words = ("--beta", "50", "--airlight", "0.2..0.9", "--copies", "3", "--seed", "5")
    assert run("add", "in", "one", *words) == 0
    assert run("add", "in", "two", *words, "-j", "2") == 0
    tops = [read(path)[0, 0, 0] for path in sorted(Path("one").glob("*.png"))]
    assert len(set(tops)) == 6
    assert all(0.2 * 255 - 1 <= top <= 0.9 * 255 + 1 for top in tops)
    assert tops == [read(path)[0, 0, 0] for path in sorted(Path("two").glob("*.png"))]


@pytest.mark.parametrize("text", ["", "x", "-1", "2..1", "1..", "..2", "1...2", "nan", "1e3", "101", "0.5..101", "٣"])
def test_odd_ranges_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--beta must be a number or a range"):
        parse_range("beta", text)


def test_the_functions_take_and_give_pictures() -> None:
    grey = Image(random((20, 30)))
    hazy = add(grey, source=Source("a.png", ("a.png",)), rng=np.random.default_rng(0))
    assert remove(hazy).pixels.shape == (20, 30)
    with pytest.raises(UsageError):
        remove(grey, omega=1.5)
    with pytest.raises(UsageError, match="must be odd"):
        remove(grey, patch=6)


def scores(src: str | Path, reference: str | Path) -> Scores:
    return score(Dataset(Path(src)), reference=Path(reference))


def test_scores_are_matched_by_name() -> None:
    shutil.copytree(HAZE / "hazy", "in/towns")
    shutil.copytree(HAZE / "clear", "ref/towns")
    shutil.copy(HAZE / "clear" / "town_1.jpg", "in/towns/town_1.jpg")
    write(Path("in/maps/town.png"), random((9, 9)))
    found = scores("in", "ref")
    assert [Path(one.reference).name for one in found.images if "town_2" in one.image] == ["town_2.jpg"] * 2
    same = next(one for one in found.images if one.image == "towns/town_1.jpg")
    assert (same.psnr_db, found.equal) == (None, 1)
    assert same.ssim == pytest.approx(1)
    assert found.left_out == ("maps",)
    assert found.problems == 0
    values = [one.psnr_db for one in found.images if one.psnr_db is not None]
    assert found.psnr_db == pytest.approx(sum(values) / 6)


def test_what_cannot_be_scored_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("in/a.png"), random((20, 30, 3)))
    write(Path("in/alone.png"), random((20, 30, 3)))
    write(Path("in/small.png"), random((2, 3, 3)))
    (Path("in") / "bad.png").write_bytes(b"x")
    for name in ("a", "small", "bad"):
        write(Path(f"ref/{name}.png"), random((20, 30)))
    assert run("score", "in", "--reference", "ref", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert [one["image"] for one in answer["images"]] == ["a.png"]
    codes = {one["path"]: one["code"] for one in answer["failures"]}
    assert codes == {"alone.png": "E-SCORE-REFERENCE", "bad.png": "E-IMAGE-DAMAGED", "small.png": "E-SCORE-SIZE"}
    assert run("score", "in", "--reference", "absent") == 2
    Path("none").mkdir()
    assert run("score", "none", "--reference", "ref") == 0


def means(hazy: Path, clear: Path, reference: Path) -> tuple[Scores, Scores]:
    return scores(hazy, reference), scores(clear, reference)


@pytest.mark.parametrize("refine", ["guided", "fast"])
def test_the_drawn_towns_come_out_of_the_haze(refine: str) -> None:
    assert run("remove", HAZE / "hazy", "out", "--refine", refine) == 0
    before, after = means(HAZE / "hazy", Path("out"), HAZE / "clear")
    assert after.psnr_db is not None
    assert before.psnr_db is not None
    assert after.psnr_db > before.psnr_db + 6
    assert (after.ssim or 0) >= (before.ssim or 0) - 0.02  # their flat walls show the noise that is multiplied


@pytest.mark.shared
@pytest.mark.parametrize("refine", ["guided", "fast"])
def test_real_scenes_come_out_of_the_haze(refine: str, shared_voc: Path) -> None:
    pairs = shared_voc.parent / "haze" / "haze_pairs_derived"
    assert run("remove", pairs / "hazy", "out", "--refine", refine) == 0
    before, after = means(pairs / "hazy", Path("out"), pairs / "clear")
    assert after.psnr_db is not None
    assert before.psnr_db is not None
    assert after.psnr_db >= before.psnr_db + 3
    assert (after.ssim or 0) >= (before.ssim or 0)


@pytest.mark.shared
def test_fast_is_nearly_guided_on_real_photographs(shared_voc: Path) -> None:
    from datatools.kernels.fidelity import psnr

    folder = shared_voc.parent / "haze" / "haze_real_aod" / "test_images"
    for path in sorted(folder.iterdir())[::3]:
        image = read(path)
        assert psnr(haze.remove(image, Settings(refine="fast")), haze.remove(image)) >= 40, path.name
