"""The help page of a command, written from its operation alone.

Typer would write one, too, but importing it costs more than everything else that `--help` does.
"""

import inspect
import os
import textwrap
from pathlib import Path
from typing import Any

from datatools.core.op import Op, ParamSpecOf

RUN_OPTIONS = (
    ("-j, --jobs N", "processes; 0 is one a core  [default: 0]"),
    ("{engine} local|ray", "processes of this machine, or a Ray cluster  [default: local]"),
    ("--address auto|HOST:PORT", "of a Ray cluster; one is started here without"),
)
ALL_OPTIONS = (("--json", "print the result as one JSON object"), ("--help", "show this page"))


def help_page(op: Op[..., Any], width: int = 0) -> str:
    """Usage, what it does, arguments and options. width: columns; 0 is that of the terminal, 100 at most."""
    width = width or min(100, _terminal_width())
    words = " ".join(argument(s) for s in op.params if s.positional)
    options = [(", ".join(spellings(s)), described(s)) for s in op.params if not s.positional]
    options += [(word.format(engine=engine_flag(op)), text) for word, text in RUN_OPTIONS] if op.takes_run else []
    lines = [f"Usage: datatools {op.group} {op.command} [OPTIONS] {words}", "", *_description(op, width), ""]
    if told := [(argument(s), s.param.help) for s in op.params if s.positional and s.param.help]:
        lines += ["Arguments:", *_columns(told, width), ""]
    lines += ["Options:", *_columns([*options, *ALL_OPTIONS], width)]
    return "\n".join(lines)


def engine_flag(op: Op[..., Any]) -> str:
    """The option that says where the work is done: another where the operation itself has an `--engine`."""
    return "--run-engine" if any(spec.flag == "--engine" for spec in op.own) else "--engine"


def argument(spec: ParamSpecOf) -> str:
    """The word that stands for a positional parameter."""
    word = spec.param.metavar or spec.name.upper()
    return f"{word.rstrip('S')}..." if spec.many else word


def spellings(spec: ParamSpecOf) -> list[str]:
    """The spellings of an option, the last with its value: `-o`, `--out FILE`."""
    words = list(spec.flags)
    if spec.type is bool:
        if spec.default:
            words.append(f"--no-{spec.flag.removeprefix('--')}")
    else:
        words[-1] += f" {value(spec)}"
    return words


def value(spec: ParamSpecOf) -> str:
    """What stands for an option's value: its choices, or a word."""
    return "|".join(spec.choices) or spec.param.metavar or {int: "N", float: "X", Path: "PATH"}.get(spec.type, "TEXT")


def default(spec: ParamSpecOf) -> str:
    """The default as a user would type it; nothing where it says nothing."""
    if spec.required:
        return "required"
    if spec.default in (None, (), False, ""):
        return "" if spec.default != 0 or spec.type is bool else "0"
    if spec.default is True:
        return "on"
    return ",".join(map(str, spec.default)) if isinstance(spec.default, tuple) else str(spec.default)


def bounds(spec: ParamSpecOf) -> str:
    """The bounds of a number: `1 to 99`, `above 0`."""
    p = spec.param
    if p.ge is not None and p.le is not None:
        return f"{p.ge:.10g} to {p.le:.10g}"
    said = [("at least", p.ge), ("above", p.gt), ("at most", p.le), ("below", p.lt)]
    return ", ".join(f"{words} {limit:.10g}" for words, limit in said if limit is not None)


def described(spec: ParamSpecOf) -> str:
    """An option's help with its bounds and default."""
    more = [bounds(spec), f"default: {default(spec)}" if default(spec) not in ("", "required") else default(spec)]
    said = "; ".join(m for m in more if m)
    return f"{spec.param.help}  [{said}]" if said else spec.param.help


def _description(op: Op[..., Any], width: int) -> list[str]:
    """The docstring up to its example; paragraphs are filled, lists keep their lines."""
    lines: list[str] = []
    text = inspect.cleandoc(op.function.__doc__ or "").partition("\n>>>")[0]
    for paragraph in text.strip().split("\n\n"):
        kept = paragraph.split("\n") if "\n  " in paragraph else textwrap.wrap(paragraph, width - 2)
        lines += ["", *(f"  {line}".rstrip() for line in kept)]
    return lines[1:]


def _columns(rows: list[tuple[str, str]], width: int) -> list[str]:
    left = min(max(len(word) for word, _ in rows), 30) + 4
    lines = []
    for word, text in rows:
        filled = textwrap.wrap(text, max(20, width - left)) or [""]
        first = f"  {word}".ljust(left)
        if len(word) + 4 > left:  # a long word has a line of its own
            lines.append(first)
            first = " " * left
        lines += [(first + filled[0]).rstrip(), *(" " * left + line for line in filled[1:])]
    return lines


def _terminal_width() -> int:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size().columns or 80)
    except (OSError, ValueError):
        return 80
