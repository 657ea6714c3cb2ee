"""The pages of docs/ hold option tables that are read off the operations.

    python -m datatools.cli.docs docs README.md

rewrites what stands between `<!-- options: voc.lint -->` (or `<!-- operations -->`, a table of all commands) and
`<!-- end -->` in the files, or in the Markdown files of a folder. A test compares instead of writing.
"""

import re
import sys
from pathlib import Path

from datatools.cli import help as words
from datatools.core import op
from datatools.core.op import Op
from datatools.core.result import Result

_SECTION = re.compile(r"(<!-- (options: (?P<name>[a-z_.]+)|operations) -->\n).*?(<!-- end -->)", re.DOTALL)


def options_markdown(operation: Op[..., Result]) -> str:
    """A table of the words that a command takes."""
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for spec in operation.params:
        spelled = [words.argument(spec)] if spec.positional else words.spellings(spec)
        default = words.default(spec)
        limits = f" ({words.bounds(spec)})" if words.bounds(spec) else ""
        said = spec.param.help or "the data set's folder"
        rows.append(
            f"| {_cell(', '.join(f'`{w}`' for w in spelled))} | {default if default == 'required' else _code(default)} "
            f"| {_cell(said + limits)} |"
        )
    if operation.takes_run:
        rows.append("| `-j`, `--jobs N` | one a core | processes |")
        engine = words.engine_flag(operation)
        rows.append(f"| `{engine} local\\|ray` | `local` | processes of this machine, or [a Ray cluster](cluster.md) |")
        rows.append("| `--address auto\\|HOST:PORT` |  | of a Ray cluster; one is started here without |")
    rows.append("| `--json` |  | print the result as one JSON object |")
    return "\n".join(rows) + "\n"


def operations_markdown() -> str:
    """A table of all commands."""
    rows = ["| command | what it does |", "|---|---|"]
    for name in op.names():
        found = op.find(name)
        rows.append(f"| `datatools {found.group} {found.command}` | {_cell(found.summary.rstrip('.'))} |")
    return "\n".join(rows) + "\n"


def refreshed(text: str) -> str:
    """The page with its generated sections made anew."""

    def section(match: re.Match[str]) -> str:
        made = options_markdown(op.find(match["name"])) if match["name"] else operations_markdown()
        return f"{match[1]}{made}{match[4]}"

    return _SECTION.sub(section, text)


def pages(paths: list[Path]) -> list[Path]:
    """The files, and the Markdown files of the folders."""
    return [page for path in paths for page in (sorted(path.glob("*.md")) if path.is_dir() else [path])]


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    for page in pages([Path(argument) for argument in sys.argv[1:]]):
        old = page.read_text(encoding="utf-8")
        if (new := refreshed(old)) != old:
            page.write_text(new, encoding="utf-8")
            print(f"refreshed {page}")
