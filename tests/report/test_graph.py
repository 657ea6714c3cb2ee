"""Pipelines as graphs: nothing overlaps, arrows keep clear of boxes, both forms say the same."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datatools.report.graph import Graph, Node, mermaid
from datatools.report.graph_layout import Rect, layout
from datatools.report.graph_svg import svg

SMALL = Graph(
    (
        Node("path raw", "raw", is_path=True),
        Node("prep.fixed", "fixed", ("voc.fix",), ("path raw",), frames=("prep",)),
        Node(
            "anchors",
            "anchors",
            ("anchors.kmeans", "\N{MULTIPLICATION SIGN} 2: k 5, 9"),
            ("prep.fixed",),
            repeated=True,
        ),
        Node("out", "out", ("voc.lint", "when ${a} == 'b\"#`<'"), ("anchors", "prep.fixed"), faded=True),
    ),
    {"prep": "prep (prep.yaml)"},
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of up to 14 boxes in up to three frames, one inside another."""
    frames = [(), ("f",), ("f", "f.g"), ("h",)]
    nodes: list[Node] = []
    for i in range(draw(st.integers(0, 14))):
        needs = draw(st.sets(st.sampled_from([n.id for n in nodes]), max_size=3)) if nodes else set()
        lines = ("x" * draw(st.integers(1, 40)),) * draw(st.integers(0, 3))
        is_path = not needs and draw(st.booleans())
        around = () if is_path else draw(st.sampled_from(frames))
        nodes.append(Node(f"s{i}", f"s{i}", lines, tuple(sorted(needs)), is_path, around, draw(st.booleans())))
    return Graph(tuple(nodes), {"f": "f", "f.g": "g", "h": "h"})


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def inside(a: Rect, b: Rect) -> bool:
    near = 1e-6  # of rounding
    across = b.x <= a.x + near and a.x + a.w <= b.x + b.w + near
    return across and b.y <= a.y + near and a.y + a.h <= b.y + b.h + near


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_and_frames_keep_apart(graph: Graph) -> None:
    placed = layout(graph)
    for one, other in itertools.combinations(graph.nodes, 2):
        assert not overlap(placed.boxes[one.id], placed.boxes[other.id])
    for node in graph.nodes:
        for frame, rect in placed.frames.items():
            if frame in node.frames:
                assert inside(placed.boxes[node.id], rect)
            else:
                assert not overlap(placed.boxes[node.id], rect)
    whole = Rect(0, 0, placed.width, placed.height)
    assert all(inside(rect, whole) for rect in (*placed.boxes.values(), *placed.frames.values()))
    if "f.g" in placed.frames:  # the outer one is drawn first
        assert list(placed.frames).index("f") < list(placed.frames).index("f.g")


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_arrows_lead_to_the_right_and_pass_no_box(graph: Graph) -> None:
    placed = layout(graph)
    for (need, node), places in placed.arrows.items():
        assert all(a.x + a.w < b.x for a, b in itertools.pairwise(places))
        assert inside(placed.boxes[need], places[0])
        assert inside(placed.boxes[node], places[-1])
        for name, box in placed.boxes.items():
            assert name in (need, node) or not any(overlap(rect, box) for rect in places)


def test_the_drawing_is_xml_with_every_text() -> None:
    drawn = svg(SMALL)
    root = ElementTree.fromstring(drawn)
    texts = ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    for node in SMALL.nodes:
        for line in (node.title, *node.lines):
            assert any(line in text for text in texts), line
    assert "prep (prep.yaml)" in texts
    assert drawn.count("<rect") == 1 + 1 + 4 + 2  # the ground, the frame, the boxes, two more sheets
    assert drawn.count("stroke-dasharray") == 3  # the faded box and the arrows to it
    assert svg(SMALL) == drawn


def test_a_long_text_is_shortened_and_kept_as_a_tip() -> None:
    long = "when ${somewhat} in ['longer', 'than', 'any', 'box', 'may', 'ever', 'be']"
    drawn = svg(Graph((Node("a", "a", (long,)),), {}))
    root = ElementTree.fromstring(drawn)
    (title,) = root.iter("{http://www.w3.org/2000/svg}title")
    assert title.text == long
    assert "\N{HORIZONTAL ELLIPSIS}" in drawn


def test_mermaid_has_frames_shapes_and_escapes() -> None:
    assert mermaid(SMALL) == (
        "flowchart LR\n"
        '    n0[/"raw"/]\n'
        '    n2[["anchors<br/>anchors.kmeans<br/>\N{MULTIPLICATION SIGN} 2: k 5, 9"]]\n'
        "    n3[\"out<br/>voc.lint<br/>when ${a} == 'b#quot;#35;#96;&lt;'\"]\n"
        '    subgraph in_n1_0["prep (prep.yaml)"]\n'
        '        n1["fixed<br/>voc.fix"]\n'
        "    end\n"
        "    n0 --> n1\n"
        "    n1 --> n2\n"
        "    n2 -.-> n3\n"
        "    n1 -.-> n3\n"
        "    classDef skipped stroke-dasharray: 4 3,opacity: 0.6\n"
        "    class n3 skipped\n"
    )


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_mermaid_has_every_box_and_arrow(graph: Graph) -> None:
    text = mermaid(graph)
    assert len(re.findall(r"^ +n\d+[\[]", text, re.MULTILINE)) == len(graph.nodes)
    assert len(re.findall(r"-->|-\.->", text)) == sum(len(node.needs) for node in graph.nodes)
    assert text.count("subgraph") == len({f for node in graph.nodes for f in node.frames}) == text.count("end\n")


@pytest.mark.parametrize("form", [mermaid, svg])
def test_nothing_is_drawn_too(form: object) -> None:
    assert callable(form)
    assert form(Graph((), {}))
