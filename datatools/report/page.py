"""One self-contained HTML page: style and charts inside, no script, nothing loaded from anywhere, light and dark."""

from collections.abc import Iterable, Sequence

from datatools.core.result import Table
from datatools.report import svg
from datatools.report.svg import escape, number

STYLE = """\
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5d6b7a;--line:#d9e0e7;--ground:#f4f6f8;--surface:#fff;\
--accent:#2f6db3;--hint:#9a6700;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9aa7b5;--line:#2c3743;--ground:#0b1016;\
--surface:#12181f;--accent:#5b9be6;--hint:#e0b040;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);\
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0;overflow-wrap:anywhere}h2{font-size:17px;margin:0 0 12px}
.soft{color:var(--soft);margin:2px 0 20px;overflow-wrap:anywhere}
section{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:16px 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.card{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.card b{display:block;font-size:25px;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.card i{font-style:normal;color:var(--soft);font-size:13px;display:block}
.charts{display:flex;flex-wrap:wrap;gap:14px 28px;align-items:flex-start}
figure{margin:0;max-width:100%;overflow-x:auto}svg{max-width:100%;height:auto;display:block}
.scroll{overflow-x:auto;margin:12px 0 0}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;font-size:13px;padding:0 0 6px}
th,td{padding:5px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:13px}th:first-child,td:first-child{text-align:left}
td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:9em}tr:last-child td{border-bottom:0}
ul{margin:0;padding:0;list-style:none}li{padding:4px 0 4px 14px;border-left:3px solid var(--hint);margin:6px 0;\
overflow-wrap:anywhere}li.bad{border-color:var(--bad);font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;background:var(--ground);border-radius:4px;\
padding:1px 5px}
@media(max-width:700px){svg{max-width:none}}
summary{cursor:pointer;color:var(--accent);padding:6px 0}p{margin:8px 0}
"""

# what a browser may load or run: nothing; a second wall behind the escaping
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, subtitle: str, parts: Iterable[str]) -> bytes:
    """Put the parts below a heading and return the bytes of the page. Parts are HTML, title and subtitle are text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}{svg.STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="soft">{escape(subtitle)}</p>\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    ).encode()


def section(heading: str, *parts: str) -> str:
    """A titled box around parts that are HTML."""
    return f"<section>\n<h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>"


def cards(entries: Iterable[tuple[str, str, str]]) -> str:
    """Large numbers side by side: (name, value, remark)."""
    made = (
        f'<div class="card"><i>{escape(name)}</i><b>{escape(value)}</b><i>{escape(remark)}</i></div>'
        for name, value, remark in entries
    )
    return '<div class="cards">' + "".join(made) + "</div>"


def charts(*figures: str) -> str:
    """Charts side by side as far as the window is wide."""
    return '<div class="charts">' + "".join(f"<figure>{f}</figure>" for f in figures if f) + "</div>"


def table(content: Table, fold: int = 40) -> str:
    """A table; one of more than `fold` rows is folded in until it is clicked at."""
    head = "".join(f"<th>{escape(h)}</th>" for h in content.header)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row) + "</tr>\n" for row in content.rows)
    caption = f"<caption>{escape(content.title)}</caption>" if content.title else ""
    made = f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>'
    if len(content.rows) <= fold:
        return made
    return f"<details><summary>Table of all {len(content.rows)} rows</summary>{made}</details>"


def hints(lines: Iterable[str]) -> str:
    """A list of remarks; what stands between backticks is shown as code."""
    return "<ul>" + "".join(f"<li>{_with_code(line)}</li>" for line in lines) + "</ul>"


def problems(lines: Sequence[str], most: int = 500) -> str:
    """A list of what is wrong, at most so many of it."""
    more = f"<p>and {len(lines) - most:,} more</p>" if len(lines) > most else ""
    return "<ul>" + "".join(f'<li class="bad">{escape(line)}</li>' for line in lines[:most]) + f"</ul>{more}"


def paragraph(text: str) -> str:
    """Plain text; what stands between backticks is shown as code."""
    return f"<p>{_with_code(text)}</p>"


def _with_code(text: str) -> str:
    pieces = escape(text).split("`")
    if len(pieces) % 2 == 0:  # a lone backtick is data
        return escape(text)
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, int | float) else escape(value)
