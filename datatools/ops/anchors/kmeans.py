"""`datatools anchors kmeans`: the anchors that fit the boxes of a set."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from datatools.core.errors import DataError, escape
from datatools.core.kinds import Kind
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed, VocFolder
from datatools.ops.anchors import boxes as network
from datatools.ops.anchors import formats
from datatools.ops.anchors.scores import anchor_table, boxes_line, failure_lines, score_line
from datatools.ops.anchors.solve import (
    MAX_K,
    Center,
    CenterParam,
    Choices,
    Evolve,
    Metric,
    MetricParam,
    Polish,
    Restarts,
    distinct,
    solve,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Format = Literal["table", "json", "yolov3", "yolov5", "darknet", "keras"]


@dataclass(frozen=True)
class KMeans(Result):
    """Anchors for a set, how well they serve its boxes, and how they were found.

    anchors: (width, height) in pixels of the network's input, sorted by area. avg_iou, bpr, aat, fitness, counts: as
    in datatools.kernels.autoanchor.Fit, on the boxes as they are. size: the network's input, width and height.
    images, boxes: what was used; left_out: boxes without area. failures: what could not be read, and images whose
    size nobody knows. written: the files that were made. format: what `lines` gives.
    """

    src: Path
    anchors: formats.Anchors
    avg_iou: float
    bpr: float
    aat: float
    fitness: float
    counts: tuple[int, ...]
    k: int
    size: tuple[int, int]
    fit: network.Fit
    split: network.Split | None
    metric: Metric
    center: Center
    restarts: int
    evolve: int
    polish: bool
    seed: int
    images: int
    boxes: int
    left_out: int
    failures: tuple[DataError, ...] = ()
    written: tuple[Path, ...] = ()
    format: Format = field(default="table", repr=False)

    @property
    def problems(self) -> int:
        """How many files, objects and images could not be used."""
        return len(self.failures)

    def text(self, form: Format) -> str:
        """The anchors in one of the forms; a table is written as JSON."""
        if form == "table" or form == "json":
            rows = (json.dumps({name: v}, ensure_ascii=False, allow_nan=False) for name, v in self.to_json().items())
            return "{\n " + ",\n ".join(row[1:-1] for row in rows) + "\n}"
        return formats.render(self.anchors, form)

    def lines(self) -> Iterator[str | Table]:
        """The table and the scores; in another format that text alone, so that it can be sent to a file."""
        if self.format != "table":
            yield self.text(self.format)
            return
        yield boxes_line(self.src, self.boxes, self.images, self.size, self.fit)
        yield anchor_table(self.anchors, self.counts)
        yield score_line(self.avg_iou, self.bpr, self.aat)
        yield from failure_lines(self.failures, self.left_out)
        yield from (f"wrote {escape(path)}" for path in self.written)
        if self.bpr < 0.98:
            yield f"next: more anchors serve more boxes: datatools anchors sweep {escape(self.src)} -k 1..15"
        else:
            yield "next: --format yolov5, yolov3, darknet or keras gives the lines for a network's configuration"


@op("anchors.kmeans", version=1)
def kmeans(
    src: VocFolder,
    *,
    k: Annotated[int, Param("how many anchors", flags=("-k",), ge=1, le=MAX_K, metavar="K")] = 9,
    size: network.Size = "416",
    fit: network.FitParam = "letterbox",
    split: network.SplitParam = None,
    metric: MetricParam = "iou",
    center: CenterParam = "median",
    restarts: Restarts = 10,
    evolve: Evolve = 0,
    polish: Polish = True,
    seed: Seed = 0,
    format: Annotated[Format, Param("what is printed, and written by --out (a table: as JSON)")] = "table",
    out: Annotated[
        Path | None,
        Param("write the anchors to a file", flags=("-o", "--out"), metavar="FILE", writes="file"),
        Kind("anchors"),
    ] = None,
    plot: Annotated[
        Path | None, Param("draw the boxes by cluster, and the anchors (SVG)", metavar="FILE", writes="file")
    ] = None,
    run: Run = SERIAL,
) -> KMeans:
    """Find the anchors of a detector by k-means on 1 - IoU.

    The boxes are scaled to the network's input as the images will be. Prints the anchors from the smallest area to
    the largest, how many boxes are nearest to each, the average IoU with the nearest, the best possible recall and
    the anchors past threshold (both for YOLOv5's threshold 4). The same seed gives the same anchors.
    """
    from datatools.io import atomic
    from datatools.kernels import autoanchor

    formats.check_format(k, format)
    size_wh = network.parse_size(size)
    loaded = network.load(src, size_wh, fit, split, run)
    choices = Choices(metric, center, restarts, evolve, polish, seed)
    found = solve(loaded.wh, k, choices)
    score = autoanchor.score(loaded.wh, found)
    result = KMeans(
        src=src,
        anchors=tuple((w, h) for w, h in found.tolist()),
        avg_iou=score.avg_iou,
        bpr=score.bpr,
        aat=score.aat,
        fitness=score.fitness,
        counts=score.counts,
        k=k,
        size=size_wh,
        fit=fit,
        split=split,
        metric=metric,
        center="mean" if metric == "euclidean" else center,
        restarts=restarts,
        evolve=evolve,
        polish=choices.polished,
        seed=seed,
        images=loaded.images,
        boxes=len(loaded.wh),
        left_out=loaded.left_out,
        failures=loaded.failures,
        written=tuple(path for path in (out, plot) if path),
        format=format,
    )
    if out:
        atomic.write_bytes(out, (result.text(format) + "\n").encode())
    if plot:
        atomic.write_bytes(plot, _plot(loaded.wh, found, result))
    return result


DRAWN = 4000
"""A plot shows at most so many dots; of more, neighbours are merged."""


def _plot(wh: "NDArray[np.float64]", found: "NDArray[np.float64]", result: KMeans) -> bytes:
    from datatools.kernels import anchors, sizes
    from datatools.report import anchors as charts

    shown, weight = sizes.thin_sizes(*distinct(wh), DRAWN)
    label, _ = anchors.nearest(sizes.Points.of(shown, weight), found)
    title = f"{result.k} anchors for {result.boxes:,} boxes, average IoU {result.avg_iou:.4f}, BPR {result.bpr:.4f}"
    return charts.clusters_svg(shown, label, found, title=title)
