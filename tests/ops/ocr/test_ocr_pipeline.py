"""The pipeline of the ocr commands: from pages to all that training needs, once."""

import shutil
from pathlib import Path

import pytest

from datatools.cli.app import main
from datatools.core.types import Dataset
from datatools.ops.ocr.lint import lint

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.usefixtures("without_workers")
def test_it_runs_and_runs_nothing_again(
    fixture_ocr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(fixture_ocr, "raw")
    said = ["run", str(ROOT / "pipelines" / "ocr.yaml"), "--set", "root=raw", "--set", "work=made"]
    assert main(said) == 0
    for folder in ("set", "lines", "directions"):
        assert not lint(Dataset(Path("made") / folder)).findings
    sources = {Path(line.split("\t")[0]).stem for line in Path("made/set/det/val.txt").read_text().splitlines()}
    for folder in ("lines", "directions"):
        listed = (Path("made") / folder / "val.txt").read_text().splitlines()
        assert {Path(line.split("\t")[0]).stem.partition("_crop_")[0] for line in listed} == sources
    assert Path("made/report.html").exists()
    assert Path("made/sheet.jpg").exists()
    assert Path("made/dict.txt").read_bytes() == (fixture_ocr / "dict.txt").read_bytes()
    capsys.readouterr()
    assert main(said) == 0
    assert "nothing was run" in capsys.readouterr().out
