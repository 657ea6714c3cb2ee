"""torchaudio loads beside any torch, and says what is missing."""

import subprocess
import sys

import pytest

from datatools.compat import torchaudio
from datatools.core.errors import MissingExtra


def test_it_loads_in_a_fresh_process() -> None:
    code = (
        "from datatools.compat import torchaudio; k = torchaudio.load('torchaudio.compliance.kaldi');"
        "import torchaudio as t; print(k.fbank.__name__, t.functional.compute_deltas.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fbank", "compute_deltas"]


def test_what_needs_the_extension_says_so() -> None:
    module = torchaudio._stand_in()

    @module.fail_if_no_align  # type: ignore[attr-defined]
    def align() -> None:
        raise AssertionError

    with pytest.raises(RuntimeError, match="align needs torchaudio's extension"):
        align()


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(MissingExtra, match=r"datatools\[audio\]"):
        torchaudio.load()
