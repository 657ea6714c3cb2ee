"""The layers of the package hold: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_import_contract_is_kept() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_torch_belongs_to_the_zoo_and_to_what_is_built_on_it() -> None:
    allowed = ("zoo/", "ops/zoo/", "compat/speechbrain.py", "compat/torchaudio.py")
    for path in (ROOT / "datatools").rglob("*.py"):
        if path.relative_to(ROOT / "datatools").as_posix().startswith(allowed):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [n for n in names if n.partition(".")[0] == "torch"], path


def test_ruff_and_mypy_find_nothing() -> None:
    tools = Path(sys.executable).parent
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = subprocess.run([tools / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
