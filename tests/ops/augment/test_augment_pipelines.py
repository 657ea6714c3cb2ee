"""The pipelines of augmentation, from a raw set to a larger one: complete, without leaks, and once."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from datatools.cli.app import main
from datatools.core.types import Dataset
from datatools.io.voc import layout, lists, scan
from datatools.ops.ocr.lint import lint

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("without_workers")


def run(name: str, *settings: str) -> int:
    return main(["run", str(ROOT / "pipelines" / name), *(word for one in settings for word in ("--set", one))])


def test_detection(
    fixture_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in sorted(fixture_voc.rglob("street_a_001*.*")):
        Path("raw", path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, Path("raw", path.parent.name))
    settings = ("root=raw", "work=made", "target=12")
    assert run("detection_augment.yaml", *settings) == 0
    plain, larger = (layout.open_set(Path("made", name)) for name in ("fixed", "varied"))
    before, after = (lists.splits_of(one) for one in (plain, larger))
    assert after["val"] == before["val"]
    assert after["test"] == before["test"]
    assert len(after["train"]) == 4 * len(before["train"])  # pasted into, then varied; both keep what there was
    for line in Path("made/pasted/manifest.jsonl").read_text().splitlines():
        assert set(json.loads(line).get("donors", ())) <= set(before["train"])
    counts = [np.bincount(scan.read_table(one).box_class, minlength=1).min() for one in (plain, larger)]
    assert counts[1] > counts[0]  # the rarest class
    assert Path("made/pasting.jpg").exists()
    assert Path("made/report.html").exists()
    capsys.readouterr()
    assert run("detection_augment.yaml", *settings) == 0
    assert "nothing was run" in capsys.readouterr().out


def test_texts(
    fixture_ocr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_ocr / "det", "raw")
    settings = ("root=raw", "work=made", "size=320")
    assert run("ocr_augment.yaml", *settings) == 0
    assert not [one for one in lint(Dataset(Path("made/pages"))).findings if one.code.startswith("E-")]
    assert not lint(Dataset(Path("made/varied"))).findings
    pages = {path.stem for path in Path("made/pages").rglob("*.jpg")}
    for maps in ("shrink_maps", "border_maps"):
        assert {path.stem for path in Path("made", maps).rglob("*.npz")} == pages
    for split in ("val", "test"):
        assert Path(f"made/varied/{split}.txt").read_bytes() == Path(f"made/lines/{split}.txt").read_bytes()
    lines, varied = (Path("made", name, "train.txt").read_text().splitlines() for name in ("lines", "varied"))
    assert len(varied) == 4 * len(lines)  # bent, then degraded, both beside what there was, then all of them varied
    assert {line.split("\t")[1] for line in varied} == {line.split("\t")[1] for line in lines}
    assert Path("made/lines.jpg").exists()
    capsys.readouterr()
    assert run("ocr_augment.yaml", *settings) == 0
    assert "nothing was run" in capsys.readouterr().out
