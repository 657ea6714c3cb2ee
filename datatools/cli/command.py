"""A command, built from the signature of its operation."""

import importlib
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer
import typer.core
import typer.main

from datatools.cli import help as pages
from datatools.core.op import Op, ParamSpecOf
from datatools.core.result import Result

Jobs = Annotated[int, typer.Option("-j", "--jobs", min=0, help="processes; 0 is one a core", metavar="N")]
Engine = Annotated[Literal["local", "ray"], typer.Option(help="processes of this machine, or a Ray cluster")]
Address = Annotated[str, typer.Option(help="of a Ray cluster; one is started here without", metavar="auto|HOST:PORT")]
_SPREAD = {"jobs": "jobs", "run_engine": "engine", "address": "address"}  # the words of a command: of open_run

AsJson = Annotated[bool, typer.Option("--json", help="print the result as one JSON object")]


def build(op: Op[..., Result]) -> Any:
    """The command of an operation."""

    class Command(typer.core.TyperCommand):
        def get_help(self, ctx: Any) -> str:
            return pages.help_page(op)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            for spec in op.params:
                if spec.param.instead and spec.flag in args:
                    module, _, function = spec.param.instead.partition(":")
                    finish(getattr(importlib.import_module(module), function)(), "--json" in args)
                    raise typer.Exit
            return super().parse_args(ctx, args)

    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.command(op.command, cls=Command, help=op.summary)(callback(op))
    return typer.main.get_command(app)


def callback(op: Op[..., Result]) -> Callable[..., None]:
    """The function that Typer calls: it hands the words over, runs the operation and prints the result."""

    def invoke(**words: Any) -> None:
        as_json = words.pop("json")
        spread = {name: words.pop(word) for word, name in _SPREAD.items() if word in words}
        arguments = {spec.name: _argument(spec, words[spec.name]) for spec in op.params}
        from datatools.engine import open_run
        from datatools.engine.runner import execute

        with open_run(**spread) as run:
            result = execute(op, arguments, run)
        finish(result, as_json)

    parameters = [_parameter(spec) for spec in op.params]
    if op.takes_run:
        parameters.append(_keyword("jobs", Jobs, 0))
        parameters.append(_keyword("run_engine", _engine(op), "local"))
        parameters.append(_keyword("address", Address, ""))
    parameters.append(_keyword("json", AsJson, False))
    # Typer sorts nothing: what has no default must stand before what has one
    parameters.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    invoke.__annotations__ = {p.name: p.annotation for p in parameters}
    return invoke


def finish(result: Result, as_json: bool) -> None:
    """Print the result; leave with 1 where the data has problems."""
    from datatools.cli.render import show

    show(result, as_json)
    if result.problems:
        raise typer.Exit(1)


def _engine(op: Op[..., Any]) -> Any:
    return Annotated[Literal["local", "ray"], typer.Option(pages.engine_flag(op), help="where the work is done")]


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _parameter(spec: ParamSpecOf) -> inspect.Parameter:
    kind: Any = Literal[spec.choices] if spec.choices else spec.type
    if spec.many:
        kind = list[kind]
    elif spec.optional:
        kind = kind | None
    info: Any
    if spec.positional:
        info = typer.Argument(metavar=pages.argument(spec))
    else:
        bounds = (spec.param.ge, spec.param.le) if spec.type in (int, float) and not spec.many else (None, None)
        low, high = (limit if limit is None else spec.type(limit) for limit in bounds)
        flags = list(spec.flags)
        if spec.type is bool and spec.default:
            flags = [f"{spec.flag}/--no-{spec.flag.removeprefix('--')}"]
        info = typer.Option(*flags, min=low, max=high)
    default: Any = inspect.Parameter.empty if spec.required else spec.default
    if spec.many and not spec.required:
        default = list(spec.default or ())
    return _keyword(spec.name, Annotated[kind, info], default)


def _argument(spec: ParamSpecOf, value: Any) -> Any:
    """The value as the function wants it. Text options that may be given several times take comma lists, too."""
    if not spec.many:
        return value
    if spec.type is str and not spec.positional:
        return tuple(part for one in value or () for part in one.split(",") if part)
    return tuple(value or ())
