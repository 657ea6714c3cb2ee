"""Where the boxes of a graph stand: a column a step, frames in one piece, long arrows around the boxes between.

An arrow over several columns reserves a narrow place in each column that it passes, as in Sugiyama, Tagawa and Toda
(1981); arrows from one box share these. Everything is placed from left to right, as near as is free to the height of
what leads to it.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datatools.report.graph import Graph, Node, children

GAP_X, GAP_Y, MARGIN = 46, 20, 16
PASS_H = 10
FRAME_PAD, FRAME_TITLE_H = 14, 36  # below the title, room for the sheets of a repeated box
LINE_H, BOX_PAD = 17, 11
CHAR_W = 7.2
MIN_W, MAX_W = 110, 290


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in px, from its left top corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def middle(self) -> float:
        """The y of its horizontal axis."""
        return self.y + self.h / 2


@dataclass(frozen=True)
class Layout:
    """Where everything is, in px from the left top.

    boxes: by node id. frames: by frame id, outer ones first. arrows: (from, to) -> the places that the arrow leads
    through, each as wide as its column, from that of its start to that of its end: level inside, curved between.
    """

    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    arrows: dict[tuple[str, str], list[Rect]]
    width: float
    height: float


@dataclass
class _Block:
    """A box, a pass or a frame while it is placed.

    key: `n` and the node's id, `p` and column and node's id, `f` and the frame's id. first, last: columns. leads: keys
    of what leads to it. y: inside the frame around it.
    """

    key: str
    first: int
    last: int
    height: float
    leads: list[str]
    order: int
    inner: list["_Block"] = field(default_factory=list)
    y: float = 0.0

    def all(self) -> Iterator["_Block"]:
        """The block and all that is in it."""
        yield self
        for block in self.inner:
            yield from block.all()


def box_size(node: Node) -> tuple[float, float]:
    """Width and height of a node's box for its text, in px."""
    longest = max(len(node.title) * 1.06, *map(len, node.lines), 0)
    width = min(max(longest * CHAR_W + 2 * BOX_PAD, MIN_W), MAX_W)
    return width, (1 + len(node.lines)) * LINE_H + 2 * BOX_PAD - 3


def layout(graph: Graph) -> Layout:
    """Place everything."""
    columns = _Columns(graph)
    top = _block((), graph, columns)
    depth = max((len(node.frames) for node in graph.nodes), default=0)
    widths = [
        max((box_size(n)[0] for n in graph.nodes if columns.of[n.id] == c), default=MIN_W) for c in range(columns.count)
    ]
    margin = MARGIN + depth * FRAME_PAD
    left = [margin + sum(widths[:c]) + c * (GAP_X + 2 * depth * FRAME_PAD) for c in range(columns.count)]
    rects: dict[str, Rect] = {}
    _place(top, MARGIN, left, widths, rects)
    boxes = {node.id: rects[f"n{node.id}"] for node in graph.nodes}
    for node in graph.nodes:  # a narrow box stands in the middle of its column
        rect, width = boxes[node.id], box_size(node)[0]
        boxes[node.id] = Rect(rect.x + (rect.w - width) / 2, rect.y, width, rect.h)
    return Layout(
        boxes=boxes,
        frames={key[1:]: rect for key, rect in rects.items() if key.startswith("f") and key != "f"},
        arrows={
            (need, node.id): [
                rects[f"n{need}"],
                *(rects[columns.key(need, c)] for c in columns.between(need, node.id)),
                rects[f"n{node.id}"],
            ]
            for node in graph.nodes
            for need in node.needs
        },
        width=left[-1] + widths[-1] + margin,
        height=top.height + 2 * MARGIN,
    )


