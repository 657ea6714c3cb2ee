"""The command line: groups and commands are made when they are named."""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
import typer.core
import typer.main

from datatools.cli import command
from datatools.cli.overview import COMMANDS
from datatools.core import op
from datatools.core.errors import EXIT_BUG, EXIT_STORAGE, DatatoolsError, escape
from datatools.core.groups import GROUPS, INNER


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. Every error is one line on stderr; ours leave a report file."""
    try:
        code = typer.main.get_command(_app()).main(list(words or ()), prog_name="datatools", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        with contextlib.suppress(OSError):
            error.show()  # type: ignore[attr-defined]  # every one that the parser raises has it
        return error.exit_code
    except typer.Abort:
        return 130
    except DatatoolsError as error:
        _say(str(error))
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        _say(f"{escape(error.filename or 'system')}: {error.strerror or error}")
        return EXIT_STORAGE
    except Exception as error:
        _say(f"a bug of ours: {escape(repr(error))[:200]}; please report {_report(error)}")
        return EXIT_BUG


def _say(line: str) -> None:
    """Print a line on stderr; the exit code says enough where nobody can hear it."""
    with contextlib.suppress(OSError):
        print(f"datatools: {line}", file=sys.stderr)


def _app() -> typer.Typer:
    # completion and Rich's help would each add a quarter to the start
    app = typer.Typer(cls=_Root, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback()
    def datatools() -> None:
        """Prepare machine-learning data sets, and prove that they are good."""

    return app


class _Lazy(typer.core.TyperGroup):
    """Makes a command when it is named; knows the names of all for help and for did-you-mean."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = dict.fromkeys(self.list_commands(ctx))  # type: ignore[assignment]  # only the keys are read
        return super().resolve_command(ctx, args)


class _Root(_Lazy):
    """The groups, and the commands that belong to none."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*GROUPS, *COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in GROUPS:
            return _group(cmd_name, cmd_name)
        if cmd_name in COMMANDS:
            from datatools.cli import outputs, pipelines

            home = outputs if hasattr(outputs, cmd_name) else pipelines
            app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
            app.command(cmd_name)(getattr(home, cmd_name))
            return typer.main.get_command(app)
        return None


class _Group(_Lazy):
    """The operations of one group, and the groups inside it. path: its name, as `augment.tia`."""

    path = ""

    def list_commands(self, ctx: Any) -> list[str]:
        return [word.replace("_", "-") for word in op.words(self.path)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = f"{self.path}.{cmd_name.replace('-', '_')}"
        return command.build(op.find(name)) if name in op.names() else _group(name, cmd_name)


def _group(path: str, word: str) -> Any:
    """The command of a group. word: how it is called on the command line."""
    title = GROUPS.get(path) or INNER[path]
    group = typer.Typer(
        cls=type("_Inner", (_Group,), {"path": path}), name=word, rich_markup_mode=None, add_completion=False
    )
    group.callback(help=title, no_args_is_help=True)(lambda: None)
    made = typer.main.get_command(group)
    made.name = word
    return made


def _report(bug: Exception) -> str:
    """Keep the traceback in a file of its own; return its path, or where it happened if there is no room for one."""
    try:
        handle, name = tempfile.mkstemp(prefix="datatools-bug-", suffix=".txt")
    except OSError as error:
        return _place(bug, error)
    try:
        with os.fdopen(handle, "w", errors="backslashreplace") as file:
            file.write(f"{' '.join(sys.argv)}\n\n{''.join(traceback.format_exception(bug))}")
    except OSError as error:
        os.unlink(name)
        return _place(bug, error)
    return name


def _place(bug: Exception, error: OSError) -> str:
    last = traceback.extract_tb(bug.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno} (no report could be kept: {error.strerror or error})"
