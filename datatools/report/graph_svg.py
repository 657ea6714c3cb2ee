"""A graph of boxes as a drawing (SVG)."""

import itertools
from collections.abc import Iterator
from html import escape

from datatools.report.graph import Graph, Node
from datatools.report.graph_layout import BOX_PAD, CHAR_W, LINE_H, Layout, Rect, layout

_STAGE, _PATH, _FADED, _FRAME = "#dbe9ff", "#eeeeee", "#fafafa", "#f6f8fb"
_LINE, _LINE_FADED = "#6b7280", "#b6bac2"


def svg(graph: Graph) -> str:
    """The graph from left to right: an arrow from what is needed to what needs it."""
    placed = layout(graph)
    width, height = f"{placed.width:g}", f"{placed.height:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12">',
        f"<defs>{_tip('tip', _LINE)}{_tip('tip-faded', _LINE_FADED)}</defs>",
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>',
        *(_frame(graph.frames[frame], rect) for frame, rect in placed.frames.items()),
        *_arrows(graph, placed),
        *(part for node in graph.nodes for part in _box(node, placed.boxes[node.id])),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _tip(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


def _frame(title: str, rect: Rect) -> str:
    return (
        f'<rect x="{rect.x:g}" y="{rect.y:g}" width="{rect.w:g}" height="{rect.h:g}" rx="10" fill="{_FRAME}" '
        f'stroke="#9aa5b8"/><text x="{rect.x + 12:g}" y="{rect.y + 18:g}" fill="#374151">'
        f"{_fitted(title, rect.w - 12)}</text>"
    )


def _arrows(graph: Graph, placed: Layout) -> Iterator[str]:
    faded = {node.id for node in graph.nodes if node.faded}
    for (need, node), places in placed.arrows.items():
        is_faded = bool(faded & {need, node})
        look = f'stroke="{_LINE_FADED}" stroke-dasharray="4 3"' if is_faded else f'stroke="{_LINE}"'
        tip = "tip-faded" if is_faded else "tip"
        path = _curve(placed.boxes[need], places, placed.boxes[node])
        yield f'<path d="{path}" fill="none" {look} marker-end="url(#{tip})"/>'


def _curve(start: Rect, places: list[Rect], end: Rect) -> str:
    """A path from box to box, level through each column and curved between them."""
    path = f"M{start.x + start.w:g} {start.middle:g}"
    for before, after in itertools.pairwise(places):
        x = before.x + before.w
        bend = (after.x - x) / 2
        path += (
            f"H{x:g}C{x + bend:g} {before.middle:g} {after.x - bend:g} {after.middle:g} {after.x:g} {after.middle:g}"
        )
    return f"{path}H{end.x:g}"


def _box(node: Node, rect: Rect) -> Iterator[str]:
    fill = _FADED if node.faded else _PATH if node.is_path else _STAGE
    look = f'fill="{fill}" stroke="{_LINE_FADED if node.faded else _LINE}"' + (
        ' stroke-dasharray="4 3"' if node.faded else ""
    )
    for shift in (8, 4, 0) if node.repeated else (0,):  # a stack of sheets
        yield (
            f'<rect x="{rect.x + shift:g}" y="{rect.y - shift:g}" width="{rect.w:g}" height="{rect.h:g}" '
            f'rx="{2 if node.is_path else 8}" {look}/>'
        )
    middle = rect.x + rect.w / 2
    dark, light = ("#8a8f98", "#8a8f98") if node.faded else ("#111827", "#4b5563")
    for i, line in enumerate((node.title, *node.lines)):
        weight = f'font-weight="600" fill="{dark}"' if i == 0 else f'fill="{light}"'
        y = rect.y + BOX_PAD + (i + 0.72) * LINE_H
        yield f'<text x="{middle:g}" y="{y:g}" text-anchor="middle" {weight}>{_fitted(line, rect.w - BOX_PAD)}</text>'


def _fitted(text: str, width: float) -> str:
    """The text, shortened in its middle where it is too long; all of it is shown under the pointer then."""
    room = int(width / CHAR_W)
    if len(text) <= room:
        return escape(text)
    head = (room - 1) // 2
    short = f"{text[:head]}\u2026{text[len(text) - (room - 1 - head) :]}"
    return f"{escape(short)}<title>{escape(text)}</title>"
