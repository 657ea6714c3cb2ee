"""Results as text: tables with colour on a terminal, plain lines elsewhere, one JSON object on request."""

import json
import os
import sys
from collections.abc import Iterable, Sequence

from datatools.core.result import Result, Table


def show(result: Result, as_json: bool) -> None:
    """Print the result on stdout, its remarks on stderr."""
    for remark in result.remarks():
        print(remark, file=sys.stderr)
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False, allow_nan=False))
        return
    show_lines(list(result.lines()))


def show_lines(entries: Sequence[str | Table], last: int | None = None) -> None:
    """Print lines and tables; of long reports only the last entries where `last` says so."""
    pretty = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    left_out = max(0, len(entries) - last) if last else 0
    if left_out:
        print(f"... {left_out} lines more; the command of this stage alone prints them all ...")
    for entry in entries[left_out:]:
        if isinstance(entry, str):
            print(entry)
        elif pretty:
            _print_rich(entry)
        else:
            print("\n".join(plain_table(entry)))


def plain_table(table: Table) -> Iterable[str]:
    """The table as aligned text: a title, a header, a line a row; two blanks between the columns."""
    cells = [tuple(cell_text(cell, table.digits) for cell in row) for row in table.rows]
    right = [_is_number_column(table, column) for column in range(len(table.header))]
    widths = [max(map(len, column)) for column in zip(table.header, *cells, strict=True)]
    if table.title:
        yield table.title
    for row in (table.header, *cells):
        aligned = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        yield ("  " + "  ".join(aligned)).rstrip()


def cell_text(cell: object, digits: int) -> str:
    """One cell: floats with so many decimals, whole numbers in full, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return "-" if cell != cell else f"{cell:.{digits}f}"
    return str(cell)


def _is_number_column(table: Table, column: int) -> bool:
    return bool(table.rows) and all(isinstance(row[column], int | float) or row[column] is None for row in table.rows)


def _print_rich(table: Table) -> None:
    import rich.box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(title=Text(table.title) if table.title else None, box=rich.box.SIMPLE_HEAD, title_justify="left")
    for column, name in enumerate(table.header):
        shown.add_column(Text(name), justify="right" if _is_number_column(table, column) else "left")
    for row in table.rows:
        shown.add_row(*(Text(cell_text(cell, table.digits)) for cell in row))
    Console().print(shown)
