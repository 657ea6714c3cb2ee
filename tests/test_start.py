"""The command starts fast: nothing heavy is imported to show help."""

import subprocess
import sys

import pytest

HEAVY = (
    "numba",
    "numpy",
    "cv2",
    "lxml",
    "pydantic",
    "rich",
    "torch",
    "sklearn",
    "scipy",
    "yaml",
    "xmltodict",
    "xxhash",
)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["voc", "--help"],
        ["voc", "lint", "--help"],
        ["run", "--help"],
        ["zoo", "--help"],
        ["zoo", "compress", "--help"],
        ["zoo", "compress", "prune", "--help"],
    ],
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['datatools', *{words!r}]\n"
        "try:\n    runpy.run_module('datatools', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', *[m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY"


def test_root_help_does_not_even_load_the_parser() -> None:
    code = "import sys; sys.argv = ['datatools', '--help']\nfrom datatools.__main__ import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print('typer' in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_importing_the_zoo_and_listing_it_need_no_torch() -> None:
    code = "import sys, datatools.zoo, datatools.ops.zoo.list, datatools.ops.zoo.summary\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
