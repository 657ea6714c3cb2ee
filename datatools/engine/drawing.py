"""A pipeline as a graph for people: repeats of a stage are one box, the stages of an included file stand in a frame."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from datatools.core.errors import escape
from datatools.engine.pipeline import Pipeline, Stage, generalised, parts

if TYPE_CHECKING:
    from datatools.report.graph import Graph, Node


def graph_of(pipeline: Pipeline) -> Graph:
    """The boxes and frames of the pipeline, in the order of its stages."""
    from datatools.report.graph import Graph, Node

    boxes = _boxes(pipeline.stages)
    box_of = {stage.id: box for box, stages in boxes.items() for stage in stages}
    paths: dict[str, Node] = {}
    nodes = []
    for box, stages in boxes.items():
        needs = [box_of[need] for stage in stages for need in stage.needs]
        for path in dict.fromkeys(escape(path) for stage in stages for path in stage.sources):
            paths[path] = Node(f"path {path}", path, is_path=True)
            needs.append(f"path {path}")
        nodes.append(_node(box, stages, tuple(dict.fromkeys(needs))))
    return Graph((*paths.values(), *nodes), _frames(pipeline.stages))


def _boxes(stages: Sequence[Stage]) -> dict[str, list[Stage]]:
    """The stages of each box, each box after those that it needs."""
    boxes: dict[str, list[Stage]] = {}
    for stage in stages:
        boxes.setdefault(generalised(stage.id)[-1], []).append(stage)
    box_of = {stage.id: box for box, repeats in boxes.items() for stage in repeats}
    needs = {box: [box_of[n] for s in repeats for n in s.needs] for box, repeats in boxes.items()}
    try:
        order = list(graphlib.TopologicalSorter(needs).static_order())
    except graphlib.CycleError:  # one repeat of a stage leads to another: each is drawn
        return {stage.id: [stage] for stage in stages}
    return {box: boxes[box] for box in order}


def _node(box: str, stages: Sequence[Stage], needs: tuple[str, ...]) -> Node:
    from datatools.report.graph import Node

    names = [name + values for name, values in parts(box)]
    lines = [stages[0].op.name]
    own = _values(values for stage in stages for _, values in parts(stage.id)[-1:])
    if len(stages) > 1:
        lines.append(f"\N{MULTIPLICATION SIGN} {len(stages)}{': ' + own if own else ''}")
    if whens := list(dict.fromkeys(stage.when for stage in stages if stage.when)):
        lines.append(f"when {escape(whens[0])}")
    skipped = [stage for stage in stages if stage.skipped_because]
    if skipped:
        count = f"{len(skipped)} of {len(stages)} " if len(skipped) < len(stages) else ""
        lines.append(f"{count}skipped")
    frames = tuple(".".join(names[:end]) for end in range(1, len(names)))
    return Node(
        id=box,
        title=names[-1],
        lines=tuple(lines),
        needs=needs,
        frames=frames,
        repeated=len(stages) > 1,
        faded=len(skipped) == len(stages),
    )


def _frames(stages: Iterable[Stage]) -> dict[str, str]:
    """What is written on the frames: the include's id, its file, and the values over which it is repeated."""
    files: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for stage in stages:
        told = parts(stage.id)
        for end in range(1, len(told)):
            frame = ".".join(name for name, _ in told[:end])
            if end == len(told) - 1:
                files[frame] = PurePath(stage.place.rsplit(":", 2)[0]).name
            values.setdefault(frame, []).append(told[end - 1][1])
    return {
        frame: " ".join(filter(None, [frame.rpartition(".")[2], f"({files[frame]})" if frame in files else "", own]))
        for frame, own in ((frame, _repeats(given)) for frame, given in values.items())
    }


def _repeats(given: Sequence[str]) -> str:
    own = _values(given)
    return f"\N{MULTIPLICATION SIGN} {len(set(given))}: {own}" if own else ""


def _values(labels: Iterable[str]) -> str:
    """The values of a matrix, read off the ends of the ids: `k 5, 9; size 416, 608`."""
    found: dict[str, dict[str, None]] = {}
    for label in labels:
        for pair in filter(None, label.strip("[]").split(",")):
            name, _, value = pair.partition("=")
            found.setdefault(name, {})[value] = None
    return "; ".join(f"{name} {', '.join(values)}" for name, values in found.items())
