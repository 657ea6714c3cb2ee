"""What of a pipeline is drawn: repeats in one box, included files in frames, what does not run marked."""

from pathlib import Path

import pytest

from datatools.engine import drawing, pipeline
from datatools.report.graph import Graph, Node

PREP = """version: 1
vars: {root: raw, work: w, more: false}
stages:
  - {id: fixed, uses: voc.fix, in: "${root}", out: "${work}/fixed"}
  - {id: lists, uses: voc.split, in: fixed, when: "${more}"}
"""
TIMES = "\N{MULTIPLICATION SIGN}"


def graph(text: str) -> Graph:
    Path("p.yaml").write_text("version: 1\n" + text)
    return drawing.graph_of(pipeline.load(Path("p.yaml")))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("prep.yaml").write_text(PREP)


def test_repeats_are_one_box_with_their_values() -> None:
    drawn = graph("""
stages:
  - id: anchors
    uses: anchors.kmeans
    in: raw
    matrix: {k: [5, 9], size: [416, 608]}
    when: ${matrix.k} != 5
    out: w/${matrix.k}-${matrix.size}
""")
    assert drawn.nodes == (
        Node("path raw", "raw", is_path=True),
        Node(
            "anchors",
            "anchors",
            ("anchors.kmeans", f"{TIMES} 4: k 5, 9; size 416, 608", "when ${matrix.k} != 5", "2 of 4 skipped"),
            ("path raw",),
            repeated=True,
        ),
    )


def test_included_files_are_frames() -> None:
    Path("outer.yaml").write_text(
        "version: 1\nstages:\n  - {id: prep, include: prep.yaml, with: {work: 'w${matrix.n}'}, matrix: {n: [1, 2]}}\n"
        "  - {id: m, uses: voc.merge, in: prep.fixed, out: m}\n"
    )
    drawn = graph("stages: [{id: all, include: outer.yaml}, {id: l, uses: voc.lint, in: all.m}]")
    by_id = {node.id: node for node in drawn.nodes}
    assert drawn.frames == {"all": "all (outer.yaml)", "all.prep": f"prep (prep.yaml) {TIMES} 2: n 1, 2"}
    assert by_id["all.prep.fixed"].frames == ("all", "all.prep")
    assert by_id["all.prep.fixed"].lines == ("voc.fix", f"{TIMES} 2")
    assert by_id["all.prep.lists"].lines == ("voc.split", f"{TIMES} 2", "when ${more}", "skipped")
    assert by_id["all.prep.lists"].faded
    assert by_id["all.m"].needs == ("all.prep.fixed",)
    assert by_id["l"].needs == ("all.m",)


def test_a_stage_of_two_sources() -> None:
    Path("other").mkdir()
    drawn = graph("stages: [{id: m, uses: voc.merge, in: [raw, other], out: m}]")
    assert drawn.nodes[-1].needs == ("path raw", "path other")


def test_repeats_that_lead_to_each_other_are_drawn_one_by_one() -> None:
    drawn = graph("""
stages:
  - {id: f, uses: voc.filter, matrix: {of: [raw, b]}, in: "${matrix.of}", out: "w/${matrix.of}"}
  - {id: b, uses: voc.filter, in: "f[of=raw]", out: w/middle}
""")
    assert [node.id for node in drawn.nodes] == ["path raw", "f[of=raw]", "b", "f[of=b]"]


def test_the_same_file_gives_the_same_drawing() -> None:
    text = "stages: [{id: all, include: prep.yaml}, {id: l, uses: voc.merge, in: [all.fixed, raw], out: x}]"
    assert graph(text) == graph(text)
