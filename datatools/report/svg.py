"""Small charts as SVG text, made from plain numbers.

Every builder returns one `<svg>` element. Colours come from CSS classes, so that a chart follows the light or dark
scheme of the page that it stands in: put `STYLE` into the page's head, or make a file of the chart with `document`.
Text from data is escaped; nothing refers to anything outside. Hovering over a mark shows its numbers, without script.
"""

import html
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datatools.core import errors
from datatools.report.scale import Axis as Axis
from datatools.report.scale import number as number
from datatools.report.scale import ticks

PALETTE = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2",
    "#edc948", "#d37295", "#9c755f", "#499894", "#ff9d9a", "#8a8f98",
)  # fmt: skip
"""Colours of categories: told apart by most colour-blind people when neighbours, readable on white and on black."""

STYLE = """\
.chart{--ink:#1c2733;--soft:#5d6b7a;--line:#d9e0e7;--mark:#2f6db3;--on:#fff;--surface:#fff;\
font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--ink)}
.chart .title{font-size:13px;font-weight:600}.chart .soft{fill:var(--soft)}.chart .small{font-size:11px}
.chart .on{fill:var(--on)}.chart .mark{fill:var(--mark)}.chart .ground{fill:var(--surface)}
.chart .grid{stroke:var(--line);fill:none}.chart .axis{stroke:var(--soft);fill:none}
.chart .rule{stroke:var(--soft);stroke-dasharray:4 3}.chart .end{text-anchor:end}.chart .mid{text-anchor:middle}
@media(prefers-color-scheme:dark){.chart{--ink:#e4e9ef;--soft:#9aa7b5;--line:#2c3743;--mark:#5b9be6;--on:#0b1118;\
--surface:#12181f}}
"""
"""The style sheet of all charts."""

_CHARACTER = 7.2  # advance of a character at 12 px in a wide font; a narrow one leaves a little room


def escape(text: object) -> str:
    r"""Make text from data safe inside SVG and HTML; control characters become visible escapes.

    >>> escape("<b>\x1b[0m")
    '&lt;b&gt;\\x1b[0m'
    """
    return html.escape(errors.escape(text))