class _Columns:
    """Each node's column: one behind the last that it needs; a path just before what reads it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.frames = {node.id: node.frames for node in graph.nodes}
        self.of: dict[str, int] = {}
        for node in graph.nodes:
            self.of[node.id] = 1 + max((self.of[need] for need in node.needs), default=-1)
        for path in (node.id for node in graph.nodes if node.is_path):
            self.of[path] = min((self.of[other.id] for other in graph.nodes if path in other.needs), default=1) - 1
        self.count = max(self.of.values(), default=0) + 1

    def between(self, need: str, node: str) -> range:
        """The columns that an arrow passes."""
        return range(self.of[need] + 1, self.of[node])

    def key(self, need: str, c: int) -> str:
        """The block that an arrow from there has in the column."""
        return f"n{need}" if self.of[need] == c else f"p{c} {need}"

    def span(self, frames: tuple[str, ...]) -> tuple[int, int]:
        """The first and the last column of a frame."""
        inside = [self.of[i] for i, around in self.frames.items() if around[: len(frames)] == frames]
        return min(inside, default=0), max(inside, default=0)

    @functools.cached_property
    def passes(self) -> dict[tuple[str, int], tuple[str, ...]]:
        """(from, column) of every pass, and the frames inside which it lies: those of its ends that reach there."""
        found: dict[tuple[str, int], tuple[str, ...]] = {}
        for node in self.graph.nodes:
            for need in node.needs:
                for c in self.between(need, node.id):
                    found.setdefault((need, c), max(self._reaching(need, c), self._reaching(node.id, c), key=len))
        return found

    def _reaching(self, node: str, c: int) -> tuple[str, ...]:
        frames = self.frames[node]
        spans = (self.span(frames[:depth]) for depth in range(1, len(frames) + 1))
        return frames[: sum(first <= c <= last for first, last in spans)]


def _block(frames: tuple[str, ...], graph: Graph, columns: _Columns) -> _Block:
    """A frame with all that is in it placed; the whole graph for no frames."""
    inner = [_block((*frames, frame), graph, columns) for frame in children(frames, graph.nodes)]
    for order, node in enumerate(graph.nodes):
        if node.frames == frames:
            c = columns.of[node.id]
            leads = [columns.key(need, c - 1) for need in node.needs]
            inner.append(_Block(f"n{node.id}", c, c, box_size(node)[1], leads, order))
    for order, ((need, c), around) in enumerate(columns.passes.items(), len(graph.nodes)):
        if around == frames:
            inner.append(_Block(columns.key(need, c), c, c, PASS_H, [columns.key(need, c - 1)], order))
    inner.sort(key=lambda block: (block.first, block.order))
    height = _stack(inner)
    if frames:
        height += FRAME_TITLE_H + FRAME_PAD
        for block in inner:
            block.y += FRAME_TITLE_H
    own = {inside.key for block in inner for inside in block.all()}
    leads = [lead for block in inner for lead in block.leads if lead not in own]
    order = min((block.order for block in inner), default=0)
    return _Block(f"f{frames[-1] if frames else ''}", *columns.span(frames), height, leads, order, inner)


def _stack(blocks: Sequence[_Block]) -> float:
    """Give each block, in this order, the free place that is nearest to the middle of what leads to it.

    Returns the height of the whole.
    """
    middle: dict[str, float] = {}
    placed: list[_Block] = []
    for block in blocks:
        known = [middle[lead] for lead in block.leads if lead in middle]
        wish = max(0.0, sum(known) / len(known) - block.height / 2) if known else 0.0
        others = [b for b in placed if b.first <= block.last and block.first <= b.last]
        block.y = _nearest(wish, [(b.y - GAP_Y - block.height, b.y + b.height + GAP_Y) for b in others])
        placed.append(block)
        _note_middles(block, block.y, middle)
    return max((b.y + b.height for b in blocks), default=0.0)


def _nearest(wish: float, taken: list[tuple[float, float]]) -> float:
    """The number from 0 on that is nearest to the wish and inside none of the open intervals."""
    above = wish
    for start, end in sorted(taken):
        if start < above - 1e-6 and end > above + 1e-6:
            above = end
    below = wish
    for start, end in sorted(taken, key=lambda interval: -interval[1]):
        if start < below - 1e-6 and end > below + 1e-6:
            below = start
    return below if below >= 0 and wish - below <= above - wish else above


def _note_middles(block: _Block, y: float, middle: dict[str, float]) -> None:
    middle[block.key] = y + block.height / 2
    for inner in block.inner:
        _note_middles(inner, y + inner.y, middle)


def _place(block: _Block, y: float, left: list[float], widths: list[float], rects: dict[str, Rect]) -> None:
    """Note the rectangle of the block, as wide as its columns, and of all that is in it."""
    pad = _padding(block)
    x = left[block.first] - pad
    rects[block.key] = Rect(x, y, left[block.last] + widths[block.last] + pad - x, block.height)
    for inner in block.inner:
        _place(inner, y + inner.y, left, widths, rects)


def _padding(block: _Block) -> float:
    """How far a frame reaches beyond its columns: one step more than the frames inside it."""
    return FRAME_PAD + max(map(_padding, block.inner)) if block.inner else 0.0
