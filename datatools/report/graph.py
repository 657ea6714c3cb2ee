"""A pipeline as a graph of boxes: what is drawn, and the same as Mermaid text for pages that draw it themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Node:
    """A stage or a path.

    title, lines: what is written in the box. needs: ids of the nodes that it is made from; they come before it.
    frames: ids of the frames around it, the outermost first. repeated: it stands for several. faded: it does not run.
    """

    id: str
    title: str
    lines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    is_path: bool = False
    frames: tuple[str, ...] = ()
    repeated: bool = False
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """nodes: each after those that it needs. frames: id -> what is written on the frame around some of them."""

    nodes: tuple[Node, ...]
    frames: dict[str, str]


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, left to right."""
    names = {node.id: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = ["flowchart LR", *_inside((), graph, names)]
    faded = {node.id for node in graph.nodes if node.faded}
    for node in graph.nodes:
        for need in node.needs:
            arrow = "-.->" if faded & {node.id, need} else "-->"
            lines.append(f"    {names[need]} {arrow} {names[node.id]}")
    if faded:
        lines.append("    classDef skipped stroke-dasharray: 4 3,opacity: 0.6")
        lines.append(f"    class {','.join(names[node] for node in names if node in faded)} skipped")
    return "\n".join(lines) + "\n"


def children(frames: tuple[str, ...], nodes: Sequence[Node]) -> list[str]:
    """The ids of the frames that stand directly inside these, in the order of their first nodes."""
    depth = len(frames)
    return list(dict.fromkeys(n.frames[depth] for n in nodes if n.frames[:depth] == frames and len(n.frames) > depth))


def _inside(frames: tuple[str, ...], graph: Graph, names: dict[str, str]) -> Iterator[str]:
    indent = "    " * (len(frames) + 1)
    for node in graph.nodes:
        if node.frames == frames:
            left, right = ("[/", "/]") if node.is_path else ("[[", "]]") if node.repeated else ("[", "]")
            yield f'{indent}{names[node.id]}{left}"{_label(node.title, *node.lines)}"{right}'
    for frame in children(frames, graph.nodes):
        first = next(node for node in graph.nodes if node.frames[: len(frames) + 1] == (*frames, frame))
        yield f'{indent}subgraph in_{names[first.id]}_{len(frames)}["{_label(graph.frames[frame])}"]'
        yield from _inside((*frames, frame), graph, names)
        yield f"{indent}end"


def _label(*lines: str) -> str:
    """Lines of a label; what Mermaid would read as a code or as Markdown is escaped."""
    codes = str.maketrans({"#": "#35;", "`": "#96;", '"': "#quot;"})
    return "<br/>".join(escape(line.translate(codes), quote=False) for line in lines)