@dataclass(frozen=True, slots=True)
class Points:
    """Dots at (x, y). colour: place in PALETTE. cross: drawn as large crosses over everything else."""

    xy: Sequence[tuple[float, float]]
    name: str = ""
    colour: int = 0
    radius: float = 2.0
    opacity: float = 0.6
    cross: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line through (x, y) with a dot at each."""

    xy: Sequence[tuple[float, float]]
    name: str = ""
    colour: int = 0


def document(svg: str) -> bytes:
    """Make a file of a chart: its style inside, on a ground of its own, so that it is readable anywhere."""
    head, _, body = svg.partition(">")
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    ground = '<rect class="ground" width="100%" height="100%"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{STYLE}</style>{ground}{body}\n'.encode()


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    label: str = "",
    width: int = 720,
) -> str:
    """Draw horizontal bars, one a label, stacked by series, with the total at the end of each.

    series: name -> one value (>= 0) a label. label: what is counted.
    """
    row = 22
    totals = [sum(values[i] for values in series.values()) for i in range(len(labels))]
    named = [name for name in series if name]
    top = _head_height(title, named, width)
    left = min(20 + max((_text_width(_short(t)) for t in labels), default=0), width * 0.4)
    axis = Axis(label, 0.0, max(totals, default=0) or 1.0)
    bottom = top + row * len(labels)
    span = width - left - 64

    parts = _head(title, named, width)
    for tick in ticks(axis.low, axis.high, about=max(2, int(span / 90))):
        x = left + span * axis.share(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(f'<text class="soft small mid" x="{x:.1f}" y="{bottom + 15}">{number(tick)}</text>')
    parts.append(f'<text class="soft small end" x="{width - 6}" y="{bottom + 15}">{escape(label)}</text>')
    for i, name in enumerate(labels):
        y = top + row * i
        parts.append(f'<text class="end" x="{left - 8:.1f}" y="{y + 15}">{_titled(name)}</text>')
        x = left
        for colour, (part, values) in enumerate(series.items()):
            length = span * axis.share(values[i])
            if values[i] > 0:
                where = f"{name}, {part}" if part else name
                paint = f'fill="{_colour(colour)}"' if part else 'class="mark"'
                parts.append(
                    f'<rect x="{x:.1f}" y="{y + 3}" width="{max(length, 0.5):.1f}" height="{row - 6}" '
                    f"{paint}><title>{escape(where)}: {number(values[i])}</title></rect>"
                )
            x += length
        parts.append(f'<text class="soft small" x="{x + 6:.1f}" y="{y + 15}">{number(totals[i])}</text>')
    return _svg(parts, width, bottom + 24, title)


def histogram(
    edges: Sequence[float],
    counts: Sequence[float],
    *,
    title: str = "",
    label: str = "",
    log: bool = False,
    whole: bool = False,
    rules: Sequence[tuple[float, str]] = (),
    width: int = 480,
    height: int = 220,
) -> str:
    """Draw counts between edges (one more than counts, rising; above 0 where log).

    whole: the values are whole numbers; a bin holds those from its edge up to below the next.
    rules: (value, text) of dashed upright lines, such as quantiles or limits.
    """
    if whole:  # so that the middle of a bar stands over its number
        edges = [edge - 0.5 for edge in edges]
    x_axis = Axis(label, edges[0], edges[-1], log) if len(edges) > 1 else Axis(label)
    y_axis = Axis("", 0.0, max(counts, default=0) or 1.0)
    frame = _Frame(52, _head_height(title, [], width) + 12, width - 14, height - 40)
    parts = [*_head(title, [], width), *frame.axes(x_axis, y_axis)]
    for i, count in enumerate(counts):
        if count > 0:
            left, right = frame.x(x_axis, edges[i]), frame.x(x_axis, edges[i + 1])
            y = frame.y(y_axis, count)
            low, high = (edges[i] + 0.5, edges[i + 1] - 0.5) if whole else (edges[i], edges[i + 1])
            where = number(low) if low == high else f"{number(low)} to {number(high)}"
            parts.append(
                f'<rect class="mark" x="{left + 0.5:.1f}" y="{y:.1f}" width="{max(right - left - 1, 0.5):.1f}" '
                f'height="{frame.bottom - y:.1f}"><title>{where}: {number(count)}</title></rect>'
            )
    for value, text in rules:
        if edges and edges[0] <= value <= edges[-1]:
            x = frame.x(x_axis, value)
            parts.append(f'<path class="rule" d="M{x:.1f} {frame.top - 4}V{frame.bottom}"/>')
            half = _text_width(text) / 2
            x = min(max(x, half), width - half)  # the text stays inside near the ends
            parts.append(f'<text class="soft small mid" x="{x:.1f}" y="{frame.top - 8}">{escape(text)}</text>')
    return _svg(parts, width, height, title)


def heat_map(
    values: Sequence[Sequence[float]],
    *,
    title: str = "",
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    texts: bool = True,
    linear: bool = False,
    cell: tuple[float, float] = (40, 28),
) -> str:
    """Draw a grid of values (>= 0), the stronger the higher.

    The colour follows the square root, so that small values are seen; `linear`: the value itself.
    rows, columns: names at the sides, or none. texts: write the values into the cells. cell: width, height in px.
    """
    high = max((v for line in values for v in line), default=0) or 1.0
    cell_w, cell_h = cell
    left = 12 + max((8 + _text_width(_short(t)) for t in rows), default=0)
    slant = max((_text_width(_short(t)) for t in columns), default=0) * 0.71
    top = _head_height(title, [], 480) + slant + (10 if columns else 2)
    across = max((len(line) for line in values), default=0)
    parts = _head(title, [], 480)
    for j, name in enumerate(columns):
        x, y = left + cell_w * (j + 0.4), top - 6
        place = f'x="{x:.1f}" y="{y:.1f}" transform="rotate(-45 {x:.1f} {y:.1f})"'
        parts.append(f'<text class="soft" {place}>{_titled(name)}</text>')
    for i, line in enumerate(values):
        y = top + cell_h * i
        if i < len(rows):
            parts.append(f'<text class="end" x="{left - 8:.1f}" y="{y + cell_h / 2 + 4:.1f}">{_titled(rows[i])}</text>')
        for j, value in enumerate(line):
            x = left + cell_w * j
            share = value / high if linear else math.sqrt(value / high)
            where = " x ".join(escape(names[k]) for names, k in ((rows, i), (columns, j)) if k < len(names))
            where = where or f"row {i + 1}, column {j + 1}"
            parts.append(
                f'<rect class="mark" x="{x:.1f}" y="{y:.1f}" width="{cell_w - 1:g}" height="{cell_h - 1:g}" '
                f'fill-opacity="{0.06 + 0.94 * share:.3f}"><title>{where}: {number(value)}</title></rect>'
            )
            if texts and value > 0:
                tone = "on" if share > 0.55 else ""
                parts.append(
                    f'<text class="small mid {tone}" x="{x + cell_w / 2:.1f}" y="{y + cell_h / 2 + 4:.1f}" '
                    f'pointer-events="none">{number(value)}</text>'
                )
    width = max(left + cell_w * across + slant + 10, _text_width(title) + 24, 120)
    return _svg(parts, math.ceil(width), math.ceil(top + cell_h * len(values) + 8), title)


def plot(
    marks: Sequence[Points | Line],
    x: Axis,
    y: Axis,
    *,
    title: str = "",
    width: int = 720,
    height: int = 480,
) -> str:
    """Draw points and lines on two axes, with a legend of those that have a name; later marks lie above."""
    named = {mark.name: mark.colour for mark in marks if mark.name}
    frame = _Frame(60, _head_height(title, list(named), width) + 6, width - 16, height - 44)
    parts = [*_head(title, list(named), width, list(named.values())), *frame.axes(x, y)]
    for mark in marks:
        colour = _colour(mark.colour)
        places = [(frame.x(x, a), frame.y(y, b)) for a, b in mark.xy]
        if isinstance(mark, Line):
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
            parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
            for (a, b), value in zip(places, mark.xy, strict=True):
                tip = f"<title>{escape(mark.name)} {number(value[0])}: {number(value[1])}</title>"
                parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}">{tip}</circle>')
        elif mark.cross:
            for (a, b), value in zip(places, mark.xy, strict=True):
                tip = f"<title>{escape(mark.name)} {number(value[0])} x {number(value[1])}</title>"
                path = f"M{a - 6:.1f} {b:.1f}h12M{a:.1f} {b - 6:.1f}v12"
                # a wider stroke in the colour of the ground below makes it stand out from the dots
                parts.append(f'<g fill="none" stroke-width="5" style="stroke:var(--surface)"><path d="{path}"/></g>')
                parts.append(f'<path fill="none" stroke="{colour}" stroke-width="2.5" d="{path}">{tip}</path>')
        else:
            # one path of round dots: a tenth of the bytes of as many circles
            path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in places)
            parts.append(
                f'<path fill="none" stroke="{colour}" stroke-opacity="{mark.opacity:g}" stroke-linecap="round" '
                f'stroke-width="{2 * mark.radius:g}" d="{path}"/>'
            )
    return _svg(parts, width, height, title)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The rectangle of the data inside a chart, px."""

    left: float
    top: float
    right: float
    bottom: float

    def x(self, axis: Axis, value: float) -> float:
        return self.left + (self.right - self.left) * axis.share(value)

    def y(self, axis: Axis, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * axis.share(value)

    def axes(self, x_axis: Axis, y_axis: Axis) -> list[str]:
        parts = []
        for tick in y_axis.ticks():
            y = self.y(y_axis, tick)
            parts.append(f'<path class="grid" d="M{self.left} {y:.1f}H{self.right}"/>')
            parts.append(f'<text class="soft small end" x="{self.left - 6}" y="{y + 4:.1f}">{number(tick)}</text>')
        for tick in x_axis.ticks():
            x = self.x(x_axis, tick)
            parts.append(f'<path class="axis" d="M{x:.1f} {self.bottom}v4"/>')
            parts.append(f'<text class="soft small mid" x="{x:.1f}" y="{self.bottom + 16}">{number(tick)}</text>')
        parts.append(f'<path class="axis" d="M{self.left} {self.bottom}H{self.right}"/>')
        middle = (self.left + self.right) / 2
        parts.append(f'<text class="soft mid" x="{middle:.1f}" y="{self.bottom + 33}">{escape(x_axis.label)}</text>')
        if y_axis.label:
            middle = (self.top + self.bottom) / 2
            turn = f'transform="rotate(-90 14 {middle:.1f})"'
            parts.append(f'<text class="soft mid" x="14" y="{middle:.1f}" {turn}>{escape(y_axis.label)}</text>')
        return parts


def _svg(parts: Sequence[str], width: int, height: float, title: str) -> str:
    name = escape(title or "chart")
    return (
        f'<svg class="chart" width="{width}" height="{height:g}" viewBox="0 0 {width} {height:g}" role="img" '
        f'aria-label="{name}">' + "".join(parts) + "</svg>"
    )


def _colour(place: int) -> str:
    return PALETTE[place % len(PALETTE)]


def _text_width(text: str) -> float:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return _CHARACTER * (len(text) + wide * 0.8)


def _short(text: str, most: int = 28) -> str:
    text = errors.escape(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _titled(text: str) -> str:
    """A label, cut where it is long; then the whole is its tooltip."""
    short = _short(text)
    whole = errors.escape(text)
    return html.escape(short) + ("" if short == whole else f"<title>{html.escape(whole)}</title>")


def _legend(names: Sequence[str], width: int) -> list[tuple[float, int]]:
    """Place (x, line) of each entry, wrapped to the width."""
    places = []
    x, line = 12.0, 0
    for name in names:
        need = 34 + _text_width(_short(name))
        if x > 12 and x + need > width:
            x, line = 12.0, line + 1
        places.append((x, line))
        x += need
    return places


def _head_height(title: str, names: Sequence[str], width: int) -> int:
    places = _legend(names, width)
    return 10 + (22 if title else 0) + (20 * (places[-1][1] + 1) if places else 0)


def _head(title: str, names: Sequence[str], width: int, colours: Sequence[int] = range(10**6)) -> list[str]:
    parts = [f'<text class="title" x="12" y="20">{escape(title)}</text>'] if title else []
    top = 10 + (22 if title else 0)
    for name, (x, line), colour in zip(names, _legend(names, width), colours, strict=False):
        y = top + 20 * line
        square = f'x="{x:.1f}" y="{y}" width="11" height="11" rx="2"'
        parts.append(
            f'<rect {square} fill="{_colour(colour)}"/><text x="{x + 17:.1f}" y="{y + 10}">{_titled(name)}</text>'
        )
    return parts
