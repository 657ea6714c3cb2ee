"""The commands of pipeline files: run, status, clean, graph, schema."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from datatools.cli.command import Address, AsJson, Engine, Jobs
from datatools.core.errors import UsageError

File = Annotated[Path, typer.Argument(help="pipeline file (YAML)")]
Settings = Annotated[list[str], typer.Option("--set", help="override a variable of the file", metavar="NAME=VALUE")]


def run(
    file: File,
    set_: Settings = [],  # noqa: B006  Typer copies it
    only: Annotated[str, typer.Option(help="this stage alone", metavar="ID")] = "",
    start: Annotated[str, typer.Option("--from", help="this stage and all behind it", metavar="ID")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would run and why; run nothing")] = False,
    force: Annotated[bool, typer.Option("--force", help="run even what did not change; replace its outputs")] = False,
    on_error: Annotated[
        Literal["skip", "stop"], typer.Option(help="skip: list a bad item and go on; stop: end the run at the first")
    ] = "skip",
    max_failures: Annotated[
        float,
        typer.Option(min=0, max=1, help="share of a stage's items that may fail before the run ends", metavar="X"),
    ] = 1.0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try items again that failed before")] = False,
    item_timeout: Annotated[
        float, typer.Option(min=0, help="seconds that one item may take; 0 is no limit", metavar="S")
    ] = 0.0,
    jobs: Jobs = 0,
    engine: Engine = "local",
    address: Address = "",
    json: AsJson = False,
) -> None:
    """Run the stages of a pipeline file; what did not change is kept."""
    from datatools.cli import render
    from datatools.engine import open_run, pipeline, stages

    loaded = pipeline.load(file, _settings(set_))
    show = None if json else _show_stage
    selection = stages.Selection(only, start, force)
    policy = stages.Policy(on_error, max_failures, retry_failed, item_timeout)
    with open_run(engine, jobs, address) as spread:
        result = stages.run_pipeline(loaded, spread, selection, policy, dry_run=dry_run, show=show)
    render.show(result, json)
    if result.failed:
        print(f"datatools: stage {result.failed.id}: {result.failed.error}", file=sys.stderr)
        raise typer.Exit(result.failed.exit_code)
    if result.problems:
        raise typer.Exit(1)


def status(file: File, set_: Settings = [], json: AsJson = False) -> None:  # noqa: B006  Typer copies it
    """Show at a glance which stages are up to date, which would run, and what failed."""
    from datatools.cli import render
    from datatools.engine import pipeline
    from datatools.engine.executors import LocalRun
    from datatools.engine.stages import run_pipeline

    found = run_pipeline(pipeline.load(file, _settings(set_)), LocalRun(1), dry_run=True)
    if json:
        render.show(found, as_json=True)
    else:
        render.show_lines(list(found.glance()))


def clean(
    file: File,
    set_: Settings = [],  # noqa: B006  Typer copies it
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be removed; remove nothing")] = False,
    json: AsJson = False,
) -> None:
    """Remove what runs of a pipeline left lying about; say how much it was."""
    from datatools.cli import render
    from datatools.engine import clean, pipeline

    render.show(clean.clean(pipeline.load(file, _settings(set_)), dry_run=dry_run), json)


def graph(
    file: File,
    set_: Settings = [],  # noqa: B006  Typer copies it
    format: Annotated[Literal["mermaid", "svg"], typer.Option(help="text for pages that draw it, or a drawing")] = (
        "mermaid"
    ),
    out: Annotated[Path | None, typer.Option("-o", "--out", help="write it there; else it is printed")] = None,
) -> None:
    """Draw the stages of a pipeline file."""
    from datatools.engine import drawing, pipeline
    from datatools.io import atomic
    from datatools.report.graph import mermaid
    from datatools.report.graph_svg import svg

    drawn = drawing.graph_of(pipeline.load(file, _settings(set_)))
    text = mermaid(drawn) if format == "mermaid" else svg(drawn)
    if out is None:
        print(text, end="")
        return
    atomic.write_bytes(out, text.encode())
    print(f"wrote {out}", file=sys.stderr)


def schema(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="write it there; else it is printed")] = None,
) -> None:
    """Print the JSON Schema of pipeline files, for editors."""
    import json

    from datatools.engine.schema import pipeline_schema
    from datatools.io import atomic

    text = json.dumps(pipeline_schema(), indent=2) + "\n"
    if out is None:
        print(text, end="")
        return
    atomic.write_bytes(out, text.encode())
    print(f"wrote {out}", file=sys.stderr)


def _settings(words: list[str]) -> dict[str, str]:
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE (got {word!r})")
        settings[name] = value
    return settings


def _show_stage(stage: Any, result: Any) -> None:
    """Print the report of a stage that ran: its end, where it is long."""
    from datatools.cli import render
    from datatools.engine.stages import SHOWN_LINES

    print(f"== {stage.id}: {stage.op.name}")
    render.show_lines(list(result.lines()), last=SHOWN_LINES)
    print()
