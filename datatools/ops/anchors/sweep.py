"""`datatools anchors sweep`: what each further anchor brings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from datatools.core.errors import DataError, UsageError, escape
from datatools.core.op import Param, op
from datatools.core.result import Result, Table
from datatools.core.types import SERIAL, Run, Seed, VocFolder
from datatools.ops.anchors import boxes as network
from datatools.ops.anchors import formats
from datatools.ops.anchors.scores import boxes_line, failure_lines
from datatools.ops.anchors.solve import (
    MAX_K,
    CenterParam,
    Choices,
    Evolve,
    MetricParam,
    Polish,
    Restarts,
    check_k,
    distinct,
    solve,
)

MAX_KS = 100

LEAST_GAIN = 0.01
"""An anchor that raises the average IoU by less is hardly worth its computing."""


@dataclass(frozen=True, slots=True)
class Step:
    """One number of anchors: the best that were found, and their scores."""

    k: int
    avg_iou: float
    bpr: float
    aat: float
    anchors: formats.Anchors


@dataclass(frozen=True)
class Sweep(Result):
    """Scores for several numbers of anchors.

    steps: by k, ascending. enough: the first k after which no further anchor of the sweep brings LEAST_GAIN of average
    IoU; None where the last step still does. The other fields are those of `anchors kmeans`.
    """

    src: Path
    steps: tuple[Step, ...]
    enough: int | None
    size: tuple[int, int]
    fit: network.Fit
    split: network.Split | None
    images: int
    boxes: int
    left_out: int
    failures: tuple[DataError, ...] = ()
    written: tuple[Path, ...] = ()

    @property
    def problems(self) -> int:
        """How many files, objects and images could not be used."""
        return len(self.failures)

    def lines(self) -> Iterator[str | Table]:
        """A row for each k, with what it gains on the one before."""
        yield boxes_line(self.src, self.boxes, self.images, self.size, self.fit)
        rows = []
        for before, step in zip((None, *self.steps[:-1]), self.steps, strict=True):
            gain = None if before is None else step.avg_iou - before.avg_iou
            rows.append((step.k, step.avg_iou, gain, step.bpr, step.aat))
        yield Table(("k", "average IoU", "gain", "BPR", "AAT"), tuple(rows), digits=4)
        yield from failure_lines(self.failures, self.left_out)
        yield from (f"wrote {escape(path)}" for path in self.written)
        name = escape(self.src)
        if self.enough is None:
            yield f"next: the last step still brings {LEAST_GAIN} an anchor: sweep further than k = {self.steps[-1].k}"
            return
        yield f"from k = {self.enough} on, a further anchor brings less than {LEAST_GAIN} of average IoU"
        yield f"next: datatools anchors kmeans {name} -k {self.enough}"


def parse_ks(text: str) -> tuple[int, ...]:
    """Read "1..12" or "3,5,9" or both mixed as ascending numbers of anchors. UsageError for anything else.

    >>> parse_ks("1..4"), parse_ks("9,3,5")
    ((1, 2, 3, 4), (3, 5, 9))
    """
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4})(?:\.\.([0-9]{1,4}))?\s*", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= MAX_K:
            raise UsageError(f"-k must be numbers of anchors from 1 to {MAX_K}, such as 1..12 or 3,5,9 (got {text!r})")
        found.update(range(first, last + 1))
    if len(found) > MAX_KS:
        raise UsageError(f"-k names {len(found)} numbers; at most {MAX_KS} are tried in one go")
    return tuple(sorted(found))


def enough(ks: Sequence[int], avg_iou: Sequence[float]) -> int | None:
    """Return the first k after which no step gains LEAST_GAIN for each anchor it adds; None where the last one does.

    >>> enough([1, 2, 3, 4, 5], [0.3, 0.5, 0.6, 0.605, 0.608])
    3
    """
    found: int | None = ks[0] if len(ks) == 1 else None
    for i in reversed(range(1, len(ks))):
        if avg_iou[i] - avg_iou[i - 1] >= LEAST_GAIN * (ks[i] - ks[i - 1]):
            break
        found = ks[i - 1]
    return found


@op("anchors.sweep", version=1)
def sweep(
    src: VocFolder,
    *,
    k: Annotated[str, Param("numbers of anchors to try: 1..12 or 3,5,9", flags=("-k",), metavar="KS")] = "1..12",
    size: network.Size = "416",
    fit: network.FitParam = "letterbox",
    split: network.SplitParam = None,
    metric: MetricParam = "iou",
    center: CenterParam = "median",
    restarts: Restarts = 10,
    evolve: Evolve = 0,
    polish: Polish = True,
    seed: Seed = 0,
    plot: Annotated[Path | None, Param("draw the curve (SVG)", metavar="FILE", writes="file")] = None,
    run: Run = SERIAL,
) -> Sweep:
    """Find anchors for several k and show what each further one brings.

    Each k is solved as `anchors kmeans` would solve it. More anchors always fit better; the table says from which k on
    further ones bring little.
    """
    from datatools.kernels import autoanchor

    ks = parse_ks(k)
    size_wh = network.parse_size(size)
    loaded = network.load(src, size_wh, fit, split, run)
    check_k(len(distinct(loaded.wh)[0]), ks[-1])  # too many anchors are refused before the work
    choices = Choices(metric, center, restarts, evolve, polish, seed)
    steps = []
    for number in run.track(ks, "clustering"):
        found = solve(loaded.wh, number, choices)
        score = autoanchor.score(loaded.wh, found)
        pairs = tuple((w, h) for w, h in found.tolist())
        steps.append(Step(number, score.avg_iou, score.bpr, score.aat, pairs))
    result = Sweep(
        src=src,
        steps=tuple(steps),
        enough=enough(ks, [step.avg_iou for step in steps]),
        size=size_wh,
        fit=fit,
        split=split,
        images=loaded.images,
        boxes=len(loaded.wh),
        left_out=loaded.left_out,
        failures=loaded.failures,
        written=(plot,) if plot else (),
    )
    if plot:
        from datatools.io import atomic
        from datatools.report import anchors as charts

        title = f"Anchors for {result.boxes:,} boxes"
        curves = [s.avg_iou for s in steps], [s.bpr for s in steps]
        atomic.write_bytes(plot, charts.elbow_svg(ks, *curves, title=title))
    return result
