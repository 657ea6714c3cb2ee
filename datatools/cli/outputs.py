"""The commands that look at outputs, whatever made them: verify, why."""

from pathlib import Path
from typing import Annotated

import typer

from datatools.cli.command import AsJson, Jobs, finish


def verify(
    out: Annotated[Path, typer.Argument(help="folder that datatools made", metavar="OUT")],
    jobs: Jobs = 0,
    json: AsJson = False,
) -> None:
    """Read every file of an output again and name each that is changed, missing, unreadable or extra."""
    from datatools.engine import verify
    from datatools.engine.executors import LocalRun

    finish(verify.verify(out, LocalRun(jobs)), json)


def why(
    file: Annotated[Path, typer.Argument(help="file in a folder that datatools made", metavar="OUT/FILE")],
    json: AsJson = False,
) -> None:
    """Show what a file was made of, step by step, back to the raw data."""
    from datatools.engine import why

    finish(why.why(file), json)
