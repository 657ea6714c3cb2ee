"""A pipeline as a picture: Mermaid text for pages that draw it, SVG for everything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BOX_W, BOX_H, GAP_X, GAP_Y, MARGIN = 190, 54, 56, 26, 20


@dataclass(frozen=True, slots=True)
class Node:
    """A stage or a path. kind: `stage` or `path`. needs: ids of the nodes that it is made from."""

    id: str
    text: str
    kind: str
    needs: tuple[str, ...] = ()


def mermaid(nodes: Sequence[Node]) -> str:
    """The graph as a Mermaid flowchart, left to right."""
    names = {node.id: f"n{i}" for i, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        label = escape(f"{node.id}\n{node.text}" if node.text else node.id, quote=True).replace("\n", "<br/>")
        left, right = ("[", "]") if node.kind == "stage" else ("[/", "/]")
        lines.append(f'    {names[node.id]}{left}"{label}"{right}')
    lines += [f"    {names[need]} --> {names[node.id]}" for node in nodes for need in node.needs]
    return "\n".join(lines) + "\n"


def svg(nodes: Sequence[Node]) -> str:
    """The graph as a drawing: a column a step, an arrow from what is needed to what needs it."""
    column: dict[str, int] = {}
    for node in nodes:  # each comes after those it needs
        column[node.id] = 1 + max((column[need] for need in node.needs), default=-1)
    row: dict[str, int] = {}
    filled: dict[int, int] = {}
    for node in nodes:
        row[node.id] = filled.get(column[node.id], 0)
        filled[column[node.id]] = row[node.id] + 1
    width = 2 * MARGIN + (max(column.values(), default=0) + 1) * (BOX_W + GAP_X) - GAP_X
    height = 2 * MARGIN + max(filled.values(), default=1) * (BOX_H + GAP_Y) - GAP_Y
    at = {n.id: (MARGIN + column[n.id] * (BOX_W + GAP_X), MARGIN + row[n.id] * (BOX_H + GAP_Y)) for n in nodes}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#777"/></marker></defs>',
    ]
    for node in nodes:
        for need in node.needs:
            x0, y0 = at[need][0] + BOX_W, at[need][1] + BOX_H / 2
            x1, y1 = at[node.id][0], at[node.id][1] + BOX_H / 2
            middle = (x0 + x1) / 2
            curve = f"M{x0} {y0}C{middle:g} {y0:g} {middle:g} {y1:g} {x1} {y1:g}"
            parts.append(f'<path d="{curve}" fill="none" stroke="#777" marker-end="url(#tip)"/>')
    for node in nodes:
        x, y = at[node.id]
        fill = "#dbe9ff" if node.kind == "stage" else "#eee"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{BOX_W}" height="{BOX_H}" rx="8" fill="{fill}" stroke="#777"/>'
            f'<text x="{x + BOX_W / 2:g}" y="{y + 22}" text-anchor="middle" font-weight="600" fill="#111">'
            f"{escape(_short(node.id))}</text>"
            f'<text x="{x + BOX_W / 2:g}" y="{y + 41}" text-anchor="middle" fill="#444">'
            f"{escape(_short(node.text))}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _short(text: str) -> str:
    return text if len(text) <= 26 else "..." + text[-23:]
