"""Docs and README say what the code does: generated sections are fresh, links lead somewhere, commands run."""

import importlib.util
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from datatools.cli import docs
from datatools.cli.app import main
from datatools.core import op
from datatools.engine import executors

ROOT = Path(__file__).resolve().parent.parent
PAGES = docs.pages([ROOT / "docs", ROOT / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_generated_sections_are_fresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert docs.refreshed(text) == text, "run: python -m datatools.cli.docs docs README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_operation_has_its_option_table() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in set(op.names()):
        assert f"<!-- options: {name} -->" in text, name


def test_figures_of_the_readme_are_the_committed_results() -> None:
    spec = importlib.util.spec_from_file_location("contest", ROOT / "benchmarks" / "contest.py")
    assert spec
    assert spec.loader
    contest = importlib.util.module_from_spec(spec)
    sys.modules["contest"] = contest  # its dataclasses look themselves up there
    spec.loader.exec_module(contest)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert contest.refreshed(text) == text, "run: make bench"


def examples(page: Path) -> list[tuple[str, list[str]]]:
    """The datatools commands of the page's console blocks that begin with `$ `, each with what it shows."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
    return [(line, shown) for line, shown in found if line.startswith("datatools ")]


def files_shown(page: Path) -> list[tuple[str, str]]:
    """The pipeline files that the page shows: blocks whose first line is a comment with a name."""
    blocks = re.findall(r"^```yaml\n(# .*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [(name[1], block) for block in blocks if (name := re.match(r"# ([a-z_]+\.yaml)\n", block))]


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines are those printed; a line `...` stands for any lines."""
    while shown and not shown[-1].strip():  # the blank line before the next command
        shown = shown[:-1]
    pattern = "".join(".*" if line.strip() == "..." else re.escape(line.rstrip()) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed), re.DOTALL) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_examples_print_what_they_show(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("fixtures", "pipelines"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    # every command with a process a core would take longer to start them than to work; what it prints is the same
    monkeypatch.setattr(executors, "usable_cores", lambda: 1)
    for name, content in files_shown(page):
        Path(name).write_text(content, encoding="utf-8")
    for line, shown in examples(page):
        refused = bool(shown) and shown[0].startswith("datatools: ")
        assert main(shlex.split(line, comments=True)[1:]) in ((2,) if refused else (0, 1)), line
        told = capsys.readouterr()
        printed = (told.err if refused else told.out).splitlines()
        if shown:
            assert matches(shown, printed), f"{line}\n" + "\n".join(printed)


def test_the_drawing_of_a_pipeline_is_fresh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["graph", "pipelines/anchor_sizes.yaml", "--format", "svg"]) == 0
    drawn = (ROOT / "docs" / "pipelines.svg").read_text(encoding="utf-8")
    assert capsys.readouterr().out == drawn, (
        "run: datatools graph pipelines/anchor_sizes.yaml --format svg -o docs/pipelines.svg"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), {})
