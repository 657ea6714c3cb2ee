"""A working directory with a set, and pipeline files written into it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from datatools.core.errors import UsageError
from datatools.engine import pipeline


def assert_place(line: str) -> None:
    """Where the message names a key that stands in that line of the file, its place is the key's."""
    match = re.match(r"([^ :]+):(\d+):(\d+): (?:\S*\.)?([A-Za-z_-]+): ", line)
    if match is None:
        return
    file, row, column, key = match.groups()
    told = Path(file).read_text().split("\n")[int(row) - 1]
    if re.search(rf"\b{key}:", told):
        assert told[int(column) - 1 :].startswith(f"{key}:"), line


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    return tmp_path


@pytest.fixture
def load() -> Callable[..., pipeline.Pipeline]:
    """Load p.yaml, a text that is given; other files may be given by their names."""

    def loaded(text: str, *, files: dict[str, str] | None = None, **settings: str) -> pipeline.Pipeline:
        for name, content in {**(files or {}), "p.yaml": text}.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text("version: 1\n" + content)
        return pipeline.load(Path("p.yaml"), settings)

    return loaded


@pytest.fixture
def errors(load: Callable[..., pipeline.Pipeline]) -> Callable[..., list[str]]:
    """The lines of the error of loading it."""

    def told(text: str, **more: object) -> list[str]:
        with pytest.raises(UsageError) as caught:
            load(text, **more)
        lines = str(caught.value).splitlines()
        for line in lines:
            assert_place(line)
        return lines

    return told
