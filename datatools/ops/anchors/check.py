"""`datatools anchors check`: how well given anchors serve the boxes of a set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.kinds import Kind
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, VocFolder
from datatools.ops.anchors import boxes as network
from datatools.ops.anchors import formats
from datatools.ops.anchors.scores import anchor_table, boxes_line, failure_lines, score_line


@dataclass(frozen=True)
class Check(Result):
    """Scores of given anchors.

    anchors: as the file has them, in its order. form: the form of the file. The other fields are those of
    `anchors kmeans`.
    """

    src: Path
    file: Path
    form: str
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
    images: int
    boxes: int
    left_out: int
    failures: tuple[DataError, ...] = ()

    @property
    def problems(self) -> int:
        """How many files, objects and images could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """The anchors with their boxes, the scores, and whether the set deserves its own."""
        yield boxes_line(self.src, self.boxes, self.images, self.size, self.fit)
        yield anchor_table(self.anchors, self.counts)
        yield score_line(self.avg_iou, self.bpr, self.aat)
        areas = [w * h for w, h in self.anchors]
        if areas != sorted(areas):
            yield "the anchors are not sorted by area: networks give the first ones to the finest grid"
        yield from failure_lines(self.failures, self.left_out)
        size = "x".join(map(str, self.size))
        own = f"datatools anchors kmeans {escape(self.src)} -k {self.k} --size {size}"
        if self.bpr < 0.98:
            yield f"next: fewer than 98 % of the boxes can be learnt with these anchors; better ones: {own}"
        else:
            yield f"next: these anchors serve; compare with the set's own: {own}"


@op("anchors.check", version=1)
def check(
    src: VocFolder,
    *,
    anchors: Annotated[
        Path, Param("anchors: keras txt, darknet cfg, YOLOv5 yaml, or our JSON", metavar="FILE"), Kind("anchors")
    ],
    size: network.Size = "416",
    fit: network.FitParam = "letterbox",
    split: network.SplitParam = None,
    run: Run = SERIAL,
) -> Check:
    """Score given anchors on the boxes of a set.

    Anchors are pixels of the network's input, so --size must be the size that they were made for.
    """
    from datatools.io import files
    from datatools.kernels import autoanchor

    size_wh = network.parse_size(size)
    if not anchors.is_file():
        raise UsageError(f"--anchors: {escape(anchors)} is not a file")
    read = formats.parse(files.read_bytes(anchors, limit=formats.MAX_BYTES), str(anchors))
    loaded = network.load(src, size_wh, fit, split, run)
    if len(loaded.wh) == 0:
        raise UsageError("there is no box to score anchors on (`datatools voc lint` says why)")
    import numpy as np

    score = autoanchor.score(loaded.wh, np.array(read.anchors, np.float64))
    return Check(
        src=src,
        file=anchors,
        form=read.form,
        anchors=read.anchors,
        avg_iou=score.avg_iou,
        bpr=score.bpr,
        aat=score.aat,
        fitness=score.fitness,
        counts=score.counts,
        k=len(read.anchors),
        size=size_wh,
        fit=fit,
        split=split,
        images=loaded.images,
        boxes=len(loaded.wh),
        left_out=loaded.left_out,
        failures=loaded.failures,
    )
