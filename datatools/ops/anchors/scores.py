"""Anchors and their scores, as the commands show them to people."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from datatools.core.errors import DataError, escape
from datatools.core.result import Table

SHOWN = 20
"""So many failures are shown on a terminal; JSON holds all."""


def boxes_line(src: Path, boxes: int, images: int, size: tuple[int, int], fit: str) -> str:
    """What was looked at: how many boxes of how many images, in which input."""
    return f"{escape(src)}: {boxes:,} boxes of {images:,} images, in {size[0]} x {size[1]} ({fit})"


def anchor_table(anchors: Sequence[tuple[float, float]], counts: Sequence[int]) -> Table:
    """One row an anchor, with the boxes that are nearest to it."""
    total = sum(counts) or 1
    return Table(
        ("anchor", "width", "height", "ratio", "boxes", "share %"),
        tuple(
            (number, w, h, w / h, count, 100 * count / total)
            for number, ((w, h), count) in enumerate(zip(anchors, counts, strict=True), 1)
        ),
        digits=2,
    )


def score_line(avg_iou: float, bpr: float, aat: float) -> str:
    """The three scores on one line."""
    return f"average IoU {avg_iou:.4f}, best possible recall {bpr:.4f}, anchors past threshold {aat:.2f} (threshold 4)"


def failure_lines(failures: Sequence[DataError], left_out: int) -> Iterator[str]:
    """What could not be used, a line each up to SHOWN."""
    yield from map(str, failures[:SHOWN])
    if len(failures) > SHOWN:
        yield f"... and {len(failures) - SHOWN:,} more that could not be used (--json lists all)"
    if left_out:
        boxes = "1 box without area was" if left_out == 1 else f"{left_out:,} boxes without area were"
        yield f"{boxes} left out (datatools voc lint names them)"
